"""How long a stage waits for its disk: one that is away or full is no reason to fail, for it comes back.

Away: as long as it is; nothing is claimed meanwhile. Full: tried again after 1, 2, 4, 8 minutes, and then every 15, for
six hours; then the job fails with that. A job of the command line fails at once: its person is there to make room.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from jobs.lifecycle import Claim
from jobs.models import Job, JobStatus, StageStatus, Transition
from jobs.pipeline.errors import DiskFull, PipelineError, StorageAway
from jobs.storage import installation

AWAY_RETRY_WAIT = timedelta(seconds=5)
FULL_FIRST_WAIT, FULL_LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
FULL_DISK_TIMEOUT = timedelta(hours=6)


def wait_for(claim: Claim, error: PipelineError) -> tuple[PipelineError, timedelta | None]:
    """What is to blame for the failure of a stage, and how long it waits until it is repeated; None: it has failed."""
    if Job.objects.filter(pk=claim.job_id, client__isnull=False).exists():
        return error, None
    if not installation.is_right():  # whatever was missing, or seemed to be damaged
        return StorageAway(detail=f"{type(error).__name__}: {error} {error.detail}"), AWAY_RETRY_WAIT
    if not isinstance(error, DiskFull):
        return error, None
    waits = _waits(claim)
    if waits and timezone.now() - waits[0].at > FULL_DISK_TIMEOUT:
        return error, None
    return error, min(FULL_FIRST_WAIT * 2 ** min(len(waits), 10), FULL_LONGEST_WAIT)


def _waits(claim: Claim) -> list[Transition]:
    """How often the stage has waited for room since its job was queued, or queued again."""
    told = Transition.objects.filter(job=claim.job_id)
    queued = told.filter(stage="", to_status=JobStatus.QUEUED).last()
    waits = told.filter(stage=claim.stage, to_status=StageStatus.READY, reason=DiskFull.__name__)
    return list(waits.filter(pk__gt=queued.pk if queued else 0))
