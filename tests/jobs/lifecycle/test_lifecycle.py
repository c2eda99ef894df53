"""The state machine of jobs: the order of stages, repetitions, ends, and atomic writes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ

from jobs import lifecycle
from jobs.lifecycle import MAX_ATTEMPTS, Claim, LostAttempt
from jobs.lifecycle.stages import BACK_OFF
from jobs.models import Artifact, Cue, Job, JobStatus, Process, StageRun, Transition
from jobs.pipeline.stage import Stage
from jobs.queueing import tickets
from tests.databases import on_both
from tests.jobs import rows

pytestmark = pytest.mark.usefixtures("database")


class Clock:
    """A double of Django's clock."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


def queued_tickets() -> dict[str, int]:
    keys = list(OrmQ.objects.values_list("key", flat=True))
    return {key: keys.count(key) for key in sorted(set(keys))}


# The order of the stages


def test_from_the_first_stage_to_the_result() -> None:
    job = rows.job()
    assert rows.stages(job.pk) == dict(zip(Stage, ["ready", *["waiting"] * 4], strict=True))
    fetch = lifecycle.claim("media")
    assert fetch
    assert rows.status(job.pk) == "running"
    rows.finish(fetch.attempt)
    assert [*rows.stages(job.pk).values()] == ["done", "ready", "waiting", "waiting", "waiting"]
    transcribe = rows.claim("speech")
    assert [*rows.stages(job.pk).values()] == ["done", "running", "waiting", "waiting", "waiting"]
    rows.hear(transcribe.attempt, 1, 2)
    assert [*rows.stages(job.pk).values()] == ["done", "running", "ready", "waiting", "waiting"]
    translate = rows.claim("text")
    rows.hear(transcribe.attempt, 3)
    rows.finish(transcribe.attempt)
    assert [*rows.stages(job.pk).values()] == ["done", "done", "running", "waiting", "waiting"]
    rows.finish(translate.attempt)
    assert [*rows.stages(job.pk).values()] == ["done", "done", "done", "ready", "waiting"]
    rows.finish(rows.claim("media").attempt)
    render = rows.claim("media")
    assert (render.stage, rows.status(job.pk)) == (Stage.RENDER, "running")
    lifecycle.finish_stage(render.attempt, outcome={}, result=lambda done: {"title": done.title})
    assert set(rows.stages(job.pk).values()) == {"done"}
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"title": ""})
    assert job.ended
    assert job.edited
    assert not rows.contradictions(job.pk)
    assert queued_tickets() == {"media": 3, "speech": 1, "text": 1}


def test_translation_that_is_done_first_waits_for_recognition() -> None:
    transcribe, translate = rows.both_running()
    rows.finish(translate.attempt)
    assert rows.stages(transcribe.job_id)["subtitle"] == "waiting"
    rows.finish(transcribe.attempt)
    assert rows.stages(transcribe.job_id)["subtitle"] == "ready"


def test_recognition_without_words_opens_translation_at_its_end() -> None:
    transcribe = rows.up_to(Stage.TRANSCRIBE)
    rows.hear(transcribe.attempt)
    assert rows.stages(transcribe.job_id)["translate"] == "waiting"
    rows.finish(transcribe.attempt)
    assert rows.stages(transcribe.job_id)["translate"] == "ready"


def test_words_that_were_brought() -> None:
    job = rows.job(stages=(Stage.FETCH, Stage.TRANSLATE, Stage.SUBTITLE), cues=[rows.cue(1), rows.cue(2)])
    assert job.cues.count() == 2
    rows.finish(rows.claim("media").attempt)
    assert rows.stages(job.pk) == {"fetch": "done", "translate": "ready", "subtitle": "waiting"}


def test_a_stage_for_which_there_is_nothing_to_do() -> None:
    fetch = rows.up_to(Stage.FETCH)
    lifecycle.skip_stage(fetch.attempt, Stage.RENDER)
    lifecycle.skip_stage(fetch.attempt, Stage.RENDER)
    assert rows.told(fetch.job_id)[-1] == ("render", "waiting", "skipped")
    rows.finish(fetch.attempt)
    while rows.status(fetch.job_id) == "running":
        rows.finish(rows.claim().attempt)
    assert rows.status(fetch.job_id) == "completed"


