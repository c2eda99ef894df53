"""Whose turn it is: the order in which ready stages are offered to a worker. It only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from jobs.models import Job, JobStatus, OwnerLimits, StageRun, StageStatus


def fair_order(queue: str, running_limit: int) -> Iterator[tuple[StageRun, int]]:
    """The oldest ready stage that each owner may run, with the owner's limit of jobs at work (0: none).

    The owner with the fewest running stages comes first; of those, the one who had a turn in this queue longest ago.
    So nobody's tenth job starts before somebody else's first. It costs a look into an index or two for each owner,
    whatever waits. Who is at the limit may only go on with jobs that have begun.
    """
    now = timezone.now()
    waiting, served = _owners(queue, now)
    running = _counts(StageRun.objects.filter(owner__in=waiting, status=StageStatus.RUNNING))
    at_work = _counts(Job.objects.filter(owner__in=waiting, status=JobStatus.RUNNING))
    own = OwnerLimits.objects.filter(owner__in=waiting).values_list("owner", "running")
    limits = dict.fromkeys(waiting, running_limit) | {owner: limit for owner, limit in own if limit is not None}
    full = {owner for owner in waiting if limits[owner] and at_work.get(owner, 0) >= limits[owner]}
    begun = _begun(queue, full, now) if full else {}
    ready = _ready(queue, now).order_by("ready_at", "pk")
    never = datetime.min.replace(tzinfo=timezone.get_default_timezone())
    for owner in sorted(waiting, key=lambda one: (running.get(one, 0), served[one] or never, waiting[one])):
        if mine := begun.get(owner) if owner in full else ready.filter(owner=owner).first():
            yield mine, limits[owner]


def _ready(queue: str, now: datetime) -> QuerySet[StageRun]:
    return StageRun.objects.filter(queue=queue, status=StageStatus.READY, ready_at__lte=now)


def _owners(queue: str, now: datetime) -> tuple[dict[int, datetime], dict[int, datetime | None]]:
    """Who has a stage to run: since when the oldest of each is ready, and when each last had a turn in this queue."""
    ready = _ready(queue, now).filter(owner=OuterRef("pk")).order_by("ready_at")
    turn = StageRun.objects.filter(owner=OuterRef("pk"), queue=queue, started__isnull=False).order_by("-started")
    waiting = get_user_model().objects.filter(Exists(ready))  # most people do not
    asked = waiting.annotate(since=Subquery(ready.values("ready_at")[:1]), served=Subquery(turn.values("started")[:1]))
    found = list(asked.values_list("pk", "since", "served"))
    return {owner: since for owner, since, _ in found}, {owner: served for owner, _, served in found}


def _begun(queue: str, owners: Iterable[int], now: datetime) -> dict[int, StageRun]:
    """The oldest ready stage of each of `owners` in a job that has begun. Such jobs are few, and asked for by their
    ids: SQLite would rather look through all that waits in the queue.
    """
    jobs = list(Job.objects.filter(owner__in=owners, status=JobStatus.RUNNING).values_list("pk", flat=True))
    runs = StageRun.objects.filter(job__in=jobs, status=StageStatus.READY, ready_at__lte=now)
    return {run.owner_id: run for run in runs.order_by("-ready_at", "-pk") if run.queue == queue}


def _counts(rows: Any) -> dict[int, int]:
    """Rows by owner."""
    return dict(rows.order_by().values_list("owner").annotate(Count("pk")))
