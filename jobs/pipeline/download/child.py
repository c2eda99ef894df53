"""Child process that downloads a link: `python -m jobs.pipeline.download.child`, started by `download.client`.

It reads a Request as one JSON line on stdin and writes JSON lines to stdout. It connects to public addresses only (see
`network_guard`), starts no program except deno, if that is configured, and ends with its parent.

Parts of yt-dlp that would bypass the network guard are disabled: curl_cffi (libcurl opens its own sockets), external
downloaders and ffmpeg (rtmp, live and encrypted streams), plugins, configuration, netrc, the cache.

YouTube hides some formats behind JavaScript. Of the runtimes that yt-dlp supports, only deno denies a script network
and files unless an option grants them; node's permissions leave the network open before version 25, bun and quickjs
have none. So only deno can be allowed (LinkOptions.deno), and the network guard checks its options. It is off by
default: a script can still import a local file as a module (seen with deno 2.9), so YouTube has to be trusted.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import threading
import urllib.parse
from typing import IO, Any

from jobs.pipeline.download.errors import tidy
from jobs.pipeline.download.network_guard import Endpoint, NetworkGuard
from jobs.pipeline.download.request import Request
from jobs.pipeline.errors import (
    BrokenDownload,
    DeadLink,
    ForbiddenAddress,
    LinkError,
    NoVideoAtLink,
    PipelineError,
)

_MEMORY = 1 << 30  # bytes of data
_CPU_SECONDS = 3600
_OPEN_FILES = 256
_SLACK = 1 << 20  # bytes of a file beyond the limit, so that the meter reports the limit first
_MAY_BE_THE_GUARD = {LinkError, DeadLink, BrokenDownload, NoVideoAtLink}
"""Errors that a connection refused by the network guard may appear as, after yt-dlp has reworded it."""


def main() -> None:
    """Read the request, install the network guard, download, and report the result or the error."""
    request = Request.parse(sys.stdin.buffer.readline())
    end_with_parent()
    messages = _take_stdout()
    _limit_resources(request.limits.max_bytes)
    guard = NetworkGuard(also=[*request.allow_loopback, *_proxy_endpoints(request.proxy)], deno=request.deno)
    _block_native_network_code()
    guard.install()
    try:
        _send(messages, {"done": _download(request, messages, guard)})
    except PipelineError as error:
        if guard.refused and type(error) in _MAY_BE_THE_GUARD:
            error = ForbiddenAddress()  # without the address, which would reveal names of this network
        _send(messages, {"error": error.record()})


def _download(request: Request, messages: IO[bytes], guard: NetworkGuard) -> dict[str, Any]:
    from jobs.pipeline.download.ytdlp import download  # imports yt-dlp, after the network guard is installed

    try:
        # An address of captions that was refused is no reason for what happens to the video.
        return download(request, lambda message: _send(messages, message), guard.refused.clear)
    except PipelineError:
        raise
    except Exception as error:  # a bug in yt-dlp, or more data than fits into memory
        raise LinkError(detail=tidy(f"{type(error).__name__}: {error}", (str(request.directory),))) from error


def _send(messages: IO[bytes], message: dict[str, Any]) -> None:
    messages.write(json.dumps(message).encode() + b"\n")
    messages.flush()


def _take_stdout() -> IO[bytes]:
    """Return the pipe to the parent and redirect stdout to stderr, so that prints do not mix with messages."""
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return messages


def end_with_parent() -> None:
    """Kill this process and its process group when stdin closes, which the parent holds open while it runs.

    On Linux the kernel does it (the pipe sends SIGKILL to the group), because a runaway regular expression in yt-dlp
    would block the thread that does it elsewhere.
    """
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(0, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_wait_for_end_of_input, daemon=True).start()


def _wait_for_end_of_input() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _limit_resources(max_bytes: int) -> None:
    """Set limits of the kernel, in case the checks of `ytdlp` fail.

    Memory is limited as data, not as address space, because deno reserves much of that and uses little.
    """
    for what, limit in (
        (resource.RLIMIT_FSIZE, max_bytes + _SLACK),
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # the system's own limit is lower
            resource.setrlimit(what, (limit, limit))


def _block_native_network_code() -> None:
    sys.modules["curl_cffi"] = None  # type: ignore[assignment]  # makes its import fail


def _proxy_endpoints(proxy: str) -> list[Endpoint]:
    """Every address of the proxy. The proxy resolves the names in links, so its rules decide which may be reached."""
    if not proxy:
        return []
    parts = urllib.parse.urlsplit(proxy)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 1080)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [(str(peer[0]), port) for *_, peer in found]


if __name__ == "__main__":
    main()
