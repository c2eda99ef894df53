"""Estimates of the time left, from the durations of recent jobs of this installation, and queue positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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

_GRACE = 15.0
"""Seconds that a stage may take longer than estimated before the estimate counts as wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """`seconds` of work left. The estimate `holds` for some seconds more; 0 or less: it has run out; None: no stage
    runs, so that it has no end.
    """

    seconds: float
    holds: float | None


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


def estimate(job: Job, runs: Iterable[StageRun]) -> Estimate | None:
    """The time left of a running job; None when its status or length allows no estimate.

    Transcription and translation run in parallel, so the longer one counts. A translation that waits for the speech
    lets no estimate run out.
    """
    if job.status != JobStatus.RUNNING or not job.seconds:
        return None
    mine = {Stage(run.stage): run for run in runs}
    left = {stage: _left(run, job) for stage, run in mine.items()}
    running = {stage for stage, run in mine.items() if run.status == StageStatus.RUNNING and run.started}
    if Stage.TRANSCRIBE in mine and mine[Stage.TRANSCRIBE].status != StageStatus.DONE:
        running.discard(Stage.TRANSLATE)
    holds = min(left[stage] for stage in running) + _GRACE if running else None
    some = {stage: max(0.0, seconds) for stage, seconds in left.items()}
    beside = max(some.pop(Stage.TRANSCRIBE, 0.0), some.pop(Stage.TRANSLATE, 0.0))
    return Estimate(seconds=beside + sum(some.values()), holds=holds)


def _left(run: StageRun, job: Job) -> float:
    """Seconds left of a stage, below 0 when it takes longer than was estimated at the job's last change."""
    share, usual = _share(run), speeds()[Stage(run.stage)] * job.seconds
    if run.status != StageStatus.RUNNING or not run.started:
        return usual * (1 - share)
    spent, since = (job.changed - run.started).total_seconds(), (timezone.now() - job.changed).total_seconds()
    before = min(run.progress_before, share)
    if share - before < _RELIABLE_SHARE:
        return usual * (1 - before) - spent - since
    return max(0.0, spent) * (1 - share) / (share - before) - since


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
