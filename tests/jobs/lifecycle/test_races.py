"""Two concurrent connections: one wins, the other gets an error or False, and the rows stay consistent."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection

from jobs import lifecycle
from jobs.lifecycle import Claim, IllegalTransition, LostAttempt
from jobs.models import Job, StageRun
from jobs.pipeline.stage import Stage
from tests.databases import on_both
from tests.jobs import rows
from tests.waiting import PATIENCE

ROUNDS = [pytest.param(4, id="4"), pytest.param(500, id="500", marks=[pytest.mark.soak, pytest.mark.timeout(1200)])]
pytestmark = [on_both, pytest.mark.usefixtures("database"), pytest.mark.parametrize("rounds", ROUNDS)]

LOST = "lost"
"""Result of the thread that lost: an exception of the state machine."""


class Two:
    """Two threads with a connection each, which start their functions at the same moment."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool, self._start = pool, threading.Barrier(2, timeout=PATIENCE)

    def __call__(self, *calls: Callable[[], Any]) -> list[Any]:
        """The results of both; LOST for one that raised an error of a lost race."""
        return [future.result() for future in [self._pool.submit(self._one, call) for call in calls]]

    def _one(self, call: Callable[[], Any]) -> Any:
        self._start.wait()
        try:
            return call()
        except (LostAttempt, IllegalTransition):
            return LOST

    def part(self) -> None:
        self(*[lambda: connection.close()] * 2)


@pytest.fixture
def both() -> Iterator[Two]:
    with ThreadPoolExecutor(2) as pool:
        yield (two := Two(pool))
        two.part()


def at_rest(job_id: uuid.UUID) -> str:
    """The job's status, after a check of its rows."""
    assert not rows.contradictions(job_id)
    return rows.status(job_id)


def given_up(job_id: uuid.UUID) -> None:
    """End the job, so that the next round cannot claim its stages."""
    lifecycle.cancel(job_id, actor="shirin")
    for run in StageRun.objects.filter(job=job_id, status="running"):
        assert run.attempt
        lifecycle.stop_stage(run.attempt)
    assert not rows.contradictions(job_id)


