"""Control of actors (`actors`) from stop to stop, and checks of the rows and files they leave."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.db.models import F

from jobs import lifecycle
from jobs.models import FINAL, Artifact, Job, JobStatus, StageRun, StageStatus
from jobs.pipeline.process import groups as process_groups
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from tests.jobs import actors, quick_child, rows
from tests.jobs.actors import At, Ended, Place, Spawned
from tests.waiting import PATIENCE

HELD_UP = 0.25
"""Seconds after which an actor is taken to wait for a lock that another one holds, where one does."""

_server = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Start the server that actors are forked from, before a test."""
    _server.set_forkserver_preload(["pytest", actors.__name__])
    process = _server.Process(target=os.getpid)
    process.start()
    process.join()


class Actor:
    """A process that does one action, and stops where it is told."""

    def __init__(self, place: Place, action: str, job_id: uuid.UUID) -> None:
        self.action, self.seen, self.groups = action, list[At](), list[int]()
        self.ended = self.going = False
        self._pipe, theirs = _server.Pipe()
        self._process = _server.Process(target=actors.act, args=(theirs, place, action, job_id))
        self._process.start()
        theirs.close()
        assert self.hears(PATIENCE)

    @property
    def at(self) -> At:
        return self.seen[-1]

    @property
    def points(self) -> list[str]:
        return [at.point for at in self.seen]

    def hears(self, patience: float) -> bool:
        """Wait until it stops or ends. False after `patience` seconds."""
        deadline = time.monotonic() + patience
        while self._pipe.poll(max(0.0, deadline - time.monotonic())):
            try:
                said = self._pipe.recv()
            except (EOFError, ConnectionError):
                said = Ended(trouble="It died.")
            match said:
                case Spawned():
                    self.groups.append(said.group)
                case At():
                    self.seen.append(said)
                    self.going = False
                    return True
                case Ended():
                    assert not said.trouble, f"{self.action} after {self.points}:\n{said.trouble}"
                    self._leave()
                    return True
        return False

    def go(self, *, on: bool) -> None:
        """Let it continue, to the next stop or to the end."""
        self.going = True
        self._pipe.send(on)

    def step(self, patience: float = PATIENCE) -> bool:
        """Move to the next stop. False when it waits for a lock."""
        self.go(on=True)
        return self.hears(patience)

    def to(self, number: int) -> bool:
        """Move to its stop of this number. False when it ends before."""
        while len(self.seen) <= number and not self.ended:
            assert self.step(), f"{self.action} hangs after {self.points}"
        return not self.ended

    def finish(self, patience: float) -> bool:
        """Move to its end. False when it waits for a lock; then call it again."""
        deadline = time.monotonic() + patience
        while not self.ended:
            if not self.going:
                self.go(on=False)
            if not self.hears(max(0.0, deadline - time.monotonic())):
                break
        return self.ended

    def kill(self) -> None:
        """Kill it with SIGKILL, as the kernel does when memory runs out."""
        self._process.kill()
        self._leave()

    def _leave(self) -> None:
        self.ended = True
        self._process.join()
        self._pipe.close()


def to_the_end(*cast: Actor) -> None:
    """Finish these actors in order, as far as none waits for a lock of a later one."""
    deadline = time.monotonic() + PATIENCE
    while left := [actor for actor in cast if not actor.ended]:
        for actor in left:
            held_up = any(other.at.held or other.going for other in left if other is not actor)
            actor.finish(HELD_UP if held_up else PATIENCE)
        assert time.monotonic() < deadline, [f"{actor.action} hangs after {actor.points}" for actor in left]


