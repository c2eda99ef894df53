"""The pages, and the forms that they send."""

from __future__ import annotations

import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from jobs import emails, lifecycle
from jobs.cues import as_cue
from jobs.i18n import player_strings
from jobs.i18n.formats import sentence_of
from jobs.intake import submit
from jobs.intake.options import options_of
from jobs.intake.submit import accept_link, accept_sample, accept_upload
from jobs.lifecycle import IllegalTransition
from jobs.models import FINAL, Job
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.filenames import result_name
from jobs.pipeline.subtitles import writer
from jobs.pipeline.text.languages import language
from jobs.queueing import quotas
from jobs.storage import deletion
from jobs.web import form_choices
from jobs.web.forms import SourceForm, parsed
from jobs.web.job_list import FILTERS, LONGEST, PAGE, searched
from jobs.web.permissions import job_for
from jobs.web.problems import answer
from jobs.web.serializers import FORMATS, FORMS, briefs, cue_of, snapshot


@login_required
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """The front page: a video comes in."""
    form = SourceForm(request.POST or None, request.FILES or None, initial=form_choices.preselected())
    if request.method == "POST" and form.is_valid():
        try:
            job = _accept(request.user, form)
        except PipelineError as error:
            form.add_error("link" if form.cleaned_data["source"] == "link" else None, sentence_of(error))
        else:
            return _begun(request, job)
    if form.errors and _wants_json(request):
        return answer(422, " ".join(str(said) for errors in form.errors.values() for said in errors))
    shown = {"form": form, "choices": form_choices.shown()}
    return render(request, "web/new.html", shown, status=422 if form.errors else 200)


def _accept(owner: Any, form: SourceForm) -> Job:
    options, found = form.job_options(), form.cleaned_data
    kept: dict[str, Any] = {"subtitles": form.brought(), "keep_running": found["keep_running"]}
    match found["source"]:
        case "link":
            return accept_link(owner, found["link"], options, **kept)
        case "sample":
            return accept_sample(owner, options, **kept)
        case _:
            return accept_upload(owner, found["name"], found["bytes"], options, **kept)


def _begun(request: HttpRequest, job: Job) -> HttpResponse:
    """Scripts, which upload a file from the page they are on, are told where; others go to the job's page."""
    return JsonResponse(snapshot(job, request.user.pk), status=201) if _wants_json(request) else redirect("job", job.pk)


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


@login_required
@never_cache
@require_safe
def job(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    found = job_for(request.user, job_id)
    shown = {
        **_parts_of(found, request.user.pk),
        "job": found,
        "cues": [cue_of(cue) for cue in found.cues.all()],
        "source_direction": language(found.spoken).direction if found.spoken else "auto",
        "mine": found.owner_id == request.user.pk,
        "reached": emails.reach(request.user),
    }
    return render(request, "web/job.html", shown)


@login_required
@never_cache
@require_safe
def job_parts(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The parts of a job's page that depend on its state, for an open page that replaces its own by them. The response
    is no page: it has no lease, and none of the rest of the page, such as the captions.
    """
    return render(request, "web/parts/job/all.html", _parts_of(job_for(request.user, job_id), request.user.pk))


def _parts_of(found: Job, viewer: int | None) -> dict[str, Any]:
    """What the templates of these parts use."""
    return {
        "shown": snapshot(found, viewer),
        "target_direction": language(options_of(found.options).target).direction,
        "player_words": player_strings.words(),
    }


@login_required
@never_cache
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """One's own jobs: those of others stand in the admin."""
    wanted, search = request.GET.get("show", ""), request.GET.get("q", "").strip()[:LONGEST]
    found = searched(Job.objects.filter(owner=request.user.pk), wanted, search)
    page = Paginator(found.prefetch_related("stages", "artifacts"), PAGE).get_page(request.GET.get("page"))
    shown = {
        "page": page,
        "rows": briefs(page),
        "filters": FILTERS.items(),
        "wanted": wanted if wanted in FILTERS else "",
        "search": search,
    }
    return render(request, "web/jobs.html", shown)


@login_required
@require_safe
def subtitles(request: HttpRequest, job_id: uuid.UUID, form: str, kind: str) -> HttpResponse:
    """Subtitles as they are now, in one form and format: written anew, so that corrections are in them."""
    found = job_for(request.user, job_id)
    if form not in FORMS or kind not in FORMATS or not found.spoken:
        raise Http404
    source, target = language(found.spoken), language(found.target)
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / f"subtitles.{kind}"
        style = options_of(found.options).style
        cues = [as_cue(row) for row in found.cues.all()]
        writer.write(cues, path, form=form, source=source, target=target, style=style)  # type: ignore[arg-type]
        content = path.read_bytes()
    codes = {"source": source.code, "target": target.code, "bilingual": f"{target.code}+{source.code}"}
    name = f"{result_name(str(found))}.{codes[form]}.{kind}"
    return _text(request, content, name, "text/vtt" if kind == "vtt" else "text/plain")


@login_required
@require_safe
def report(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """What the quality report says of each cue, and what it took."""
    found = job_for(request.user, job_id)
    if not found.result:
        raise Http404
    content = json.dumps(found.result, ensure_ascii=False, indent=2).encode()
    return _text(request, content, f"{result_name(str(found))}.report.json", "application/json")


def _text(request: HttpRequest, content: bytes, name: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header("track" not in request.GET, name) or "inline"
    answer["Cache-Control"] = "private, no-cache"
    return answer


@login_required
@require_POST
def cancel(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The Cancel button without scripts."""
    lifecycle.cancel(job_for(request.user, job_id).pk, actor=request.user.get_username())
    return redirect("job", job_id)


@login_required
@require_POST
def retry(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """A failed job goes on from where it was. One that did so already is left alone."""
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
def again(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """A new job with the same options, of the same owner; with `subtitles`, where those of the old one are gone."""
    old = job_for(request.user, job_id)
    try:
        brought = parsed(options_of(old.options), request.FILES.get("subtitles"))
        return redirect("job", submit.start_again(old.pk, old.owner, subtitles=brought).pk)
    except PipelineError as error:
        messages.error(request, sentence_of(error))
    except IllegalTransition:
        messages.info(request, _("This job is not finished yet."))
    return redirect("job", job_id)


@login_required
@require_POST
def keep(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Whether the job goes on when its owner leaves."""
    lifecycle.set_keep_running(job_for(request.user, job_id).pk, "keep_running" in request.POST)
    return _changed(request, job_id)


@login_required
@require_POST
def notify(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Whether its owner wants a letter when the job is done, in the language of this page."""
    found = job_for(request.user, job_id)
    if found.owner_id != request.user.pk:
        raise Http404
    page = reverse("job", args=[job_id])
    asked = {"language": get_language() or settings.LANGUAGE_CODE, "address": request.build_absolute_uri(page)}
    lifecycle.set_notify(job_id, asked if "notify" in request.POST and emails.reach(request.user) else None)
    return _changed(request, job_id)


def _changed(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Scripts stay on their page, which is told of the change; to show it anew would be another open page."""
    return HttpResponse(status=204) if _wants_json(request) else redirect("job", job_id)


@login_required
@require_POST
def delete(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The job with its files."""
    found = job_for(request.user, job_id)
    if found.status not in FINAL:
        messages.error(request, _("Cancel the job before you delete it."))
        return redirect("job", job_id)
    if deletion.delete(found.pk):
        messages.success(request, _("“{title}” was deleted.").format(title=found))
    else:
        messages.error(request, _("The files could not be deleted yet. Try again in a moment."))
    return redirect("jobs")