def test_claim_against_claim(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        job = rows.job()
        answers = both(*[partial(lifecycle.claim, "media")] * 2)
        assert sum(answer is not None for answer in answers) == 1
        assert at_rest(job.pk) == "running"
        given_up(job.pk)


def test_two_claims_find_two_jobs(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        jobs = {rows.job().pk, rows.job().pk}
        assert {answer.job_id for answer in both(*[partial(lifecycle.claim, "media")] * 2)} == jobs
        for job in jobs:
            given_up(job)


def test_two_claims_under_a_limit_of_one(rounds: int, both: Two) -> None:
    """Two claims in two queues, so that neither waits for the row of the other's job."""
    for _ in range(rounds):
        jobs = [rows.job(stages=[stage]).pk for stage in (Stage.RENDER, Stage.TRANSCRIBE)]
        answers = both(*[partial(lifecycle.claim, queue, running_limit=1) for queue in ("media", "speech")])
        assert sum(answer is not None for answer in answers) == 1
        assert sorted(at_rest(job) for job in jobs) == ["queued", "running"]
        for job in jobs:
            given_up(job)


def test_cancel_against_claim(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        job = rows.job()
        asked, claimed = both(partial(lifecycle.cancel, job.pk, actor="shirin"), partial(lifecycle.claim, "media"))
        assert asked
        assert at_rest(job.pk) == "cancelling"
        assert lifecycle.can_finish_cancel(job.pk) is (claimed is None)
        if claimed:
            assert lifecycle.must_stop(claimed)
        given_up(job.pk)
        assert lifecycle.finish_cancel(job.pk)
        assert at_rest(job.pk) == "cancelled"


def alone(stage: Stage) -> Claim:
    """A new job whose only stage runs."""
    job = rows.job(stages=(stage,))
    claimed = rows.claim()
    assert claimed.job_id == job.pk
    return claimed


def test_cancel_against_the_last_finish(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = alone(Stage.RENDER)
        asked, finished = both(partial(lifecycle.cancel, it.job_id, actor="shirin"), partial(rows.finish, it.attempt))
        assert (asked, finished, at_rest(it.job_id)) in {(True, LOST, "cancelling"), (False, None, "completed")}
        given_up(it.job_id)


def test_cancel_against_a_finish_that_opens_the_next_stage(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = rows.up_to(Stage.FETCH)
        asked, finished = both(partial(lifecycle.cancel, it.job_id, actor="shirin"), partial(rows.finish, it.attempt))
        assert asked
        assert at_rest(it.job_id) == "cancelling"
        assert rows.stages(it.job_id)["fetch"] == ("running" if finished == LOST else "done")
        assert lifecycle.claim("speech") is None
        given_up(it.job_id)


def test_cancel_against_fail(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = alone(Stage.RENDER)
        asked, _ = both(
            partial(lifecycle.cancel, it.job_id, actor="shirin"),
            partial(lifecycle.fail_stage, it.attempt, rows.BROKEN, again=False),
        )
        assert at_rest(it.job_id) == ("cancelling" if asked else "failed")


def test_two_cancels(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = rows.hearing()
        assert sorted(both(*[partial(lifecycle.cancel, it.job_id, actor="shirin")] * 2)) == [False, True]
        assert at_rest(it.job_id) == "cancelling"
        given_up(it.job_id)


def test_two_who_say_that_all_is_gone(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        job = rows.job()
        lifecycle.cancel(job.pk, actor="shirin")
        assert sorted(both(*[partial(lifecycle.finish_cancel, job.pk)] * 2)) == [False, True]
        assert at_rest(job.pk) == "cancelled"


def test_finish_against_fail_of_one_attempt(rounds: int, both: Two) -> None:
    """The worker finishes at the moment at which the reaper fails its attempt."""
    for _ in range(rounds):
        it = alone(Stage.RENDER)
        answers = both(
            partial(rows.finish, it.attempt), partial(lifecycle.fail_stage, it.attempt, rows.BROKEN, again=False)
        )
        assert sorted(answers, key=str) == [None, LOST]
        assert at_rest(it.job_id) == ("completed" if answers[1] == LOST else "failed")


def test_two_reapers_give_one_attempt_up(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = alone(Stage.RENDER)
        answers = both(*[partial(lifecycle.fail_stage, it.attempt, rows.BROKEN, again=True)] * 2)
        assert sorted(answers, key=str) == [None, LOST]
        assert StageRun.objects.get(job=it.job_id).attempts == 1
        given_up(it.job_id)


def test_a_stage_is_done_while_its_sibling_fails(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        transcribe, translate = rows.both_running()
        both(
            partial(rows.finish, transcribe.attempt),
            partial(lifecycle.fail_stage, translate.attempt, rows.BROKEN, again=False),
        )
        assert at_rest(transcribe.job_id) == "failed"


def test_two_siblings_are_done(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        transcribe, translate = rows.both_running()
        assert both(partial(rows.finish, transcribe.attempt), partial(rows.finish, translate.attempt)) == [None, None]
        assert rows.stages(transcribe.job_id)["subtitle"] == "ready"
        assert [row[2] for row in rows.told(transcribe.job_id) if row[0] == "subtitle"] == ["ready"]
        given_up(transcribe.job_id)


def test_two_retries(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = alone(Stage.RENDER)
        lifecycle.fail_stage(it.attempt, rows.BROKEN, again=False)
        answers = both(*[partial(lifecycle.retry, it.job_id, "shirin")] * 2)
        assert sorted(answers, key=str) == [None, LOST]
        assert at_rest(it.job_id) == "queued"
        given_up(it.job_id)


def test_cancel_against_the_end_of_an_upload(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        job = rows.job(uploaded=False)
        asked, _ = both(partial(lifecycle.cancel, job.pk, actor="shirin"), partial(lifecycle.submit, job.pk, "shirin"))
        assert asked
        assert at_rest(job.pk) == "cancelling"
        assert lifecycle.finish_cancel(job.pk)


def test_retry_against_delete(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = alone(Stage.RENDER)
        lifecycle.fail_stage(it.attempt, rows.BROKEN, again=False)
        retried, forgotten = both(
            partial(lifecycle.retry, it.job_id, "shirin"), partial(lifecycle.delete_row, it.job_id)
        )
        assert (retried, forgotten) in {(None, False), (LOST, True)}
        assert Job.objects.filter(pk=it.job_id).exists() is not forgotten
        if not forgotten:
            assert at_rest(it.job_id) == "queued"
            given_up(it.job_id)


def test_a_window_against_cancel(rounds: int, both: Two) -> None:
    for _ in range(rounds):
        it = rows.up_to(Stage.TRANSCRIBE)
        asked, committed = both(partial(lifecycle.cancel, it.job_id, actor="shirin"), partial(rows.hear, it.attempt, 1))
        assert asked
        assert at_rest(it.job_id) == "cancelling"
        assert Job.objects.get(pk=it.job_id).cues.exists() is (committed is None)
        given_up(it.job_id)
