"""The JSON API: the same data that the pages are rendered from. Errors are problem JSON (RFC 9457)."""

from __future__ import annotations

import uuid
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from jobs.intake import cost_estimate
from jobs.intake.options import JobOptions
from jobs.models import Job
from jobs.monitoring.health import check_health
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.text.languages import language
from jobs.web.cost_texts import estimate_text
from jobs.web.job_list import PAGE_SIZE, filter_jobs
from jobs.web.permissions import job_for
from jobs.web.problems import problem_response
from jobs.web.serializers import briefs, cue_data, snapshot

api = NinjaAPI(title="Zirnevis", auth=django_auth, docs_url=None, openapi_url=None)


@api.get("/jobs")
def jobs(request: HttpRequest, show: str = "", q: str = "", page: int = 1) -> dict[str, Any]:
    """One page of the user's own jobs, newest first."""
    found = filter_jobs(Job.objects.filter(owner=request.user.pk), show, q)
    current = Paginator(found.prefetch_related("stages", "artifacts"), PAGE_SIZE).get_page(page)
    return {"jobs": briefs(current), "page": current.number, "pages": current.paginator.num_pages}


@api.get("/jobs/{uuid:job_id}")
def job(request: HttpRequest, job_id: uuid.UUID) -> dict[str, Any]:
    """The snapshot of one job."""
    return snapshot(job_for(request.user, job_id), request.user.pk)


@api.get("/jobs/{uuid:job_id}/cues")
def cues(request: HttpRequest, job_id: uuid.UUID, after: int = 0) -> dict[str, Any]:
    """The cues with a number above `after`."""
    found = job_for(request.user, job_id)
    return {"version": found.version, "cues": [cue_data(cue) for cue in found.cues.filter(number__gt=after)]}


@api.get("/estimate")
def estimate(
    request: HttpRequest,
    seconds: float,
    to: str,
    spoken: str = "",
    subtitles: str = "",
    careful: bool = False,
    reads_first: bool = False,
) -> dict[str, str]:
    """The estimate for the translation of so many seconds, in words; empty where there is none. `subtitles` is `use`
    when the user's own subtitle file needs no translation (see `forms.SUBTITLES`); `careful` and `reads_first` are
    those of `JobOptions`.
    """
    try:
        options = JobOptions(
            target=language(to[:40]).code,
            spoken=language(spoken[:40]).code if spoken and subtitles != "use" else None,
            brought=subtitles == "use",
            careful=careful,
            reads_first=reads_first,
            transcriber=settings.TRANSCRIBER,
            translator=settings.TRANSLATOR,
        )
    except PipelineError:
        return {"text": ""}
    found = cost_estimate.of_speech(options, min(max(seconds, 0.0), settings.MAX_SECONDS)) if seconds > 0 else None
    if found is None:
        return {"text": ""}
    exceeded = cost_estimate.exceeded_cap(found, int(request.user.pk or 0))
    return {"text": estimate_text(replace(found, exceeds=exceeded))}


@api.api_operation(["GET", "HEAD"], "/health", auth=None)
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - its name is the API's
    """The health of the installation, for monitoring; 503 when something is wrong. Needs no sign-in."""
    found = check_health()
    return JsonResponse(asdict(found), status=200 if found.ok else 503, headers={"Cache-Control": "no-store"})


@api.exception_handler(Http404)
def _missing(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem_response(404, _("Job not found."))


@api.exception_handler(AuthenticationError)
def _unknown(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem_response(401, _("Sign in first."))


@api.exception_handler(ValidationError)
def _wrong(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problem_response(400, _("The request is invalid."))


@api.exception_handler(HttpError)
def _refused(_request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(error.status_code, str(error))
