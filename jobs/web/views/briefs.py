"""The brief of a job, to be read, edited and downloaded."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs import briefs
from jobs.lifecycle.changes import job_changed
from jobs.models import Job, JobStatus, StageStatus
from jobs.pipeline.filenames import result_name
from jobs.pipeline.stage import Stage
from jobs.pipeline.text import briefing
from jobs.web.content_disposition import content_disposition
from jobs.web.job_texts import can_have_brief
from jobs.web.permissions import job_for
from jobs.web.text_forms import BriefForm, brief_form


@login_required
@never_cache
def brief_page(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Show the brief of a job, or save it."""
    job = job_for(request.user, job_id)
    if not can_have_brief(job):
        raise Http404
    form = brief_form(briefs.document_of(job), briefs.revision_of(job))
    if request.method == "POST":
        form = BriefForm(request.POST)
        if form.is_valid():
            if briefs.save(job.pk, form.document(), after=form.cleaned_data["revision"]):
                job_changed(job.pk)
                messages.success(request, _("The brief was saved."))
                return redirect("job", job.pk)
            form.add_error(
                None, _("The brief was changed elsewhere. Copy your changes, refresh this page, and enter them again.")
            )
    context = {"form": form, "job": job, "counts_for": _counts_for(job)}
    return render(request, "web/brief.html", context, status=422 if form.errors else 200)


def _counts_for(job: Job) -> str:
    """The sentence on what a change of the brief affects."""
    translated = job.stages.filter(stage=Stage.TRANSLATE, status=StageStatus.DONE).exists()
    if translated or job.status == JobStatus.COMPLETED:
        return _("All lines are translated. Changes take effect when you start the job again.")
    return _("Changes take effect for all lines that are not translated yet.")


@login_required
@require_safe
def brief_file(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The brief of a job as a text file, which `translate --brief` reads."""
    job = job_for(request.user, job_id)
    document = briefs.document_of(job)
    if document is None:
        raise Http404
    response = HttpResponse(briefing.as_text(document), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition(result_name(str(job)), ".brief.txt", download=True)
    response["Cache-Control"] = "private, no-cache"
    return response
