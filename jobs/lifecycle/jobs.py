"""Transitions of a job as a whole: create, submit, cancel, retry, delete."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from jobs.lifecycle.changes import job_changed
from jobs.lifecycle.stages import open_stage
from jobs.lifecycle.transitions import (
    JOB_TRANSITIONS,
    IllegalTransition,
    JobVerb,
    StageVerb,
    lock_job,
    move_job,
    move_stage,
    record,
)
from jobs.models import (
    CANCELLABLE,
    FINAL,
    Cue,
    Job,
    JobStatus,
    Process,
    Queue,
    Reason,
    StageRun,
    StageStatus,
    bumped,
)
from jobs.pipeline.stage import Stage
from jobs.presence import first_grace

log = logging.getLogger("jobs.lifecycle")

UPLOAD_EXPIRY = timedelta(hours=24)
"""An upload that receives no bytes for this long is cancelled."""

UNSETTLED_EXPIRY = timedelta(minutes=5)
"""A job to which no cues are added for this long, and which is not settled, was left by a process that ended."""

PORTION = 500
"""Cues that are inserted in one transaction: SQLite has one writer at a time, and this takes it about 0.05 s."""

_QUEUES = {
    Stage.FETCH: Queue.MEDIA,
    Stage.TRANSCRIBE: Queue.SPEECH,
    Stage.TRANSLATE: Queue.TEXT,
    Stage.SUBTITLE: Queue.MEDIA,
    Stage.RENDER: Queue.MEDIA,
}


def create(
    *, stages: Sequence[Stage], actor: str, cues: Sequence[Cue] = (), uploaded: bool = True, **fields: Any
) -> Job:
    """Create a job with a run for each of `stages`: queued, or `uploading` until `submit` is called.

    `cues` are those of the owner's own subtitles; such a job needs no recognition. Many of them are added in PORTIONs
    instead, between `begin` and `settle`.
    """
    with transaction.atomic():
        job = begin(**fields)
        add_cues(job, cues)
        settle(job, stages=stages, actor=actor, uploaded=uploaded)
    return job


def begin(**fields: Any) -> Job:
    """Create the row of a job to which cues are added before it is settled.

    Until then it has no stages, so that nothing of it starts and no upload is taken for it. If the process ends first,
    `discard_unsettled` deletes it.
    """
    return Job.objects.create(status=JobStatus.UPLOADING, version=0, **fields)


def add_cues(job: Job, cues: Sequence[Cue]) -> None:
    """Add cues to a job that is not settled, in one transaction. Raises IllegalTransition when it was cancelled."""
    for cue in cues:
        cue.job = job
    with transaction.atomic():
        if not _unsettled().filter(pk=job.pk).update(changed=timezone.now()):
            raise IllegalTransition(f"Job {job.pk} was cancelled before it began.")
        Cue.objects.bulk_create(cues)


def settle(job: Job, *, stages: Sequence[Stage], actor: str, uploaded: bool) -> None:
    """Give a job its stages: it is queued, or waits for its upload. Raises IllegalTransition when it was cancelled."""
    target = JOB_TRANSITIONS[JobVerb.CREATE if uploaded else JobVerb.CREATE_UPLOAD].target
    with transaction.atomic():
        if not _unsettled().filter(pk=job.pk).update(**bumped(status=target)):
            raise IllegalTransition(f"Job {job.pk} was cancelled before it began.")
        job.status, job.version = target, 1
        StageRun.objects.bulk_create(
            StageRun(job=job, owner_id=job.owner_id, stage=stage, number=number, queue=_QUEUES[stage])
            for number, stage in enumerate(stages)
        )
        record(job.pk, "", job.status, actor=actor)
        if uploaded:
            open_stage(job.stages.earliest("number"))


def discard_unsettled(job_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Delete the row of a job that was not settled; without `job_id`, of all to which nothing was added for
    UNSETTLED_EXPIRY. Returns their ids: their directories are to be deleted.
    """
    old = {"pk": job_id} if job_id else {"changed__lt": timezone.now() - UNSETTLED_EXPIRY}
    with transaction.atomic():
        found = list(_unsettled().filter(**old).select_for_update().values_list("pk", flat=True))
        Job.objects.filter(pk__in=found).delete()
    return found


def _unsettled() -> QuerySet[Job]:
    return Job.objects.filter(~Exists(StageRun.objects.filter(job=OuterRef("pk"))), status=JobStatus.UPLOADING)


def submit(job_id: uuid.UUID, actor: str) -> None:
    """Queue a job whose upload is complete. Raises IllegalTransition."""
    with transaction.atomic():
        job = lock_job(job_id)
        if not job.stages.exists():
            raise IllegalTransition(f"Job {job_id} is not settled.")
        move_job(job, JobVerb.SUBMIT, actor=actor)
        open_stage(job.stages.earliest("number"))


def uploaded_more(job_id: uuid.UUID) -> bool:
    """Record that bytes of an upload arrived. False when the job no longer waits for them."""
    with transaction.atomic():
        waits = Job.objects.filter(pk=job_id, status=JobStatus.UPLOADING).update(**bumped())
        job_changed(job_id)
    return bool(waits)


