"""Workers and a reaper as threads of this process, for the command line when no cluster runs.

They use the same tickets, claims and supervisors as a cluster, with one worker for each queue. When the process is
killed, the group leaders kill the children; when it, or a cluster, starts again, jobs continue.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import Error as DatabaseTrouble
from django.db import connection

from jobs.lifecycle.db_retry import RETRY_TIMEOUT
from jobs.models import Process, Queue
from jobs.queueing import processes, tickets
from jobs.worker.reaper import Reaper
from jobs.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

LOCAL = "local"
COMMAND = "command"
"""The name of the command line's user, and the `cluster` of its Process row."""
_PAUSE = 0.05
"""Seconds between two looks whether a stage is ready."""
_TIDY_INTERVAL = 1.0
"""Seconds after which a search is made although no stage is ready: it throws surplus tickets away."""


def owner() -> User:
    """The user who owns the jobs of the command line, and can neither sign in nor reset a password.

    If a person registered the name COMMAND before it was reserved, the owner is another user, whose name no form
    accepts: the person gets no job of the command line.
    """
    no_sign_in = {"is_active": False, "password": make_password(None)}
    for name in (COMMAND, f"{COMMAND} (not a person)"):
        found, _ = User.objects.get_or_create(username=name, defaults=no_sign_in)
        if not is_person(found):
            break
    if found.is_active:  # made by an earlier version
        User.objects.filter(pk=found.pk).update(is_active=False)
    return found


def is_person(user: User) -> bool:
    """Whether `user` is a person: can sign in, or has signed in before."""
    return user.has_usable_password() or bool(user.last_login) or user.is_staff or user.is_superuser


def clusters_run() -> bool:
    """Whether each queue has a live worker, and a reaper is alive."""
    return all(processes.alive(name).exists() for name in (*Queue.values, Process.REAPER))


class Clusters:
    """The state of the worker threads, for the command that waits for them."""

    def __init__(self) -> None:
        self._broken: BaseException | None = None

    def check(self) -> None:
        """Raise the exception that ended a worker, if any: its queue no longer advances."""
        if self._broken:
            raise self._broken

    def breaks(self, error: BaseException) -> None:
        """Record the exception that ended a worker; the first one is kept."""
        self._broken = self._broken or error


@contextmanager
def clusters() -> Iterator[Clusters]:
    """Run the stages of every queue in threads while inside. At the end running stages are stopped and ready again."""
    stop, found = threading.Event(), Clusters()
    row = processes.register(LOCAL)
    Reaper().sweep()  # recovers what a killed command left, before workers claim it
    end_life = processes.start_heartbeat(LOCAL)
    works = [threading.Thread(target=_work, args=(queue, row, stop, found), name=queue) for queue in Queue.values]
    reaper = threading.Thread(target=_reap, args=(stop,), name="reaper")
    begun: list[threading.Thread] = []
    try:
        for thread in (*works, reaper):
            thread.start()
            begun.append(thread)
        yield found
    finally:
        stop.set()
        for thread in begun:
            thread.join()
        end_life()


def _work(queue: str, row: Process, stop: threading.Event, clusters: Clusters) -> None:
    supervisor = Supervisor(row, stop)
    answered = searched = time.monotonic()
    try:
        while not stop.is_set():
            try:
                ran = False
                if tickets.is_ready(queue) or time.monotonic() - searched > _TIDY_INTERVAL:
                    searched = time.monotonic()
                    ran = _run_next(supervisor, queue)
                answered = time.monotonic()
            except DatabaseTrouble as error:  # the reaper takes its stage over
                log.warning("The database does not respond")
                connection.close()
                ran = False
                if time.monotonic() - answered > RETRY_TIMEOUT:
                    clusters.breaks(error)
            if not ran:
                stop.wait(_PAUSE)
    except Exception as error:
        log.exception("Worker failed")
        clusters.breaks(error)
    finally:
        with suppress(DatabaseTrouble, OSError):
            supervisor.close()
        connection.close()


def _run_next(supervisor: Supervisor, queue: str) -> bool:
    ticket = tickets.oldest(queue)
    with tickets.held(ticket):
        ran = supervisor.run_next(queue)
    if ticket and not ran:
        tickets.throw_away(ticket)
    return ran


def _reap(stop: threading.Event) -> None:
    Reaper().run(stop)
    connection.close()
