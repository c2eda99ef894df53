"""What a page shows of a job, as plain data in the language of the page. The scripts have no words of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.engines.registry import SPECS
from jobs.i18n import formats
from jobs.i18n.labels import STAGES, STATUSES
from jobs.intake import submit
from jobs.intake.options import options_of
from jobs.models import FINAL, UNFINISHED, Cue, Job, JobStatus, Reason, SourceKind, StageRun, StageStatus
from jobs.monitoring.estimates import ahead, seconds_left, share_done
from jobs.pipeline.errors import DiskFull
from jobs.pipeline.stage import Stage
from jobs.storage import installation

FORMS = {
    "target": gettext_lazy("translation"),
    "source": gettext_lazy("original"),
    "bilingual": gettext_lazy("both"),
}
FORMATS = ("srt", "vtt", "ass")
if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

CANCELLED_BECAUSE: dict[str, Words] = {
    Reason.PAGES_CLOSED: gettext_lazy("Cancelled on {when}, because all tabs of this site were closed."),
    Reason.NO_SIGN_OF_LIFE: gettext_lazy(
        "Cancelled on {when}, because no open page of this site responded. The network may have been down, or the "
        "computer asleep."
    ),
    Reason.COMMAND_KILLED: gettext_lazy("Cancelled on {when}, because the command that started it was killed."),
    Reason.COMMAND_INTERRUPTED: gettext_lazy(
        "Cancelled on {when}, because the command that started it was interrupted."
    ),
    Reason.UPLOAD_EXPIRED: gettext_lazy("Cancelled on {when}, because the upload was never finished."),
}
"""Where it was no person's word."""

DEMO = {spec.name: spec.label for spec in SPECS if spec.demo}


