"""What open pages post: that they came back, that they were closed, that their job is to be cancelled."""

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
from jobs.web.problems import answer
from jobs.web.routing import socket_of

_CLOSES = {"close", "within"}

_PATIENCE = 5.0
"""Seconds to wait until a close is written: after that it is written later."""


@never_cache
@require_POST
def pages(request: HttpRequest) -> HttpResponse:
    """A page is there. With the `page_id` of one that is open, whose socket does not work: that goes on. Else it gets a
    new one (201): it came back from the back/forward cache, or its lease is gone. `unfinished`: what ends if it leaves.
    """
    if request.user.pk is None:
        return answer(401, _("Sign in first."))
    known = _uuid(request.POST.get("page_id", ""))
    goes_on = known is not None and presence.is_open(known, request.user.pk)
    page_id = known if known and goes_on else presence.open_page(request.user.pk)
    presence.renew([page_id])
    said = {"page_id": str(page_id), "socket": socket_of(page_id), "unfinished": unfinished(request.user.pk)}
    return JsonResponse(said, status=200 if goes_on else 201)


@never_cache
@require_POST
def cancel(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse:
    """The Cancel button (`reason=button`), and the beacon of a page that is closed (`reason=close` with its `page_id`),
    or left for another page of the site by one whose socket does not work (`reason=within`).

    The beacon ends the lease of that page: the job is but the address it is sent to. Either may come twice, or late. A
    beacon that comes while the database is away is answered 503 and kept: see `leaving`.
    """
    how, page_id = request.POST.get("reason"), _uuid(request.POST.get("page_id", ""))
    try:
        return _cancel(request, job_id, how, page_id)
    except DatabaseTrouble:
        if how not in _CLOSES or not page_id or not request.session.session_key:
            raise
        page_close.closed(Close(page_id=page_id, session_key=request.session.session_key, within=how == "within"))
        return answer(503, _("The database does not respond. Try again in a moment."), {"Retry-After": "5"})


def _cancel(request: HttpRequest, job_id: uuid.UUID, how: str | None, page_id: uuid.UUID | None) -> HttpResponse:
    if request.user.pk is None:
        return answer(401, _("Sign in first."))
    try:
        job = job_for(request.user, job_id)
    except Http404:
        return answer(404, _("Job not found."))
    if how == "button":
        lifecycle.cancel(job.pk, actor=request.user.get_username())
    elif how in _CLOSES and page_id:
        written = page_close.closed(Close(page_id=page_id, owner_id=request.user.pk, within=how == "within"))
        with suppress(TimeoutError):
            written.result(_PATIENCE)
    else:
        return answer(400, _("The request is invalid."))
    job.refresh_from_db(fields=["status"])
    return JsonResponse({"status": JobStatus(job.status)})


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
