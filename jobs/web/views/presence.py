"""Requests that open pages post: renewing a lease, closing a page, cancelling a job."""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.db import Error as DatabaseTrouble
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from jobs import lifecycle, presence
from jobs.models import JobStatus
from jobs.web.live import page_close
from jobs.web.live.messages import unfinished
from jobs.web.live.page_close import Close
from jobs.web.permissions import job_for
from jobs.web.problems import problem_response
from jobs.web.routing import socket_path

_CLOSE_REASONS = {"close", "within"}
"""Reasons of a page that is left: closed, or for another page of the site."""

_CLOSE_TIMEOUT = 5.0
"""Seconds that a request waits for a close to be written; it is written in the background anyway."""


@never_cache
@require_POST
def open_page(request: HttpRequest) -> HttpResponse:
    """Renew the lease of a page whose socket does not work, or give it a new one (201).

    A page without a valid `page_id` came back from the back/forward cache, or its lease has expired. The response has
    `page_id`, `socket` (path of the WebSocket) and `unfinished` (ids of the jobs that are cancelled when it leaves).
    """
    if request.user.pk is None:
        return problem_response(401, _("Sign in first."))
    given = _uuid(request.POST.get("page_id", ""))
    is_known = given is not None and presence.is_open(given, request.user.pk)
    page_id = given if given and is_known else presence.open_page(request.user.pk)
    presence.connect(page_id)
    answer = {"page_id": str(page_id), "socket": socket_path(page_id), "unfinished": unfinished(request.user.pk)}
    return JsonResponse(answer, status=200 if is_known else 201)


@never_cache
@require_POST
def cancel(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """Cancel a job (`reason=button`), or close the page `page_id`.

    `reason=close` is the beacon of a page that is closed; `reason=within` that of a page without a working socket which
    is left for another page of the site. A beacon ends the lease of its page only, whatever the job. Requests may
    arrive late or twice. A beacon that arrives while the database does not respond is kept in memory and answered 503,
    see `page_close`.
    """
    reason, page_id = request.POST.get("reason"), _uuid(request.POST.get("page_id", ""))
    try:
        return _cancel(request, job_id, reason, page_id)
    except DatabaseTrouble:
        if reason not in _CLOSE_REASONS or not page_id or not request.session.session_key:
            raise
        page_close.record_close(
            Close(page_id=page_id, session_key=request.session.session_key, within=reason == "within")
        )
        return problem_response(503, _("The database does not respond. Try again in a moment."), {"Retry-After": "5"})


def _cancel(request: HttpRequest, job_id: uuid.UUID, reason: str | None, page_id: uuid.UUID | None) -> HttpResponse:
    if request.user.pk is None:
        return problem_response(401, _("Sign in first."))
    try:
        job = job_for(request.user, job_id)
    except Http404:
        return problem_response(404, _("Job not found."))
    if reason == "button":
        lifecycle.cancel(job.pk, actor=request.user.get_username())
    elif reason in _CLOSE_REASONS and page_id:
        written = page_close.record_close(Close(page_id=page_id, owner_id=request.user.pk, within=reason == "within"))
        with suppress(TimeoutError):
            written.result(_CLOSE_TIMEOUT)
    else:
        return problem_response(400, _("The request is invalid."))
    job.refresh_from_db(fields=["status"])
    return JsonResponse({"status": JobStatus(job.status)})


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
