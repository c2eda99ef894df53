"""The clusters' work in threads of this process, where no cluster runs: for the command line.

The same tickets, claims and supervisors as in a cluster, a worker for each queue and a reaper. When the process is
killed the group leaders end what it started; when it is begun again, or a cluster is, jobs go on.
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
"""Both the user of the command line and, among the workers, its process."""
_PAUSE = 0.05
"""Seconds between two looks for a stage to run."""


def owner() -> User:
    """The user who owns the jobs of the command line, and can neither sign in nor ask for a password.

    If a person has the name COMMAND, from before it was reserved, the owner is another user, whose name no form
    accepts: the person gets no job of the command line.
    """
    nobody = {"is_active": False, "password": make_password(None)}
    for name in (COMMAND, f"{COMMAND} (not a person)"):
        found, _ = User.objects.get_or_create(username=name, defaults=nobody)
        if not is_person(found):
            break
    if found.is_active:  # made by an earlier version
        User.objects.filter(pk=found.pk).update(is_active=False)
    return found


def is_person(user: User) -> bool:
    """Whether somebody signs in as `user`, or could once."""
    return user.has_usable_password() or bool(user.last_login) or user.is_staff or user.is_superuser


def clusters_run() -> bool:
    """Whether every queue has somebody who takes its tickets, and jobs somebody who sees to their end."""
    return all(processes.alive(name).exists() for name in (*Queue.values, Process.REAPER))


class Clusters:
    """The threads that work here, seen from the command that waits for them."""

    def __init__(self) -> None:
        self._broken: BaseException | None = None

    def check(self) -> None:
        """Raise what broke one of them: nothing would move any more."""
        if self._broken:
            raise self._broken

    def breaks(self, error: BaseException) -> None:
        self._broken = self._broken or error


@contextmanager
def clusters() -> Iterator[Clusters]:
    """While inside, threads of this process run the stages of every queue. What they run at the end is put back."""
    stop, found = threading.Event(), Clusters()
    row = processes.register(LOCAL)
    Reaper().sweep()  # before anything that a killed command left is taken for work
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
    answered = time.monotonic()
    try:
        while not stop.is_set():
            try:
                ran = _run_next(supervisor, queue)
                answered = time.monotonic()
            except DatabaseTrouble as error:  # what it ran is taken over by the reaper
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