def briefs(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Rows of the jobs list, with one look at the queues for all of them."""
    shown = list(jobs)
    places = ahead([run for job in shown for run in _waiting(job, job.stages.all())])
    return [brief(job, places) for job in shown]


def brief(job: Job, places: Mapping[int, int] | None = None) -> dict[str, Any]:
    """A row of the jobs list. `job.stages` and `job.artifacts` should be prefetched. `places`: in the queues, if they
    are known.
    """
    runs, kinds = list(job.stages.all()), {artifact.kind for artifact in job.artifacts.all()}
    again, lacking = submit.can_start_again(job), submit.needs_subtitles(job)
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
        "left": left_text(job, runs, places),
        "moving": job.status not in FINAL,
        "warn": job.status in UNFINISHED and not job.keep_running,
        "ended": job.status in FINAL,
        "error": formats.recorded(job.error) if job.error else "",
        "poster": media_url(job, "poster") if "poster" in kinds else "",
        "can": {
            "cancel": job.status in UNFINISHED,
            "retry": job.status == JobStatus.FAILED and not formats.hopeless(job.error or {}),
            "again": again and not lacking,
            "bring": again and lacking,
            "delete": job.status in FINAL,
        },
    }


def snapshot(job: Job, viewer: int | None) -> dict[str, Any]:
    """All that the page of a job shows, but its cues, to the person with the id `viewer`."""
    runs, kinds = list(job.stages.all()), {artifact.kind for artifact in job.artifacts.all()}
    return {
        **brief(job),
        "keep_running": job.keep_running,
        "notify": job.notify is not None,
        "news": formats.news(job),
        "pinned": job.pinned,
        "stages": stages(runs),
        "stage_text": stage_text(job, runs),
        "notes": notes(job),
        "detail": detail(job),
        "ended_text": ended_text(job, viewer),
        "deleted_text": deleted_text(job),
        "upload": upload(job),
        "video": video(job, kinds),
        "part": f"{job.status} {job.seconds} {len(job.notes)} {' '.join(sorted(kinds))}",
        "files": files(job),
        "facts": facts(job),
        "problems": problems(job),
    }


def cue_of(cue: Cue) -> dict[str, Any]:
    """One live caption. Times are seconds, and their text a clock."""
    return {
        "number": cue.number,
        "start": cue.start,
        "end": cue.end,
        "clock": formats.clock(cue.start),
        "source": cue.source,
        "target": cue.target,
        "answered": cue.answered,
    }


def languages(job: Job) -> str:
    """“English → Persian”, or the one that is known, or both are."""
    source = job.spoken or options_of(job.options).spoken
    target = formats.language_name(job.target)
    if not source or source == job.target:
        return target
    return _("{source} → {target}").format(source=formats.language_name(source), target=target)


def stages(runs: Sequence[StageRun]) -> list[dict[str, Any]]:
    """The five of them: what a job does not need is `skipped`."""
    mine = {Stage(run.stage): run for run in runs}
    return [_stage(stage, mine.get(stage)) for stage in Stage]


def _stage(stage: Stage, run: StageRun | None) -> dict[str, Any]:
    state = run.status if run else "skipped"
    share = 0.0 if run is None else 1.0 if run.status == StageStatus.DONE else run.progress
    return {"name": stage, "label": str(STAGES[stage]), "state": state, "percent": int(100 * share)}


def stage_text(job: Job, runs: Sequence[StageRun]) -> str:
    """A line for those who hear the page: which stage runs, and every 25 % of the whole."""
    if job.status != JobStatus.RUNNING:
        return str(STATUSES[JobStatus(job.status)])
    running = [str(STAGES[Stage(run.stage)]) for run in runs if run.status == StageStatus.RUNNING]
    percent = 25 * int(4 * share_done(runs))
    return _("{stages}, {percent} of the job done").format(
        stages=formats.listed(running) or STATUSES[JobStatus.RUNNING], percent=formats.percent(percent)
    )


def left_text(job: Job, runs: Sequence[StageRun], places: Mapping[int, int] | None = None) -> str:
    """How long it will take, or how many are before it."""
    if any(run.status == StageStatus.RUNNING for run in runs):
        left = seconds_left(job, runs)
        return "" if left is None else formats.left(left)
    waiting = _waiting(job, runs)
    if waiting and (reason := _waits_for_the_disk(waiting[0])):
        return reason
    before = ahead(waiting) if places is None else places
    return "".join(formats.before(before[run.pk]) for run in waiting if run.pk in before)


def _waits_for_the_disk(run: StageRun) -> str:
    """A sentence where it is the disk for which a stage waits."""
    if not installation.was_right_lately():
        return _("Waiting: the disk with the files is not available right now. The job resumes by itself.")
    if (run.error or {}).get("code") == DiskFull.__name__:
        return _("Waiting: the disk is full. The job resumes by itself when there is space.")
    return ""


def _waiting(job: Job, runs: Iterable[StageRun]) -> list[StageRun]:
    """The stage that has to have its turn before anything of the job is done; none when something is."""
    if job.status not in {JobStatus.QUEUED, JobStatus.RUNNING}:
        return []
    if any(run.status == StageStatus.RUNNING for run in runs):
        return []
    return [run for run in runs if run.status == StageStatus.READY][:1]


def notes(job: Job) -> list[str]:
    """What is worth knowing of how it was made."""
    found = [formats.noted(note) for note in job.notes]
    if any(name in DEMO for name in job.engines.values()):
        found.insert(0, _("Made by the offline demo engines: expect errors."))
    return found


def detail(job: Job) -> str:
    """The technical text of what went wrong. Where this site keeps its files is left out."""
    return str((job.error or {}).get("detail", "")).replace(f"{settings.MEDIA_ROOT}/", "")


def ended_text(job: Job, viewer: int | None) -> str:
    """When a cancelled job was cancelled, and why, or by whom."""
    if job.status not in {JobStatus.CANCELLED, JobStatus.CANCELLING}:
        return ""
    last = job.transitions.filter(stage="", to_status=JobStatus.CANCELLING).last()
    if last is None:
        return ""
    when = formats.moment(last.at)
    if last.reason in CANCELLED_BECAUSE:
        return str(CANCELLED_BECAUSE[last.reason]).format(when=when)
    if _is_called(viewer, last.actor):
        return _("Cancelled on {when} by you.").format(when=when)
    return _("Cancelled on {when} by {who}.").format(when=when, who=last.actor)


def _is_called(viewer: int | None, name: str) -> bool:
    users = get_user_model()
    return viewer is not None and users.objects.filter(pk=viewer, **{users.USERNAME_FIELD: name}).exists()


def deleted_text(job: Job) -> str:
    """When the files of an ended job will be deleted."""
    if job.status not in {JobStatus.COMPLETED, JobStatus.FAILED} or job.pinned or not job.edited:
        return ""
    end: datetime = job.edited + timedelta(hours=settings.RETENTION_HOURS)
    return _("The files are kept until {when}.").format(when=formats.moment(max(end, timezone.now())))


def upload(job: Job) -> dict[str, Any] | None:
    """What the page needs to go on with an upload."""
    if job.status != JobStatus.UPLOADING or job.source_kind != SourceKind.UPLOAD:
        return None
    return {
        "name": job.source,
        "size": job.size,
        "size_text": formats.size(job.size),
        "url": reverse("upload", args=[job.pk]),
    }


def video(job: Job, kinds: set[str]) -> dict[str, Any] | None:
    """What can be played now: the result, or the source with a track of subtitles, once it was found to be a video."""
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
        "unplayable": _unplayable(job, kind),
    }


def _unplayable(job: Job, kind: str) -> str:
    """What is said when the browser cannot play it. Only burning makes another video than the one that was brought."""
    if kind == "video":
        return _("This browser cannot play the result. Download it and play it with another program.")
    if job.status not in FINAL and options_of(job.options).mode == "burn":
        return _("This browser cannot play the original video. The result will play here.")
    return _("This browser cannot play the original video.")


def files(job: Job) -> list[dict[str, Any]]:
    """What can be downloaded, in groups: the video, then each format in each form."""
    if job.status != JobStatus.COMPLETED:
        return []
    found = []
    for artifact in job.artifacts.all():
        if artifact.kind == "video":
            container, url = Path(artifact.name).suffix[1:].upper(), media_url(job, "video") + "?download=1"
            found.append({"label": container, "form": formats.size(artifact.size), "url": url, "kind": "video"})
    captions = job.spoken == job.target
    for form, label in FORMS.items():
        if form == "target" or not captions:
            for kind in FORMATS:
                url = subtitles_url(job, form, kind)
                found.append({"label": kind.upper(), "form": str(label), "url": url, "kind": form})
    return found


def facts(job: Job) -> list[dict[str, str]]:
    """What it took: time of each stage, tokens."""
    if not job.result:
        return []
    seconds = job.result.get("seconds", {})
    found = [
        {"label": str(STAGES[stage]), "value": formats.length(seconds[stage])} for stage in Stage if stage in seconds
    ]
    usage = job.result.get("usage", {})
    if tokens := usage.get("input_tokens", 0) + usage.get("output_tokens", 0):
        found.append({"label": _("Tokens"), "value": formats.number(tokens)})
    return found


def problems(job: Job) -> list[dict[str, str]]:
    """What the quality report found: how many cues break which number."""
    if not job.result:
        return []
    counted: dict[str, int] = {}
    for finding in job.result["quality"]["findings"]:
        counted[finding["kind"]] = counted.get(finding["kind"], 0) + 1
    return [{"label": formats.problem(kind), "value": formats.number(count)} for kind, count in counted.items()]


def media_url(job: Job, kind: str) -> str:
    return reverse("media", args=[job.pk, kind])


def subtitles_url(job: Job, form: str, kind: str) -> str:
    return reverse("subtitles", args=[job.pk, form, kind])
