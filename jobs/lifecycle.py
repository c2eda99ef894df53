"""The state machine: the only writer of any status.

    uploading ──> queued ──> running ──> completed
        │            │          ├──────> failed ──(retry)──> queued
        └────────────┴──────────┴──────> cancelling ──> cancelled

Each transition is one conditional UPDATE and one Transition row in one transaction, with the tickets for what comes
next. Transactions of one job take turns: each locks the job's row first (SQLite has one writer at a time anyway). Who
runs a stage holds its attempt; what is written under an attempt that is no longer the stage's raises LostAttempt.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from jobs import tickets
from jobs.fairness import turns
from jobs.models import (
    FINAL,
    UNFINISHED,
    Artifact,
    Cue,
    Job,
    JobStatus,
    Queue,
    StageRun,
    StageStatus,
    Transition,
    Worker,
    bumped,
)
from jobs.pipeline.errors import ErrorRecord
from jobs.pipeline.stage import Stage
from jobs.presence import first_grace

log = logging.getLogger("jobs.lifecycle")

TRIES = 3
"""How often a stage is begun before its job fails."""

BACK_OFF = (timedelta(seconds=2), timedelta(seconds=20))
"""Waits before the second and the third try."""

_CLAIMS = 3
"""How often a claim looks again when others were faster."""

SYSTEM, PRESENCE = "system", "presence"
KILLED, INTERRUPTED = "the command was killed", "the command was interrupted"
GIVEN_UP = "the upload was never finished"
"""Why a job is cancelled for which nobody said so; `presence` has two more."""

CHANNEL = "zirnevis_jobs"
"""PostgreSQL tells its listeners the id of each job that changed."""

_QUEUES = {
    Stage.FETCH: Queue.MEDIA,
    Stage.TRANSCRIBE: Queue.SPEECH,
    Stage.TRANSLATE: Queue.TEXT,
    Stage.SUBTITLE: Queue.MEDIA,
    Stage.RENDER: Queue.MEDIA,
}


class IllegalTransition(Exception):
    """The job is not in a state from which this is possible."""


class LostAttempt(Exception):
    """The stage is no longer run under this attempt: whoever still works for it stops and writes nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One stage to run, under `attempt`."""

    job_id: uuid.UUID
    stage: Stage
    attempt: uuid.UUID


# A job begins


def create(*, stages: Sequence[Stage], who: str, cues: Sequence[Cue] = (), uploaded: bool = True, **fields: Any) -> Job:
    """A new job with a run for each of `stages`: queued, or `uploading` until `submit` is called.

    `cues` are those of subtitles that were brought; then nothing has to be recognised.
    """
    status = JobStatus.QUEUED if uploaded else JobStatus.UPLOADING
    with transaction.atomic():
        job = Job.objects.create(status=status, **fields)
        StageRun.objects.bulk_create(
            StageRun(job=job, owner_id=job.owner_id, stage=stage, number=number, queue=_QUEUES[stage])
            for number, stage in enumerate(stages)
        )
        for cue in cues:
            cue.job = job
        Cue.objects.bulk_create(cues)
        _tell(job.pk, "", status, who=who)
        if uploaded:
            _open(job.pk, job.stages.earliest("number"))
    return job


def submit(job_id: uuid.UUID, who: str) -> None:
    """The upload is whole. Raises IllegalTransition."""
    with transaction.atomic():
        job = _lock(job_id)
        _move(job, (JobStatus.UPLOADING,), JobStatus.QUEUED, who=who)
        _open(job_id, job.stages.earliest("number"))


def uploaded_more(job_id: uuid.UUID) -> bool:
    """More of the file came: a sign of life, which pages show. False when the job does not wait for it any more."""
    with transaction.atomic():
        waits = Job.objects.filter(pk=job_id, status=JobStatus.UPLOADING).update(**bumped())
        notify(job_id)
    return bool(waits)


# A stage runs


def claim(queue: str, worker: Worker | None = None, *, running_limit: int = 0) -> Claim | None:
    """The next ready stage of `queue`, now running under a new attempt; None when there is none to run.

    The owner with the fewest running stages comes first, among those the one who had a turn longest ago, then age: no
    owner's tenth job starts before another owner's first. No owner has more than `running_limit` jobs at work, or what
    OwnerLimits say (0: no limit).
    """
    for _ in range(_CLAIMS):
        missed = False
        for run, limit in turns(queue, running_limit):
            if claimed := _begin(run, worker, limit):
                return claimed
            missed = True
        if not missed:
            break
    return None


def _begin(run: StageRun, worker: Worker | None, limit: int) -> Claim | None:
    attempt, now = uuid.uuid4(), timezone.now()
    with transaction.atomic():
        job = _lock(run.job_id)
        if job.status not in {JobStatus.QUEUED, JobStatus.RUNNING} or _is_one_too_many(job, limit):
            return None
        won = StageRun.objects.filter(pk=run.pk, status=StageStatus.READY, ready_at__lte=now).update(
            status=StageStatus.RUNNING,
            attempt=attempt,
            heartbeat=now,
            started=now,
            ended=None,
            worker=worker,
            host=worker.host if worker else "",
            boot_id=worker.boot_id if worker else "",
        )
        if not won:
            return None
        _tell(job.pk, StageStatus.READY, StageStatus.RUNNING, stage=run.stage, attempt=attempt)
        if job.status == JobStatus.QUEUED:
            _move(job, (JobStatus.QUEUED,), JobStatus.RUNNING)
        else:
            Job.objects.filter(pk=job.pk).update(**bumped())
        if worker:
            Worker.objects.filter(pk=worker.pk).update(last_claim=now)
        tickets.use()
    return Claim(job_id=job.pk, stage=Stage(run.stage), attempt=attempt)


def _is_one_too_many(job: Job, limit: int) -> bool:
    """Whether beginning this job would exceed its owner's limit. Claims of one owner's jobs take turns here."""
    if not limit or job.status == JobStatus.RUNNING:
        return False
    get_user_model().objects.select_for_update(no_key=True).get(pk=job.owner_id)
    return Job.objects.filter(owner=job.owner_id, status=JobStatus.RUNNING).count() >= limit


def own_group(attempt: uuid.UUID, group: int, started: int) -> None:
    """Record the process group that is to work for `attempt`, before it does anything. Raises LostAttempt."""
    _write(attempt, group=group, group_started=started)


def beat(attempt: uuid.UUID, progress: float | None = None) -> None:
    """A sign of life, with the share of the stage that is done. Raises LostAttempt."""
    if progress is None:
        _write(attempt, heartbeat=timezone.now())
        return
    with fenced(attempt) as (job, run):
        StageRun.objects.filter(pk=run.pk).update(heartbeat=timezone.now(), progress=progress)
        Job.objects.filter(pk=job.pk).update(**bumped())


def take_over(attempt: uuid.UUID, dead: QuerySet[StageRun]) -> uuid.UUID | None:
    """Take the attempt away from whoever shows no life, if it still is one of the `dead`: from now on nothing of theirs
    counts. The new attempt; None when they were quicker.
    """
    mine = uuid.uuid4()
    return mine if dead.filter(attempt=attempt).update(attempt=mine) else None


def _write(attempt: uuid.UUID, **fields: Any) -> None:
    if not _running(attempt).update(**fields):
        raise LostAttempt


def _running(attempt: uuid.UUID) -> Any:
    return StageRun.objects.filter(attempt=attempt, status=StageStatus.RUNNING)


def has_to_stop(claim: Claim) -> bool:
    """Whether the stage must not go on: its job ends, another stage of it failed, or the attempt is lost."""
    failed = StageRun.objects.filter(job=claim.job_id, status=StageStatus.FAILED)
    mine = _running(claim.attempt).filter(job__status=JobStatus.RUNNING)
    return not mine.exclude(Exists(failed)).exists()


@contextmanager
def fenced(attempt: uuid.UUID) -> Iterator[tuple[Job, StageRun]]:
    """A transaction in which everything is written under `attempt`. Raises LostAttempt; then nothing is written."""
    with transaction.atomic():
        run = _running(attempt).first()
        if run is None:
            raise LostAttempt
        job = _lock(run.job_id)
        if job.status != JobStatus.RUNNING or not _running(attempt).exists():
            raise LostAttempt
        run.refresh_from_db()
        yield job, run
        notify(job.pk)


def commit_window(
    attempt: uuid.UUID, cues: Sequence[Cue], *, until: float, language: str, heard: bool, following: int | None
) -> bool:
    """What was recognised up to the second `until` is kept; with the first cues translation may begin.

    `following` is the number of the next cue, None where there were none now. It can be repeated: False when all that
    is kept already. Raises LostAttempt.
    """
    with fenced(attempt) as (job, run):
        if run.checkpoint.get("until", -1.0) >= until:
            return False
        Cue.objects.bulk_create(cues)
        reached = {"until": until, "language": language, "heard": heard, "next": run.checkpoint.get("next", 1)}
        checkpoint = reached | ({"next": following} if following else {})
        StageRun.objects.filter(pk=run.pk).update(checkpoint=checkpoint, heartbeat=timezone.now(), tries=0)
        Job.objects.filter(pk=job.pk).update(**bumped(spoken=language or job.spoken))
        if cues and (translation := job.stages.filter(stage=Stage.TRANSLATE, status=StageStatus.WAITING).first()):
            _open(job.pk, translation)
    return True


def got_on(run: StageRun) -> None:
    """Call it in the transaction that keeps a part of the stage: tries are counted from there."""
    if run.tries:
        StageRun.objects.filter(pk=run.pk).update(tries=0)


def finish_stage(
    attempt: uuid.UUID,
    *,
    outcome: Mapping[str, Any],
    artifacts: Sequence[Artifact] = (),
    job_fields: Mapping[str, Any] | None = None,
    result: Callable[[Job], Mapping[str, Any]] = lambda _job: {},
) -> None:
    """The stage is done, its files are published, and what comes next is opened; after the last stage the job is
    completed with what `result` tells. Only when its group is empty, or has acknowledged the end. Raises LostAttempt.
    """
    with fenced(attempt) as (job, run):
        for artifact in artifacts:
            Artifact.objects.update_or_create(
                job=job, kind=artifact.kind, defaults={"name": artifact.name, "size": artifact.size}
            )
        _end(run, StageStatus.DONE, outcome=dict(outcome), progress=1.0, error=None)
        Job.objects.filter(pk=job.pk).update(**bumped(**(job_fields or {})))
        left = [other for other in job.stages.all() if other.status != StageStatus.DONE]
        if not left:
            _move(job, (JobStatus.RUNNING,), JobStatus.COMPLETED, result=dict(result(Job.objects.get(pk=job.pk))))
        elif left[0].status == StageStatus.WAITING:
            _open(job.pk, left[0])
        else:
            _settle(job)  # It may have been the last to run beside one that failed.


def skip_stage(attempt: uuid.UUID, stage: Stage) -> bool:
    """Leave out `stage`, which still waits, within the attempt of an earlier one: there is nothing for it to do. False
    where it does not wait, or the job has none. Raises LostAttempt.
    """
    with fenced(attempt) as (job, _):
        skipped = bool(job.stages.filter(stage=stage, status=StageStatus.WAITING).delete()[0])
        if skipped:
            _tell(job.pk, StageStatus.WAITING, "skipped", stage=stage)
    return skipped


def fail_stage(attempt: uuid.UUID, error: ErrorRecord, *, again: bool) -> None:
    """The stage went wrong. `again`: it may succeed when it is repeated, which is done until its tries are used up.

    Then it has failed, and so has the job, once no other stage of it runs. The reaper issues the ticket for a try when
    its time has come. Raises LostAttempt.
    """
    with transaction.atomic():
        run = _running(attempt).select_related("job").first()
        if run is None:
            raise LostAttempt
        job = _lock(run.job_id)
        if not _running(attempt).exists():
            raise LostAttempt
        tries = run.tries + 1
        if job.status == JobStatus.CANCELLING or _failed(job):
            _end(run, StageStatus.STOPPED, error=error)
        elif again and tries < TRIES:
            wait = BACK_OFF[tries - 1]
            _end(run, StageStatus.READY, why=error["code"], tries=tries, error=error, ready_at=timezone.now() + wait)
        else:
            _end(run, StageStatus.FAILED, why=error["code"], tries=tries, error=error)
        _settle(job)


def stop_stage(attempt: uuid.UUID, why: str = "") -> None:
    """The group of a stage that had to stop is empty. Raises LostAttempt."""
    with transaction.atomic():
        run = _running(attempt).first()
        if run is None:
            raise LostAttempt
        job = _lock(run.job_id)
        if not _running(attempt).exists():
            raise LostAttempt
        if job.status == JobStatus.RUNNING and not _failed(job):  # stopped for no reason of the job's
            _end(run, StageStatus.READY, why=why, ready_at=timezone.now())
            tickets.issue(run.queue)
        else:
            _end(run, StageStatus.STOPPED, why=why)
        _settle(job)


def _failed(job: Job) -> bool:
    return job.stages.filter(status=StageStatus.FAILED).exists()


def _settle(job: Job) -> None:
    """A job one stage of which failed ends with the last stage that runs; nothing of it begins any more."""
    failed = job.stages.filter(status=StageStatus.FAILED).first()
    if failed is None or job.status != JobStatus.RUNNING:
        return
    for run in job.stages.filter(status=StageStatus.READY):
        _end(run, StageStatus.STOPPED)
    if not job.stages.filter(status=StageStatus.RUNNING).exists():
        error = failed.error or {}
        _move(job, (JobStatus.RUNNING,), JobStatus.FAILED, why=error.get("code", ""), error=error)


def _end(run: StageRun, now: StageStatus, *, why: str = "", **fields: Any) -> None:
    """The one way out of `running` (and out of `ready` or `waiting` without running)."""
    was, attempt = run.status, run.attempt
    cleared = {"attempt": None, "heartbeat": None, "group": None, "group_started": None, "ended": timezone.now()}
    if not StageRun.objects.filter(pk=run.pk, status=was, attempt=attempt).update(status=now, **cleared, **fields):
        raise LostAttempt
    Job.objects.filter(pk=run.job_id).update(**bumped())
    _tell(run.job_id, was, now, stage=run.stage, attempt=attempt, why=why)


def _open(job_id: uuid.UUID, run: StageRun) -> None:
    """A stage whose input is there becomes ready, and a ticket for its queue is issued."""
    moved = StageRun.objects.filter(
        pk=run.pk, status__in=(StageStatus.WAITING, StageStatus.STOPPED, StageStatus.FAILED)
    )
    if moved.update(status=StageStatus.READY, ready_at=timezone.now(), error=None):
        _tell(job_id, run.status, StageStatus.READY, stage=run.stage)
        tickets.issue(run.queue)


# A job ends, or begins again


def cancel(job_id: uuid.UUID, *, who: str, why: str = "") -> bool:
    """Ask for the end of an unfinished job. False when it has ended, or is about to, or is gone: nothing changes."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or job.status not in UNFINISHED:
            return False
        _move(job, UNFINISHED, JobStatus.CANCELLING, who=who, why=why)
        for run in job.stages.filter(status=StageStatus.READY):
            _end(run, StageStatus.STOPPED)
    return True


