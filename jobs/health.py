"""Is everything alive that moves jobs along? Read from our own rows, in a fixed number of queries."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, QuerySet
from django.utils import timezone
from django_q.models import OrmQ

from jobs.models import StageRun, StageStatus, Worker
from jobs.workers import STALE

ROOM = 2 * 1024**3
"""Bytes of free disk under which a video of an hour may not fit any more."""

PATIENCE = timedelta(seconds=30)
"""A free worker looks for tickets every 0.1 s: one that leaves them for so long takes none any more."""


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
class Health:
    """`database`: it answers (without it nothing is known of `clusters`, `reaper` and `web`). `free` is in bytes."""

    ok: bool
    database: bool
    clusters: tuple[Cluster, ...]
    reaper: bool
    web: bool
    disk: bool
    free: int


def look() -> Health:
    """The state of the whole installation, ready for `dataclasses.asdict` and JSON. Raises nothing."""
    free = _free()
    try:
        live = _by(Worker.objects.filter(seen__gt=timezone.now() - STALE), "cluster")
        clusters = _clusters(live)
    except DatabaseError:
        return Health(ok=False, database=False, clusters=(), reaper=False, web=False, disk=free > ROOM, free=free)
    reaper, web, disk = Worker.REAPER in live, Worker.WEB in live, free > ROOM
    ok = reaper and web and disk and all(cluster.ok for cluster in clusters)
    return Health(ok=ok, database=True, clusters=clusters, reaper=reaper, web=web, disk=disk, free=free)


def _clusters(live: dict[str, int]) -> tuple[Cluster, ...]:
    now = timezone.now()
    waiting, overdue = _due(now), _due(now - PATIENCE)
    tickets, left = _tickets(now), _tickets(now - PATIENCE)
    running = _by(StageRun.objects.filter(status=StageStatus.RUNNING), "queue")
    found = []
    for name in settings.CLUSTERS:
        workers, busy = live.get(name, 0), running.get(name, 0)
        stuck = name in overdue and name in left and busy < workers
        found.append(
            Cluster(
                name=name,
                workers=workers,
                waiting=waiting.get(name, 0),
                running=busy,
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
