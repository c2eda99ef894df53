"""The job list, the page of a job, its subtitles and report, and the actions of its forms."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from jobs import emails, lifecycle
from jobs.cues import as_cue
from jobs.i18n import formats, player_strings
from jobs.i18n.formats import sentence_of
from jobs.intake import submit
from jobs.intake.options import audio_track, options_of
from jobs.lifecycle import IllegalTransition
from jobs.models import FINAL, Job, JobStatus
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.filenames import result_name
from jobs.pipeline.stages.words import parse_words
from jobs.pipeline.subtitles import writer
from jobs.pipeline.subtitles.style import FORMATS
from jobs.pipeline.text.languages import language
from jobs.queueing import caps, quotas
from jobs.storage import deletion
from jobs.web import job_texts
from jobs.web.content_disposition import content_disposition
from jobs.web.forms import CapForm, UploadForm, parse_subtitles
from jobs.web.job_list import FILTERS, MAX_SEARCH_LENGTH, PAGE_SIZE, filter_jobs
from jobs.web.permissions import job_for
from jobs.web.problems import Problem, problem_response, wants_json
from jobs.web.serializers import SUBTITLE_FORMS, briefs, cue_data, snapshot
from jobs.web.uploads.storage import upload_ended
from jobs.worker.stage_tasks import picture_size


@login_required
@never_cache
@require_safe
def job_page(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The page of one job."""
    found = job_for(request.user, job_id)
    context = {
        **_parts_context(found, request.user),
        "job": found,
        "cues": [cue_data(cue) for cue in found.cues.all()],
        "source_direction": language(found.spoken).direction if found.spoken else "auto",
        "mine": found.owner_id == request.user.pk,
        "can_email": bool(emails.address_of(request.user)),
    }
    return render(request, "web/job.html", context)


