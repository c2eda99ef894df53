"""Jobs and captions as plain data for templates and scripts.

Texts are in the language of the page: the scripts contain none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.briefs import revision_of
from jobs.i18n import formats
from jobs.i18n.labels import STAGES, STATUSES
from jobs.intake import submit
from jobs.intake.options import options_of
from jobs.models import CANCELLABLE, FINAL, UNFINISHED, Cue, Job, JobStatus, SourceKind, StageRun, StageStatus
from jobs.monitoring.estimates import ahead, estimate, share_done
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.style import FORMATS
from jobs.web.cost_texts import cost_text
from jobs.web.job_texts import (
    deleted_text,
    elapsed,
    ended_text,
    error_detail,
    languages,
    left_text,
    notes,
    stage_text,
    step_text,
    unplayable_text,
    waiting_stages,
)
from jobs.web.track_texts import sound_tracks, sources_of_words

SUBTITLE_FORMS = {
    "target": gettext_lazy("translation"),
    "source": gettext_lazy("original"),
    "bilingual": gettext_lazy("both"),
}
"""Contents of the downloadable subtitles, with the label of each."""


def briefs(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Rows of the job list, with one query for all queue positions."""
    rows = list(jobs)
    places = ahead([run for job in rows for run in waiting_stages(job, job.stages.all())])
    return [brief(job, places) for job in rows]


def brief(job: Job, places: Mapping[int, int] | None = None) -> dict[str, Any]:
    """A row of the job list. Prefetch `job.stages` and `job.artifacts`.

    `places` maps ids of waiting stages to queue positions; without it, a query finds them.
    """
    runs, kinds = list(job.stages.all()), {artifact.kind for artifact in job.artifacts.all()}
    again, lacking = submit.can_start_again(job), submit.needs_subtitles(job)
    guess = estimate(job, runs)
    percent = 100 if job.status == JobStatus.COMPLETED else int(100 * share_done(runs))
    return {
        "id": str(job.pk),
        "version": job.version,
        "url": reverse("job", args=[job.pk]),
        "status": job.status,
        "status_text": str(STATUSES[JobStatus(job.status)]),
        "title": str(job),
        "languages": languages(job),
        "length": formats.digits(formats.clock(job.seconds)) if job.seconds else "",
        "created": formats.moment(job.created),
        "percent": percent,
        "percent_text": formats.percent(percent),
        "left": left_text(job, runs, guess, places),
        "left_holds": round(guess.holds, 1) if guess and guess.holds and guess.holds > 0 else None,
        "step": step_text(runs),
        "moving": job.status not in FINAL,
        "warn": job.status in UNFINISHED and not job.keep_running,
        "ended": job.status in FINAL,
        "error": formats.recorded(job.error) if job.error else "",
        "poster": media_url(job, "poster") if "poster" in kinds else "",
        "can": {
            "cancel": job.status in CANCELLABLE,
            "retry": job.status == JobStatus.FAILED and not formats.hopeless(job.error or {}),
            "again": again and not lacking,
            "bring": again and lacking,
            "delete": job.status in FINAL,
        },
    }


def snapshot(job: Job, viewer: int | None) -> dict[str, Any]:
    """Everything that the page of a job shows except its cues, for the user with the id `viewer`."""
    runs, kinds = list(job.stages.all()), {artifact.kind for artifact in job.artifacts.all()}
    return {
        **brief(job),
        "keep_running": job.keep_running,
        "notify": job.notify is not None,
        "news": formats.news(job),
        "pinned": job.pinned,
        "stages": stages(runs),
        "elapsed": elapsed(runs),
        "stage_text": stage_text(job, runs),
        "notes": notes(job),
        "tracks": sound_tracks(job, runs),
        "words": sources_of_words(job, runs),
        "detail": error_detail(job),
        "cost": cost_text(job),
        "ended_text": ended_text(job, viewer),
        "deleted_text": deleted_text(job),
        "upload": upload(job),
        "video": video(job, kinds),
        "part": f"{job.status} {job.seconds} {len(job.notes)} {' '.join(sorted(kinds))} {revision_of(job)}",
        "files": files(job),
        "facts": facts(job),
        "problems": problems(job),
    }


