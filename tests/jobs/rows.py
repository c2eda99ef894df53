"""Rows for the tests: owners, jobs brought into each state by the state machine, and checks of the rows."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django_q.models import OrmQ

from jobs import lifecycle
from jobs.lifecycle import Claim
from jobs.models import FINAL, Artifact, Cue, Job, JobStatus, StageRun, StageStatus, Transition
from jobs.pipeline.errors import ErrorRecord
from jobs.pipeline.stage import Stage

ALL = tuple(Stage)
CAPPED: ErrorRecord = {
    "code": "JobCapReached",
    "params": {
        "used": "0.98 USD",
        "limit": "1.00 USD",
        "needed": "0.03 USD",
        "input_tokens": 3000,
        "output_tokens": 1500,
    },
    "detail": "",
}
BROKEN: ErrorRecord = {"code": "PipelineError", "params": {}, "detail": "broken by a test"}
QUEUES = ("media", "speech", "text")


def owner(name: str = "shirin") -> User:
    return User.objects.get_or_create(username=name)[0]


def job(of: User | None = None, *, stages: Sequence[Stage] = ALL, **fields: Any) -> Job:
    """A new job, queued unless `uploaded` is False."""
    usual = {"actor": "shirin", "source_kind": "link", "source": "https://example.org/v", "target": "fa"}
    return lifecycle.create(owner=of or owner(), stages=stages, **{**usual, **fields})


def cue(number: int = 1, **fields: Any) -> Cue:
    return Cue(**{"number": number, "start": number, "end": number + 0.5, "source": f"Sentence {number}.", **fields})


def claim(*queues: str) -> Claim:
    """Claim a stage of one of `queues` (default: all)."""
    claimed = next((found for queue in queues or QUEUES if (found := lifecycle.claim(queue))), None)
    assert claimed is not None
    return claimed


def finish(attempt: uuid.UUID) -> None:
    lifecycle.finish_stage(attempt, outcome={})


def hear(attempt: uuid.UUID, *numbers: int) -> None:
    """Commit cues with these numbers under the recognition's `attempt`."""
    following = max(numbers) + 1 if numbers else None
    run = StageRun.objects.filter(attempt=attempt).first()
    cues = [cue(number, job_id=run and run.job_id) for number in numbers]
    until = float(following or 60)
    lifecycle.commit_window(attempt, cues, until=until, language="en", heard=True, following=following)


def up_to(stage: Stage, of: User | None = None) -> Claim:
    """A new job all stages of which before `stage` are done; `stage` runs. It has to be the only one to be claimed."""
    made = job(of)
    while (claimed := claim()).stage != stage:
        finish(claimed.attempt)
    assert claimed.job_id == made.pk
    return claimed


def hearing(of: User | None = None) -> Claim:
    """A new job that runs: its `transcribe` runs and has one cue, so its `translate` is ready."""
    claimed = up_to(Stage.TRANSCRIBE, of)
    hear(claimed.attempt, 1)
    return claimed


def both_running(of: User | None = None) -> tuple[Claim, Claim]:
    """`transcribe` and `translate` of one new job, running beside each other."""
    return hearing(of), claim("text")


def _uploading() -> Claim:
    return Claim(job_id=job(uploaded=False).pk, stage=Stage.FETCH, attempt=uuid.uuid4())


def _queued() -> Claim:
    return Claim(job_id=job().pk, stage=Stage.FETCH, attempt=uuid.uuid4())


def _completed() -> Claim:
    claimed = up_to(Stage.RENDER)
    finish(claimed.attempt)
    return claimed


def _paused() -> Claim:
    heard, translating = both_running()
    lifecycle.pause_stage(translating.attempt, CAPPED)
    finish(heard.attempt)
    return translating


def _failed() -> Claim:
    claimed = hearing()
    lifecycle.fail_stage(claimed.attempt, BROKEN, again=False)
    return claimed


def _cancelling() -> Claim:
    claimed = hearing()
    assert lifecycle.cancel(claimed.job_id, actor="shirin")
    return claimed


def _cancelled() -> Claim:
    claimed = _cancelling()
    lifecycle.stop_stage(claimed.attempt)
    assert lifecycle.finish_cancel(claimed.job_id)
    return claimed


