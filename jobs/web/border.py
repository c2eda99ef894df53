"""What no view has to look at: it is done to every request, and to every answer."""

from __future__ import annotations

from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from jobs.web.problems import answer

SCRIPTS = ("/api/", "/uploads/")
"""Below these, refusals are problem JSON."""


class Border(MiddlewareMixin):
    """NUL comes from nobody who means well, and PostgreSQL takes it in no text. Forms refuse it by themselves."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        said = (request.path_info, unquote(request.META.get("QUERY_STRING", "")), *request.COOKIES.values())
        if not any("\0" in text for text in said):
            return None
        sentence = _("This request cannot be understood.")
        if is_script(request):
            return answer(400, sentence)
        raise BadRequest(sentence)


def is_script(request: HttpRequest) -> bool:
    return request.path_info.startswith(SCRIPTS)