def cue_data(cue: Cue) -> dict[str, Any]:
    """One live caption. `start` and `end` are in seconds, `clock` is the start as text."""
    return {
        "number": cue.number,
        "start": cue.start,
        "end": cue.end,
        "clock": formats.clock(cue.start),
        "source": cue.source,
        "target": cue.target,
        "answered": cue.answered,
        "speaker": cue.speaker,
    }


def stages(runs: Sequence[StageRun]) -> list[dict[str, Any]]:
    """All five stages; those that the job does not have are `skipped`."""
    mine = {Stage(run.stage): run for run in runs}
    return [_stage(stage, mine.get(stage)) for stage in Stage]


def _stage(stage: Stage, run: StageRun | None) -> dict[str, Any]:
    state = run.status if run else "skipped"
    share = 0.0 if run is None else 1.0 if run.status == StageStatus.DONE else run.progress
    return {"name": stage, "label": str(STAGES[stage]), "state": state, "percent": int(100 * share)}


def upload(job: Job) -> dict[str, Any] | None:
    """The data to resume an upload; None when the job does not wait for one."""
    if job.status != JobStatus.UPLOADING or job.source_kind != SourceKind.UPLOAD:
        return None
    return {
        "name": job.source,
        "size": job.size,
        "size_text": formats.size(job.size),
        "url": reverse("upload", args=[job.pk]),
        "replace": reverse("replace", args=[job.pk]),
    }


def video(job: Job, kinds: set[str]) -> dict[str, Any] | None:
    """The video to play: the result, or the probed source with a subtitle track; None while there is neither."""
    kind = "video" if "video" in kinds else "source" if "source" in kinds and job.seconds else ""
    if not kind:
        return None
    options = options_of(job.options)
    burned = kind == "video" and options.mode == "burn"
    return {
        "url": media_url(job, kind),
        "poster": media_url(job, "poster") if "poster" in kinds else "",
        "track": "" if burned else subtitles_url(job, "target", "vtt"),
        "language": job.target,
        "label": formats.language_name(job.target),
        "unplayable": unplayable_text(job, kind),
    }


def files(job: Job) -> list[dict[str, Any]]:
    """The downloads of a completed job: the video, then each subtitle form in each format."""
    if job.status != JobStatus.COMPLETED:
        return []
    found = []
    for artifact in job.artifacts.all():
        if artifact.kind == "video":
            container, url = Path(artifact.name).suffix[1:].upper(), media_url(job, "video") + "?download=1"
            found.append({"label": container, "form": formats.size(artifact.size), "url": url, "kind": "video"})
    captions = job.spoken == job.target
    for form, label in SUBTITLE_FORMS.items():
        if form == "target" or not captions:
            for kind in FORMATS:
                url = subtitles_url(job, form, kind)
                found.append({"label": kind.upper(), "form": str(label), "url": url, "kind": form})
    return found


def facts(job: Job) -> list[dict[str, str]]:
    """Labelled values of the processing: the time of each stage, the tokens used."""
    if not job.result:
        return []
    seconds = job.result.get("seconds", {})
    found = [
        {"label": str(STAGES[stage]), "value": formats.length(seconds[stage])} for stage in Stage if stage in seconds
    ]
    usage = job.result.get("usage", {})
    if cost := job.result.get("cost"):
        found.append({"label": _("Cost"), "value": formats.priced(cost)})
    if tokens := usage.get("input_tokens", 0) + usage.get("output_tokens", 0):
        found.append({"label": _("Tokens"), "value": formats.number(tokens)})
    return found


def problems(job: Job) -> list[dict[str, str]]:
    """The number of findings of each kind in the quality report."""
    if not job.result:
        return []
    counted: dict[str, int] = {}
    for finding in job.result["quality"]["findings"]:
        counted[finding["kind"]] = counted.get(finding["kind"], 0) + 1
    return [{"label": formats.problem(kind), "value": formats.number(count)} for kind, count in counted.items()]


def media_url(job: Job, kind: str) -> str:
    """The address of the file of `kind`."""
    return reverse("media", args=[job.pk, kind])


def subtitles_url(job: Job, form: str, kind: str) -> str:
    """The address of the subtitles; `form` is a key of SUBTITLE_FORMS, `kind` one of `style.FORMATS`."""
    return reverse("subtitles", args=[job.pk, form, kind])
