"""The state machines of jobs and of their stages, as tables, and the two functions that write a status.

Jobs:

    create         new                         → queued
    create_upload  new                         → uploading
    submit         uploading                   → queued
    start          queued                      → running
    pause          running                     → paused
    go_on          paused                      → queued
    complete       running                     → completed
    fail           running                     → failed
    retry          failed                      → queued
    cancel         uploading, queued, running, paused → cancelling
    finish_cancel  cancelling                  → cancelled

Stages:

    open           waiting, stopped, failed, paused → ready
    claim          ready                       → running
    pause          running                     → paused
    finish         running                     → done
    repeat         running                     → ready
    fail           running                     → failed
    stop           waiting, ready, running, paused → stopped
    reset          stopped, failed             → waiting
    skip           waiting                     → skipped

The row of a skipped stage is deleted. Each transition is one conditional UPDATE and one Transition row in one
transaction: of two concurrent callers the second changes nothing and gets an exception. `lifecycle.jobs`,
`lifecycle.claims` and `lifecycle.stages` decide when a transition happens; nothing else writes a status.
"""

from __future__ import annotations

import logging
import uuid
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from jobs.lifecycle.changes import job_changed
from jobs.models import CANCELLABLE, FINAL, Job, JobStatus, StageRun, StageStatus, Transition, bumped

log = logging.getLogger("jobs.lifecycle")

SYSTEM, PRESENCE = "system", "presence"
"""Actors that are not users: the job engine, and the detection of absent owners."""

NEW, SKIPPED = "new", "skipped"
"""The state before the first status, and the state of a stage whose row is deleted."""


class IllegalTransition(Exception):
    """Raised when the job's status does not allow the transition, or there is no such job."""


class LostAttempt(Exception):
    """Raised when the stage no longer runs under this attempt: its worker must stop and write nothing."""


class JobVerb(StrEnum):
    """The transitions of a job."""

    CREATE = "create"
    CREATE_UPLOAD = "create_upload"
    SUBMIT = "submit"
    START = "start"
    PAUSE = "pause"
    GO_ON = "go_on"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY = "retry"
    CANCEL = "cancel"
    FINISH_CANCEL = "finish_cancel"


class StageVerb(StrEnum):
    """The transitions of a stage."""

    OPEN = "open"
    CLAIM = "claim"
    PAUSE = "pause"
    FINISH = "finish"
    REPEAT = "repeat"
    FAIL = "fail"
    STOP = "stop"
    RESET = "reset"
    SKIP = "skip"


class Change(NamedTuple):
    """A transition from any status in `sources` to `target`."""

    sources: tuple[str, ...]
    target: str


JOB_TRANSITIONS: dict[JobVerb, Change] = {
    JobVerb.CREATE: Change((NEW,), JobStatus.QUEUED),
    JobVerb.CREATE_UPLOAD: Change((NEW,), JobStatus.UPLOADING),
    JobVerb.SUBMIT: Change((JobStatus.UPLOADING,), JobStatus.QUEUED),
    JobVerb.START: Change((JobStatus.QUEUED,), JobStatus.RUNNING),
    JobVerb.PAUSE: Change((JobStatus.RUNNING,), JobStatus.PAUSED),
    JobVerb.GO_ON: Change((JobStatus.PAUSED,), JobStatus.QUEUED),
    JobVerb.COMPLETE: Change((JobStatus.RUNNING,), JobStatus.COMPLETED),
    JobVerb.FAIL: Change((JobStatus.RUNNING,), JobStatus.FAILED),
    JobVerb.RETRY: Change((JobStatus.FAILED,), JobStatus.QUEUED),
    JobVerb.CANCEL: Change(CANCELLABLE, JobStatus.CANCELLING),
    JobVerb.FINISH_CANCEL: Change((JobStatus.CANCELLING,), JobStatus.CANCELLED),
}

