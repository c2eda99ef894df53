"""tus 1.0.0, a protocol of uploads that go on where they broke off: its headers, checked, and its manners.

Offered are the core protocol and the extensions creation, termination and expiration (https://tus.io/protocols).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Coroutine
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from jobs.pipeline.errors import PipelineError
from jobs.web.problems import Problem

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
CONTENT_TYPE = "application/offset+octet-stream"

CHUNK = 64 << 20
"""The most bytes of one PATCH: the web server holds each in memory for a moment. deploy/nginx.conf says the same."""

Handler = Callable[..., Coroutine[Any, Any, HttpResponse]]


def resource(**handlers: Handler) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """A view that speaks tus to people who are signed in; a handler for each method gets the request, the person, and
    what the address holds. Raises nothing: a Problem or PipelineError becomes the answer.
    """

    async def view(request: HttpRequest, **address: Any) -> HttpResponse:
        try:
            answer = await _answer(handlers, request, address)
        except PipelineError as error:
            answer = Problem.of(error).answer()
        except Problem as problem:
            answer = problem.answer()
        answer["Tus-Resumable"] = VERSION
        answer["Cache-Control"] = "no-store"
        return answer

    return view


async def _answer(handlers: dict[str, Handler], request: HttpRequest, address: dict[str, Any]) -> HttpResponse:
    if request.method == "OPTIONS":
        return _options()
    handler = handlers.get(request.method or "")
    if handler is None:
        raise Problem(405, _("This method is not allowed here."), Allow=", ".join([*handlers, "OPTIONS"]))
    user = await request.auser()
    if not user.is_authenticated:
        raise Problem(401, _("You are signed out. Sign in and continue."))
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Problem(412, _("This version of the upload protocol is not supported."), Tus_Version=VERSION)
    return await handler(request, user, **address)


def _options() -> HttpResponse:
    offered = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(settings.MAX_BYTES)}
    return HttpResponse(status=204, headers=offered)


def number(request: HttpRequest, name: str) -> int:
    """A header that is a number of bytes. Raises Problem when it is missing or is none."""
    text = request.headers.get(name, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Problem(400, _("The header {name} must be a number of bytes.").format(name=name))
    return int(text)


def metadata(text: str) -> dict[str, str]:
    """Upload-Metadata: pairs of a name and base64 of UTF-8 without NUL, between commas. Raises Problem."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _space, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _unreadable("Upload-Metadata") from None
        if "\0" in found[name]:
            raise _unreadable("Upload-Metadata")
    return found


def _unreadable(name: str) -> Problem:
    return Problem(400, _("The header {name} is invalid.").format(name=name))


def as_metadata(**values: str) -> str:
    """The same, made."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
