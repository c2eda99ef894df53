"""Cues as database rows and as the plain data of the pipeline, each made of the other."""

from __future__ import annotations

from dataclasses import replace

from jobs import models
from jobs.models import Job
from jobs.pipeline.subtitles.cue import Cue


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


def as_caption_row(cue: Cue, job: Job | None = None) -> models.Cue:
    """The row of a cue that needs no translation, not saved: its own words are the subtitle."""
    row = as_row(replace(cue, target=cue.source), job)
    row.answered = True
    return row
