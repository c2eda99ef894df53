"""The functions that Django-Q calls: the task of a ticket, and the signals of its workers."""

from __future__ import annotations

import logging
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils import timezone
from django_q.signals import post_execute_in_worker, post_spawn, pre_execute

from jobs.models import Process
from jobs.pipeline.process import groups
from jobs.queueing import processes, tickets
from jobs.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

_rows: dict[str, int | None] = {"ticket": None}
_busy = threading.Event()
"""Set while this worker acts on a ticket or a scheduled task."""


def run_next(queue: str) -> str:
    """Run the next ready stage of `queue`, if there is one. Returns a word for the task's result."""
    with tickets.held(_rows["ticket"]):
        return "ran" if _supervisor().run_next(queue) else "nothing to run"


@cache
def _worker() -> Process:
    return processes.register(settings.CLUSTER, _cluster_pid())


@cache
def _supervisor() -> Supervisor:
    """The supervisor of this worker process."""
    return Supervisor(_worker() if settings.CLUSTER else None)


def _cluster_pid() -> int:
    """The pid of the cluster, which supervisord started: the parent of the sentinel, which is our parent."""
    stat = Path(f"/proc/{os.getppid()}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def begin_worker(**_: Any) -> None:
    """Start the heartbeat of a worker that was just forked."""
    if settings.CLUSTER:
        processes.start_heartbeat(settings.CLUSTER, _cluster_pid(), busy=_busy.is_set)


def take_ticket(*, task: dict[str, Any], **_: Any) -> None:
    """Remember the row of the ticket that the worker is about to act on, for the claim to delete, and mark it busy."""
    _rows["ticket"] = task.get("ack_id")
    _busy.set()
    if settings.CLUSTER:
        Process.objects.filter(pk=_worker().pk).update(last_ticket=timezone.now(), busy=True)


def be_free(**_: Any) -> None:
    """Mark the worker as free. A database error is only logged, since any exception here would end the worker and its
    loaded model; the next heartbeat writes the same.
    """
    _busy.clear()
    if settings.CLUSTER:
        try:
            Process.objects.filter(pk=_worker().pk).update(busy=False)
        except DatabaseTrouble:
            log.warning("The database does not respond")
            connection.close()


def connect() -> None:
    """Connect the signals of Django-Q. Called once in each process (`apps`)."""
    post_spawn.connect(begin_worker, sender="django_q")
    pre_execute.connect(take_ticket, sender="django_q")
    post_execute_in_worker.connect(be_free, sender="django_q")
    if settings.CLUSTER:
        # Else a sentinel would outlive its cluster, and a worker its sentinel.
        os.register_at_fork(after_in_child=groups.die_with_parent)
