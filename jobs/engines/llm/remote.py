"""What a remote service says when it does not answer, and how long one keeps asking it.

Both language-model transports go through here: the same trouble gives the same sentence, whichever client met it.
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
PAUSES = 180.0
"""Seconds of pauses between the attempts, all told. Limits by the minute renew within 60."""

PATIENCE = 600.0
"""Seconds that one request and its repetitions may take, all told."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_JITTER = 1.0
_DETAIL_LENGTH = 500

_BAD_KEY = ("api_key_invalid", "api key not valid", "api key expired", "invalid_api_key", "incorrect api key")
_LOCATION = ("location is not supported", "unsupported_country", "country, region, or territory not supported")
_NO_MONEY = ("insufficient_quota", "insufficient balance", "insufficient credits", "billing_hard_limit_reached")
_TOO_MUCH = ("context length", "context_length_exceeded", "context window", "exceeds the limit", "token count")
_FILTERED = ("content_filter", "content management policy", "requires moderation", "data_inspection_failed")
_DELAY = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+)s"')
"""google.rpc.RetryInfo in the body of an error: Google's Retry-After."""


_USERINFO = re.compile(r"//[^/@]*@")
"""Name and password in an address."""

_MOST_BYTES = 8_000_000
"""The largest answer that is read, after decompression. A batch of 60 lines with thoughts is below 1 MB."""
_CHUNK = 65536