def test_an_upload_begins_when_it_is_whole() -> None:
    job = rows.job(uploaded=False)
    assert (job.status, queued_tickets()) == ("uploading", {})
    lifecycle.submit(job.pk, "shirin")
    assert (rows.status(job.pk), queued_tickets()) == ("queued", {"media": 1})


def test_a_window_that_is_committed_twice_counts_once() -> None:
    transcribe = rows.up_to(Stage.TRANSCRIBE)
    rows.hear(transcribe.attempt, 1, 2)
    rows.hear(transcribe.attempt, 1, 2)
    assert Cue.objects.count() == 2


def test_every_change_raises_the_version_that_pages_watch() -> None:
    seen = [(job := rows.job()).version]

    def rose() -> bool:
        seen.append(Job.objects.get(pk=job.pk).version)
        return seen[-1] > seen[-2]

    fetch = rows.claim()
    assert rose()
    lifecycle.heartbeat(fetch.attempt, 0.5)
    assert rose()
    rows.finish(fetch.attempt)
    assert rose()
    lifecycle.set_keep_running(job.pk, True)
    assert rose()
    lifecycle.cancel(job.pk, actor="shirin")
    assert rose()


# Tickets and transactions


class Broken(Exception):
    pass


def broken_off(call: Callable[[], object]) -> None:
    """Run `call` in a transaction that is rolled back after a ticket was issued."""
    queued = OrmQ.objects.count()
    with transaction.atomic():
        call()
        assert OrmQ.objects.count() > queued
        transaction.set_rollback(True)


@pytest.mark.parametrize("state", ["create", "submit", "finish_stage", "retry", "commit_window"])
def test_tickets_come_and_go_with_what_they_are_for(state: str) -> None:
    begin: dict[str, Callable[[], Claim]] = {"submit": rows.IN[JobStatus.UPLOADING], "retry": rows.IN[JobStatus.FAILED]}
    it = begin.get(state, lambda: rows.up_to(Stage.TRANSCRIBE))()
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: rows.job(),
        "submit": lambda: lifecycle.submit(it.job_id, "shirin"),
        "finish_stage": lambda: rows.finish(it.attempt),
        "retry": lambda: lifecycle.retry(it.job_id, "shirin"),
        "commit_window": lambda: rows.hear(it.attempt, 1, 2),
    }
    before, queued = rows.everything(it.job_id), OrmQ.objects.count()
    broken_off(calls[state])
    assert rows.everything(it.job_id) == before
    assert Job.objects.count() == 1
    calls[state]()
    assert OrmQ.objects.count() > queued


def test_a_result_that_cannot_be_made_ends_nothing() -> None:
    render = rows.up_to(Stage.RENDER)
    before = rows.everything(render.job_id)

    def broken(_: Job) -> dict[str, Any]:
        raise Broken

    with pytest.raises(Broken):
        lifecycle.finish_stage(
            render.attempt, outcome={}, artifacts=[Artifact(kind="video", name="v", size=1)], result=broken
        )
    assert rows.everything(render.job_id) == before


def test_a_claim_uses_the_ticket_that_is_held() -> None:
    rows.job()
    row = OrmQ.objects.get().pk
    with tickets.held(row):
        assert lifecycle.claim("speech") is None
        assert OrmQ.objects.filter(pk=row).exists()
        assert lifecycle.claim("media")
        assert not OrmQ.objects.exists()


def test_a_redelivered_ticket_finds_nothing() -> None:
    rows.job()
    assert lifecycle.claim("media")
    before = rows.told(Job.objects.get().pk)
    assert lifecycle.claim("media") is None
    assert rows.told(Job.objects.get().pk) == before


# Failing


