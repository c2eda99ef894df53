"""The tus 1.0.0 protocol of resumable uploads: dispatch of methods, parsing and checking of headers.

Implements the core protocol and the extensions creation, expiration and termination
(https://tus.io/protocols/resumable-upload).
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

MAX_CHUNK_BYTES = 64 << 20
"""The most bytes of one PATCH, because the web server holds each in memory. deploy/nginx.conf has the same limit."""

Handler = Callable[..., Coroutine[Any, Any, HttpResponse]]


def resource(**handlers: Handler) -> Callable[..., Coroutine[Any, Any, HttpResponse]]:
    """Make a tus view for signed-in users from one handler for each HTTP method.

    A handler gets the request, the user and the arguments of the route. A Problem or PipelineError that it raises
    becomes the response.
    """

    async def view(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            response = await _dispatch(handlers, request, arguments)
        except PipelineError as error:
            response = Problem.from_error(error).response()
        except Problem as problem:
            response = problem.response()
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return view


async def _dispatch(handlers: dict[str, Handler], request: HttpRequest, arguments: dict[str, Any]) -> HttpResponse:
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
    return await handler(request, user, **arguments)


def _options() -> HttpResponse:
    offered = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(settings.MAX_BYTES)}
    return HttpResponse(status=204, headers=offered)


def byte_count(request: HttpRequest, name: str) -> int:
    """The value of the header `name`, a number of bytes. Raises Problem (400) when it is missing or no number."""
    text = request.headers.get(name, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Problem(400, _("The header {name} must be a number of bytes.").format(name=name))
    return int(text)


def parse_metadata(text: str) -> dict[str, str]:
    """Parse Upload-Metadata: comma-separated pairs of a name and base64-encoded UTF-8 without NUL.

    Raises Problem (400).
    """
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


def format_metadata(**values: str) -> str:
    """Build an Upload-Metadata header."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())
