"""Rows about our own processes: who is alive, who took a ticket when. A sign of life every five seconds."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, connection
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import Process
from jobs.pipeline.process import groups

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 5.0
"""Seconds between two signs of life, of a process and of a stage."""

STALE = timedelta(seconds=20)
"""After so long without a sign, whoever owes it is taken for dead."""


def host() -> str:
    return socket.gethostname()


def register(cluster: str, cluster_pid: int | None = None, busy: bool = False) -> Process:
    """The row of this process, which gives a sign of life by it."""
    me, leader = groups.look(os.getpid()), groups.look(cluster_pid or 0)
    assert me, "we are alive"
    row, _ = Process.objects.update_or_create(
        cluster=cluster,
        host=host(),
        boot_id=groups.boot_id(),
        pid=me.pid,
        started=me.started,
        defaults={
            "cluster_pid": cluster_pid,
            "cluster_started": leader.started if leader else None,
            "seen": timezone.now(),
            "busy": busy,
        },
    )
    return row


def start_heartbeat(
    cluster: str,
    cluster_pid: int | None = None,
    every: float = HEARTBEAT_INTERVAL,
    busy: Callable[[], bool] = lambda: False,
    lives: Callable[[], bool] = lambda: True,
) -> Callable[[], None]:
    """Show signs of life from a thread while it `lives`, until the process ends, or what is returned is called."""
    stop = threading.Event()

    def write() -> None:
        if lives():
            register(cluster, cluster_pid, busy())

    thread = threading.Thread(target=_send_heartbeats, args=(write, every, stop), daemon=True, name="heartbeat")
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def _send_heartbeats(write: Callable[[], None], every: float, stop: threading.Event) -> None:
    while True:
        try:
            close_old_connections()
            write()
        except DatabaseTrouble:
            log.warning("Heartbeat not written: the database does not respond")
            connection.close()
        if stop.wait(every):
            connection.close()
            return


def alive_now() -> QuerySet[Process]:
    """The processes that gave a sign of life lately."""
    return Process.objects.filter(seen__gt=timezone.now() - STALE)


def alive(cluster: str) -> QuerySet[Process]:
    """Those of them that belong to `cluster`."""
    return alive_now().filter(cluster=cluster)


def is_gone(worker: Process) -> bool:
    """Whether it is certain that the process has ended: only of those on this machine."""
    if worker.host != host():
        return False
    return worker.boot_id != groups.boot_id() or not groups.is_alive(worker.pid, worker.started)
