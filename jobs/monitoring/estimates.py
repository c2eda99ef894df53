"""How long a job will still take, from how long jobs took before on this installation."""

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

_FIRST_SPEED = 0.6
"""Seconds of work a second of video with the embedded engines on two cores, until there is a past to look at."""

_PAST = 20
"""How many completed jobs are looked at."""

_KEPT = 60
"""Seconds for which their speeds are remembered by a process."""

_TELLING = 0.05
"""From this share on, a running stage tells more about itself than others do."""


def speeds() -> Mapping[Stage, float]:
    """Seconds of work a second of video, the median of the last completed jobs, of each stage."""
    found: dict[Stage, float] | None = cache.get("speeds")
    if found is None:
        found = _measure()
        cache.set("speeds", found, _KEPT)
    return found


def _measure() -> dict[Stage, float]:
    lately = Job.objects.filter(status=JobStatus.COMPLETED).order_by("-created").values_list("pk", flat=True)[:_PAST]
    took: dict[Stage, list[float]] = defaultdict(list)
    runs = StageRun.objects.filter(job__in=list(lately), status=StageStatus.DONE, job__seconds__gt=0)
    for run in runs.select_related("job"):
        if run.started and run.ended:
            took[Stage(run.stage)].append((run.ended - run.started).total_seconds() / run.job.seconds)
    return {stage: median(took[stage]) if took[stage] else weight * _FIRST_SPEED for stage, weight in WEIGHTS.items()}


def share_done(runs: Iterable[StageRun]) -> float:
    """Of the whole job, from 0 to 1. Stages that it does not have weigh nothing."""
    shares = {Stage(run.stage): _share(run) for run in runs}
    return overall(shares, shares)


def seconds_left(job: Job, runs: Iterable[StageRun]) -> float | None:
    """Of work, once it runs; None while nothing can be said. Recognition and translation go on side by side."""
    if job.status != JobStatus.RUNNING or not job.seconds:
        return None
    left = {Stage(run.stage): _left(run, job.seconds) for run in runs}
    beside = max(left.pop(Stage.TRANSCRIBE, 0.0), left.pop(Stage.TRANSLATE, 0.0))
    return beside + sum(left.values())


def _left(run: StageRun, length: float) -> float:
    share = _share(run)
    if run.status == StageStatus.RUNNING and run.started and share >= _TELLING:
        return (timezone.now() - run.started).total_seconds() * (1 - share) / share
    return speeds()[Stage(run.stage)] * length * (1 - share)


def _share(run: StageRun) -> float:
    return 1.0 if run.status == StageStatus.DONE else run.progress


def ahead(waiting: Sequence[StageRun]) -> dict[int, int]:
    """How many stages of anybody wait in the same queue for longer than each of these, by its id. One query at most.

    Owners take turns, so that it can be less in truth, and hardly more.
    """
    if not waiting:
        return {}
    longer = StageRun.objects.filter(
        queue=OuterRef("queue"), status=StageStatus.READY, ready_at__lt=OuterRef("ready_at")
    )
    counted = longer.order_by().values("queue").annotate(count=Count("pk")).values("count")
    found = StageRun.objects.filter(pk__in=[run.pk for run in waiting]).order_by()
    return dict(found.values_list("pk", Coalesce(Subquery(counted), 0)))