def cancellable_now(job_id: uuid.UUID) -> bool:
    """Whether only the files of a job that is to be cancelled are left."""
    running = StageRun.objects.filter(job=OuterRef("pk"), status=StageStatus.RUNNING)
    return Job.objects.filter(~Exists(running), pk=job_id, status=JobStatus.CANCELLING).exists()


def cancelled(job_id: uuid.UUID) -> bool:
    """Everything of the job is gone: every process, every file. False when that is not so, or was said before."""
    with transaction.atomic():
        job = _lock(job_id)
        if job.status != JobStatus.CANCELLING or job.stages.filter(status=StageStatus.RUNNING).exists():
            return False
        job.cues.all().delete()
        job.artifacts.all().delete()
        for run in job.stages.filter(status=StageStatus.WAITING):
            _end(run, StageStatus.STOPPED)
        _move(job, (JobStatus.CANCELLING,), JobStatus.CANCELLED)
    return True


def retry(job_id: uuid.UUID, who: str) -> None:
    """A failed job goes on from its checkpoint. Raises IllegalTransition.

    If it was of a command, that has ended and told of its failure: nobody waits for the job there.
    """
    with transaction.atomic():
        job = _lock(job_id)
        begun: dict[str, Any] = {"error": None, "ended": None, "grace_until": first_grace(job.owner_id), "client": None}
        _move(job, (JobStatus.FAILED,), JobStatus.QUEUED, who=who, **begun)
        job.stages.exclude(status=StageStatus.DONE).update(tries=0)
        left = [run for run in job.stages.all() if run.status != StageStatus.DONE]
        _open(job_id, left[0])
        heard = left[0].stage == Stage.TRANSCRIBE and job.cues.exists()
        for run in left[1:]:
            if heard and run.stage == Stage.TRANSLATE:
                _open(job_id, run)
            elif (
                StageRun.objects.filter(pk=run.pk)
                .exclude(status=StageStatus.WAITING)
                .update(status=StageStatus.WAITING, error=None)
            ):
                _tell(job_id, run.status, StageStatus.WAITING, stage=run.stage)