def test_three_tries_with_waits_between(clock: Clock) -> None:
    job = rows.job()
    for wait in BACK_OFF:
        lifecycle.fail_stage(rows.claim("media").attempt, rows.BROKEN, again=True)
        assert rows.stages(job.pk)["fetch"] == "ready"
        clock.advance(wait - timedelta(seconds=0.1))
        assert lifecycle.claim("media") is None
        clock.advance(timedelta(seconds=0.1))
    lifecycle.fail_stage(rows.claim("media").attempt, rows.BROKEN, again=True)
    job.refresh_from_db()
    run = job.stages.get(stage="fetch")
    assert (run.status, run.attempts, run.error) == ("failed", MAX_ATTEMPTS, rows.BROKEN)
    assert (job.status, job.error) == ("failed", rows.BROKEN)
    assert not rows.contradictions(job.pk)


def test_what_cannot_succeed_is_not_repeated() -> None:
    it = rows.up_to(Stage.FETCH)
    lifecycle.fail_stage(it.attempt, rows.BROKEN, again=False)
    assert rows.status(it.job_id) == "failed"


def test_a_try_that_succeeds_leaves_no_error(clock: Clock) -> None:
    it = rows.up_to(Stage.FETCH)
    lifecycle.fail_stage(it.attempt, rows.BROKEN, again=True)
    clock.advance(BACK_OFF[0])
    rows.finish(rows.claim("media").attempt)
    run = StageRun.objects.get(job=it.job_id, stage="fetch")
    assert (run.status, run.error) == ("done", None)


def test_a_failed_stage_stops_its_sibling_before_the_job_fails() -> None:
    transcribe, translate = rows.both_running()
    lifecycle.fail_stage(translate.attempt, rows.BROKEN, again=False)
    assert rows.status(transcribe.job_id) == "running"
    assert lifecycle.must_stop(transcribe)
    assert not rows.contradictions(transcribe.job_id)
    lifecycle.stop_stage(transcribe.attempt)
    assert rows.status(transcribe.job_id) == "failed"
    assert [*rows.stages(transcribe.job_id).values()] == ["done", "stopped", "failed", "waiting", "waiting"]
    assert not rows.contradictions(transcribe.job_id)


def test_a_sibling_that_is_done_before_it_is_stopped() -> None:
    transcribe, translate = rows.both_running()
    lifecycle.fail_stage(translate.attempt, rows.BROKEN, again=False)
    rows.finish(transcribe.attempt)
    assert rows.status(transcribe.job_id) == "failed"
    assert not rows.contradictions(transcribe.job_id)


@pytest.mark.parametrize("again", [True, False])
def test_a_sibling_that_fails_too(again: bool) -> None:
    transcribe, translate = rows.both_running()
    lifecycle.fail_stage(transcribe.attempt, rows.BROKEN, again=False)
    lifecycle.fail_stage(translate.attempt, {**rows.BROKEN, "detail": "the second"}, again=again)
    job = Job.objects.get(pk=transcribe.job_id)
    assert (job.status, job.error) == ("failed", rows.BROKEN)
    assert [*rows.stages(job.pk).values()] == ["done", "failed", "stopped", "waiting", "waiting"]


def test_a_failed_stage_takes_back_a_sibling_that_is_ready() -> None:
    transcribe = rows.hearing()
    lifecycle.fail_stage(transcribe.attempt, rows.BROKEN, again=False)
    assert rows.stages(transcribe.job_id)["translate"] == "stopped"
    assert lifecycle.claim("text") is None


# Going on


def test_retry_goes_on_from_the_checkpoint() -> None:
    transcribe, translate = rows.both_running()
    rows.hear(transcribe.attempt, 2)
    lifecycle.fail_stage(transcribe.attempt, rows.BROKEN, again=False)
    lifecycle.stop_stage(translate.attempt)
    before = StageRun.objects.get(job=transcribe.job_id, stage="transcribe").checkpoint
    OrmQ.objects.all().delete()
    lifecycle.retry(transcribe.job_id, "shirin")
    assert [*rows.stages(transcribe.job_id).values()] == ["done", "ready", "ready", "waiting", "waiting"]
    assert queued_tickets() == {"speech": 1, "text": 1}
    job = Job.objects.get(pk=transcribe.job_id)
    assert (job.status, job.error, job.ended) == ("queued", None, None)
    run = job.stages.get(stage="transcribe")
    assert (run.checkpoint, run.attempts, run.error) == (before, 0, None)
    assert job.cues.count() == 2
    assert not rows.contradictions(job.pk)
    again = rows.claim("speech")
    assert again.attempt != transcribe.attempt
    assert rows.status(job.pk) == "running"