class Unanswered(Exception):
    """A request brought no answer. `error` is how the job ends if asking again does not help.

    `again` tells whether it may, and `wait` how many seconds the service wants to be left alone before.
    """

    def __init__(self, error: ServiceError, *, again: bool = False, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.wait = wait


class NotUnderstood(Unanswered):
    """The service did not like the form of the request: a simpler one may pass."""


class Declined(Unanswered):
    """The service will not have these lines, as filters of some answer with an error: others may pass."""


class TooMuch(Unanswered):
    """The request was too large for the model: a smaller one may pass."""


class Form(IntEnum):
    """How firmly the form of an answer is asked for. A service that does not understand one gets the one below it."""

    PLAIN = 0
    JSON = 1
    SCHEMA = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An HTTP answer, as far as it matters here."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the sentences about a service's trouble need. `secrets` are struck out of everything it says."""

    label: str
    model: str
    key_setting: str
    model_setting: str
    proxy_setting: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def refused(self, reply: Reply) -> Unanswered:
        """What an HTTP answer other than 2xx means."""
        return _refused(self, reply)

    def unreached(self, error: RequestException) -> Unanswered:
        """What it means that no HTTP answer came at all."""
        slow = isinstance(error, http.Timeout) or "timed out" in str(error).lower()
        kind = ServiceSlow if slow and not isinstance(error, http.ConnectTimeout) else ServiceDown
        again = isinstance(error, (http.ConnectionError, http.Timeout, http.ChunkedEncodingError))
        return Unanswered(kind(engine=self.label, detail=self.shown(error)), again=again)

    def strange(self, why: object) -> ServiceError:
        return ServiceError(engine=self.label, detail=self.shown(why))

    def shown(self, text: object) -> str:
        """`text` short enough to show, without any secret."""
        clean = _USERINFO.sub("//***@", str(text))
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            clean = clean.replace(secret, "***")
        return " ".join(clean.split())[:_DETAIL_LENGTH]


def credentials(address: str) -> tuple[str, ...]:
    """What is secret in an address that may be none at all: its user with password, the password, and that unquoted."""
    user = address.rpartition("@")[0].rpartition("//")[2]
    password = user.partition(":")[2]
    return tuple(filter(None, (user, password, unquote(password))))


class TooLong(Exception):
    """An answer of more bytes than any translation has."""


class BoundedAdapter(HTTPAdapter):
    """Reads an answer whole before handing it on, for `timeout` seconds and _MOST_BYTES at most.

    The time-out of requests is about each single read: a server that drips bytes would hold a job forever.
    Raises requests.Timeout and TooLong.
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
        begun = time.monotonic()
        response = super().send(request, True, timeout, verify, cert, proxies)
        deadline = begun + timeout if isinstance(timeout, (int, float)) else float("inf")
        raw = response.raw
        try:
            response.raw = BytesIO(_whole(raw, deadline))
        except urllib3.exceptions.HTTPError as error:
            raise http.ConnectionError(str(error)) from None
        finally:
            raw.close()
        return response


def _whole(raw: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    body = bytearray()
    while chunk := raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise TooLong(f"The answer has more than {_MOST_BYTES} bytes.")
        if time.monotonic() > deadline:
            raise http.ReadTimeout("The answer timed out before its end.")
    return bytes(body)


def _refused(service: Service, reply: Reply) -> Unanswered:
    said = reply.body.lower()
    detail = service.shown(f"HTTP {reply.status}: {reply.body}")
    if reply.status == 402 or _says(said, _NO_MONEY):
        return Unanswered(OutOfQuota(engine=service.label, detail=detail))
    if reply.status == 429:
        return Unanswered(OutOfQuota(engine=service.label, detail=detail), again=True, wait=_asked_to_wait(reply))
    if reply.status < 500 and _says(said, _FILTERED):
        return Declined(ServiceError(engine=service.label, detail=detail))
    if _says(said, _LOCATION) and reply.status < 500:
        error = RefusedLocation(engine=service.label, setting=service.proxy_setting, detail=detail)
        return Unanswered(error)
    if reply.status in {401, 403} or (reply.status == 400 and _says(said, _BAD_KEY)):
        return Unanswered(WrongKey(engine=service.label, setting=service.key_setting, detail=detail))
    return _failed(service, reply, detail)


def _failed(service: Service, reply: Reply, detail: str) -> Unanswered:
    if reply.status == 404:
        setting = service.model_setting
        return Unanswered(
            UnknownModel(engine=service.label, model=service.model, setting=setting, detail=detail),
        )
    if reply.status in {408, 504}:
        return Unanswered(ServiceSlow(engine=service.label, detail=detail), again=True, wait=_asked_to_wait(reply))
    if reply.status >= 500 or reply.status == 407:
        again = reply.status != 407
        return Unanswered(ServiceDown(engine=service.label, detail=detail), again=again, wait=_asked_to_wait(reply))
    error = ServiceError(engine=service.label, detail=detail)
    if reply.status == 413 or _says(reply.body.lower(), _TOO_MUCH):
        return TooMuch(error)
    return NotUnderstood(error) if reply.status in {400, 422} else Unanswered(error)


def _says(text: str, marks: Iterable[str]) -> bool:
    return any(mark in text for mark in marks)


def _asked_to_wait(reply: Reply) -> float:
    """Seconds, from Retry-After (a number or a date, RFC 9110 section 10.2.3) or Google's RetryInfo; 0 when unsaid."""
    value = next((text for name, text in reply.headers.items() if name.lower() == "retry-after"), "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        found = _DELAY.search(reply.body)
        return float(found[1]) if found else 0.0


def patiently(ask: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """The answer of `ask`, asked again after growing pauses as long as that may help.

    Bounded by ATTEMPTS, PAUSES and PATIENCE; a service that wants more than that is not waited for. Raises the last
    Unanswered.
    """
    retrying = tenacity.Retrying(
        sleep=sleep,
        wait=_pause,
        stop=_enough,
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, Unanswered) and error.again),
        reraise=True,
    )
    return retrying(ask)


_backoff = tenacity.wait_exponential_jitter(initial=_FIRST_PAUSE, max=_LONGEST_PAUSE, jitter=_JITTER)


def _pause(state: tenacity.RetryCallState) -> float:
    """At least as long as the service asked for; the jitter on top keeps several workers from returning together."""
    error = state.outcome.exception() if state.outcome else None
    return _backoff(state) + (error.wait if isinstance(error, Unanswered) else 0.0)


def _enough(state: tenacity.RetryCallState) -> bool:
    too_late = (state.seconds_since_start or 0.0) + state.upcoming_sleep > PATIENCE
    return too_late or state.attempt_number >= ATTEMPTS or state.idle_for + state.upcoming_sleep > PAUSES