STAGE_TRANSITIONS: dict[StageVerb, Change] = {
    StageVerb.OPEN: Change(
        (StageStatus.WAITING, StageStatus.STOPPED, StageStatus.FAILED, StageStatus.PAUSED), StageStatus.READY
    ),
    StageVerb.CLAIM: Change((StageStatus.READY,), StageStatus.RUNNING),
    StageVerb.PAUSE: Change((StageStatus.RUNNING,), StageStatus.PAUSED),
    StageVerb.FINISH: Change((StageStatus.RUNNING,), StageStatus.DONE),
    StageVerb.REPEAT: Change((StageStatus.RUNNING,), StageStatus.READY),
    StageVerb.FAIL: Change((StageStatus.RUNNING,), StageStatus.FAILED),
    StageVerb.STOP: Change(
        (StageStatus.WAITING, StageStatus.READY, StageStatus.RUNNING, StageStatus.PAUSED), StageStatus.STOPPED
    ),
    StageVerb.RESET: Change((StageStatus.STOPPED, StageStatus.FAILED), StageStatus.WAITING),
    StageVerb.SKIP: Change((StageStatus.WAITING,), SKIPPED),
}


_ENDING = {StageVerb.PAUSE, StageVerb.FINISH, StageVerb.REPEAT, StageVerb.FAIL, StageVerb.STOP}
"""Transitions that end an attempt."""


def move_job(job: Job, verb: JobVerb, *, actor: str = SYSTEM, reason: str = "", **fields: Any) -> None:
    """Change the status of `job`, which the caller has locked, and write `fields` with it. Raises IllegalTransition."""
    sources, target = JOB_TRANSITIONS[verb]
    if target in FINAL:
        fields |= {"ended": timezone.now(), "edited": timezone.now()}
    if not Job.objects.filter(pk=job.pk, status__in=sources).update(status=target, **bumped(**fields)):
        raise IllegalTransition(f"Job {job.pk} is {job.status}: it cannot become {target}.")
    record(job.pk, job.status, target, actor=actor, reason=reason)
    job.status = target


def move_stage(run: StageRun, verb: StageVerb, *, reason: str = "", **fields: Any) -> None:
    """Change the status of `run`, whose job the caller has locked, and write `fields` with it. A transition that ends
    an attempt clears the columns of the attempt. Raises LostAttempt when the status or the attempt has changed.
    """
    sources, target = STAGE_TRANSITIONS[verb]
    before, attempt = run.status, run.attempt
    if verb in _ENDING:
        fields |= {"attempt": None, "heartbeat": None, "group": None, "group_started": None, "step": ""}
        fields |= {"ended": timezone.now()}
        Job.objects.filter(pk=run.job_id).update(**bumped())
    current = StageRun.objects.filter(pk=run.pk, status=before, status__in=sources, attempt=attempt)
    if not (current.delete()[0] if target == SKIPPED else current.update(status=target, **fields)):
        raise LostAttempt
    record(run.job_id, before, target, stage=run.stage, attempt=attempt or fields.get("attempt"), reason=reason)
    run.status = target


def record(
    job_id: uuid.UUID,
    from_status: str,
    to_status: str,
    *,
    stage: str = "",
    attempt: uuid.UUID | None = None,
    actor: str = SYSTEM,
    reason: str = "",
) -> None:
    """Write the Transition row; when it is committed, write its log line and notify the listeners."""
    Transition.objects.create(
        job_id=job_id,
        stage=stage,
        attempt=attempt,
        from_status=from_status,
        to_status=to_status,
        actor=actor,
        reason=reason,
    )
    facts = {"job": str(job_id), "stage": stage, "attempt": str(attempt or ""), "actor": actor, "reason": reason}
    transaction.on_commit(lambda: log.info("%s → %s", from_status or NEW, to_status, extra=facts))
    job_changed(job_id)


def lock_job(job_id: uuid.UUID) -> Job:
    """Lock the job's row until the transaction ends, and return it. Raises IllegalTransition when there is none."""
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise IllegalTransition(f"Job {job_id} does not exist.")
    return job
