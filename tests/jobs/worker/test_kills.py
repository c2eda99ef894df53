"""SIGKILL of every process during real work: no orphans are left, and the job continues."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from jobs.models import (
    Call,
    Cue,
    Job,
    JobStatus,
    OwnerLimits,
    Process,
    StageRun,
    StageStatus,
    Transition,
    TranslationCache,
)
from jobs.pipeline.process import groups
from jobs.pipeline.process.messages import RecogniseTask
from jobs.pipeline.stage import Stage
from jobs.worker import stage_tasks
from tests.databases import Databases, mostly, on_database, saved_postgres
from tests.engines.fake_llm_server import KEY, Asked, FakeServer, Said, answers, saying
from tests.jobs import stack as real
from tests.jobs.stack import Stack, at_work, kill
from tests.pipeline.clips import Clips
from tests.postgres import NoPostgres, Postgres, throwaway
from tests.waiting import LONG, until


@dataclass
class Scene:
    stack: Stack
    model: FakeServer
    clips: Clips
    speech: Path
    persian: Path
    english: Path
    server: Postgres | None

    def burned(self) -> Job:
        return real.burned(self.clips["long.mp4"], self.persian)


@pytest.fixture(scope="module", params=mostly("postgresql"))
def standing(
    request: pytest.FixtureRequest,
    clips: Clips,
    speech: Path,
    database_templates: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Scene]:
    """A running stack, on PostgreSQL with a server of its own, which is restarted."""
    directory = tmp_path_factory.mktemp("stack")
    with ExitStack() as context:
        model = context.enter_context(FakeServer())
        context.enter_context(django_db_blocker.unblock())
        server = _server(context, database_templates) if request.param == "postgresql" else None
        databases = Databases(tmp_path_factory.mktemp("databases"), lambda: server)  # type: ignore[arg-type, return-value]
        url = context.enter_context(databases.fresh(request.param, directory))
        context.enter_context(on_database(url))
        gemini = {"GEMINI_API_KEY": KEY, "GEMINI_ENDPOINT": model.url, "GEMINI_BATCH_LINES": "2"}
        stack = Stack(url, directory, gemini)
        context.enter_context(stack.running())
        yield Scene(stack, model, clips, speech, *real.subtitles(directory), server)


def _server(context: ExitStack, database_templates: Path) -> Postgres:
    """A PostgreSQL server that keeps commits after a crash, unlike the faster one of other tests."""
    try:
        server = context.enter_context(throwaway(saved_postgres(database_templates)))
        server.execute("ALTER ROLE zirnevis SET synchronous_commit = on")
        return server
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def media_root(standing: Scene, settings: Any) -> Path:
    """The MEDIA_ROOT of the stack; this process has the stack's engines."""
    settings.MEDIA_ROOT = standing.stack.media
    gemini = replace(settings.ENGINE_OPTIONS["gemini"], api_key=KEY)
    settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "gemini": gemini}
    return standing.stack.media


@pytest.fixture(autouse=True)
def nothing_left(standing: Scene) -> Iterator[None]:
    """Check after each test that only the warm child is left. The stack checks for leftovers when it stops."""
    yield
    until(lambda: set(standing.stack.group_leaders()) <= set(standing.stack.warm()))


# Who is killed, when a stage is at work


def the_child(run: StageRun) -> int:
    return next(pid for pid in others(run) if "jobs.engines" in real.command(pid))


def its_ffmpeg(run: StageRun) -> int:
    return until(lambda: next((pid for pid in others(run) if "ffmpeg" in real.command(pid).split()[0]), 0), every=0.005)


def the_group_leader(run: StageRun) -> int:
    return run.group or 0


def the_worker(run: StageRun) -> int:
    return worker_of(run).pid


def the_sentinel(run: StageRun) -> int:
    return real.parent(worker_of(run).pid)


def the_cluster(run: StageRun) -> int:
    return worker_of(run).cluster_pid or 0


