"""Failures of remote services as errors of ours, and retries.

Both language-model clients use it, so that the same failure gives the same sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar
from urllib.parse import unquote

import tenacity
from requests import RequestException
from requests import exceptions as http

from jobs.engines.llm.quotas import asked_to_wait, is_of_longer, is_of_the_day, renewed_at
from jobs.engines.llm.replies import Reply, context_length, says
from jobs.pipeline.errors import (
    DayQuota,
    DayQuotaUntil,
    OutOfQuota,
    ProxyDown,
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
_NO_CREDIT = (
    *("insufficient_quota", "insufficient balance", "insufficient credits", "billing_hard_limit_reached"),
    *("credit balance is too low", "billing_not_active", "not enough credits", "out of credits", "余额不足"),
)
_USED_UP = ("quota exceeded", "resource_exhausted", "limit exceeded")
"""Words of a used-up quota under the status of a refused key."""
_OVERFLOW = (
    *("context length", "context_length", "context window", "context size", "exceed_context", "exceeds context"),
    *("request too large", "prompt is too long", "input is too long", "prompt too long", "token count"),
    *("maximum number of tokens", "context the overflows", "context overflow", "too many input tokens"),
    *(
        "input length exceeds",
        "reduce the length of the messages",
        "n_ctx",
        "context limit",
        "context shift is disabled",
    ),
    *("maximum model length", "maximum prompt length", "maximum input length", "max_model_len", "max_seq_len"),
    *(
        "max_kv_size",
        "`inputs` tokens + `max_new_tokens`",
        "`inputs` must have less",
        "too many tokens",
        "input too long",
    ),
    *("range of input length", "prompt 超长"),
)
"""Words of Ollama, llama.cpp, vLLM, LM Studio, TGI, SGLang, TensorRT-LLM, MLX, OpenAI, Groq, Anthropic, Cohere, Gemini,
Qwen and others for a request that is too large.
"""
_OVERFLOW_OF_QUOTA = ("request too large",)
"""The same for a request larger than the quota of a minute: waiting never helps."""
_FILTERED = ("content_filter", "content management policy", "requires moderation", "data_inspection_failed")
_FORMAT = ("response_format", "json_schema", "json schema", "response_schema", "grammar")
_GATEWAY_TIMEOUTS = frozenset({408, 504, 524})
"""Statuses of a server that took too long, or of a gateway before it; 524 is Cloudflare's."""

_USERINFO = re.compile(r"//[^/@]*@")
"""User name and password in a URL."""


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
    """Raised when the request was too large for the model: a smaller one may pass. `context` is the length of the
    model's context in tokens, 0 if the service did not tell.
    """

    def __init__(self, error: ServiceError, *, context: int = 0) -> None:
        super().__init__(error)
        self.context = context


class TimedOut(RequestFailed):
    """Raised when the answer did not come in time: a smaller request may, the same one will not. `by_gateway` tells
    that a server said so, which may have had too much to do.
    """

    by_gateway = False


UNANSWERED = (RequestTooLarge, ContentFiltered, TimedOut, FormatNotSupported)
"""Failures of a request that only would have made an answer better, and is left out then."""


class AnswerFormat(IntEnum):
    """Strictness of the demanded answer format. A service that rejects one is asked with the next lower one."""

    PLAIN = 0
    JSON = 1
    SCHEMA = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """Names of a service and its settings, for error sentences. `secrets` are removed from all its texts. `proxy` is
    the address of the proxy in use, with or without a password; `proxy_setting` names where it is set.
    """

    label: str
    model: str
    key_setting: str
    model_setting: str
    proxy_setting: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    proxy: str = field(default="", repr=False)

    def http_error(self, reply: Reply) -> RequestFailed:
        """Convert an HTTP response other than 2xx to the failure that it means."""
        return _http_error(self, reply)

    def connection_error(self, error: RequestException) -> RequestFailed:
        """Convert an exception of requests, raised without an HTTP response, to the failure that it means."""
        late = isinstance(error, http.Timeout) or "timed out" in str(error).lower()
        again = isinstance(error, (http.ConnectionError, http.Timeout, http.ChunkedEncodingError))
        connected = not isinstance(error, (http.ConnectTimeout, http.ProxyError)) and "Failed to establish" not in str(
            error
        )
        if late and connected:
            return TimedOut(ServiceSlow(engine=self.label, detail=self.redacted(error)), again=again)
        broken = isinstance(error, http.ChunkedEncodingError)
        down = ServiceDown(engine=self.label, detail=self.redacted(error)) if broken else self.unreachable(error)
        return RequestFailed(down, again=again)

    def unreachable(self, why: object) -> ServiceDown:
        """Make the error for a service that cannot be reached; where a proxy is in use, it names that."""
        if not self.proxy:
            return ServiceDown(engine=self.label, detail=self.redacted(why))
        scheme, mark, rest = self.proxy.rpartition("://")
        shown = f"{scheme}{mark}{rest.rpartition('@')[2]}"
        return ProxyDown(engine=self.label, proxy=shown, setting=self.proxy_setting, detail=self.redacted(why))

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


