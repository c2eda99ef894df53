"""Conversion of cues between database rows and the plain data of the pipeline."""

from __future__ import annotations

from dataclasses import replace

from jobs import models
from jobs.models import Job
from jobs.pipeline.subtitles.cue import Cue


def as_cue(row: models.Cue) -> Cue:
    """The pipeline's cue of a row."""
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
    """The unsaved row of a cue."""
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


def as_caption_row(cue: Cue, job: Job | None = None) -> models.Cue:
    """The unsaved row of a cue that needs no translation: its source text is also the target text."""
    row = as_row(replace(cue, target=cue.source), job)
    row.answered = True
    return row