@login_required
@never_cache
@require_safe
def job_parts(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The parts of a job's page that depend on its state, without a presence lease and without the captions.

    An open page fetches them to replace its own when the state changes.
    """
    return render(request, "web/parts/job/all.html", _parts_context(job_for(request.user, job_id), request.user))


def _parts_context(found: Job, user: Any) -> dict[str, Any]:
    raised = caps.proposal(found, found.error or {}) if found.status == JobStatus.PAUSED else None
    return {
        "snapshot": snapshot(found, user.pk),
        "raised": raised if raised and caps.may_raise(found, user) else None,
        "currency": formats.currency(settings.CURRENCY),
        "target_direction": language(options_of(found.options).target).direction,
        "player_words": player_strings.words(),
        "brief": job_texts.brief(found),
    }


@login_required
@never_cache
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """The list of the user's own jobs; those of others are in the admin."""
    status_filter, search = request.GET.get("show", ""), request.GET.get("q", "").strip()[:MAX_SEARCH_LENGTH]
    found = filter_jobs(Job.objects.filter(owner=request.user.pk), status_filter, search)
    page = Paginator(found.prefetch_related("stages", "artifacts"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": briefs(page),
        "filters": FILTERS.items(),
        "wanted": status_filter if status_filter in FILTERS else "",
        "search": search,
    }
    return render(request, "web/jobs.html", context)


@login_required
@require_safe
def subtitles(request: HttpRequest, job_id: uuid.UUID, form: str, kind: str) -> HttpResponse:
    """The subtitles in one form and format, written from the current cues."""
    found = job_for(request.user, job_id)
    if form not in SUBTITLE_FORMS or kind not in FORMATS or not found.spoken:
        raise Http404
    source, target = language(found.spoken), language(found.target)
    style = options_of(found.options).style
    cues = [as_cue(row) for row in found.cues.all()]
    content = writer.as_text(
        cues,
        kind,
        form=form,  # type: ignore[arg-type]
        source=source,
        target=target,
        style=style,
        size=picture_size(found),
        portrait_margin=settings.PORTRAIT_MARGIN,
    )
    codes = {"source": source.code, "target": target.code, "bilingual": f"{target.code}+{source.code}"}
    name = result_name(str(found)), f".{codes[form]}.{kind}"
    return _text(request, content.encode(), name, "text/vtt" if kind == "vtt" else "text/plain")


@login_required
@require_safe
def report(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The quality report and the usage of a job, as JSON."""
    found = job_for(request.user, job_id)
    if not found.result:
        raise Http404
    content = json.dumps(found.result, ensure_ascii=False, indent=2).encode()
    return _text(request, content, (result_name(str(found)), ".report.json"), "application/json")


def _text(request: HttpRequest, content: bytes, name: tuple[str, str], kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = content_disposition(*name, download="track" not in request.GET)
    response["Cache-Control"] = "private, no-cache"
    return response


@login_required
@require_POST
def cancel(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Cancel the job: the button of a browser without scripts."""
    lifecycle.cancel(job_for(request.user, job_id).pk, actor=request.user.get_username())
    return redirect("job", job_id)


@login_required
@require_POST
def retry(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Resume a failed job. Has no effect on one that was resumed already."""
    found = job_for(request.user, job_id)
    try:
        with transaction.atomic():
            quotas.check_retry(found.owner)
            lifecycle.retry(found.pk, actor=request.user.get_username())
    except PipelineError as error:
        messages.error(request, sentence_of(error))
    except IllegalTransition:
        messages.info(request, _("This job is already being processed."))
    return redirect("job", job_id)


@login_required
@require_POST
def go_on(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Raise the cap of a paused job (`max_cost` or `max_tokens`), and let it go on."""
    found, form = job_for(request.user, job_id), CapForm(request.POST)
    if not caps.may_raise(found, request.user):
        raise Http404
    least = caps.proposal(found, found.error or {})
    if not form.is_valid():
        messages.error(request, str(next(iter(form.errors.values()))[0]))
        return redirect("job", job_id)
    if least is None and found.status == JobStatus.PAUSED:
        return redirect("job", job_id)  # paused at another cap than its own, which its page names
    if least and (form.cleaned_data[least.field] or 0) < least.least:
        shown = formats.number(float(least.least))
        messages.error(request, _("The new limit has to be at least {least}.").format(least=shown))
        return redirect("job", job_id)
    try:
        with transaction.atomic():
            quotas.check_retry(found.owner)
            lifecycle.go_on(found.pk, actor=request.user.get_username(), **form.caps())
    except PipelineError as error:
        messages.error(request, sentence_of(error))
    except IllegalTransition:
        messages.info(request, _("This job is already being processed."))
    return redirect("job", job_id)


@login_required
@require_POST
def start_again(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Start a new job with the options and the owner of an ended one, but for `audio_track` and `words`, the source of
    the words, if they are sent.

    A subtitle file has to be sent again as `subtitles` when that of the old job was deleted.
    """
    old, track = job_for(request.user, job_id), request.POST.get("audio_track")
    try:
        subtitles = parse_subtitles(options_of(old.options), request.FILES.get("subtitles"))
        wanted = None if track is None else audio_track(track[:40])
        words = parse_words(request.POST["words"][:60]) if "words" in request.POST else None
        new = submit.start_again(old.pk, old.owner, subtitles=subtitles, audio_track=wanted, words=words)
        return redirect("job", new.pk)
    except PipelineError as error:
        messages.error(request, sentence_of(error))
    except IllegalTransition:
        messages.info(request, _("This job is not finished yet."))
    return redirect("job", job_id)


@login_required
@require_POST
def replace_upload(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Cancel an upload and start it again with another file and the same options. For scripts: the new job as JSON."""
    old, form = job_for(request.user, job_id), UploadForm(request.POST)
    if not form.is_valid():
        return problem_response(422, str(next(iter(form.errors.values()))[0]))
    name, size = form.cleaned_data["name"], form.cleaned_data["bytes"]
    try:
        new = submit.replace_upload(old.pk, name, size, actor=request.user.get_username())
    except PipelineError as error:
        return Problem.from_error(error).response()
    except IllegalTransition:
        return upload_ended().response()
    if old.notify:
        lifecycle.set_notify(new.pk, {**old.notify, "address": _address_of(request, new.pk)})
    return JsonResponse(snapshot(new, request.user.pk), status=201)


@login_required
@require_POST
def set_keep_running(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Set whether the job keeps running when its owner leaves."""
    lifecycle.set_keep_running(job_for(request.user, job_id).pk, "keep_running" in request.POST)
    return _changed(request, job_id)


@login_required
@require_POST
def set_notify(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Set whether the owner gets an e-mail when the job has ended, in the language of this page."""
    found = job_for(request.user, job_id)
    if found.owner_id != request.user.pk:
        raise Http404
    email = {"language": get_language() or settings.LANGUAGE_CODE, "address": _address_of(request, job_id)}
    lifecycle.set_notify(job_id, email if "notify" in request.POST and emails.address_of(request.user) else None)
    return _changed(request, job_id)


def _address_of(request: HttpRequest, job_id: uuid.UUID) -> str:
    """The absolute address of a job's page."""
    return request.build_absolute_uri(reverse("job", args=[job_id]))


def _changed(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """204 for scripts, whose page gets the change by its socket; else a redirect to the page of the job."""
    return HttpResponse(status=204) if wants_json(request) else redirect("job", job_id)


@login_required
@require_POST
def delete(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Delete an ended job with its files."""
    found = job_for(request.user, job_id)
    if found.status not in FINAL:
        messages.error(request, _("Cancel the job before you delete it."))
        return redirect("job", job_id)
    if deletion.delete(found.pk):
        messages.success(request, _("“{title}” was deleted.").format(title=found))
    else:
        messages.error(request, _("The files could not be deleted yet. Try again in a moment."))
    return redirect("jobs")
