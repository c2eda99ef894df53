"""Cancellation during real work: real clusters, yt-dlp, PocketSphinx, Gemini's SDK and ffmpeg."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from jobs import lifecycle
from jobs.models import Cue, Job, JobStatus, StageRun
from jobs.pipeline.process import groups as process_groups
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from tests.databases import Databases, mostly, on_database
from tests.engines.fake_llm_server import KEY, Asked, FakeServer, Said, answers, saying
from tests.jobs import stack as real
from tests.jobs.rows import contradictions
from tests.jobs.stack import Stack, at_work
from tests.pipeline.clips import Clips
from tests.pipeline.web_server import WebServer, serving
from tests.waiting import LONG, until

_STAGES = (Stage.FETCH, Stage.TRANSCRIBE, Stage.TRANSLATE, Stage.RENDER)


def slow(asked: Asked) -> Said:
    return saying(answers(asked), wait=1.5)


@dataclass
class Scene:
    """A running stack, the sources of its jobs, and the seconds that cancellations took, for the output only."""

    stack: Stack
    web: WebServer
    clips: Clips
    speech: Path
    persian: Path
    english: Path
    latencies: list[float] = field(default_factory=list)

    def job(self, stage: Stage, *, passes: bool = False) -> Job:
        """A job that comes to `stage` and stays there for a while; a fetch that `passes` gets to its end."""
        return {
            Stage.FETCH: lambda: real.linked(self.web.url("/video.mp4" if passes else "/drip.mp4"), self.persian),
            Stage.TRANSCRIBE: lambda: real.spoken(self.speech),
            Stage.TRANSLATE: lambda: real.asked(self.clips["middle.mp4"], self.english),
            Stage.RENDER: lambda: real.burned(self.clips["middle.mp4" if passes else "long.mp4"], self.persian),
        }[stage]()

    def cancel(self, job: Job) -> bool:
        """Cancel and measure until no process of its groups runs. False when the job had ended."""
        groups = _groups(job)
        known = [process for group in groups for process in process_groups.members(group)]
        if not lifecycle.cancel(job.pk, actor="shirin"):
            return False
        began = time.monotonic()
        until(lambda: not any(process_groups.is_alive(each.pid, each.started) for each in known), every=0.001)
        if known:
            self.latencies.append(time.monotonic() - began)
        until(lambda: Job.objects.get(pk=job.pk).status == JobStatus.CANCELLED, what=lambda: real.story(job))
        assert not any(process_groups.members(group) for group in groups)
        return True

    def check_gone(self, job: Job) -> None:
        """Check that only the row of a cancelled job is left."""
        assert contradictions(job.pk) == []
        assert real.files_of(job) == []
        assert not Cue.objects.filter(job=job).exists()
        assert not StageRun.objects.filter(job=job, group__isnull=False).exists()

    def check_idle(self) -> None:
        """Check that no child of any stage is left, except the warm one."""
        assert set(self.stack.group_leaders()) <= set(self.stack.warm())


def _groups(job: Job) -> list[int]:
    found = StageRun.objects.filter(job=job, group__isnull=False).values_list("group", flat=True)
    return [group for group in found if group]


@pytest.fixture(scope="module", params=mostly("postgresql"))
def standing(
    request: pytest.FixtureRequest,
    databases: Databases,
    clips: Clips,
    speech: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("stack")
    with (
        serving(clips["plain.mp4"].read_bytes()) as web,
        FakeServer() as model,
        django_db_blocker.unblock(),
        databases.fresh(request.param, directory) as url,
        on_database(url),
    ):
        model.behave(slow)
        gemini = {"GEMINI_API_KEY": KEY, "GEMINI_ENDPOINT": model.url}
        stack = Stack(url, directory, {"LINK_TEST_HOSTS": web.endpoint, **gemini})
        scene = Scene(stack, web, clips, speech, *real.subtitles(directory))
        with stack.running():
            yield scene
        if len(scene.latencies) > 1:
            cuts = statistics.quantiles(scene.latencies, n=20, method="inclusive")
            found = (
                f"{len(scene.latencies)}: p50 {cuts[9]:.3f} s, p95 {cuts[18]:.3f} s, max {max(scene.latencies):.3f} s"
            )
            (directory / "latencies").write_text(found)


@pytest.fixture(autouse=True)
def media_root(standing: Scene, settings: Any) -> Path:
    """The MEDIA_ROOT of the stack; this process has the stack's engines."""
    settings.MEDIA_ROOT = standing.stack.media
    gemini = replace(settings.ENGINE_OPTIONS["gemini"], api_key=KEY)
    settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "gemini": gemini}
    return standing.stack.media


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """No check after each test: the stack is checked for leftovers when it stops."""


