"""Claiming: picks the ready stage that a worker runs next, and starts it under a new attempt."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from jobs.lifecycle.transitions import JobVerb, StageVerb, lock_job, move_job, move_stage
from jobs.models import Job, JobStatus, Process, StageRun, StageStatus, bumped
from jobs.pipeline.stage import Stage
from jobs.queueing import tickets
from jobs.queueing.scheduling import fair_order

_MAX_CLAIM_ROUNDS = 3
"""Searches for a stage in one claim, when other workers claim those found first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One stage to run, under `attempt`."""

    job_id: uuid.UUID
    stage: Stage
    attempt: uuid.UUID


def claim(queue: str, worker: Process | None = None, *, running_limit: int = 0) -> Claim | None:
    """Claim the next ready stage of `queue`: it runs under a new attempt. None when there is none to run.

    The owner with the fewest running stages comes first, among those the one served longest ago, then age: no owner's
    tenth job starts before another owner's first. No owner has more than `running_limit` running jobs, or what
    OwnerLimits allow (0: no limit).
    """
    for _ in range(_MAX_CLAIM_ROUNDS):
        missed = False
        for run, limit in fair_order(queue, running_limit):
            if claimed := _start(run, worker, limit):
                return claimed
            missed = True
        if not missed:
            break
    return None


def _start(run: StageRun, worker: Process | None, limit: int) -> Claim | None:
    """Start `run`; None when its job may not start now, or another worker was faster."""
    attempt, now = uuid.uuid4(), timezone.now()
    with transaction.atomic():
        job = lock_job(run.job_id)
        ready = StageRun.objects.filter(pk=run.pk, status=StageStatus.READY, ready_at__lte=now).first()
        if ready is None or not _may_run(job, limit):
            return None
        move_stage(
            ready,
            StageVerb.CLAIM,
            attempt=attempt,
            heartbeat=now,
            started=now,
            progress_before=ready.progress,
            ended=None,
            worker=worker,
            host=worker.host if worker else "",
            boot_id=worker.boot_id if worker else "",
        )
        if job.status == JobStatus.QUEUED:
            move_job(job, JobVerb.START)
        else:
            Job.objects.filter(pk=job.pk).update(**bumped())
        if worker:
            Process.objects.filter(pk=worker.pk).update(last_claim=now)
        tickets.use()
    return Claim(job_id=job.pk, stage=Stage(run.stage), attempt=attempt)


def _may_run(job: Job, limit: int) -> bool:
    """Whether a stage of `job` may start: the job has not ended, and its owner has fewer than `limit` running jobs.

    The owner's row is locked, so that concurrent claims for one owner count one after another.
    """
    if job.status == JobStatus.RUNNING:
        return True
    if job.status != JobStatus.QUEUED:
        return False
    if not limit:
        return True
    get_user_model().objects.select_for_update(no_key=True).get(pk=job.owner_id)
    return Job.objects.filter(owner=job.owner_id, status=JobStatus.RUNNING).count() < limit
