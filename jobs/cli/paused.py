"""The job that a command goes on with when it is run again: one that paused at a cap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.models import Q

from jobs import lifecycle
from jobs.cues import as_cue
from jobs.intake.brought import read_brought
from jobs.intake.options import JobOptions, options_of
from jobs.models import Job, JobStatus, Process, SourceKind
from jobs.pipeline.download.client import check_link, is_link
from jobs.storage import artifacts


def resume(
    owner: Any, source: str, options: JobOptions, subtitles: Path | None, client: Process, **caps: Any
) -> Job | None:
    """Let the job of an earlier command go on, with these caps of its own, for `client`; None when there is none.

    Somebody else may have let it go on already: the reaper, when the cap was raised. Raises PipelineError for subtitles
    that cannot be read.
    """
    found = paused_job(owner, source, options, subtitles)
    if found:
        try:
            lifecycle.go_on(found.pk, actor=owner.get_username(), client=client, **caps)
        except lifecycle.IllegalTransition:  # it goes on already
            if not lifecycle.adopt(found.pk, client):
                return None
    return found


def paused_job(owner: Any, source: str, options: JobOptions, subtitles: Path | None) -> Job | None:
    """The newest job of `owner` with the same source, options and subtitles that is paused, or has gone on since and no
    command waits for it; None when there is none. Raises PipelineError for subtitles that cannot be read.
    """
    kind = SourceKind.LINK if is_link(source) else SourceKind.FILE
    goes_on = Q(status__in=(JobStatus.QUEUED, JobStatus.RUNNING), client=None)
    was_paused = Job.objects.filter(transitions__from_status=JobStatus.PAUSED, transitions__stage="").values("pk")
    found = Job.objects.filter(Q(status=JobStatus.PAUSED) | goes_on & Q(pk__in=was_paused))
    found = found.filter(owner=owner, source_kind=kind).order_by("-created")
    jobs = [job for job in found if options_of(job.options) == options and _has_source(job, source)]
    if not jobs:
        return None
    texts = [cue.source for cue in read_brought(options, subtitles).cues] if subtitles else None
    return next((job for job in jobs if texts is None or texts == _texts(job)), None)


def _has_source(job: Job, source: str) -> bool:
    if job.source_kind == SourceKind.LINK:
        return job.source == check_link(source)
    linked = artifacts.path_of(job.pk, "source")
    return bool(linked and linked.exists() and linked.resolve() == Path(source).resolve())


def _texts(job: Job) -> list[str]:
    """The texts of the job's cues; their times may have been set by the frame rate of the video."""
    return [cue.source for cue in map(as_cue, job.cues.all())]