def test_a_step_ends_with_its_attempt() -> None:
    claimed = rows.up_to(Stage.TRANSCRIBE)
    lifecycle.heartbeat(claimed.attempt, 0.4, "load_speech")
    assert StageRun.objects.get(attempt=claimed.attempt).step == "load_speech"
    lifecycle.stop_stage(claimed.attempt)
    again = rows.claim("speech")
    run = StageRun.objects.get(attempt=again.attempt)
    assert (run.step, run.progress, run.progress_before) == ("", 0.4, 0.4)


def test_what_earlier_attempts_did_counts_only_as_far_as_it_is_left() -> None:
    rows.job()
    claimed = rows.claim("media")
    lifecycle.heartbeat(claimed.attempt, 0.6)
    lifecycle.stop_stage(claimed.attempt)
    again = rows.claim("media")
    for progress, before in ((0.1, 0.1), (0.7, 0.1)):
        lifecycle.heartbeat(again.attempt, progress)
        assert StageRun.objects.get(attempt=again.attempt).progress_before == before


@pytest.mark.parametrize("stage", Stage)
def test_retry_repeats_what_failed_and_nothing_else(stage: Stage) -> None:
    it = rows.up_to(stage)
    lifecycle.fail_stage(it.attempt, rows.BROKEN, again=False)
    done = [name for name, status in rows.stages(it.job_id).items() if status == "done"]
    lifecycle.retry(it.job_id, "shirin")
    assert [name for name, status in rows.stages(it.job_id).items() if status == "done"] == done
    assert rows.claim().stage == stage
    assert not rows.contradictions(it.job_id)


def test_a_translation_that_failed_first_is_retried_beside_recognition() -> None:
    transcribe, translate = rows.both_running()
    lifecycle.fail_stage(translate.attempt, rows.BROKEN, again=False)
    lifecycle.stop_stage(transcribe.attempt)
    lifecycle.retry(transcribe.job_id, "shirin")
    assert [*rows.stages(transcribe.job_id).values()] == ["done", "ready", "ready", "waiting", "waiting"]
    assert not rows.contradictions(transcribe.job_id)


def test_what_has_to_wait_again_is_told() -> None:
    transcribe = rows.up_to(Stage.TRANSCRIBE)
    lifecycle.fail_stage(transcribe.attempt, rows.BROKEN, again=False)
    StageRun.objects.filter(job=transcribe.job_id, stage=Stage.RENDER).update(status="stopped")
    lifecycle.retry(transcribe.job_id, "shirin")
    told = Transition.objects.filter(job=transcribe.job_id, stage=Stage.RENDER).latest("pk")
    assert (told.from_status, told.to_status) == ("stopped", "waiting")


def test_tries_are_counted_from_the_last_checkpoint() -> None:
    """Attempts are counted from the last checkpoint: a stage that advances never fails by restarts."""
    job_id = rows.up_to(Stage.TRANSCRIBE).job_id
    for number in range(1, 6):
        attempt = StageRun.objects.get(job=job_id, stage=Stage.TRANSCRIBE).attempt
        assert attempt
        rows.hear(attempt, number)
        lifecycle.fail_stage(attempt, rows.BROKEN, again=True)
        StageRun.objects.filter(job=job_id, status="ready").update(ready_at=timezone.now())
        assert rows.claim("speech").job_id == job_id
    assert rows.status(job_id) == "running"


def test_a_job_may_fail_and_be_retried_for_ever() -> None:
    job = rows.job()
    for _ in range(5):
        lifecycle.fail_stage(rows.claim("media").attempt, rows.BROKEN, again=False)
        lifecycle.retry(job.pk, "shirin")
    assert not rows.contradictions(job.pk)


