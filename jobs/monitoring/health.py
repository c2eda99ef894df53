"""The health of the installation: database, clusters, reaper, web server, disk and engines.

Read from the database in a fixed number of queries, and from the disk.
"""

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

MIN_FREE_BYTES = 2 * 1024**3
"""The least free disk space that is healthy, in bytes: below it, a video of an hour may not fit."""

MAIN_PAIRS = (("en", "fa"), ("en", "es"))
"""Pairs of codes of which one has to work. The first is the main purpose of this project; the embedded engines do the
second.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """The state of one queue: live `workers`, due stages `waiting`, stages `running`, available `tickets`.

    `stuck`: the cluster of some host has stopped taking tickets (`tickets.stuck_clusters`).
    """

    name: str
    workers: int
    waiting: int
    running: int
    tickets: int
    stuck: bool
    ok: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineHealth:
    """The `names` of ready engines; `ok`: together they can translate one of MAIN_PAIRS."""

    names: tuple[str, ...]
    ok: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """The state of the installation. `free` is in bytes.

    `database`: it responds; without it, `clusters` is empty and `reaper` and `web` are False. `disk_problem`: a
    sentence when the disk is not that of this installation, so that nothing starts or is deleted; else empty.
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
    engines: EngineHealth


def check_health() -> Health:
    """Check the whole installation. The result can be passed to `dataclasses.asdict` and JSON. Raises nothing."""
    free, engines, problem = _free(), _engines(), _disk_problem()
    disk = free > MIN_FREE_BYTES and not problem
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
    """The engines that would translate speech in `source` into `target` (codes), not loaded. Raises PipelineError."""
    engines = Engines(transcriber=settings.TRANSCRIBER, translator=settings.TRANSLATOR, options=settings.ENGINE_OPTIONS)
    transcriber = engines.choose_transcriber(source)
    return transcriber, engines.choose_translator(source, target, transcriber)


def _engines() -> EngineHealth:
    names = tuple(spec.name for spec in SPECS if _is_ready(spec))
    return EngineHealth(names=names, ok=any(_can(source, target) for source, target in MAIN_PAIRS))


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
    """The number of live processes by cluster."""
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
    """The number of rows by value of `field`."""
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))


def _disk_problem() -> str:
    """Without a database nothing is known of it, either."""
    with suppress(DatabaseError):
        if found := installation.problem():
            return f"{found} To fix this, {installation.REMEDY}."
    return ""


def _free() -> int:
    """Bytes of free disk; 0 when no job can be stored, or when that cannot be known without the database."""
    try:
        place = artifacts.disk()
        return shutil.disk_usage(place).free if place else 0
    except (OSError, DatabaseError):
        return 0
