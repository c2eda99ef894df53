"""Tickets: Django-Q tasks that let a worker run *some* ready stage of its queue.

With the ORM broker a ticket is a row of our own database: issued in the transaction that makes a stage ready, it is
there exactly when the stage is. It is used up by the claim, in the claim's transaction; one that comes twice, or too
late, finds nothing to claim and does no harm.
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
"""Django-Q's own time limit, off: it would orphan ffmpeg. The supervisor holds the time limits."""

STUCK_AFTER = timedelta(seconds=30)
"""A free worker looks for tickets every 0.1 s: a cluster that leaves them lying for so long takes none any more."""

_held: ContextVar[int | None] = ContextVar("ticket", default=None)


def issue(queue: str, count: int = 1) -> None:
    """Call it inside the transaction that makes a stage of `queue` ready."""
    for _ in range(count):
        async_task(RUN_NEXT, queue, task_name=queue, q_options={"cluster": queue, "timeout": NEVER})


def waiting(queue: str) -> int:
    """How many tickets of `queue` a worker could take now: those taken before are hidden for Django-Q's `retry`."""
    count: int = OrmQ.objects.filter(key=queue, lock__lte=timezone.now()).count()
    return count


def stuck_clusters() -> set[tuple[str, str]]:
    """Queue and host of each cluster that takes no tickets any more, in one query. The only definition of it.

    For STUCK_AFTER a stage has been due, a ticket has been there to take, and no free worker of the host took one. A
    worker is free when it shows life, is not `busy`, and runs no stage; one that has just begun counts as if it had
    taken a ticket then.
    """
    since = timezone.now() - STUCK_AFTER
    due = StageRun.objects.filter(queue=OuterRef("cluster"), status=StageStatus.READY, ready_at__lte=since)
    left = OrmQ.objects.filter(key=OuterRef("cluster"), lock__lte=since)
    runs = StageRun.objects.filter(worker=OuterRef("pk"), status=StageStatus.RUNNING)
    free = processes.alive_now().filter(~Exists(runs), Exists(due), Exists(left), busy=False)
    taken = free.order_by().values_list("cluster", "host").annotate(last=Max(Coalesce("last_ticket", "born")))
    return {(queue, host) for queue, host, last in taken if last <= since}


def oldest(queue: str) -> int | None:
    """The row of the ticket that is next, for those who are no cluster; it stays until it is used, or thrown away.

    What a schedule has put into the queue beside the tickets waits for a cluster.
    """
    rows = OrmQ.objects.filter(key=queue, lock__lte=timezone.now()).order_by("pk")
    return next((row.pk for row in rows if row.func() == RUN_NEXT), None)


def throw_away(row: int) -> None:
    """A ticket too many."""
    OrmQ.objects.filter(pk=row).delete()


@contextmanager
def held(row: int | None) -> Iterator[None]:
    """While a worker acts on the ticket in this row."""
    token = _held.set(row)
    try:
        yield
    finally:
        _held.reset(token)


def use() -> None:
    """Take the ticket that is held out of the queue, so that it is not delivered again while its stage runs."""
    if row := _held.get():
        throw_away(row)