# Cancelling


@pytest.mark.parametrize("state", ["uploading", "queued"])
def test_a_job_without_a_process_is_cancelled_at_once(state: str) -> None:
    it = rows.IN[JobStatus(state)]()
    assert lifecycle.cancel(it.job_id, actor="shirin", reason="button")
    assert lifecycle.can_finish_cancel(it.job_id)
    assert lifecycle.finish_cancel(it.job_id)
    assert set(rows.stages(it.job_id).values()) == {"stopped"}
    asked = Transition.objects.get(job=it.job_id, to_status="cancelling")
    assert (asked.actor, asked.reason) == ("shirin", "button")
    assert not rows.contradictions(it.job_id)


def test_a_job_is_cancelled_when_none_of_its_stages_runs() -> None:
    transcribe, translate = rows.both_running()
    Artifact.objects.create(job_id=transcribe.job_id, kind="source", name="a/v.mp4", size=1)
    assert lifecycle.cancel(transcribe.job_id, actor="shirin")
    for running in (transcribe, translate):
        assert lifecycle.must_stop(running)
        assert not lifecycle.can_finish_cancel(transcribe.job_id)
        assert not lifecycle.finish_cancel(transcribe.job_id)
        lifecycle.stop_stage(running.attempt)
    assert lifecycle.can_finish_cancel(transcribe.job_id)
    assert Cue.objects.exists()
    assert lifecycle.finish_cancel(transcribe.job_id)
    assert not Cue.objects.exists()
    assert not Artifact.objects.exists()
    assert not rows.contradictions(transcribe.job_id)
    assert not lifecycle.finish_cancel(transcribe.job_id)


def test_a_stage_that_waits_for_its_next_try_is_not_begun_after_cancel(clock: Clock) -> None:
    it = rows.up_to(Stage.FETCH)
    lifecycle.fail_stage(it.attempt, rows.BROKEN, again=True)
    lifecycle.cancel(it.job_id, actor="shirin")
    clock.advance(BACK_OFF[0])
    assert lifecycle.claim("media") is None
    assert lifecycle.finish_cancel(it.job_id)


def test_a_stage_that_fails_while_it_is_cancelled_is_stopped() -> None:
    it = rows.up_to(Stage.RENDER)
    lifecycle.cancel(it.job_id, actor="shirin")
    lifecycle.fail_stage(it.attempt, rows.BROKEN, again=False)
    assert (rows.status(it.job_id), rows.stages(it.job_id)["render"]) == ("cancelling", "stopped")


def test_nothing_of_another_job_is_touched() -> None:
    mine = rows.hearing()
    other = rows.hearing(rows.owner("other"))
    before = rows.everything(other.job_id)[:-1]
    lifecycle.cancel(mine.job_id, actor="shirin")
    lifecycle.stop_stage(mine.attempt)
    assert lifecycle.finish_cancel(mine.job_id)
    assert lifecycle.delete_row(mine.job_id)
    assert rows.everything(other.job_id)[:-1] == before


# Lost attempts


def test_who_lost_its_attempt_to_another_writes_nothing(clock: Clock) -> None:
    """A worker that resumes after the reaper has given its stage to another one writes nothing."""
    old = rows.up_to(Stage.TRANSCRIBE)
    lifecycle.fail_stage(old.attempt, rows.BROKEN, again=True)
    clock.advance(BACK_OFF[0])
    new = rows.claim("speech")
    before = rows.everything(old.job_id)
    video = Artifact(kind="video", name="late", size=1)
    lates: tuple[Callable[[], object], ...] = (
        lambda: lifecycle.heartbeat(old.attempt),
        lambda: lifecycle.heartbeat(old.attempt, 0.9),
        lambda: lifecycle.record_group(old.attempt, 1, 1),
        lambda: rows.hear(old.attempt, 9),
        lambda: lifecycle.finish_stage(old.attempt, outcome={"late": True}, artifacts=[video]),
        lambda: lifecycle.fail_stage(old.attempt, rows.BROKEN, again=False),
        lambda: lifecycle.stop_stage(old.attempt),
        lambda: lifecycle.skip_stage(old.attempt, Stage.RENDER),
    )
    for late in lates:
        with pytest.raises(LostAttempt):
            late()
    assert rows.everything(old.job_id) == before
    assert lifecycle.must_stop(old)
    assert not lifecycle.must_stop(new)