IN: dict[JobStatus, Callable[[], Claim]] = {
    JobStatus.UPLOADING: _uploading,
    JobStatus.QUEUED: _queued,
    JobStatus.RUNNING: hearing,
    JobStatus.PAUSED: _paused,
    JobStatus.COMPLETED: _completed,
    JobStatus.FAILED: _failed,
    JobStatus.CANCELLING: _cancelling,
    JobStatus.CANCELLED: _cancelled,
}
"""Makes a job in this state, the only one that can be claimed. The attempt is that of its `transcribe` where that runs,
else one that is lost. A running job has a `translate` that is ready.
"""


def status(job_id: uuid.UUID) -> str:
    return Job.objects.get(pk=job_id).status


def stages(job_id: uuid.UUID) -> dict[str, str]:
    """The status of each stage."""
    return dict(StageRun.objects.filter(job=job_id).order_by("number").values_list("stage", "status"))


def told(job_id: uuid.UUID) -> list[tuple[str, str, str]]:
    """The transitions in order: stage (empty: the job), from, to."""
    return list(Transition.objects.filter(job=job_id).order_by("id").values_list("stage", "from_status", "to_status"))


def everything(job_id: uuid.UUID) -> list[list[dict[str, Any]]]:
    """All rows of a job, and all tickets."""
    tables = (Job.objects.filter(pk=job_id), *(kind.objects.filter(job=job_id) for kind in (StageRun, Cue, Artifact)))
    told_ = Transition.objects.filter(job=job_id)
    return [list(rows.order_by("pk").values()) for rows in (*tables, told_, OrmQ.objects.all())]


def contradictions(job_id: uuid.UUID) -> list[str]:
    """The contradictions in the rows of a job; always empty between two transactions."""
    found, at = Job.objects.get(pk=job_id), stages(job_id)
    kinds = set(at.values())
    rules = {
        "the transitions tell another story": replayed(told(job_id)) != {"": found.status, **changed(at)},
        "an ended job has something to do": found.status in FINAL
        and bool(kinds & {StageStatus.RUNNING, StageStatus.READY}),
        "a completed job has a stage that is not done": found.status == JobStatus.COMPLETED
        and kinds != {StageStatus.DONE},
        "a failed job has no failed stage": found.status == JobStatus.FAILED and StageStatus.FAILED not in kinds,
        "a job to be cancelled has a ready stage": found.status == JobStatus.CANCELLING and StageStatus.READY in kinds,
        "a cancelled job has cues or files": found.status == JobStatus.CANCELLED
        and (found.cues.exists() or found.artifacts.exists()),
        "a queued job runs": found.status == JobStatus.QUEUED and StageStatus.RUNNING in kinds,
        "nothing will ever happen to the job": found.status in {JobStatus.QUEUED, JobStatus.RUNNING}
        and not kinds & {StageStatus.RUNNING, StageStatus.READY},
        "a paused job has something to do": found.status == JobStatus.PAUSED
        and bool(kinds & {StageStatus.RUNNING, StageStatus.READY}),
        "a paused job has no paused stage": found.status == JobStatus.PAUSED and StageStatus.PAUSED not in kinds,
        "an ended job has a paused stage": found.status in {*FINAL, JobStatus.CANCELLING}
        and StageStatus.PAUSED in kinds,
        "a job with a failed stage begins another": StageStatus.FAILED in kinds and StageStatus.READY in kinds,
    }
    return [rule for rule, broken in rules.items() if broken]


def replayed(told_: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """The statuses after all transitions; each must start from the status where the one before it ended."""
    at: dict[str, str] = {}
    for stage, was, now in told_:
        assert at.get(stage, "waiting" if stage else "") == was, (stage, was, now, told_)
        assert was != now, (stage, was, now)
        at[stage] = now
    return {stage: now for stage, now in at.items() if not stage or now not in {StageStatus.WAITING, "skipped"}}


def changed(at: dict[str, str]) -> dict[str, str]:
    return {stage: now for stage, now in at.items() if now != StageStatus.WAITING}
