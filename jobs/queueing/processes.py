"""The Process rows: a heartbeat every five seconds from each process, and the time of its last ticket."""

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
"""Seconds between two heartbeats, of a process and of a stage."""

STALE = timedelta(seconds=20)
"""A process or stage without a heartbeat for this long counts as dead."""


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def register(cluster: str, cluster_pid: int | None = None, busy: bool = False) -> Process:
    """Write a heartbeat into the row of this process, which is created if needed; returns the row."""
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
    """Start a thread that writes a heartbeat each `every` seconds while `lives()`. Returns a function that stops it."""
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
    """The processes with a heartbeat younger than STALE."""
    return Process.objects.filter(seen__gt=timezone.now() - STALE)


def alive(cluster: str) -> QuerySet[Process]:
    """The processes of `cluster` with a heartbeat younger than STALE."""
    return alive_now().filter(cluster=cluster)


def is_gone(worker: Process) -> bool:
    """Whether the process is known to have ended. Always False for processes of other machines."""
    if worker.host != host():
        return False
    return worker.boot_id != groups.boot_id() or not groups.is_alive(worker.pid, worker.started)