def at_spawn(job: Job, stage: Stage) -> None:
    """A moment within 20 ms of the start of a process group."""
    at_work(job, stage)
    time.sleep(random.uniform(0, 0.02))


def at_random(job: Job, stage: Stage) -> None:
    at_work(job, stage)
    time.sleep(random.uniform(0, 2.5))


def at_publish(job: Job, stage: Stage) -> None:
    """A moment within 20 ms of a stage's result: a finished file, or saved cues."""
    attempt = at_work(job, stage).attempt
    published: dict[Stage, Callable[[], object]] = {
        Stage.FETCH: lambda: list(_room(job, attempt).glob("source*")),
        Stage.TRANSCRIBE: lambda: Cue.objects.filter(job=job).exists(),
        Stage.TRANSLATE: lambda: Cue.objects.filter(job=job, answered=True).exists(),
        Stage.RENDER: lambda: (_room(job, attempt) / "video.mp4").exists(),
    }
    until(published[stage], LONG, every=0.001, what=lambda: real.story(job))
    time.sleep(random.uniform(0, 0.02))


def _room(job: Job, attempt: uuid.UUID | None) -> Path:
    return artifacts.job_dir(job.pk) / str(attempt)


_MOMENTS = (at_spawn, at_random, at_publish)


_DAILY = {
    (at_spawn, Stage.FETCH),
    (at_spawn, Stage.TRANSCRIBE),
    (at_publish, Stage.RENDER),
}


@pytest.mark.parametrize(
    ("moment", "stage"),
    [
        pytest.param(moment, stage, marks=() if (moment, stage) in _DAILY else pytest.mark.soak)
        for moment in _MOMENTS
        for stage in _STAGES
    ],
)
def test_cancelled(standing: Scene, stage: Stage, moment: Callable[[Job, Stage], None]) -> None:
    cancel_once(standing, stage, moment)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("stage", _STAGES)
def test_cancelled_often(standing: Scene, stage: Stage) -> None:
    for number in range(50):
        cancel_once(standing, stage, _MOMENTS[number % len(_MOMENTS)])


def cancel_once(scene: Scene, stage: Stage, moment: Callable[[Job, Stage], None]) -> None:
    job = scene.job(stage, passes=moment is at_publish)
    moment(job, stage)
    if scene.cancel(job):
        scene.check_gone(job)
        scene.check_idle()
    else:  # its end was faster: then it is whole
        assert real.ended(job).status == JobStatus.COMPLETED
        assert artifacts.path_of(job.pk, "fa.srt")


def test_the_warm_child_of_another_job_is_untouched(standing: Scene) -> None:
    """Cancelling jobs during fetch, burning and waiting does not disturb the recognition of another job."""
    heard = standing.job(Stage.TRANSCRIBE)
    group, attempt = (run := at_work(heard, Stage.TRANSCRIBE)).group, run.attempt
    assert group
    with stopped(group):  # or a fast machine would be done with it
        waiting = standing.job(Stage.TRANSCRIBE)
        for stage in (Stage.FETCH, Stage.RENDER):
            other = standing.job(stage)
            at_work(other, stage)
            assert standing.cancel(other)
            standing.check_gone(other)
        assert standing.cancel(waiting)
        standing.check_gone(waiting)
        now = at_work(heard, Stage.TRANSCRIBE)
    assert (now.group, now.attempt) == (group, attempt)
    real.completed(heard)
    assert standing.stack.warm() == [group]
    following = standing.job(Stage.TRANSCRIBE)
    assert at_work(following, Stage.TRANSCRIBE).group == group
    assert standing.cancel(following)
    assert standing.stack.warm() == []


@contextmanager
def stopped(group: int) -> Iterator[None]:
    """Stop the processes of the group with SIGSTOP inside."""
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


@pytest.mark.soak
def test_many_at_once(standing: Scene) -> None:
    """Cancel jobs in every stage and in the queue at once."""
    jobs = [standing.job(stage) for stage in _STAGES for _ in range(3)]
    at_work(jobs[0], Stage.FETCH)
    time.sleep(random.uniform(1, 4))
    for job in jobs:
        assert lifecycle.cancel(job.pk, actor="shirin")
    for job in jobs:
        until(lambda job=job: Job.objects.get(pk=job.pk).status == JobStatus.CANCELLED)  # type: ignore[misc]
    for job in jobs:
        standing.check_gone(job)
    standing.check_idle()
