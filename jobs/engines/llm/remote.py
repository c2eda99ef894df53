"""Failures of remote services as errors of ours, retries, and an HTTP adapter with limits.

Both language-model clients use it, so that the same failure gives the same sentence.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import unquote

import tenacity
import urllib3
from requests import PreparedRequest, RequestException, Response
from requests import exceptions as http
from requests.adapters import HTTPAdapter

from jobs.pipeline.errors import (
    OutOfQuota,
    RefusedLocation,
    ServiceDown,
    ServiceError,
    ServiceSlow,
    UnknownModel,
    WrongKey,
)

T = TypeVar("T")

ATTEMPTS = 6
"""Most attempts per request, the first included."""

PAUSES = 180.0
"""Most seconds of pauses between the attempts of a request, in total. Limits per minute renew within 60."""

TOTAL_TIMEOUT = 600.0
"""Most seconds that one request may take with all its attempts."""

_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 60.0  # seconds
_JITTER = 1.0  # seconds, at most
_DETAIL_LENGTH = 500  # characters

_BAD_KEY = ("api_key_invalid", "api key not valid", "api key expired", "invalid_api_key", "incorrect api key")
_LOCATION = ("location is not supported", "unsupported_country", "country, region, or territory not supported")
_NO_CREDIT = ("insufficient_quota", "insufficient balance", "insufficient credits", "billing_hard_limit_reached")
_TOO_LARGE = ("context length", "context_length_exceeded", "context window", "exceeds the limit", "token count")
_FILTERED = ("content_filter", "content management policy", "requires moderation", "data_inspection_failed")
_DELAY = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+)s"')
"""google.rpc.RetryInfo in the body of an error: Google's Retry-After."""


_USERINFO = re.compile(r"//[^/@]*@")
"""User name and password in a URL."""

_MOST_BYTES = 8_000_000
"""Largest answer that is read, after decompression. A batch of 60 lines with reasoning is below 1 MB."""
_CHUNK = 65536  # bytes per read


