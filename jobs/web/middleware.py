"""What no view has to look at: it is done to every request, and to every answer."""

from __future__ import annotations

from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from django.views import csrf

from jobs.web.problems import CONTENT_TYPE, answer

SCRIPTS = ("/api/", "/uploads/")
"""Below these, refusals are problem JSON."""


class Border(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """NUL comes from nobody who means well, and PostgreSQL takes it in no text. Forms refuse it by themselves."""
        said = (request.path_info, unquote(request.META.get("QUERY_STRING", "")), *request.COOKIES.values())
        if not any("\0" in text for text in said):
            return None
        sentence = _("The request is invalid.")
        if _is_script(request):
            return answer(400, sentence)
        raise BadRequest(sentence)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Django refuses a method without a word."""
        if response.status_code != 405 or not _is_script(request) or response.headers["Content-Type"] == CONTENT_TYPE:
            return response
        return answer(405, _("This method is not allowed here."), {"Allow": response.headers["Allow"]})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A post without the token of its session."""
    if not _is_script(request):
        return csrf.csrf_failure(request, reason)
    return answer(403, _("The page may have been open for too long. Go back, refresh the page and try again."))


def _is_script(request: HttpRequest) -> bool:
    return request.path_info.startswith(SCRIPTS)