def others(run: StageRun) -> list[int]:
    """The members of a group but its leader."""
    return [each.pid for each in groups.members(run.group or 0) if each.pid != run.group and real.command(each.pid)]


def worker_of(run: StageRun) -> Process:
    assert run.worker, "a stage of a cluster names its worker"
    return run.worker


_VICTIMS = (the_child, the_group_leader, the_worker, the_sentinel, the_cluster)


@pytest.mark.soak  # by default recognition goes on after the database's restart, and translation after a worker's end
@pytest.mark.parametrize("victim", _VICTIMS)
def test_recognition_goes_on(standing: Scene, victim: Callable[[StageRun], int]) -> None:
    job = real.spoken(standing.speech)
    run = real.heard(job)
    kept = cues_of(job)
    kill(victim(run))
    check_went_on(job, run, kept)


def check_went_on(job: Job, run: StageRun, kept: list[tuple[int, str]]) -> None:
    """Check that recognised cues stay and are not recognised again, and that the job completes."""
    assert run.group
    until(lambda: not groups.members(run.group or 0))
    again = next_attempt(job, run)
    if again:
        task = stage_tasks.task_for(job, again)
        assert isinstance(task, RecogniseTask)
        assert task.start >= run.checkpoint["until"]
    real.completed(job)
    assert cues_of(job)[: len(kept)] == kept
    assert len(cues_of(job)) == 3  # each sentence once
    assert tries(job, Stage.TRANSCRIBE) == 2


def next_attempt(job: Job, run: StageRun) -> StageRun:
    """The stage under its next attempt."""
    later = StageRun.objects.filter(job=job, stage=run.stage, group__isnull=False).exclude(attempt=run.attempt)
    return until(lambda: later.first(), LONG, every=0.01, what=lambda: real.story(job))


def cues_of(job: Job) -> list[tuple[int, str]]:
    return list(Cue.objects.filter(job=job).order_by("number").values_list("pk", "source"))


def tries(job: Job, stage: Stage) -> int:
    """The number of attempts of a stage."""
    return Transition.objects.filter(job=job, stage=stage, to_status=StageStatus.RUNNING).count()


@pytest.mark.soak
@pytest.mark.parametrize("victim", [its_ffmpeg, the_worker])
def test_burning_is_repeated(standing: Scene, victim: Callable[[StageRun], int]) -> None:
    job = standing.burned()
    run = at_work(job, Stage.RENDER)
    its_ffmpeg(run)
    time.sleep(0.3)
    kill(victim(run))
    assert run.group
    until(lambda: not groups.members(run.group or 0))
    real.completed(job)
    assert tries(job, Stage.RENDER) == 2
    rooms = {path.parent.name for path in standing.stack.media.glob(f"jobs/{job.pk}/*/*")}
    assert str(run.attempt) not in rooms


def test_what_was_translated_is_not_asked_again(standing: Scene) -> None:
    """Saved translations are not requested again; at most the request in flight is repeated."""
    standing.model.asked.clear()
    killed = threading.Event()

    def slow(asked: Asked) -> Said:
        """A model whose second answer does not come while the process that asked lives."""
        if len(standing.model.asked) == 2:
            killed.wait(LONG)
        return saying(answers(asked))

    standing.model.behave(slow)
    job = real.asked(standing.clips["middle.mp4"], standing.english)
    until(lambda: len(standing.model.asked) == 2, LONG, what=lambda: real.story(job))
    until(lambda: Cue.objects.filter(job=job, answered=True).count() == 2, LONG)
    run = at_work(job, Stage.TRANSLATE)
    kill(the_worker(run))
    until(lambda: not groups.members(run.group or 0))
    killed.set()
    real.completed(job)
    assert standing.model.ids()[:2] == [[1, 2], [3, 4]]
    assert standing.model.ids()[2:] == [[3, 4], [5, 6]]


