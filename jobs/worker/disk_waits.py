"""Waits of stages whose disk is not mounted or full, instead of a failure.

Not mounted: the stage waits as long as that lasts; nothing is claimed meanwhile. Full: the stage is repeated after 1,
2, 4, 8 minutes, and then every 15, for six hours; then the job fails with DiskFull. A job of the command line fails
at once: the person who waits for it can make room.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from jobs.lifecycle import Claim
from jobs.models import Job, JobStatus, StageStatus, Transition
from jobs.pipeline.errors import DiskFull, PipelineError, StorageAway
from jobs.storage import installation

AWAY_RETRY_WAIT = timedelta(seconds=5)
"""Wait of a stage whose disk is not mounted; then it is ready, but nothing is claimed before the disk is back."""
FULL_FIRST_WAIT, FULL_LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=15)
"""Waits of a stage whose disk is full: doubled from the first to the longest."""
FULL_DISK_TIMEOUT = timedelta(hours=6)
"""Time after the first wait for room, after which a stage fails."""


def wait_for(claim: Claim, error: PipelineError) -> tuple[PipelineError, timedelta | None]:
    """The cause of a stage's failure, and the wait until it is repeated; None: the stage has failed."""
    if Job.objects.filter(pk=claim.job_id, client__isnull=False).exists():
        return error, None
    if not installation.is_right():  # then any missing or damaged file is explained by the disk
        return StorageAway(detail=f"{type(error).__name__}: {error} {error.detail}"), AWAY_RETRY_WAIT
    if not isinstance(error, DiskFull):
        return error, None
    waits = _waits(claim)
    if waits and timezone.now() - waits[0].at > FULL_DISK_TIMEOUT:
        return error, None
    return error, min(FULL_FIRST_WAIT * 2 ** min(len(waits), 10), FULL_LONGEST_WAIT)


def _waits(claim: Claim) -> list[Transition]:
    """The transitions by which the stage began to wait for room, since its job was last queued."""
    transitions = Transition.objects.filter(job=claim.job_id)
    queued = transitions.filter(stage="", to_status=JobStatus.QUEUED).last()
    waits = transitions.filter(stage=claim.stage, to_status=StageStatus.READY, reason=DiskFull.__name__)
    return list(waits.filter(pk__gt=queued.pk if queued else 0))
