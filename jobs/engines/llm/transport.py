"""HTTP for the clients of language models: an adapter with limits, and the way to a service past or through proxies."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from io import BytesIO
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import urllib3
from requests import PreparedRequest, Response
from requests import exceptions as http
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy

EVENTS = "text/event-stream"
"""Content type of an answer that is streamed."""

ENVIRONMENT = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY"
"""Names of the settings of a proxy that the environment has for all programs."""

_MOST_BYTES = 8_000_000
"""Largest answer that is read, after decompression. A batch of 60 lines with reasoning is below 1 MB."""

_MOST_STREAMED_BYTES = 64_000_000
"""The same for a streamed answer, in which each token takes 200 to 400 bytes."""

_STREAM_TIMES = 5
"""Times the timeout that a streamed answer may take as a whole; between its pieces the timeout itself is allowed."""

_CHUNK = 65536  # bytes per read


class AnswerTooLarge(Exception):
    """Raised when an answer exceeds _MOST_BYTES or _MOST_STREAMED_BYTES."""


class BoundedAdapter(HTTPAdapter):
    """HTTP adapter that reads each answer whole, within a time and a size.

    The timeout of requests applies to each single read: a server that sends slowly would hold a job forever. Here it is
    that of the whole answer. A streamed answer may pause for as long, and take _STREAM_TIMES as long. When it breaks
    off, what has arrived is returned, and `broken` is the reason. No connection is used twice: llama.cpp closes one
    after a stream, when the next request may be on its way already.
    """

    def __init__(self) -> None:
        super().__init__()
        self.broken: http.RequestException | None = None

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002  (the body is always read here)
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Send and read the whole answer. Raises requests.Timeout and AnswerTooLarge."""
        self.broken = None
        begun = time.monotonic()
        response = super().send(request, True, timeout, verify, cert, proxies)
        streamed = response.headers.get("Content-Type", "").startswith(EVENTS)
        allowed = timeout * (_STREAM_TIMES if streamed else 1) if isinstance(timeout, (int, float)) else float("inf")
        raw, body = response.raw, bytearray()
        try:
            _read_all(raw, body, begun + allowed, _MOST_STREAMED_BYTES if streamed else _MOST_BYTES)
        except (urllib3.exceptions.HTTPError, http.ReadTimeout) as error:
            failure = error if isinstance(error, http.ReadTimeout) else http.ConnectionError(str(error))
            if not (streamed and body):
                raise failure from None
            self.broken = failure
        finally:
            raw.close()
            self.close()
        response.raw = BytesIO(bytes(body))
        return response


def _read_all(raw: urllib3.BaseHTTPResponse, body: bytearray, deadline: float, most: int) -> None:
    while chunk := raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > most:
            raise AnswerTooLarge(f"The answer has more than {most} bytes.")
        if time.monotonic() > deadline:
            raise http.ReadTimeout("The answer timed out before its end.")


def proxies_to(address: str, proxy: str) -> dict[str, str]:
    """The `proxies` of a request to `address`: the setting `proxy`, if it is set; for this machine itself none,
    whatever the environment says; else {}, which leaves it to the environment.
    """
    if proxy:
        return {"http": proxy, "https": proxy}
    host = _host(address)
    return {"no_proxy": host} if host and is_this_machine(host) else {}


def proxy_in_use(address: str, proxy: str) -> str:
    """The proxy through which `address` is asked: the setting, or that of the environment; "" without one."""
    given = proxies_to(address, proxy)
    if proxy or given:
        return proxy
    try:
        return select_proxy(address, get_environ_proxies(address)) or ""
    except ValueError:
        return ""


def is_this_machine(host: str) -> bool:
    """Tell whether a host is this machine: localhost, 127.0.0.0/8 in any notation, ::1, or an unspecified address."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        try:
            address = ip_address(socket.inet_aton(name))  # such as 127.1, which connections accept
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
