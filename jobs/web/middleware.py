"""Checks on every request: the redirect to https, invalid characters; and problem JSON for refusals of the API."""

from __future__ import annotations

import logging
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.encoding import escape_uri_path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views import csrf

from jobs.web.problems import CONTENT_TYPE, problem_response

API_PREFIXES = ("/api/", "/uploads/")
"""Refusals below these addresses are problem JSON, not pages."""

ASKED_FOR_HTTPS = "_https=1"
"""Marks the address of a redirect to https. A request with it that is not secure shows that the proxy misreports it."""

log = logging.getLogger(__name__)


class HttpsMiddleware(MiddlewareMixin):
    """Redirects requests to https like Django's SecurityMiddleware, but only once.

    The proxy reports by X-Forwarded-Proto whether a request came by https. If it never does, Django's redirect would
    loop; this one ends at a page that says what is wrong.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Return the redirect, or an error page (400) for a redirected request that is still not secure."""
        if not settings.SECURE_SSL_REDIRECT:
            return None
        query = request.META.get("QUERY_STRING", "")
        redirected = query.endswith(ASKED_FOR_HTTPS)
        if request.is_secure():
            plain = query.removesuffix(ASKED_FOR_HTTPS).removesuffix("&")
            return _redirect(request, plain) if redirected and request.method in {"GET", "HEAD"} else None
        if not redirected:
            return _redirect(request, f"{query}&{ASKED_FOR_HTTPS}" if query else ASKED_FOR_HTTPS)
        protocol = request.headers.get("X-Forwarded-Proto", "")[:50]
        log.error("HTTPS=1, but the proxy does not send “X-Forwarded-Proto: https”; it sends %r", protocol)
        with translation.override(translation.get_language_from_request(request)):
            return _not_by_https(request)


def _redirect(request: HttpRequest, query: str) -> HttpResponse:
    """A temporary redirect to the same page by https: browsers would cache a permanent one."""
    address = f"https://{request.get_host()}{escape_uri_path(request.path)}"
    return HttpResponseRedirect(f"{address}?{query}" if query else address)


def _not_by_https(request: HttpRequest) -> HttpResponse:
    sentence = _(
        "This site must be reached over HTTPS, but the proxy in front of it reports another protocol. If you run the "
        "site, let the proxy send the header “X-Forwarded-Proto: https” (see docs/operations.md)."
    )
    if _is_api(request):
        return problem_response(400, sentence)
    page = (
        '<!doctype html><html lang="{}" dir="{}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Zirnevis</title><p>{}</p></html>'
    )
    language = translation.get_language() or settings.LANGUAGE_CODE
    right_to_left = "rtl" if translation.get_language_bidi() else "ltr"
    return HttpResponse(format_html(page, language, right_to_left, sentence), status=400)


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
