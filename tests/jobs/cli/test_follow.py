"""Following a job: every started stage is reported, progress never decreases, and the last report is the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from django.db import connection

from jobs import lifecycle
from jobs.cli import follow
from jobs.intake.options import JobOptions
from jobs.models import Job, StageRun
from jobs.pipeline.stage import Stage
from tests.databases import on_both
from tests.jobs import rows

pytestmark = pytest.mark.usefixtures("database")


@dataclass
class Told:
    """The reports, in order."""

    shares: list[tuple[Stage, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    had: list[list[Stage]] = field(default_factory=list)
    steps: list[tuple[Stage, str]] = field(default_factory=list)
    worked: list[Stage] = field(default_factory=list)

    def stages(self, stages: Sequence[Stage]) -> None:
        self.had.append(list(stages))

    def progress(self, stage: Stage, share: float) -> None:
        self.shares.append((stage, share))

    def step(self, stage: Stage, sentence: str) -> None:
        self.steps.append((stage, sentence))

    def working(self, stage: Stage) -> None:
        self.worked.append(stage)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "POLL_INTERVAL", 0.0)


ORDER = JobOptions(target="fa").as_json()


def test_a_job_from_its_beginning_to_its_end() -> None:
    job, told = rows.job(options=ORDER, stages=[Stage.FETCH, Stage.SUBTITLE]), Told()
    looks = follow.follow(job.pk, told)
    assert next(looks).status == "queued"
    assert told.shares == []
    claimed = rows.claim()
    assert next(looks).status == "running"
    for share in (0.5, 0.5, 0.7):
        lifecycle.heartbeat(claimed.attempt, share)
        next(looks)
    rows.finish(claimed.attempt)
    next(looks)
    rows.finish(rows.claim().attempt)
    assert [one.status for one in looks] == ["completed"]
    assert told.had == [[Stage.FETCH, Stage.SUBTITLE]]
    assert told.shares == [
        (Stage.FETCH, 0.0),
        (Stage.FETCH, 0.5),
        (Stage.FETCH, 0.7),
        (Stage.FETCH, 1.0),
        (Stage.SUBTITLE, 0.0),
        (Stage.SUBTITLE, 1.0),
    ]


def test_a_step_is_told_when_it_begins_and_ends_and_work_at_each_poll() -> None:
    job, told = rows.job(options=ORDER), Told()
    looks = follow.follow(job.pk, told)
    next(looks)
    assert told.worked == []
    claimed = rows.claim()
    lifecycle.heartbeat(claimed.attempt, None, "load_speech")
    next(looks)
    next(looks)
    lifecycle.heartbeat(claimed.attempt, None, "")
    next(looks)
    assert told.steps == [(Stage.FETCH, "Loading the speech model …"), (Stage.FETCH, "")]
    assert told.worked == [Stage.FETCH] * 3


def test_a_repeated_stage_does_not_go_backwards() -> None:
    job, told = rows.job(options=ORDER), Told()
    claimed = rows.claim()
    looks = follow.follow(job.pk, told)
    lifecycle.heartbeat(claimed.attempt, 0.6)
    next(looks)
    lifecycle.fail_stage(claimed.attempt, rows.BROKEN, again=True)
    StageRun.objects.filter(job=job, stage=Stage.FETCH).update(progress=0.1)
    next(looks)
    assert told.shares == [(Stage.FETCH, 0.0), (Stage.FETCH, 0.6)]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_an_ended_job_is_looked_at_once(status: str) -> None:
    claimed = next(make for name, make in rows.IN.items() if name == status)()
    Job.objects.update(options=ORDER)
    assert [job.status for job in follow.follow(claimed.job_id, Told())] == [status]


def test_notes_are_told_once() -> None:
    noted = [{"code": "subtitles_in_target", "params": {"language": "Persian"}}]
    job, told = rows.job(options=ORDER, engines={"transcribe": "pocketsphinx", "translate": "gemini"}), Told()
    looks = follow.follow(job.pk, told)
    next(looks)
    assert len(told.notes) == 1
    assert "demo" in told.notes[0]
    Job.objects.update(spoken="en", notes=noted)
    for _ in range(3):
        next(looks)
    assert told.notes[1:] == [
        "Spoken language: English.",
        "The subtitles are already in Persian, so translation was skipped.",
    ]


def test_a_language_that_was_given_is_no_news() -> None:
    for order in (JobOptions(target="fa", spoken="en"), JobOptions(target="fa", brought=True)):
        job, told = rows.job(options=order.as_json(), spoken="en"), Told()
        next(follow.follow(job.pk, told))
        assert told.notes == []


@on_both
def test_a_job_that_another_process_ends() -> None:
    claimed, told = rows.hearing(), Told()
    Job.objects.update(options=ORDER)

    def end() -> None:
        lifecycle.cancel(claimed.job_id, actor="omid")
        lifecycle.stop_stage(claimed.attempt)
        lifecycle.finish_cancel(claimed.job_id)
        connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    seen = [job.status for job in follow.follow(claimed.job_id, told)]
    thread.join()
    assert seen[-1] == "cancelled"
    assert set(seen) <= {"running", "cancelling", "cancelled"}


def test_a_job_that_is_not_there() -> None:
    job = rows.job(options=ORDER)
    Job.objects.all().delete()
    with pytest.raises(Job.DoesNotExist):
        next(follow.follow(job.pk, Told()))
