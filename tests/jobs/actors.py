"""Actors: processes that do one action on one job, and stop before and after every effect others can notice.

These effects are commits of transactions, single statements that change a row, and effects outside the database: spawn,
kill, make, rename, delete. At each stop the actor reports its point and waits for the test to let it continue.
This module is imported by the server that actors are forked from (`multiprocessing`, "forkserver"), once.
"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import django
from django.apps import apps

if not apps.ready:  # in the server
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from jobs import lifecycle
from jobs.lifecycle import IllegalTransition, LostAttempt, stages
from jobs.models import FINAL, Job, Process
from jobs.pipeline.process import groups
from jobs.queueing import processes
from jobs.storage import deletion, retention
from jobs.worker import child as child_module
from jobs.worker import stage_runner
from jobs.worker.reaper import Reaper
from jobs.worker.supervisor import Supervisor
from tests import databases
from tests.jobs import quick_child, rows

LOCAL = "local"
ROUNDS = 12
"""Most sweeps that are needed until a job has ended."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The database and the directory that all actors of a test share."""

    url: str
    media: Path


@dataclass(frozen=True, kw_only=True)
class At:
    """A message: the actor has stopped. `held`: within a transaction, so that others may have to wait for it."""

    point: str
    held: bool


@dataclass(frozen=True, kw_only=True)
class Spawned:
    """A message: the actor has started a process group."""

    group: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A message: the actor has ended. `trouble` is the traceback of an unexpected exception."""

    trouble: str = ""


@dataclass(kw_only=True)
class Stops:
    """The stops of an actor. The test at the other end of `pipe` answers True (next stop) or False (end)."""

    pipe: Connection
    _stepping: bool = field(init=False, default=True)

    def stop(self, point: str, *, held: bool = False) -> None:
        if self._stepping:
            self.pipe.send(At(point=point, held=held or connection.in_atomic_block))
            self._stepping = self.pipe.recv()

    def around(self, call: Callable[..., Any], name: str, *, ours: bool = False) -> Callable[..., Any]:
        """Wrap `call` with a stop before and after it; with `ours` only for calls from the product."""

        @wraps(call)
        def stopping(*args: Any, **kwargs: Any) -> Any:
            if ours and not sys._getframe(1).f_globals["__name__"].startswith("jobs."):
                return call(*args, **kwargs)
            self.stop(f"before {name}")
            answer = call(*args, **kwargs)
            self.stop(f"after {name}")
            return answer

        return stopping

    def committing(self, commit: Callable[[Any], None]) -> Callable[[Any], None]:
        def stopping(database: Any) -> None:
            name = _who_commits()
            self.stop(f"before {name} is committed", held=True)
            commit(database)
            self.stop(f"after {name} is committed")

        return stopping

    def spawning(self, spawn: Callable[..., None]) -> Callable[..., None]:
        def telling(child: child_module.Child, limits: child_module.ProcessLimits) -> None:
            spawn(child, limits)
            self.pipe.send(Spawned(group=child.group))

        return self.around(telling, "spawn")

    def set_up(self) -> None:
        """Install the stops. They are never removed, so it is for an actor's process only."""
        replaced: Any = BaseDatabaseWrapper
        replaced.commit = self.committing(replaced.commit)
        replaced = child_module.Child
        replaced.__init__ = self.spawning(replaced.__init__)
        for owner, name, ours in _NOTICEABLE:
            setattr(owner, name, self.around(getattr(owner, name), name, ours=ours))


_NOTICEABLE: tuple[tuple[Any, str, bool], ...] = (
    (child_module.Child, "begin", False),
    (groups, "end_group", False),
    (stages, "_write", False),
    (Path, "mkdir", True),
    (Path, "rename", True),
    (Path, "unlink", True),
    (shutil, "rmtree", True),
)


def _who_commits() -> str:
    return next(name for name in _callers() if name not in {"lifecycle.stages.fenced", "lifecycle.stages._locked"})


def _callers() -> Iterator[str]:
    frame = sys._getframe(1)
    while frame.f_back:
        frame = frame.f_back
        module = frame.f_globals["__name__"]
        if module.startswith("jobs."):
            yield f"{module.removeprefix('jobs.')}.{frame.f_code.co_name}"
    yield "something"


# What an actor does


def run(*queues: str) -> Callable[[uuid.UUID], None]:
    """Run a stage as a worker with a ticket does, from the first of `queues` that has one."""

    def running(_: uuid.UUID) -> None:
        at_work = Supervisor(Process.objects.filter(pid=os.getpid()).latest("born"))
        any(at_work.run_next(queue) for queue in queues)
        at_work.close()

    return running


def cancel(job_id: uuid.UUID) -> None:
    if lifecycle.cancel(job_id, actor="shirin"):
        deletion.finish(job_id)


def retry(job_id: uuid.UUID) -> None:
    lifecycle.retry(job_id, "shirin")


def sweep(_: uuid.UUID) -> None:
    Reaper().sweep()


def clean(_: uuid.UUID) -> None:
    """Run the cleanup, with every ended job as expired."""
    retention.clean_up(timedelta(0))


def tidy(_: uuid.UUID) -> None:
    """Run the cleanup, with no job as expired."""
    retention.clean_up(timedelta(days=1))


def settle(job_id: uuid.UUID) -> None:
    """Run sweeps and workers until the job has ended, then a cleanup."""
    at_work = Supervisor()
    for _ in range(ROUNDS):
        Reaper().sweep()
        while any(at_work.run_next(queue) for queue in rows.QUEUES):
            pass
        if not Job.objects.exclude(status__in=FINAL).filter(pk=job_id).exists():
            break
    at_work.close()
    tidy(job_id)


ACTIONS: dict[str, Callable[[uuid.UUID], None]] = {
    "run": run("media"),
    "hear": run("speech"),
    "say": run("text"),
    "work": run("media", "text", "speech"),
    "cancel": cancel,
    "retry": retry,
    "sweep": sweep,
    "clean": clean,
    "tidy": tidy,
    "settle": settle,
}


def act(pipe: Connection, place: Place, action: str, job_id: uuid.UUID) -> None:
    """The main function of an actor's process. It waits for the test before it starts."""
    settings.MEDIA_ROOT = place.media
    child_module.command = _quick
    stages.BACK_OFF = (timedelta(0), timedelta(0))
    # It looks soon, and never writes its progress: when it did so would hang on the clock, and each stop has a number.
    vars(stage_runner).update(POLL_INTERVAL=0.02, PROGRESS_INTERVAL=3600.0)
    stops = Stops(pipe=pipe)
    with databases.on_database(place.url):
        processes.register(LOCAL)
        stops.set_up()
        try:
            stops.stop("start")
            ACTIONS[action](job_id)
        except (LostAttempt, IllegalTransition):
            pass  # It has lost, and knows.
        except BaseException:
            pipe.send(Ended(trouble=traceback.format_exc()))
            raise
    pipe.send(Ended())


def _quick(commands: int, reports: int) -> list[str]:
    return [sys.executable, "-I", "-S", quick_child.__file__, str(commands), str(reports)]
