"""Every function of the state machine in every state of a job: its effect or its refusal."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from jobs import lifecycle
from jobs.lifecycle import Claim, IllegalTransition, LostAttempt
from jobs.models import Job, JobStatus, Process, StageRun
from jobs.pipeline.stage import Stage
from tests.databases import Databases, mostly, on_database
from tests.jobs import rows

UPLOADING, QUEUED, RUNNING, PAUSED, COMPLETED, FAILED, CANCELLING, CANCELLED = JobStatus
STATES = tuple(JobStatus)

SAME = "allowed, and the job's status stays"
NO = "refused by the answer; nothing changes"
GONE = "allowed, and the row is gone"

Outcome = str | JobStatus | type[Exception]


def claim_any(_: Claim) -> bool:
    return any(lifecycle.claim(queue) for queue in rows.QUEUES)


CALLS: dict[str, Callable[[Claim], Any]] = {
    "submit": lambda it: lifecycle.submit(it.job_id, "shirin"),
    "uploaded_more": lambda it: lifecycle.uploaded_more(it.job_id),
    "claim": claim_any,
    "record_group": lambda it: lifecycle.record_group(it.attempt, 4711, 1),
    "take_over": lambda it: lifecycle.take_over(it.attempt, StageRun.objects.all()) is not None,
    "heartbeat": lambda it: lifecycle.heartbeat(it.attempt),
    "heartbeat with progress": lambda it: lifecycle.heartbeat(it.attempt, 0.5),
    "commit_window": lambda it: rows.hear(it.attempt, 2),
    "skip_stage": lambda it: lifecycle.skip_stage(it.attempt, Stage.SUBTITLE),
    "finish_stage": lambda it: rows.finish(it.attempt),
    "fail_stage": lambda it: lifecycle.fail_stage(it.attempt, rows.BROKEN, again=False),
    "fail_stage, to be repeated": lambda it: lifecycle.fail_stage(it.attempt, rows.BROKEN, again=True),
    "pause_stage": lambda it: lifecycle.pause_stage(it.attempt, rows.CAPPED),
    "go_on": lambda it: lifecycle.go_on(it.job_id, "shirin"),
    "adopt": lambda it: lifecycle.adopt(it.job_id, Process.objects.create(pid=4711, started=1)),
    "stop_stage": lambda it: lifecycle.stop_stage(it.attempt),
    "must_stop": lifecycle.must_stop,
    "cancel": lambda it: lifecycle.cancel(it.job_id, actor="shirin"),
    "can_finish_cancel": lambda it: lifecycle.can_finish_cancel(it.job_id),
    "finish_cancel": lambda it: lifecycle.finish_cancel(it.job_id),
    "retry": lambda it: lifecycle.retry(it.job_id, "shirin"),
    "delete_row": lambda it: lifecycle.delete_row(it.job_id),
    "set_keep_running": lambda it: lifecycle.set_keep_running(it.job_id, True),
    "set_pinned": lambda it: lifecycle.set_pinned(it.job_id, True),
    "refresh_pages": lambda _: lifecycle.refresh_pages(),
    "set_notify": lambda it: lifecycle.set_notify(it.job_id, {"language": "fa", "address": "https://example.org/"}),
}

REFUSED = (IllegalTransition,) * 8
LOST = (LostAttempt,) * 8
# uploading, queued, running, paused, completed, failed, cancelling (a stage runs), cancelled
TABLE: dict[str, tuple[Outcome, ...]] = {
    "submit": (QUEUED, *REFUSED[1:]),
    "uploaded_more": (SAME, *(NO,) * 7),
    "claim": (NO, RUNNING, SAME, NO, NO, NO, NO, NO),
    "record_group": (*LOST[:2], SAME, *LOST[3:6], SAME, LostAttempt),
    "take_over": (NO, NO, SAME, NO, NO, NO, SAME, NO),
    "heartbeat": (*LOST[:2], SAME, *LOST[3:6], SAME, LostAttempt),
    "heartbeat with progress": (*LOST[:2], SAME, *LOST[3:]),
    "commit_window": (*LOST[:2], SAME, *LOST[3:]),
    "skip_stage": (*LOST[:2], SAME, *LOST[3:]),
    "finish_stage": (*LOST[:2], SAME, *LOST[3:]),
    "fail_stage": (*LOST[:2], FAILED, *LOST[3:6], SAME, LostAttempt),
    "fail_stage, to be repeated": (*LOST[:2], SAME, *LOST[3:6], SAME, LostAttempt),
    "pause_stage": (*LOST[:2], SAME, *LOST[3:6], SAME, LostAttempt),
    "go_on": (*REFUSED[:3], QUEUED, *REFUSED[4:]),
    "adopt": (NO, SAME, SAME, *(NO,) * 5),
    "stop_stage": (*LOST[:2], SAME, *LOST[3:6], SAME, LostAttempt),
    "must_stop": (SAME, SAME, NO, *(SAME,) * 5),
    "cancel": (*(CANCELLING,) * 4, NO, NO, NO, NO),
    "can_finish_cancel": (NO,) * 8,
    "finish_cancel": (NO,) * 8,
    "retry": (*REFUSED[:5], QUEUED, *REFUSED[6:]),
    "delete_row": (NO, NO, NO, NO, GONE, GONE, NO, GONE),
    "set_keep_running": (SAME,) * 8,
    "set_pinned": (SAME,) * 8,
    "set_notify": (SAME,) * 8,
    "refresh_pages": (SAME,) * 8,
}
PAIRS = [
    pytest.param(call, state, state, outcome, id=f"{call}, {state}")
    for call, outcomes in TABLE.items()
    for state, outcome in zip(STATES, outcomes, strict=True)
]


@pytest.fixture(scope="module", params=mostly("postgresql"))
def shared_database(
    request: pytest.FixtureRequest,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """One database of each kind, shared by the many pairs."""
    with django_db_blocker.unblock(), ExitStack() as stack:
        url = stack.enter_context(databases.fresh(request.param, tmp_path_factory.mktemp("pairs")))
        stack.enter_context(on_database(url))
        yield


@pytest.fixture(scope="module")
def it(request: pytest.FixtureRequest, shared_database: None) -> Iterator[Claim]:
    """A job in the state of the parameter, made once for the tests that follow each other, and then rolled back."""
    with transaction.atomic():
        yield rows.IN[request.param]()
        transaction.set_rollback(True)


@pytest.fixture
def rolled_back(shared_database: None) -> Iterator[None]:
    """Roll the test's writes back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_every_pair_is_here() -> None:
    public = {name for name in lifecycle.__all__ if name[0].islower()}
    creating = {"begin", "add_cues", "settle", "discard_unsettled"}
    assert {call.split(",")[0].split(" ")[0] for call in TABLE} == public - creating - {
        "create",
        "fenced",
        "reset_attempts",
        "show_again",
    }
    assert set(CALLS) == set(TABLE)
    assert set(rows.IN) == set(STATES)


