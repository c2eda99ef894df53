"""Tickets: Django-Q tasks that let a worker run *some* ready stage of its queue.

With the ORM broker a ticket is a row of our own database: issued in the transaction that makes a stage ready, it
exists exactly when the stage is ready. The claim deletes it, in the claim's transaction; a ticket that is delivered
twice, or too late, finds no stage to claim and has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.db.models import Exists, Max, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from jobs.models import StageRun, StageStatus
from jobs.queueing import processes

RUN_NEXT = "jobs.tasks.run_next"
NEVER = -1
"""Django-Q's own time limit, off, because it would orphan ffmpeg. The supervisor enforces the time limits."""

STUCK_AFTER = timedelta(seconds=30)
"""A cluster that takes no waiting ticket for this long is stuck: a free worker polls for tickets every 0.1 s."""

_held: ContextVar[int | None] = ContextVar("ticket", default=None)


def issue(queue: str, count: int = 1) -> None:
    """Issue `count` tickets. Call it inside the transaction that makes a stage of `queue` ready."""
    for _ in range(count):
        async_task(RUN_NEXT, queue, task_name=queue, q_options={"cluster": queue, "timeout": NEVER})


def is_ready(queue: str) -> bool:
    """Whether a stage of `queue` is ready and due: much cheaper than a claim, which also decides whose turn it is."""
    return StageRun.objects.filter(queue=queue, status=StageStatus.READY, ready_at__lte=timezone.now()).exists()


def waiting(queue: str) -> int:
    """The number of tickets of `queue` that a worker could take now; Django-Q hides taken ones for its `retry` time."""
    count: int = OrmQ.objects.filter(key=queue, lock__lte=timezone.now()).count()
    return count


def stuck_clusters() -> set[tuple[str, str]]:
    """Queue and host of each cluster that takes no tickets any more, in one query. The only definition of "stuck".

    For STUCK_AFTER a stage has been due, a ticket has waited, and no free worker of the host took one. A worker is free
    when it has a fresh heartbeat, is not `busy`, and runs no stage; one that has just started counts as if it had taken
    a ticket at its start.
    """
    since = timezone.now() - STUCK_AFTER
    due = StageRun.objects.filter(queue=OuterRef("cluster"), status=StageStatus.READY, ready_at__lte=since)
    left = OrmQ.objects.filter(key=OuterRef("cluster"), lock__lte=since)
    runs = StageRun.objects.filter(worker=OuterRef("pk"), status=StageStatus.RUNNING)
    free = processes.alive_now().filter(~Exists(runs), Exists(due), Exists(left), busy=False)
    taken = free.order_by().values_list("cluster", "host").annotate(last=Max(Coalesce("last_ticket", "born")))
    return {(queue, host) for queue, host, last in taken if last <= since}


def oldest(queue: str) -> int | None:
    """The row id of the next ticket, for workers outside a cluster; the row stays until `use` or `throw_away`.

    Scheduled tasks in the same queue are left for a cluster.
    """
    rows = OrmQ.objects.filter(key=queue, lock__lte=timezone.now()).order_by("pk")
    return next((row.pk for row in rows if row.func() == RUN_NEXT), None)


def throw_away(row: int) -> None:
    """Delete a surplus ticket."""
    OrmQ.objects.filter(pk=row).delete()


@contextmanager
def held(row: int | None) -> Iterator[None]:
    """Mark the ticket in this row as the one that the current worker acts on."""
    token = _held.set(row)
    try:
        yield
    finally:
        _held.reset(token)


def use() -> None:
    """Delete the held ticket from the queue, so that it is not delivered again while its stage runs."""
    if row := _held.get():
        throw_away(row)
