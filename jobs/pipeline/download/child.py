"""The process that downloads a link: `python -m jobs.pipeline.download.child`, started by `link`.

It reads its orders as one JSON line on stdin and writes JSON lines to stdout. It reaches public addresses only (see
`guard`), starts no program but deno where that is set, and ends with its parent.

What of yt-dlp could go around the guard is kept out: curl_cffi (libcurl opens its own sockets), external downloaders
and ffmpeg (rtmp, live and encrypted streams), plugins, configuration, netrc, the cache.

YouTube hides some formats behind JavaScript. Of the runtimes that yt-dlp knows only deno gives a script neither network
nor files unless an option says so; node's permissions leave the network open before version 25, bun and quickjs have
none. So deno alone can be allowed, by LinkOptions.deno, and the guard looks at its options. It is off by default: a
script can still import a local file as a module (seen with deno 2.9), so it needs the trust that one has in YouTube.
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
from jobs.pipeline.download.network_guard import Endpoint, Guard
from jobs.pipeline.download.request import Orders
from jobs.pipeline.errors import (
    BrokenDownload,
    DeadLink,
    ForbiddenAddress,
    LinkError,
    NoVideoAtLink,
    PipelineError,
)

_MEMORY = 1 << 30
_PROCESSOR_SECONDS = 3600
_OPEN_FILES = 256
_SLACK = 1 << 20
_MAY_BE_THE_GUARD = {LinkError, DeadLink, BrokenDownload, NoVideoAtLink}
"""What a refused connection looks like once yt-dlp has put it into its own words."""


def main() -> None:
    orders = Orders.parse(sys.stdin.buffer.readline())
    end_with_parent()
    messages = _take_stdout()
    _limit_resources(orders.limits.max_bytes)
    guard = Guard(also=[*orders.allow_loopback, *_proxy_endpoints(orders.proxy)], deno=orders.deno)
    _keep_native_network_code_out()
    guard.install()
    try:
        _send(messages, {"done": _download(orders, messages)})
    except PipelineError as error:
        if guard.refused and type(error) in _MAY_BE_THE_GUARD:
            error = ForbiddenAddress()  # without the address: it would tell what a name means inside this network
        _send(messages, {"error": error.record()})


def _download(orders: Orders, messages: IO[bytes]) -> dict[str, Any]:
    from jobs.pipeline.download.ytdlp import download  # yt-dlp: only now that the guard stands

    try:
        return download(orders, lambda message: _send(messages, message))
    except PipelineError:
        raise
    except Exception as error:  # a bug in yt-dlp, or more data than fits into memory: this link's failure alone
        raise LinkError(detail=tidy(f"{type(error).__name__}: {error}", (str(orders.directory),))) from error


def _send(messages: IO[bytes], message: dict[str, Any]) -> None:
    messages.write(json.dumps(message).encode() + b"\n")
    messages.flush()


def _take_stdout() -> IO[bytes]:
    """The pipe to the parent, under another number: what anything prints goes to stderr."""
    messages = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return messages


def end_with_parent() -> None:
    """Die, with all of our process group, when the other end of stdin closes: the parent holds it while it lives.

    The kernel does it where it can (Linux: the pipe's signal, SIGKILL, to the group), because a regular expression
    that runs away in yt-dlp would keep a thread from running.
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
    """The second line behind the checks of `link_download`.

    Memory is limited as data, not as address space, of which deno reserves much and uses little.
    """
    for what, limit in (
        (resource.RLIMIT_FSIZE, max_bytes + _SLACK),
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_CPU, _PROCESSOR_SECONDS),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # the system's own limit is lower
            resource.setrlimit(what, (limit, limit))


def _keep_native_network_code_out() -> None:
    sys.modules["curl_cffi"] = None  # type: ignore[assignment]  # makes its import fail


def _proxy_endpoints(proxy: str) -> list[Endpoint]:
    """Every address of the proxy. It then resolves the names in links, so its own rules decide what they may reach."""
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
