"""Transitions of a stage other than its claim: opening, heartbeat, checkpoint, and its end.

The worker that runs a stage holds its attempt, a fencing token: every write names it, and a write under an attempt that
is no longer the stage's raises LostAttempt. Transactions of one job run one after another: each locks its row first.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone

from jobs.lifecycle.changes import job_changed
from jobs.lifecycle.claims import Claim
from jobs.lifecycle.transitions import JobVerb, LostAttempt, StageVerb, lock_job, move_job, move_stage
from jobs.models import Artifact, Cue, Job, JobStatus, StageRun, StageStatus, bumped
from jobs.pipeline.errors import ErrorRecord
from jobs.pipeline.stage import Stage
from jobs.queueing import tickets

MAX_PASSAGES = 200
"""Passages to be checked that are kept of a job: of a hopeless recording it would be too many to look at."""

MAX_ATTEMPTS = 3
"""Attempts of a stage since its last checkpoint, after which its job fails."""

BACK_OFF = (timedelta(seconds=2), timedelta(seconds=20))
"""Delays before the second and the third attempt."""


def open_stage(run: StageRun) -> None:
    """Make a stage ready, whose input exists, and issue a ticket for its queue."""
    move_stage(run, StageVerb.OPEN, ready_at=timezone.now(), error=None)
    tickets.issue(run.queue)


def record_group(attempt: uuid.UUID, group: int, started: int) -> None:
    """Record the process group that is to work for `attempt`, before it does anything. Raises LostAttempt."""
    _write(attempt, group=group, group_started=started)


def heartbeat(attempt: uuid.UUID, progress: float | None = None, step: str | None = None) -> None:
    """Write a heartbeat, with what has changed: the share of the stage that is done, 0 to 1, and its `step`, which is
    empty when that has ended. Raises LostAttempt.
    """
    if progress is None and step is None:
        _write(attempt, heartbeat=timezone.now())
        return
    with fenced(attempt) as (job, run):
        changed: dict[str, Any] = {} if step is None else {"step": step}
        if progress is not None:  # below what earlier attempts did when the stage has no checkpoint and starts anew
            changed |= {"progress": progress, "progress_before": min(run.progress_before, progress)}
        StageRun.objects.filter(pk=run.pk).update(heartbeat=timezone.now(), **changed)
        Job.objects.filter(pk=job.pk).update(**bumped())


def take_over(attempt: uuid.UUID, dead: QuerySet[StageRun]) -> uuid.UUID | None:
    """Replace the attempt of a stage that is still among the `dead`, so that its worker can write nothing more.

    Returns the new attempt; None when the worker wrote in the meantime.
    """
    mine = uuid.uuid4()
    return mine if dead.filter(attempt=attempt).update(attempt=mine) else None


def _write(attempt: uuid.UUID, **fields: Any) -> None:
    if not _running(attempt).update(**fields):
        raise LostAttempt


def _running(attempt: uuid.UUID) -> QuerySet[StageRun]:
    return StageRun.objects.filter(attempt=attempt, status=StageStatus.RUNNING)


def must_stop(claimed: Claim) -> bool:
    """Whether the stage must stop: its job ends, another stage of it failed, or the attempt is lost."""
    failed = StageRun.objects.filter(job=claimed.job_id, status=StageStatus.FAILED)
    mine = _running(claimed.attempt).filter(job__status=JobStatus.RUNNING)
    return not mine.exclude(Exists(failed)).exists()


@contextmanager
def _locked(attempt: uuid.UUID) -> Iterator[tuple[Job, StageRun]]:
    """A transaction with the job of `attempt` locked and the attempt checked. Raises LostAttempt."""
    with transaction.atomic():
        run = _running(attempt).first()
        if run is None:
            raise LostAttempt
        job = lock_job(run.job_id)
        run = _running(attempt).first()
        if run is None:
            raise LostAttempt
        yield job, run


@contextmanager
def fenced(attempt: uuid.UUID) -> Iterator[tuple[Job, StageRun]]:
    """A transaction for writes under `attempt` of a running job. Raises LostAttempt, and then nothing is written."""
    with _locked(attempt) as (job, run):
        if job.status != JobStatus.RUNNING:
            raise LostAttempt
        yield job, run
        job_changed(job.pk)


def commit_window(
    attempt: uuid.UUID,
    cues: Sequence[Cue],
    *,
    until: float,
    language: str,
    heard: bool,
    following: int | None,
    passages: Sequence[Mapping[str, Any]] = (),
) -> bool:
    """Save what was recognised up to the second `until`; with the first cues that need it translation can start.

    `following` is the number of the next cue, None when this window has no cues. The `passages` of the window that are
    to be checked are kept with those of earlier windows, at most MAX_PASSAGES of a job. Idempotent: False when the
    window was saved before. Raises LostAttempt.
    """
    with fenced(attempt) as (job, run):
        if run.checkpoint.get("until", -1.0) >= until:
            return False
        Cue.objects.bulk_create(cues)
        reached = {"until": until, "language": language, "heard": heard, "next": run.checkpoint.get("next", 1)}
        checkpoint = reached | ({"next": following} if following else {})
        checkpoint["passages"] = [*run.checkpoint.get("passages", []), *passages][:MAX_PASSAGES]
        StageRun.objects.filter(pk=run.pk).update(checkpoint=checkpoint, heartbeat=timezone.now(), attempts=0)
        Job.objects.filter(pk=job.pk).update(**bumped(spoken=job.spoken or language))
        is_needed = any(not cue.answered for cue in cues)
        if is_needed and (translation := job.stages.filter(stage=Stage.TRANSLATE, status=StageStatus.WAITING).first()):
            open_stage(translation)
    return True


def reset_attempts(run: StageRun) -> None:
    """Count attempts from zero again. Call it in the transaction that saves a part of the stage."""
    if run.attempts:
        StageRun.objects.filter(pk=run.pk).update(attempts=0)


def finish_stage(
    attempt: uuid.UUID,
    *,
    outcome: Mapping[str, Any],
    artifacts: Sequence[Artifact] = (),
    job_fields: Mapping[str, Any] | None = None,
    result: Callable[[Job], Mapping[str, Any]] = lambda _job: {},
) -> None:
    """Mark a stage as done, publish its files and open the next one. After the last stage the job is completed, with
    the return value of `result`. Call it only when the stage's process group is empty, or has acknowledged the end.
    Raises LostAttempt.
    """
    with fenced(attempt) as (job, run):
        for artifact in artifacts:
            Artifact.objects.update_or_create(
                job=job, kind=artifact.kind, defaults={"name": artifact.name, "size": artifact.size}
            )
        move_stage(run, StageVerb.FINISH, outcome=dict(outcome), progress=1.0, error=None)
        Job.objects.filter(pk=job.pk).update(**bumped(**(job_fields or {})))
        left = [other for other in job.stages.all() if other.status != StageStatus.DONE]
        if not left:
            move_job(job, JobVerb.COMPLETE, result=dict(result(Job.objects.get(pk=job.pk))))
        elif left[0].status == StageStatus.WAITING:
            open_stage(left[0])
        else:
            _settle(job)  # another stage may have failed, or paused, while this one ran


def skip_stage(attempt: uuid.UUID, stage: Stage) -> bool:
    """Within the attempt of an earlier stage, remove `stage`, which waits and has nothing to do. False when it does
    not wait, or the job has no such stage. Raises LostAttempt.
    """
    with fenced(attempt) as (job, _):
        waiting = job.stages.filter(stage=stage, status=StageStatus.WAITING).first()
        if waiting:
            move_stage(waiting, StageVerb.SKIP)
    return waiting is not None


def fail_stage(attempt: uuid.UUID, error: ErrorRecord, *, again: bool, wait: timedelta | None = None) -> None:
    """End an attempt that failed. `again`: repeat the stage, up to MAX_ATTEMPTS attempts. `wait`: repeat it after that
    time, without counting the attempt, because the cause lies outside the stage.

    Otherwise the stage fails, and the job with it when no other stage of it runs. The reaper issues the ticket of the
    next attempt when that is due. Raises LostAttempt.
    """
    with _locked(attempt) as (job, run):
        attempts = run.attempts + 1
        if job.status == JobStatus.CANCELLING or _has_failed(job):
            move_stage(run, StageVerb.STOP, error=error)
        elif wait is not None:
            due = timezone.now() + wait
            move_stage(run, StageVerb.REPEAT, reason=error["code"], error=error, ready_at=due)
        elif again and attempts < MAX_ATTEMPTS:
            due = timezone.now() + BACK_OFF[attempts - 1]
            move_stage(run, StageVerb.REPEAT, reason=error["code"], attempts=attempts, error=error, ready_at=due)
        else:
            move_stage(run, StageVerb.FAIL, reason=error["code"], attempts=attempts, error=error)
        _settle(job)


def pause_stage(attempt: uuid.UUID, error: ErrorRecord) -> None:
    """Pause a stage at a cap, with the error that says which: it keeps all it did until `go_on`. What runs beside it
    runs on; then the job is paused. Raises LostAttempt.
    """
    with _locked(attempt) as (job, run):
        if job.status == JobStatus.CANCELLING or _has_failed(job):
            move_stage(run, StageVerb.STOP, error=error)
        else:
            move_stage(run, StageVerb.PAUSE, reason=error["code"], error=error)
        _settle(job)


def stop_stage(attempt: uuid.UUID) -> None:
    """Stop a stage whose process group is empty. If its job continues, because only its worker left, it becomes ready
    again. Raises LostAttempt.
    """
    with _locked(attempt) as (job, run):
        if job.status == JobStatus.RUNNING and not _has_failed(job):
            move_stage(run, StageVerb.REPEAT, ready_at=timezone.now())
            tickets.issue(run.queue)
        else:
            move_stage(run, StageVerb.STOP)
        _settle(job)


def _has_failed(job: Job) -> bool:
    return job.stages.filter(status=StageStatus.FAILED).exists()


def _settle(job: Job) -> None:
    """End a job that cannot go on: fail it when a stage has failed, pause it when a stage is paused, and no other runs.
    With a failed stage none of its stages starts any more.
    """
    if job.status != JobStatus.RUNNING:
        return
    failed = job.stages.filter(status=StageStatus.FAILED).first()
    if failed:
        for run in job.stages.filter(status__in=(StageStatus.READY, StageStatus.PAUSED)):
            move_stage(run, StageVerb.STOP)
    halted = failed or job.stages.filter(status=StageStatus.PAUSED).first()
    if halted is None or job.stages.filter(status__in=(StageStatus.READY, StageStatus.RUNNING)).exists():
        return
    error = halted.error or {}
    move_job(job, JobVerb.FAIL if failed else JobVerb.PAUSE, reason=error.get("code", ""), error=error)