@dataclass
class World:
    """One job and all its actors. A context that ends every actor at its exit."""

    place: Place
    job_id: uuid.UUID
    cast: list[Actor] = field(default_factory=list)

    def actor(self, action: str) -> Actor:
        self.cast.append(actor := Actor(self.place, action, self.job_id))
        return actor

    def silence(self) -> None:
        """Make the heartbeats of running stages a minute old, so that their workers count as dead."""
        running = StageRun.objects.filter(job=self.job_id, status=StageStatus.RUNNING)
        running.update(heartbeat=F("heartbeat") - timedelta(minutes=1))

    def wrongs(self) -> list[str]:
        """The errors in the final state, after workers and sweeps have finished the job."""
        to_the_end(self.actor("settle"))
        job = Job.objects.filter(pk=self.job_id).first()
        found = rows.contradictions(self.job_id) if job else []
        if job and job.status not in FINAL:
            found.append(f"the job is {job.status}: {rows.stages(self.job_id)}")
        return found + self._wrong_files(job) + self._left_processes()

    def _wrong_files(self, job: Job | None) -> list[str]:
        home = artifacts.job_dir(self.job_id)
        there = {str(path.relative_to(home)) for path in home.rglob("*") if not path.is_dir()}
        named = set(Artifact.objects.filter(job=self.job_id).values_list("name", flat=True))
        gone = job is None or job.status == JobStatus.CANCELLED
        rooms = {path.name for path in home.iterdir()} if home.exists() else set()
        rules = {
            f"files that no row names: {there - named}": there - named,
            f"rows without their files: {named - there}": named - there,
            f"empty directories: {rooms - {Path(name).parts[0] for name in named}}": rooms
            - {Path(name).parts[0] for name in named},
            "the directory of a job that is gone": gone and home.exists(),
            "the directory of a job is gone": not gone and not home.exists(),
            "trash": artifacts.trash().exists() and list(artifacts.trash().iterdir()),
            "orphaned directories": artifacts.orphans(),
        }
        return [rule for rule, broken in rules.items() if broken]

    def _left_processes(self) -> list[str]:
        """The groups that still run, after a moment in which those of a killed supervisor end by themselves."""
        groups = [group for actor in self.cast for group in actor.groups]
        deadline = time.monotonic() + PATIENCE
        while (left := [group for group in groups if process_groups.members(group)]) and time.monotonic() < deadline:
            time.sleep(0.01)
        return [f"processes: {left}"] if left else []

    def clear(self) -> None:
        for actor in self.cast:
            if not actor.ended:
                actor.kill()
        for group in (group for actor in self.cast for group in actor.groups):
            process_groups.end_group(group)


# How it begins


def fresh(place: Place) -> World:
    """A job that waits for its first stage."""
    stages = (Stage.FETCH, Stage.TRANSCRIBE, Stage.TRANSLATE, Stage.SUBTITLE)
    return _world(place, *stages, brought=False)


def ready(place: Place) -> World:
    """A job that waits for its last stage."""
    world = _world(place, Stage.FETCH, Stage.SUBTITLE, brought=True)
    attempt = rows.claim("media").attempt
    (artifacts.make_attempt_dir(world.job_id, attempt) / "v.mov").write_text("a video")
    files = artifacts.unsaved_rows(world.job_id, attempt, {"source": "v.mov"})
    lifecycle.finish_stage(attempt, outcome={"media": quick_child.MEDIA}, artifacts=files)
    return world


def dead(place: Place) -> World:
    """A job whose last stage's worker was killed, while its process group runs on."""
    world = ready(place)
    worker = world.actor("run")
    while worker.at.point != "after _write":
        worker.step()
    os.killpg(worker.groups[-1], signal.SIGSTOP)
    worker.kill()
    return world


def doomed(place: Place) -> World:
    """As `dead`, and the job is being cancelled."""
    world = dead(place)
    to_the_end(world.actor("cancel"))
    return world


def ended(place: Place) -> World:
    """A job that is completed."""
    world = ready(place)
    to_the_end(world.actor("run"))
    return world


def _world(place: Place, *stages: Stage, brought: bool) -> World:
    job_id = uuid.uuid4()
    artifacts.make_job_dir(job_id)
    order = {"target": "es", "spoken": "en", "mode": "none", "brought": brought}
    engines = {"transcriber": "pocketsphinx", "translator": "apertium"}
    given = {"options": order | engines, "target": "es", "spoken": "en", "keep_running": True}
    owner = rows.owner(str(job_id))
    rows.job(owner, id=job_id, stages=stages, cues=[rows.cue()] if brought else [], **given)
    return World(place, job_id)
