"""Sentences about a job in the language of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs import briefs
from jobs.engines.registry import SPECS
from jobs.i18n import formats
from jobs.i18n.labels import STAGES, STATUSES
from jobs.intake.options import options_of
from jobs.models import FINAL, Job, JobStatus, Reason, StageRun, StageStatus
from jobs.monitoring.estimates import Estimate, ahead, share_done
from jobs.pipeline.errors import DiskFull
from jobs.pipeline.stage import STEPS, Stage
from jobs.storage import installation

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

CANCELLATION_SENTENCES: dict[str, Words] = {
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
    Reason.PAUSE_EXPIRED: gettext_lazy("Cancelled on {when}, because it was paused for too long."),
    Reason.UPLOAD_REPLACED: gettext_lazy(
        "Cancelled on {when}, because the upload was started again with another file."
    ),
}
"""Sentences for cancellations that no person asked for, by reason."""

_DEMO_ENGINES = {spec.name: spec.label for spec in SPECS if spec.demo}


def languages(job: Job) -> str:
    """“English → Persian”; the target alone when the speech is in it or its language is not known yet."""
    source = job.spoken or options_of(job.options).spoken
    target = formats.language_name(job.target)
    if not source or source == job.target:
        return target
    return _("{source} → {target}").format(source=formats.language_name(source), target=target)


def stage_text(job: Job, runs: Sequence[StageRun]) -> str:
    """The status line for screen readers: the running stages and the progress in steps of 25 %, or the step
    that lasts.
    """
    if job.status != JobStatus.RUNNING:
        return str(STATUSES[JobStatus(job.status)])
    if step := step_text(runs):
        return step
    running = [str(STAGES[Stage(run.stage)]) for run in runs if run.status == StageStatus.RUNNING]
    percent = 25 * int(4 * share_done(runs))
    return _("{stages}, {percent} of the job done").format(
        stages=formats.listed(running) or STATUSES[JobStatus.RUNNING], percent=formats.percent(percent)
    )


def step_text(runs: Iterable[StageRun]) -> str:
    """The sentence of the step that lasts, such as the loading of a model; empty when there is none."""
    return " ".join(_(STEPS[run.step]) for run in runs if run.step in STEPS)


def elapsed(runs: Iterable[StageRun]) -> dict[str, Any] | None:
    """The first running stage and the time for which it has been running; None when none runs."""
    run = next((run for run in runs if run.status == StageStatus.RUNNING and run.started), None)
    if run is None or run.started is None:
        return None
    seconds = max(0, int((timezone.now() - run.started).total_seconds()))
    return {
        "label": str(STAGES[Stage(run.stage)]),
        "seconds": seconds,
        "clock": formats.digits(formats.clock(seconds)),
    }


def left_text(
    job: Job, runs: Sequence[StageRun], estimate: Estimate | None, places: Mapping[int, int] | None = None
) -> str:
    """The remaining time of a running job, or the queue position of a waiting one; empty while neither is known.

    `places` maps ids of waiting stages to queue positions; without it, one query finds them.
    """
    if any(run.status == StageStatus.RUNNING for run in runs):
        if estimate is None:
            return ""
        has_run_out = estimate.holds is not None and estimate.holds <= 0
        return formats.longer_than_usual() if has_run_out else formats.left(estimate.seconds)
    waiting = waiting_stages(job, runs)
    if waiting and (reason := _disk_text(waiting[0])):
        return reason
    before = ahead(waiting) if places is None else places
    return "".join(formats.before(before[run.pk]) for run in waiting if run.pk in before)


def _disk_text(run: StageRun) -> str:
    """The sentence for a stage that waits for the disk; empty for any other."""
    if not installation.was_right_lately():
        return _("Waiting: the disk with the files is not available right now. The job resumes by itself.")
    if (run.error or {}).get("code") == DiskFull.__name__:
        return _("Waiting: the disk is full. The job resumes by itself when there is space.")
    return ""


def waiting_stages(job: Job, runs: Iterable[StageRun]) -> list[StageRun]:
    """The first ready stage of a job of which no stage runs, in a list of at most one."""
    if job.status not in {JobStatus.QUEUED, JobStatus.RUNNING}:
        return []
    if any(run.status == StageStatus.RUNNING for run in runs):
        return []
    return [run for run in runs if run.status == StageStatus.READY][:1]


def notes(job: Job) -> list[str]:
    """Sentences about how the result was made: notes of the stages, and a warning for the demo engines."""
    found = [formats.noted(note) for note in job.notes]
    if any(name in _DEMO_ENGINES for name in job.engines.values()):
        found.insert(0, _("Made by the offline demo engines: expect errors."))
    return found


def can_have_brief(job: Job) -> bool:
    """Whether the page offers a brief: the job has one, or words that are translated."""
    return bool(job.brief) or job.stages.filter(stage=Stage.TRANSLATE).exists()


def brief(job: Job) -> dict[str, Any] | None:
    """The brief of a job for its page, with all parts empty if it has none yet; None where none is of use."""
    if not can_have_brief(job):
        return None
    document = briefs.document_of(job)
    return {
        "document": document,
        "revision": briefs.revision_of(job),
        "is_made": document is None and options_of(job.options).reads_first and job.status not in FINAL,
        "names": formats.number(len(document.names)) if document else "",
        "terms": formats.number(len(document.terms)) if document else "",
    }


def error_detail(job: Job) -> str:
    """The technical text of the error, without the path of MEDIA_ROOT."""
    return str((job.error or {}).get("detail", "")).replace(f"{settings.MEDIA_ROOT}/", "")


def ended_text(job: Job, viewer: int | None) -> str:
    """The sentence on the time and the cause of a cancellation; empty for other jobs.

    `viewer` is the id of the user who reads it.
    """
    if job.status not in {JobStatus.CANCELLED, JobStatus.CANCELLING}:
        return ""
    last = job.transitions.filter(stage="", to_status=JobStatus.CANCELLING).last()
    if last is None:
        return ""
    when = formats.moment(last.at)
    if last.reason in CANCELLATION_SENTENCES:
        return str(CANCELLATION_SENTENCES[last.reason]).format(when=when)
    if _has_username(viewer, last.actor):
        return _("Cancelled on {when} by you.").format(when=when)
    return _("Cancelled on {when} by {who}.").format(when=when, who=last.actor)


def _has_username(viewer: int | None, name: str) -> bool:
    users = get_user_model()
    return viewer is not None and users.objects.filter(pk=viewer, **{users.USERNAME_FIELD: name}).exists()


def deleted_text(job: Job) -> str:
    """The sentence on the time at which the files will be deleted; empty when they will not be."""
    if job.pinned:
        return ""
    if job.status == JobStatus.PAUSED:
        end: datetime = job.changed + timedelta(days=settings.PAUSED_DAYS)
    elif job.status in {JobStatus.COMPLETED, JobStatus.FAILED} and job.edited:
        end = job.edited + timedelta(hours=settings.RETENTION_HOURS)
    else:
        return ""
    return _("The files are kept until {when}.").format(when=formats.moment(max(end, timezone.now())))


def unplayable_text(job: Job, kind: str) -> str:
    """The sentence for a browser that cannot play the video of `kind` (`video` or `source`).

    Only burning makes a video in another format than the source.
    """
    if kind == "video":
        return _("This browser cannot play the result. Download it and play it with another program.")
    if job.status not in FINAL and options_of(job.options).mode == "burn":
        return _("This browser cannot play the original video. The result will play here.")
    return _("This browser cannot play the original video.")