def test_a_stage_that_ended_has_no_group() -> None:
    it = rows.up_to(Stage.FETCH)
    lifecycle.record_group(it.attempt, 4711, 99)
    assert StageRun.objects.get(attempt=it.attempt).group == 4711
    rows.finish(it.attempt)
    run = StageRun.objects.get(job=it.job_id, stage="fetch")
    assert (run.attempt, run.heartbeat, run.group, run.group_started) == (None, None, None, None)


def test_a_claim_names_its_worker() -> None:
    worker = Process.objects.create(cluster="media", host="here", boot_id="b", pid=1, started=1)
    rows.job()
    assert lifecycle.claim("media", worker)
    run = StageRun.objects.get(status="running")
    assert (run.worker, run.host, run.boot_id) == (worker, "here", "b")
    worker.refresh_from_db()
    assert worker.last_claim


# What the database refuses, whoever writes


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("running", {"status": "completed", "ended": datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())}),
        ("running", {"status": "failed", "ended": datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())}),
        ("running", {"ended": datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())}),
        ("completed", {"ended": None}),
        ("completed", {"result": None}),
        ("failed", {"error": None}),
        ("cancelled", {"ended": None}),
        ("queued", {"status": "dreaming"}),
    ],
)
@on_both
def test_a_job_that_contradicts_itself(state: str, fields: dict[str, Any]) -> None:
    job = Job.objects.filter(pk=rows.IN[JobStatus(state)]().job_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        job.update(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"attempt": None},
        {"heartbeat": None},
        {"status": "done"},
        {"status": "ready"},
        {"status": "done", "attempt": None, "heartbeat": None},
        {"status": "ready", "attempt": None, "heartbeat": None, "group": None, "ready_at": None},
        {"status": "asleep", "attempt": None, "heartbeat": None, "group": None},
    ],
)
@on_both
def test_a_stage_that_contradicts_itself(fields: dict[str, Any]) -> None:
    it = rows.up_to(Stage.FETCH)
    lifecycle.record_group(it.attempt, 4711, 99)
    run = StageRun.objects.filter(attempt=it.attempt)
    with pytest.raises(IntegrityError), transaction.atomic():
        run.update(**fields)


@on_both
def test_two_of_what_there_is_one_of() -> None:
    it = rows.hearing()
    run = StageRun.objects.get(attempt=it.attempt)
    for twice in (
        lambda: Cue.objects.create(job_id=it.job_id, number=1, start=0, end=1, source="again"),
        lambda: StageRun.objects.create(
            job_id=it.job_id, owner_id=run.owner_id, stage="fetch", number=9, queue="media"
        ),
        lambda: StageRun.objects.filter(job=it.job_id, stage="render").update(
            status="running", attempt=it.attempt, heartbeat=timezone.now()
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            twice()


# What is told


def test_one_line_in_the_log_for_each_transition(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobs.lifecycle"):
        it = rows.up_to(Stage.FETCH)
        rows.finish(it.attempt)
    lines = [record for record in caplog.records if record.name == "jobs.lifecycle"]
    assert [line.getMessage() for line in lines] == [f"{was or 'new'} → {now}" for _, was, now in rows.told(it.job_id)]
    assert {line.__dict__["job"] for line in lines} == {str(it.job_id)}
    assert str(it.attempt) in {line.__dict__["attempt"] for line in lines}


def test_nothing_is_told_of_what_was_rolled_back(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "jobs.lifecycle"):
        broken_off(rows.job)
    assert not [record for record in caplog.records if record.name == "jobs.lifecycle"]
