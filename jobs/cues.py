"""Cues as database rows and as the plain data of the pipeline, each made of the other."""

from __future__ import annotations

from jobs import models
from jobs.models import Job
from jobs.pipeline.subtitles.segmentation import Cue


def as_cue(row: models.Cue) -> Cue:
    return Cue(
        id=row.number,
        start=row.start,
        end=row.end,
        source=row.source,
        target=row.target,
        speaker=row.speaker,
        flags=tuple(row.flags),
    )


def as_row(cue: Cue, job: Job | None = None) -> models.Cue:
    """Not saved."""
    return models.Cue(
        job=job,
        number=cue.id,
        start=cue.start,
        end=cue.end,
        source=cue.source,
        target=cue.target,
        speaker=cue.speaker,
        flags=list(cue.flags),
    )
