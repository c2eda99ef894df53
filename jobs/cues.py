"""Conversion of cues between database rows and the plain data of the pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Count

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
        language=row.language,
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
        language=cue.language,
    )


def as_caption_row(cue: Cue, job: Job | None = None) -> models.Cue:
    """The unsaved row of a cue that needs no translation: its source text is also the target text."""
    row = as_row(replace(cue, target=cue.source), job)
    row.answered = True
    return row


def main_language(job: Job) -> str:
    """The language in which most of a job's cues are spoken; empty without one."""
    counts = job.cues.exclude(language="").values_list("language").annotate(count=Count("pk"))
    first = counts.order_by("-count", "language").first()
    return first[0] if first else ""


def languages(job: Job) -> list[dict[str, Any]]:
    """The stretches of a job in one language each, in order: `language`, `start` and `end` in seconds, if there are
    several languages; otherwise nothing.
    """
    rows = job.cues.order_by("number").values_list("language", "start", "end")
    runs: list[dict[str, Any]] = []
    for language, start, end in rows:
        if runs and runs[-1]["language"] == language:
            runs[-1]["end"] = end
        else:
            runs.append({"language": language, "start": start, "end": end})
    return runs if len({run["language"] for run in runs}) > 1 else []
