"""Estimates of the time left, from the durations of recent jobs of this installation, and queue positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from django.core.cache import cache
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.models import Job, JobStatus, StageRun, StageStatus
from jobs.pipeline.stage import WEIGHTS, Stage, overall

_DEFAULT_SPEED = 0.6
"""Seconds of work for one second of video before a job is completed; measured on 2 cores with the embedded engines."""

_SAMPLE_SIZE = 20
"""The number of completed jobs from which speeds are measured."""

_CACHE_SECONDS = 60
"""Seconds for which the measured speeds are cached."""

_RELIABLE_SHARE = 0.05
"""The share from which the speed of a running stage itself is used instead of that of earlier jobs."""


def speeds() -> Mapping[Stage, float]:
    """Seconds of work for one second of video, by stage: the median of the last completed jobs."""
    found: dict[Stage, float] | None = cache.get("speeds")
    if found is None:
        found = _measure()
        cache.set("speeds", found, _CACHE_SECONDS)
    return found


def _measure() -> dict[Stage, float]:
    lately = (
        Job.objects.filter(status=JobStatus.COMPLETED).order_by("-created").values_list("pk", flat=True)[:_SAMPLE_SIZE]
    )
    took: dict[Stage, list[float]] = defaultdict(list)
    runs = StageRun.objects.filter(job__in=list(lately), status=StageStatus.DONE, job__seconds__gt=0)
    for run in runs.select_related("job"):
        if run.started and run.ended:
            took[Stage(run.stage)].append((run.ended - run.started).total_seconds() / run.job.seconds)
    return {stage: median(took[stage]) if took[stage] else weight * _DEFAULT_SPEED for stage, weight in WEIGHTS.items()}


def share_done(runs: Iterable[StageRun]) -> float:
    """The progress of the whole job from 0 to 1. Stages that it does not have are not counted."""
    shares = {Stage(run.stage): _share(run) for run in runs}
    return overall(shares, shares)


def seconds_left(job: Job, runs: Iterable[StageRun]) -> float | None:
    """Seconds of work left of a running job; None when its status or length allows no estimate.

    Transcription and translation run in parallel, so the longer one counts.
    """
    if job.status != JobStatus.RUNNING or not job.seconds:
        return None
    left = {Stage(run.stage): _left(run, job.seconds) for run in runs}
    beside = max(left.pop(Stage.TRANSCRIBE, 0.0), left.pop(Stage.TRANSLATE, 0.0))
    return beside + sum(left.values())


def _left(run: StageRun, length: float) -> float:
    share = _share(run)
    if run.status == StageStatus.RUNNING and run.started and share >= _RELIABLE_SHARE:
        return (timezone.now() - run.started).total_seconds() * (1 - share) / share
    return speeds()[Stage(run.stage)] * length * (1 - share)


def _share(run: StageRun) -> float:
    return 1.0 if run.status == StageStatus.DONE else run.progress


def ahead(waiting: Sequence[StageRun]) -> dict[int, int]:
    """The number of stages that have waited longer in the same queue, by id of each stage in `waiting`.

    One query at most. It is an upper estimate: owners take turns, so a stage may run before older ones.
    """
    if not waiting:
        return {}
    longer = StageRun.objects.filter(
        queue=OuterRef("queue"), status=StageStatus.READY, ready_at__lt=OuterRef("ready_at")
    )
    counted = longer.order_by().values("queue").annotate(count=Count("pk")).values("count")
    found = StageRun.objects.filter(pk__in=[run.pk for run in waiting]).order_by()
    return dict(found.values_list("pk", Coalesce(Subquery(counted), 0)))
