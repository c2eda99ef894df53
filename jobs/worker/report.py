"""The report of a completed job: engines, processing time, usage, and the quality of the subtitles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobs import cues, models
from jobs.models import Job
from jobs.pipeline.notes import NoteCode, listed_times, template
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.dialogue import speakers_of
from jobs.pipeline.text.languages import language
from jobs.queueing import caps


def report_of(job: Job) -> dict[str, Any]:
    """The report of a completed job. `sound` names the audio tracks, `subtitles` those that were there already, `notes`
    are sentences, `seconds` are by stage, `files` are kinds of artifacts; `speakers` are those told apart, with the
    number and the seconds of their cues.
    """
    runs = {run.stage: run for run in job.stages.all()}
    spent = {name: run.ended - run.started for name, run in runs.items() if run.ended and run.started}
    used = caps.spent(models.Call.objects.filter(job=job))
    usage = models.UsageEntry.objects.filter(job=job).values_list("input_tokens", "output_tokens")
    return {
        "title": job.title,
        "duration": round(job.seconds, 3),
        "source": job.spoken,
        "target": job.target,
        "languages": cues.languages(job),
        "passages": passages(job),
        "sound": runs[Stage.FETCH].outcome.get("sound", {}),
        "subtitles": runs[Stage.FETCH].outcome.get("existing", {}),
        "notes": [template(note["code"]).format(**note["params"]) for note in job.notes],
        "engines": job.engines,
        "speakers": _speakers(job),
        "seconds": {name: round(length.total_seconds(), 2) for name, length in spent.items()},
        "usage": {"input_tokens": sum(one for one, _ in usage), "output_tokens": sum(two for _, two in usage)},
        "cost": caps.money_text(used.cost) if used.cost else "",
        "quality": runs[Stage.SUBTITLE].outcome["quality"],
        "files": sorted(job.artifacts.exclude(kind__in=("source", "audio")).values_list("kind", flat=True)),
    }


def passages(job: Job) -> list[dict[str, Any]]:
    """The passages of the speech that are to be checked (see protocols.Passage), in order."""
    run = job.stages.filter(stage=Stage.TRANSCRIBE).first()
    return run.checkpoint.get("passages", []) if run else []


def speech_notes(job: Job) -> Iterator[tuple[NoteCode, dict[str, str]]]:
    """The notes on what recognition found: several languages, words that were left out, speech without words."""
    found = passages(job)
    for kind, code in (("unheard", NoteCode.SPEECH_UNHEARD), ("removed", NoteCode.WORDS_REMOVED)):
        if times := _times(found, kind):
            yield code, {"times": times}
    if others := dict.fromkeys(passage["text"] for passage in found if passage["kind"] == "other"):
        names = ", ".join(language(code).name for code in others)
        yield NoteCode.OTHER_LANGUAGE, {"languages": names, "times": _times(found, "other")}
    if runs := cues.languages(job):
        seconds: dict[str, float] = {}
        for run in runs:
            seconds[run["language"]] = seconds.get(run["language"], 0.0) + run["end"] - run["start"]
        most_first = sorted(seconds, key=lambda code: -seconds[code])
        yield NoteCode.SEVERAL_LANGUAGES, {"languages": ", ".join(language(code).name for code in most_first)}


def _times(found: Sequence[dict[str, Any]], kind: str) -> str:
    """The times at which passages of a kind begin."""
    return listed_times([passage["start"] for passage in found if passage["kind"] == kind])


def _speakers(job: Job) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for cue in map(cues.as_cue, job.cues.exclude(speaker="")):
        for name in speakers_of(cue):
            known = found.get(name, {"cues": 0, "seconds": 0.0})
            found[name] = {"cues": known["cues"] + 1, "seconds": round(known["seconds"] + cue.end - cue.start, 3)}
    return found