def test_a_cap_in_the_middle_and_a_worker_that_is_killed(standing: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job pauses, and goes on by itself when its cap is raised. Only the call in flight is made again, and counts,
    because it may be charged for.
    """
    asked, killed = threading.Event(), threading.Event()

    def held(it: Asked) -> Said:
        if it.ids == [3, 4] and not killed.is_set():
            asked.set()
            killed.wait(LONG)
        return saying(answers(it))

    monkeypatch.setattr(standing.model, "tokens", (1000, 200))
    standing.model.asked.clear()
    standing.model.behave(held)
    # Room for three calls of 1,200 tokens, of which one is lost and counts as about 1,000.
    limits = OwnerLimits.objects.create(owner=real.owner(), tokens_a_job=3800)
    TranslationCache.objects.all().delete()
    job = real.asked(standing.clips["middle.mp4"], standing.english)
    asked.wait(LONG)
    run = at_work(job, Stage.TRANSLATE)
    kill(the_worker(run))
    until(lambda: not groups.members(run.group or 0))
    killed.set()
    until(lambda: Job.objects.get(pk=job.pk).status == JobStatus.PAUSED, LONG, what=lambda: real.story(job))
    assert standing.model.ids() == [[1, 2], [3, 4], [3, 4]]
    assert list(Cue.objects.filter(job=job, answered=True).values_list("number", flat=True)) == [1, 2, 3, 4]
    assert sorted(Call.objects.filter(job=job).values_list("status", flat=True)) == ["asked", "counted", "counted"]
    limits.delete()
    real.completed(job)
    assert standing.model.ids() == [[1, 2], [3, 4], [3, 4], [5, 6]]
    assert not Cue.objects.filter(job=job, target="").exists()
    TranslationCache.objects.all().delete()  # other tests have the same lines


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_database_restarts(standing: Scene, mode: Literal["fast", "immediate"]) -> None:
    if standing.server is None:
        pytest.skip("there is no server to restart")
    heard, burned = real.spoken(standing.speech), standing.burned()
    run = real.heard(heard)
    kept = cues_of(heard)
    standing.server.restart(mode)
    connection.close()
    for job in (heard, burned):
        real.completed(job)
    assert cues_of(heard)[: len(kept)] == kept
    assert len(cues_of(heard)) == 3
    assert run.group


@pytest.mark.soak
def test_everything_is_stopped_and_started(standing: Scene) -> None:
    """An operator stops and starts the stack: no process is left meanwhile, then every job continues."""
    heard, burned = real.spoken(standing.speech), standing.burned()
    at_work(burned, Stage.RENDER)
    run = real.heard(heard)
    kept = cues_of(heard)
    standing.stack.stop()
    standing.stack.start()
    check_went_on(heard, run, kept)
    real.completed(burned)


@pytest.mark.soak
def test_every_cluster_at_once(standing: Scene) -> None:
    heard, burned = real.spoken(standing.speech), standing.burned()
    at_work(burned, Stage.RENDER)
    run = real.heard(heard)
    kept = cues_of(heard)
    for cluster in Process.objects.filter(pk__in=[row.pk for row in workers()]).values_list("cluster_pid", flat=True):
        if cluster and groups.look(cluster):
            os.kill(cluster, signal.SIGKILL)
    check_went_on(heard, run, kept)
    real.completed(burned)


def workers() -> list[Process]:
    return [row for queue in ("speech", "text", "media") for row in real.fresh_workers(queue)]


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("queue", ["speech", "text", "media"])
def test_an_idle_worker(standing: Scene, queue: str) -> None:
    """A worker killed while it waits for a ticket can deadlock Django-Q; the reaper then kills its cluster."""
    for _ in range(3):
        until(lambda: real.fresh_workers(queue))
        for worker in real.fresh_workers(queue):
            kill(worker.pid)
        real.completed(real.spoken(standing.speech), 180)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("victim", [*_VICTIMS, its_ffmpeg])
def test_burning_is_repeated_whoever_dies(standing: Scene, victim: Callable[[StageRun], int]) -> None:
    for _ in range(5):
        test_burning_is_repeated(standing, victim)
        until(lambda: len(real.fresh_workers("media")) == 2)
