"""What Django-Q calls: a ticket comes in, the supervisor runs a stage."""

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
"""While this worker acts on a ticket, or on what a schedule wants."""


def run_next(queue: str) -> str:
    """Run some ready stage of `queue`. A ticket too many finds none, and that is all right."""
    with tickets.held(_rows["ticket"]):
        return "ran" if _supervisor().run_next(queue) else "nothing to run"


@cache
def _worker() -> Process:
    return processes.register(settings.CLUSTER, _cluster_pid())


@cache
def _supervisor() -> Supervisor:
    """The one of this worker process."""
    return Supervisor(_worker() if settings.CLUSTER else None)


def _cluster_pid() -> int:
    """The process that supervisord started: the parent of the sentinel, which is ours."""
    stat = Path(f"/proc/{os.getppid()}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def begin_worker(**_: Any) -> None:
    """A worker of a cluster has been forked."""
    if settings.CLUSTER:
        processes.start_heartbeat(settings.CLUSTER, _cluster_pid(), busy=_busy.is_set)


def take_ticket(*, task: dict[str, Any], **_: Any) -> None:
    """A worker is about to act on a ticket: which row it is, so that the claim can use it up."""
    _rows["ticket"] = task.get("ack_id")
    _busy.set()
    if settings.CLUSTER:
        Process.objects.filter(pk=_worker().pk).update(last_ticket=timezone.now(), busy=True)


def be_free(**_: Any) -> None:
    """The worker can take another one. It dies of what is raised here, with the model that it has loaded; so the next
    sign of life tells what cannot be told now.
    """
    _busy.clear()
    if settings.CLUSTER:
        try:
            Process.objects.filter(pk=_worker().pk).update(busy=False)
        except DatabaseTrouble:
            log.warning("The database does not respond")
            connection.close()


def connect() -> None:
    """Called once in every process of ours (`apps`)."""
    post_spawn.connect(begin_worker, sender="django_q")
    pre_execute.connect(take_ticket, sender="django_q")
    post_execute_in_worker.connect(be_free, sender="django_q")
    if settings.CLUSTER:
        # A sentinel without its cluster, a worker without its sentinel would go on for ever, unseen.
        os.register_at_fork(after_in_child=groups.die_with_parent)