def cancel(job_id: uuid.UUID, *, actor: str, reason: Reason | str = "") -> bool:
    """Begin to cancel an unfinished job. False, and no change, when it has ended, is being cancelled, or is deleted."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or job.status not in CANCELLABLE:
            return False
        move_job(job, JobVerb.CANCEL, actor=actor, reason=reason)
        for run in job.stages.filter(status__in=(StageStatus.READY, StageStatus.PAUSED)):
            move_stage(run, StageVerb.STOP)
    return True


def can_finish_cancel(job_id: uuid.UUID) -> bool:
    """Whether a job that is being cancelled has no running stage, so that its files can be deleted."""
    running = StageRun.objects.filter(job=OuterRef("pk"), status=StageStatus.RUNNING)
    return Job.objects.filter(~Exists(running), pk=job_id, status=JobStatus.CANCELLING).exists()


def finish_cancel(job_id: uuid.UUID) -> bool:
    """Mark a job as cancelled. Call it after every process and file of the job is gone.

    False when a stage of it still runs, or when it is not being cancelled. Raises IllegalTransition when there is no
    such job.
    """
    with transaction.atomic():
        job = lock_job(job_id)
        if job.status != JobStatus.CANCELLING or job.stages.filter(status=StageStatus.RUNNING).exists():
            return False
        job.cues.all().delete()
        job.artifacts.all().delete()
        for run in job.stages.filter(status=StageStatus.WAITING):
            move_stage(run, StageVerb.STOP)
        move_job(job, JobVerb.FINISH_CANCEL)
    return True


def retry(job_id: uuid.UUID, actor: str) -> None:
    """Queue a failed job again; it continues from its checkpoint. Raises IllegalTransition.

    A command that waited for the job has reported its failure and ended, so it is no longer the job's client.
    """
    with transaction.atomic():
        job = lock_job(job_id)
        grace = first_grace(job.owner_id)
        move_job(job, JobVerb.RETRY, actor=actor, error=None, ended=None, grace_until=grace, client=None)
        job.stages.exclude(status=StageStatus.DONE).update(attempts=0)
        first, *others = [run for run in job.stages.all() if run.status != StageStatus.DONE]
        open_stage(first)
        translatable = first.stage == Stage.TRANSCRIBE and job.cues.exists()
        for run in others:
            if translatable and run.stage == Stage.TRANSLATE:
                open_stage(run)
            elif run.status != StageStatus.WAITING:
                move_stage(run, StageVerb.RESET, error=None)


def go_on(job_id: uuid.UUID, actor: str, *, client: Process | None = None, **caps: Any) -> None:
    """Let the paused stages of a job go on, with the job's own `caps` (`max_cost`, `max_tokens`) where they are given.

    The stages keep all they did. The owner may be absent when somebody else lets the job go on: then it keeps running
    without them. `client` is the command that waits for it from now on; an earlier one has ended. Raises
    IllegalTransition when nothing of the job is paused.
    """
    with transaction.atomic():
        job = lock_job(job_id)
        paused = list(job.stages.filter(status=StageStatus.PAUSED))
        if not paused:
            raise IllegalTransition(f"Job {job_id} is {job.status}: nothing of it is paused.")
        Job.objects.filter(pk=job_id).update(**bumped(**caps))
        for run in paused:
            open_stage(run)
        if job.status == JobStatus.PAUSED:
            kept = job.keep_running or actor != job.owner.get_username()
            email = job.notify and {name: value for name, value in job.notify.items() if name != "told"}
            fields: dict[str, Any] = {"error": None, "client": client, "notify": email, "keep_running": kept}
            move_job(job, JobVerb.GO_ON, actor=actor, grace_until=first_grace(job.owner_id), **fields)


def adopt(job_id: uuid.UUID, client: Process) -> bool:
    """Let `client` be the command that waits for a queued or running job. False when another one does."""
    going = (JobStatus.QUEUED, JobStatus.RUNNING)
    return bool(Job.objects.filter(pk=job_id, status__in=going, client=None).update(**bumped(client=client)))


def delete_row(job_id: uuid.UUID) -> bool:
    """Delete the row of an ended job whose files are gone. False when it has not ended, or is deleted already."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id, status__in=FINAL).first()
        if job:
            log.info("job=%s %s → deleted", job.pk, job.status)
            job.delete()
    return job is not None


def set_keep_running(job_id: uuid.UUID, keep: bool) -> None:
    """Set whether the job continues when its owner leaves."""
    _set(job_id, keep_running=keep)


def set_notify(job_id: uuid.UUID, asked: Mapping[str, str] | None) -> None:
    """Set whether the owner of an unfinished job gets an e-mail when it is done (`Job.notify`; None: no e-mail)."""
    _set(job_id, CANCELLABLE, notify=asked and dict(asked))


def set_pinned(job_id: uuid.UUID, pinned: bool) -> None:
    """Set whether the result is kept beyond its retention time."""
    _set(job_id, pinned=pinned)


def refresh_pages() -> None:
    """Update the pages of all queued and running jobs: something that concerns all of them has changed."""
    Job.objects.filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING)).update(**bumped())


def _set(job_id: uuid.UUID, statuses: Sequence[JobStatus] = tuple(JobStatus), **fields: Any) -> None:
    with transaction.atomic():
        Job.objects.filter(pk=job_id, status__in=statuses).update(**bumped(**fields))
        job_changed(job_id)