def _http_error(service: Service, reply: Reply) -> RequestFailed:
    said = reply.body.lower()
    detail = service.redacted(f"HTTP {reply.status}: {reply.body}")
    if says(said, _OVERFLOW if reply.status != 429 else _OVERFLOW_OF_QUOTA) and reply.status not in {401, 402, 403}:
        return RequestTooLarge(ServiceError(engine=service.label, detail=detail), context=context_length(reply.body))
    if reply.status == 402 or says(said, _NO_CREDIT):
        return RequestFailed(OutOfQuota(engine=service.label, detail=detail))
    if reply.status == 429 or (reply.status == 403 and says(said, _USED_UP)):
        return _out_of_quota(service, reply, detail)
    if reply.status < 500 and says(said, _FILTERED):
        return ContentFiltered(ServiceError(engine=service.label, detail=detail))
    if says(said, _LOCATION) and reply.status < 500:
        error = RefusedLocation(engine=service.label, setting=service.proxy_setting, detail=detail)
        return RequestFailed(error)
    if reply.status in {401, 403} or (reply.status == 400 and says(said, _BAD_KEY)):
        return RequestFailed(WrongKey(engine=service.label, setting=service.key_setting, detail=detail))
    return _other_http_error(service, reply, detail)


def _out_of_quota(service: Service, reply: Reply, detail: str) -> RequestFailed:
    if is_of_longer(reply):
        return RequestFailed(OutOfQuota(engine=service.label, detail=detail))
    if not is_of_the_day(reply):
        return RequestFailed(OutOfQuota(engine=service.label, detail=detail), again=True, wait=asked_to_wait(reply))
    until = renewed_at(reply)
    if until is None:
        return RequestFailed(DayQuota(engine=service.label, detail=detail))
    return RequestFailed(DayQuotaUntil(engine=service.label, until=until.isoformat(), detail=detail))


def _other_http_error(service: Service, reply: Reply, detail: str) -> RequestFailed:
    if reply.status == 404:
        setting = service.model_setting
        return RequestFailed(
            UnknownModel(engine=service.label, model=service.model, setting=setting, detail=detail),
        )
    if reply.status in _GATEWAY_TIMEOUTS:
        late = TimedOut(ServiceSlow(engine=service.label, detail=detail), again=True, wait=asked_to_wait(reply))
        late.by_gateway = True
        return late
    error = ServiceError(engine=service.label, detail=detail)
    if reply.status == 500 and says(reply.body.lower(), _FORMAT):
        return FormatNotSupported(error)
    if reply.status == 407:
        return RequestFailed(service.unreachable(detail))
    if reply.status >= 500:
        down = ServiceDown(engine=service.label, detail=detail)
        return RequestFailed(down, again=True, wait=asked_to_wait(reply))
    if reply.status == 413 or "exceeds the limit" in reply.body.lower():
        return RequestTooLarge(error)
    return FormatNotSupported(error) if reply.status in {400, 422} else RequestFailed(error)


def with_retries(ask: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Call `ask` until it succeeds, with growing pauses, as long as its failure allows a retry (`again`).

    Bounded by ATTEMPTS, PAUSES and TOTAL_TIMEOUT; a service that demands a longer pause is given up at once. A request
    that timed out is not repeated unchanged. Raises the last RequestFailed.
    """
    retrying = tenacity.Retrying(
        sleep=sleep,
        wait=_pause,
        stop=_enough,
        retry=tenacity.retry_if_exception(_may_succeed),
        reraise=True,
    )
    return retrying(ask)


def _may_succeed(error: BaseException) -> bool:
    return isinstance(error, RequestFailed) and error.again and not isinstance(error, TimedOut)


_backoff = tenacity.wait_exponential_jitter(initial=_FIRST_PAUSE, max=_LONGEST_PAUSE, jitter=_JITTER)


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds to wait: the delay the service demanded, plus backoff with jitter, which keeps workers apart."""
    error = state.outcome.exception() if state.outcome else None
    return _backoff(state) + (error.wait if isinstance(error, RequestFailed) else 0.0)


def _enough(state: tenacity.RetryCallState) -> bool:
    too_late = (state.seconds_since_start or 0.0) + state.upcoming_sleep > TOTAL_TIMEOUT
    return too_late or state.attempt_number >= ATTEMPTS or state.idle_for + state.upcoming_sleep > PAUSES
