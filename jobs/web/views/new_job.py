"""The front page, where a new job begins."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from jobs import glossaries
from jobs.i18n.formats import sentence_of
from jobs.intake.submit import accept_link, accept_sample, accept_upload
from jobs.models import Job
from jobs.pipeline.errors import PipelineError
from jobs.web import form_choices
from jobs.web.forms import NewJobForm
from jobs.web.problems import problem_response, wants_json
from jobs.web.serializers import snapshot


@login_required
@never_cache
def new_job(request: HttpRequest) -> HttpResponse:
    """Show the form of a new job, or create the job that it describes."""
    form = NewJobForm(
        request.POST or None, request.FILES or None, initial=form_choices.initial_values(), owner=request.user
    )
    if request.method == "POST" and form.is_valid():
        try:
            job = _accept(request.user, form)
        except PipelineError as error:
            form.add_error("link" if form.cleaned_data["source"] == "link" else None, sentence_of(error))
        else:
            return _created(request, job)
    if form.errors and wants_json(request):
        return problem_response(422, " ".join(str(error) for errors in form.errors.values() for error in errors))
    context = {
        "form": form,
        "choices": form_choices.template_choices(),
        "glossaries": glossaries.of(request.user).values_list("pk", "name"),
    }
    return render(request, "web/new.html", context, status=422 if form.errors else 200)


def _accept(owner: Any, form: NewJobForm) -> Job:
    options, fields = form.job_options(), form.cleaned_data
    extra: dict[str, Any] = {"subtitles": form.brought(), **form.job_fields()}
    match fields["source"]:
        case "link":
            return accept_link(owner, fields["link"], options, **extra)
        case "sample":
            return accept_sample(owner, options, **extra)
        case _:
            return accept_upload(owner, fields["name"], fields["bytes"], options, **extra)


def _created(request: HttpRequest, job: Job) -> HttpResponse:
    """The job as JSON for scripts, which upload a file from the page they are on; else a redirect to its page."""
    return JsonResponse(snapshot(job, request.user.pk), status=201) if wants_json(request) else redirect("job", job.pk)