class RequestFailed(Exception):
    """Raised when a request brought no usable answer. `error` ends the job unless a retry succeeds.

    `again` tells whether a retry may succeed; `wait` is the delay in seconds that the service demands before it.
    """

    def __init__(self, error: ServiceError, *, again: bool = False, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait = wait


class FormatNotSupported(RequestFailed):
    """Raised when the service rejected the demanded answer format: a simpler one may pass."""


class ContentFiltered(RequestFailed):
    """Raised when a content filter of the service rejected these lines: others may pass."""


class RequestTooLarge(RequestFailed):
    """Raised when the request was too large for the model: a smaller one may pass."""


class AnswerFormat(IntEnum):
    """Strictness of the demanded answer format. A service that rejects one is asked with the next lower one."""

    PLAIN = 0
    JSON = 1
    SCHEMA = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """Status, body and headers of an HTTP response."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """Names of a service and its settings, for error sentences. `secrets` are removed from all its texts."""

    label: str
    model: str
    key_setting: str
    model_setting: str
    proxy_setting: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def http_error(self, reply: Reply) -> RequestFailed:
        """Convert an HTTP response other than 2xx to the failure that it means."""
        return _http_error(self, reply)

    def connection_error(self, error: RequestException) -> RequestFailed:
        """Convert an exception of requests, raised without an HTTP response, to the failure that it means."""
        slow = isinstance(error, http.Timeout) or "timed out" in str(error).lower()
        kind = ServiceSlow if slow and not isinstance(error, http.ConnectTimeout) else ServiceDown
        again = isinstance(error, (http.ConnectionError, http.Timeout, http.ChunkedEncodingError))
        return RequestFailed(kind(engine=self.label, detail=self.redacted(error)), again=again)

    def unexpected(self, why: object) -> ServiceError:
        """Make the error for a failure that no other rule covers."""
        return ServiceError(engine=self.label, detail=self.redacted(why))

    def redacted(self, text: object) -> str:
        """Shorten `text` to 500 characters on one line, with secrets replaced by ***."""
        clean = _USERINFO.sub("//***@", str(text))
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            clean = clean.replace(secret, "***")
        return " ".join(clean.split())[:_DETAIL_LENGTH]


def credentials(address: str) -> tuple[str, ...]:
    """Secrets in a URL, which may be invalid: user and password together, the password, and the password unquoted."""
    user = address.rpartition("@")[0].rpartition("//")[2]
    password = user.partition(":")[2]
    return tuple(filter(None, (user, password, unquote(password))))


class AnswerTooLarge(Exception):
    """Raised when an answer exceeds _MOST_BYTES."""


class BoundedAdapter(HTTPAdapter):
    """HTTP adapter that reads each answer whole, within `timeout` seconds and _MOST_BYTES.

    The timeout of requests applies to each single read: a server that sends slowly would hold a job forever.
    """

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
        begun = time.monotonic()
        response = super().send(request, True, timeout, verify, cert, proxies)
        deadline = begun + timeout if isinstance(timeout, (int, float)) else float("inf")
        raw = response.raw
        try:
            response.raw = BytesIO(_read_all(raw, deadline))
        except urllib3.exceptions.HTTPError as error:
            raise http.ConnectionError(str(error)) from None
        finally:
            raw.close()
        return response


def _read_all(raw: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    body = bytearray()
    while chunk := raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise AnswerTooLarge(f"The answer has more than {_MOST_BYTES} bytes.")
        if time.monotonic() > deadline:
            raise http.ReadTimeout("The answer timed out before its end.")
    return bytes(body)


def _http_error(service: Service, reply: Reply) -> RequestFailed:
    said = reply.body.lower()
    detail = service.redacted(f"HTTP {reply.status}: {reply.body}")
    if reply.status == 402 or _says(said, _NO_CREDIT):
        return RequestFailed(OutOfQuota(engine=service.label, detail=detail))
    if reply.status == 429:
        return RequestFailed(OutOfQuota(engine=service.label, detail=detail), again=True, wait=_asked_to_wait(reply))
    if reply.status < 500 and _says(said, _FILTERED):
        return ContentFiltered(ServiceError(engine=service.label, detail=detail))
    if _says(said, _LOCATION) and reply.status < 500:
        error = RefusedLocation(engine=service.label, setting=service.proxy_setting, detail=detail)
        return RequestFailed(error)
    if reply.status in {401, 403} or (reply.status == 400 and _says(said, _BAD_KEY)):
        return RequestFailed(WrongKey(engine=service.label, setting=service.key_setting, detail=detail))
    return _other_http_error(service, reply, detail)


def _other_http_error(service: Service, reply: Reply, detail: str) -> RequestFailed:
    if reply.status == 404:
        setting = service.model_setting
        return RequestFailed(
            UnknownModel(engine=service.label, model=service.model, setting=setting, detail=detail),
        )
    if reply.status in {408, 504}:
        return RequestFailed(ServiceSlow(engine=service.label, detail=detail), again=True, wait=_asked_to_wait(reply))
    if reply.status >= 500 or reply.status == 407:
        again = reply.status != 407
        return RequestFailed(ServiceDown(engine=service.label, detail=detail), again=again, wait=_asked_to_wait(reply))
    error = ServiceError(engine=service.label, detail=detail)
    if reply.status == 413 or _says(reply.body.lower(), _TOO_LARGE):
        return RequestTooLarge(error)
    return FormatNotSupported(error) if reply.status in {400, 422} else RequestFailed(error)


def _says(text: str, marks: Iterable[str]) -> bool:
    return any(mark in text for mark in marks)


def _asked_to_wait(reply: Reply) -> float:
    """Seconds from Retry-After (a number or a date, RFC 9110 section 10.2.3) or Google's RetryInfo, else 0."""
    value = next((text for name, text in reply.headers.items() if name.lower() == "retry-after"), "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        found = _DELAY.search(reply.body)
        return float(found[1]) if found else 0.0


def with_retries(ask: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Call `ask` until it succeeds, with growing pauses, as long as its failure allows a retry (`again`).

    Bounded by ATTEMPTS, PAUSES and TOTAL_TIMEOUT; a service that demands a longer pause is given up at once. Raises the
    last RequestFailed.
    """
    retrying = tenacity.Retrying(
        sleep=sleep,
        wait=_pause,
        stop=_enough,
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, RequestFailed) and error.again),
        reraise=True,
    )
    return retrying(ask)


_backoff = tenacity.wait_exponential_jitter(initial=_FIRST_PAUSE, max=_LONGEST_PAUSE, jitter=_JITTER)


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds to wait: the delay the service demanded, plus backoff with jitter, which keeps workers apart."""
    error = state.outcome.exception() if state.outcome else None
    return _backoff(state) + (error.wait if isinstance(error, RequestFailed) else 0.0)


def _enough(state: tenacity.RetryCallState) -> bool:
    too_late = (state.seconds_since_start or 0.0) + state.upcoming_sleep > TOTAL_TIMEOUT
    return too_late or state.attempt_number >= ATTEMPTS or state.idle_for + state.upcoming_sleep > PAUSES
