"""The report of a completed job: engines, processing time, usage, and the quality of the subtitles."""

from __future__ import annotations

from typing import Any

from jobs import cues, models
from jobs.models import Job
from jobs.pipeline.notes import template
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.dialogue import speakers_of


def report_of(job: Job) -> dict[str, Any]:
    """The report of a completed job. `sound` names the audio tracks, `notes` are sentences, `seconds` are by stage,
    `files` are kinds of artifacts; `speakers` are those told apart, with the number and the seconds of their cues.
    """
    runs = {run.stage: run for run in job.stages.all()}
    spent = {name: run.ended - run.started for name, run in runs.items() if run.ended and run.started}
    usage = models.UsageEntry.objects.filter(job=job).values_list("input_tokens", "output_tokens")
    return {
        "title": job.title,
        "duration": round(job.seconds, 3),
        "source": job.spoken,
        "target": job.target,
        "languages": cues.languages(job),
        "sound": runs[Stage.FETCH].outcome.get("sound", {}),
        "notes": [template(note["code"]).format(**note["params"]) for note in job.notes],
        "engines": job.engines,
        "speakers": _speakers(job),
        "seconds": {name: round(length.total_seconds(), 2) for name, length in spent.items()},
        "usage": {"input_tokens": sum(one for one, _ in usage), "output_tokens": sum(two for _, two in usage)},
        "quality": runs[Stage.SUBTITLE].outcome["quality"],
        "files": sorted(job.artifacts.exclude(kind__in=("source", "audio")).values_list("kind", flat=True)),
    }


def _speakers(job: Job) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for cue in map(cues.as_cue, job.cues.exclude(speaker="")):
        for name in speakers_of(cue):
            known = found.get(name, {"cues": 0, "seconds": 0.0})
            found[name] = {"cues": known["cues"] + 1, "seconds": round(known["seconds"] + cue.end - cue.start, 3)}
    return found
