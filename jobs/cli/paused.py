"""The paused job that a command goes on with when it is run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.cues import as_cue
from jobs.intake.brought import read_brought
from jobs.intake.options import JobOptions, options_of
from jobs.models import Job, JobStatus, SourceKind
from jobs.pipeline.download.client import check_link, is_link
from jobs.storage import artifacts


def paused_job(owner: Any, source: str, options: JobOptions, subtitles: Path | None) -> Job | None:
    """The newest paused job of `owner` with the same source, options and subtitles; None when there is none.

    Raises PipelineError for subtitles that cannot be read.
    """
    kind = SourceKind.LINK if is_link(source) else SourceKind.FILE
    found = Job.objects.filter(owner=owner, status=JobStatus.PAUSED, source_kind=kind).order_by("-created")
    jobs = [job for job in found if options_of(job.options) == options and _has_source(job, source)]
    if not jobs:
        return None
    texts = [(cue.start, cue.end, cue.source) for cue in read_brought(options, subtitles).cues] if subtitles else None
    return next((job for job in jobs if texts is None or texts == _texts(job)), None)


def _has_source(job: Job, source: str) -> bool:
    if job.source_kind == SourceKind.LINK:
        return job.source == check_link(source)
    linked = artifacts.path_of(job.pk, "source")
    return bool(linked and linked.exists() and linked.resolve() == Path(source).resolve())


def _texts(job: Job) -> list[tuple[float, float, str]]:
    return [(cue.start, cue.end, cue.source) for cue in map(as_cue, job.cues.all())]
