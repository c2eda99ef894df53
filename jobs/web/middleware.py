"""Checks on every request, and problem JSON for refusals below API addresses."""

from __future__ import annotations

from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from django.views import csrf

from jobs.web.problems import CONTENT_TYPE, problem_response

API_PREFIXES = ("/api/", "/uploads/")
"""Refusals below these addresses are problem JSON, not pages."""


class RequestGuardMiddleware(MiddlewareMixin):
    """Refuses requests that contain NUL, and describes refused methods of the API."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Answer 400 when the path, the query or a cookie contains NUL.

        PostgreSQL stores NUL in no text column and no honest client sends it. Django's forms refuse it already.
        """
        texts = (request.path_info, unquote(request.META.get("QUERY_STRING", "")), *request.COOKIES.values())
        if not any("\0" in text for text in texts):
            return None
        sentence = _("The request is invalid.")
        if _is_api(request):
            return problem_response(400, sentence)
        raise BadRequest(sentence)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Give 405 responses of the API a problem body: Django's have none."""
        if response.status_code != 405 or not _is_api(request) or response.headers["Content-Type"] == CONTENT_TYPE:
            return response
        return problem_response(405, _("This method is not allowed here."), {"Allow": response.headers["Allow"]})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a POST without a valid CSRF token: problem JSON below API_PREFIXES, else Django's page."""
    if not _is_api(request):
        return csrf.csrf_failure(request, reason)
    return problem_response(
        403, _("The page may have been open for too long. Go back, refresh the page and try again.")
    )


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIXES)
