"""Is everything there that moves jobs along? Seen from our own rows, in a fixed number of queries, and on the disk."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, QuerySet
from django.utils import timezone
from django_q.models import OrmQ

from jobs.engines.registry import SPECS
from jobs.engines.selection import Engines
from jobs.engines.spec import Spec, TranscriberSpec, TranslatorSpec
from jobs.models import Process, StageRun, StageStatus
from jobs.pipeline.errors import PipelineError
from jobs.queueing import processes, tickets
from jobs.storage import artifacts, installation

ROOM = 2 * 1024**3
"""Bytes of free disk under which a video of an hour may not fit any more."""

MAIN = (("en", "fa"), ("en", "es"))
"""Language pairs by which one sees whether a video can be translated at all: the first is what this project is for, the
second what the embedded engines can do.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Of one queue: live `workers`, stages due but `waiting`, stages `running`, `tickets` that a worker could take.

    `stuck`: the cluster of some host takes no tickets any more (`tickets.stuck_clusters`).
    """

    name: str
    workers: int
    waiting: int
    running: int
    tickets: int
    stuck: bool
    ok: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """`names` of the engines that are ready; `ok`: some of them can translate a video together."""

    names: tuple[str, ...]
    ok: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """`database`: it answers (without it nothing is known of `clusters`, `reaper` and `web`). `free` is in bytes.
    `disk_problem`: a sentence where the disk is not that of this installation, so that nothing is begun or deleted.
    """

    ok: bool
    version: str
    database: bool
    clusters: tuple[Cluster, ...]
    reaper: bool
    web: bool
    disk: bool
    disk_problem: str
    free: int
    engines: Ready


def check_health() -> Health:
    """The state of the whole installation, ready for `dataclasses.asdict` and JSON. Raises nothing."""
    free, engines, problem = _free(), _engines(), _disk_problem()
    disk = free > ROOM and not problem
    kept: dict[str, Any] = {"version": settings.VERSION, "disk": disk, "disk_problem": problem}
    kept |= {"free": free, "engines": engines}
    try:
        live = _workers()
        clusters = _clusters(live)
    except DatabaseError:
        return Health(ok=False, database=False, clusters=(), reaper=False, web=False, **kept)
    reaper, web = Process.REAPER in live, Process.WEB in live
    ok = reaper and web and kept["disk"] and engines.ok and all(cluster.ok for cluster in clusters)
    return Health(ok=ok, database=True, clusters=clusters, reaper=reaper, web=web, **kept)


def engines_for(source: str, target: str) -> tuple[TranscriberSpec, TranslatorSpec]:
    """Those that would translate speech in `source` into `target` (codes). Loads nothing. Raises PipelineError."""
    engines = Engines(transcriber=settings.TRANSCRIBER, translator=settings.TRANSLATOR, options=settings.ENGINE_OPTIONS)
    heard = engines.choose_transcriber(source)
    return heard, engines.choose_translator(source, target, heard)


def _engines() -> Ready:
    names = tuple(spec.name for spec in SPECS if _is_ready(spec))
    return Ready(names=names, ok=any(_can(source, target) for source, target in MAIN))


def _is_ready(spec: Spec) -> bool:
    try:
        return spec.readiness(settings.ENGINE_OPTIONS[spec.name]).ready
    except (OSError, subprocess.SubprocessError):
        return False


def _can(source: str, target: str) -> bool:
    try:
        return bool(engines_for(source, target))
    except (PipelineError, OSError, subprocess.SubprocessError):
        return False


def _workers() -> dict[str, int]:
    """How many processes of each cluster are alive."""
    return _by(processes.alive_now(), "cluster")


def _clusters(live: dict[str, int]) -> tuple[Cluster, ...]:
    now = timezone.now()
    waiting = _by(StageRun.objects.filter(status=StageStatus.READY, ready_at__lte=now), "queue")
    running = _by(StageRun.objects.filter(status=StageStatus.RUNNING), "queue")
    free_tickets = _by(OrmQ.objects.filter(lock__lte=now), "key")
    stuck = {queue for queue, _host in tickets.stuck_clusters()}
    return tuple(
        Cluster(
            name=name,
            workers=live.get(name, 0),
            waiting=waiting.get(name, 0),
            running=running.get(name, 0),
            tickets=free_tickets.get(name, 0),
            stuck=name in stuck,
            ok=name in live and name not in stuck,
        )
        for name in settings.CLUSTERS
    )


def _by(rows: QuerySet[Any], field: str) -> dict[str, int]:
    """How many rows there are of each value."""
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))


def _disk_problem() -> str:
    """Without a database nothing is known of it, either."""
    with suppress(DatabaseError):
        if found := installation.problem():
            return f"{found} To fix this, {installation.REMEDY}."
    return ""


def _free() -> int:
    """Bytes of free disk; none where no job can be stored, or where a database that is away would have to tell."""
    try:
        place = artifacts.disk()
        return shutil.disk_usage(place).free if place else 0
    except (OSError, DatabaseError):
        return 0