@pytest.mark.parametrize(("call", "state", "it", "outcome"), PAIRS, indirect=["it"])
def test_each_function_in_each_state(
    call: str, state: JobStatus, it: Claim, outcome: Outcome, rolled_back: None
) -> None:
    assert rows.status(it.job_id) == state
    assert not rows.contradictions(it.job_id)
    before, said = rows.everything(it.job_id), rows.told(it.job_id)
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            CALLS[call](it)
    else:
        assert CALLS[call](it) in ({False} if outcome == NO else {True, None})
    if outcome == NO or isinstance(outcome, type):
        assert rows.everything(it.job_id) == before
    elif outcome == GONE:
        assert not Job.objects.filter(pk=it.job_id).exists()
    else:
        assert rows.status(it.job_id) == (state if outcome == SAME else outcome)
        assert not rows.contradictions(it.job_id)
        assert rows.told(it.job_id)[: len(said)] == said


@pytest.mark.parametrize("call", [call for call, outcomes in TABLE.items() if IllegalTransition in outcomes])
def test_a_job_that_is_not_there(call: str, rolled_back: None) -> None:
    with pytest.raises(IllegalTransition):
        CALLS[call](Claim(job_id=uuid.uuid4(), stage=Stage.FETCH, attempt=uuid.uuid4()))
