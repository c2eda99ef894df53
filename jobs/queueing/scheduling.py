"""The fair order in which ready stages are offered to a worker. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from jobs.models import Job, JobStatus, OwnerLimits, StageRun, StageStatus


def fair_order(queue: str, running_limit: int) -> Iterator[tuple[StageRun, int]]:
    """The oldest ready stage of each owner, in fair order, with the owner's limit of running jobs (0: no limit).

    The owner with the fewest running stages comes first; of those, the one served by this queue longest ago. So no
    owner's tenth job starts before another owner's first. The cost is one or two index look-ups for each owner, however
    many jobs wait. An owner at the limit gets only stages of jobs that are running already.
    """
    now = timezone.now()
    waiting, served = _owners(queue, now)
    if not waiting:
        return
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
    """Owners with a ready stage: the time since which their oldest is ready, and their last start in this queue."""
    ready = _ready(queue, now).filter(owner=OuterRef("pk")).order_by("ready_at")
    turn = StageRun.objects.filter(owner=OuterRef("pk"), queue=queue, started__isnull=False).order_by("-started")
    waiting = get_user_model().objects.filter(Exists(ready))  # most users have none
    asked = waiting.annotate(since=Subquery(ready.values("ready_at")[:1]), served=Subquery(turn.values("started")[:1]))
    found = list(asked.values_list("pk", "since", "served"))
    return {owner: since for owner, since, _ in found}, {owner: served for owner, _, served in found}


def _begun(queue: str, owners: Iterable[int], now: datetime) -> dict[int, StageRun]:
    """The oldest ready stage of each of `owners` in a running job. Such jobs are few and are looked up by their ids:
    with a join SQLite would scan everything that waits in the queue.
    """
    jobs = list(Job.objects.filter(owner__in=owners, status=JobStatus.RUNNING).values_list("pk", flat=True))
    runs = StageRun.objects.filter(job__in=jobs, status=StageStatus.READY, ready_at__lte=now)
    return {run.owner_id: run for run in runs.order_by("-ready_at", "-pk") if run.queue == queue}


def _counts(rows: Any) -> dict[int, int]:
    """The number of rows of each owner."""
    return dict(rows.order_by().values_list("owner").annotate(Count("pk")))
