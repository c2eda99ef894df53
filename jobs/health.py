"""Is everything there that moves jobs along? Seen from our own rows, in a fixed number of queries, and on the disk."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django_q.models import OrmQ

from jobs.engines.choose import Engines
from jobs.engines.registry import SPECS
from jobs.engines.spec import Spec, TranscriberSpec, TranslatorSpec
from jobs.models import StageRun, StageStatus, Worker
from jobs.pipeline.errors import PipelineError
from jobs.workers import STALE

ROOM = 2 * 1024**3
"""Bytes of free disk under which a video of an hour may not fit any more."""

PATIENCE = timedelta(seconds=30)
"""A free worker looks for tickets every 0.1 s: one that leaves them for so long takes none any more."""

MAIN = (("en", "fa"), ("en", "es"))
"""Language pairs by which one sees whether a video can be translated at all: the first is what this project is for, the
second what the embedded engines can do.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Of one queue: live `workers`, stages due but `waiting`, stages `running`, `tickets` that a worker could take.

    `stuck`: stages and tickets have waited for long although a worker is alive and free.
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
    """`database`: it answers (without it nothing is known of `clusters`, `reaper` and `web`). `free` is in bytes."""

    ok: bool
    version: str
    database: bool
    clusters: tuple[Cluster, ...]
    reaper: bool
    web: bool
    disk: bool
    free: int
    engines: Ready


def look() -> Health:
    """The state of the whole installation, ready for `dataclasses.asdict` and JSON. Raises nothing."""
    free, engines = _free(), _engines()
    kept: dict[str, Any] = {"version": settings.VERSION, "disk": free > ROOM, "free": free, "engines": engines}
    try:
        live, busy = _workers()
        clusters = _clusters(live, busy)
    except DatabaseError:
        return Health(ok=False, database=False, clusters=(), reaper=False, web=False, **kept)
    reaper, web = Worker.REAPER in live, Worker.WEB in live
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


def _workers() -> tuple[dict[str, int], dict[str, int]]:
    """Of each cluster: how many are alive, and how many of these are busy."""
    alive = Worker.objects.filter(seen__gt=timezone.now() - STALE)
    counted = alive.values_list("cluster").annotate(count=Count("pk"), busy=Count("pk", filter=Q(busy=True)))
    return {name: count for name, count, _ in counted}, {name: busy for name, _, busy in counted}


def _clusters(live: dict[str, int], busy: dict[str, int]) -> tuple[Cluster, ...]:
    """Workers are `busy` with a stage, or with what a schedule wants."""
    now = timezone.now()
    waiting, overdue = _due(now), _due(now - PATIENCE)
    tickets, left = _tickets(now), _tickets(now - PATIENCE)
    running = _by(StageRun.objects.filter(status=StageStatus.RUNNING), "queue")
    found = []
    for name in settings.CLUSTERS:
        workers, at_work = live.get(name, 0), running.get(name, 0)
        stuck = name in overdue and name in left and max(at_work, busy.get(name, 0)) < workers
        found.append(
            Cluster(
                name=name,
                workers=workers,
                waiting=waiting.get(name, 0),
                running=at_work,
                tickets=tickets.get(name, 0),
                stuck=stuck,
                ok=workers > 0 and not stuck,
            )
        )
    return tuple(found)


def _due(since: datetime) -> dict[str, int]:
    return _by(StageRun.objects.filter(status=StageStatus.READY, ready_at__lte=since), "queue")


def _tickets(since: datetime) -> dict[str, int]:
    """Those that nobody has taken since then: `lock` is when a ticket was issued, or may be delivered again."""
    return _by(OrmQ.objects.filter(lock__lte=since), "key")


def _by(rows: QuerySet[Any], field: str) -> dict[str, int]:
    """How many rows there are of each value."""
    return dict(rows.order_by().values_list(field).annotate(Count("pk")))


def _free() -> int:
    """Bytes of free disk; none where the directory is missing."""
    try:
        return shutil.disk_usage(settings.MEDIA_ROOT).free
    except OSError:
        return 0