def forget(job_id: uuid.UUID) -> bool:
    """Delete the row of an ended job whose files are gone. False when it has not ended."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id, status__in=FINAL).first()
        if job:
            log.info("job=%s %s → deleted", job.pk, job.status)
            job.delete()
    return job is not None


def set_keep_running(job_id: uuid.UUID, keep: bool) -> None:
    """Whether the job goes on when its owner leaves."""
    with transaction.atomic():
        Job.objects.filter(pk=job_id).update(**bumped(keep_running=keep))
        notify(job_id)


def set_notify(job_id: uuid.UUID, asked: Mapping[str, str] | None) -> None:
    """Whether its owner wants a letter when the unfinished job is done: `Job.notify`."""
    with transaction.atomic():
        Job.objects.filter(pk=job_id, status__in=UNFINISHED).update(**bumped(notify=asked and dict(asked)))
        notify(job_id)


def set_pinned(job_id: uuid.UUID, pinned: bool) -> None:
    """Whether the result stays when its time is over."""
    with transaction.atomic():
        Job.objects.filter(pk=job_id).update(**bumped(pinned=pinned))
        notify(job_id)


def _lock(job_id: uuid.UUID) -> Job:
    """The job, whose other transactions wait for this one. Raises IllegalTransition when there is no such job."""
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise IllegalTransition(f"Job {job_id} does not exist.")
    return job


def _move(
    job: Job, was: Sequence[JobStatus], now: JobStatus, *, who: str = SYSTEM, why: str = "", **fields: Any
) -> None:
    if now in FINAL:
        fields |= {"ended": timezone.now(), "edited": timezone.now()}
    if not Job.objects.filter(pk=job.pk, status__in=was).update(status=now, **bumped(**fields)):
        raise IllegalTransition(f"Job {job.pk} is {job.status}: it cannot become {now}.")
    _tell(job.pk, job.status, now, who=who, why=why)
    job.status = now


def _tell(
    job_id: uuid.UUID,
    was: str,
    now: str,
    *,
    stage: str = "",
    attempt: uuid.UUID | None = None,
    who: str = SYSTEM,
    why: str = "",
) -> None:
    """The Transition row, its line in the log, and on PostgreSQL a word to those who wait; all when it is committed."""
    Transition.objects.create(job_id=job_id, stage=stage, attempt=attempt, was=was, now=now, who=who, why=why)
    facts = {"job": str(job_id), "stage": stage, "attempt": str(attempt or ""), "who": who, "why": why}
    transaction.on_commit(lambda: log.info("%s → %s", was or "new", now, extra=facts))
    notify(job_id)


def notify(job_id: uuid.UUID) -> None:
    """Wake those who listen, when the transaction commits. SQLite has no such thing: there they look."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(job_id)])
