"""Reading of services' responses: errors in their usual forms, quotas, delays, and lengths of contexts.

Services and brokers of models put errors into bodies of HTTP 200, into a choice, or into an event of a stream. Each is
converted to the response with the HTTP status that it names, so that it is handled like any other error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

BAD_GATEWAY = 502
"""Status of an error without a number or a word that tells more: the model behind a broker failed."""

_NUMBERS = ("code", "status", "status_code", "statusCode", "http_status", "http_code")
_WORDS = ("code", "status", "type", "reason", "title", "name")
_MESSAGES = ("message", "detail", "msg", "error", "title", "error_msg")

_STATUSES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (402, ("insufficient_quota", "insufficient_credit", "insufficient_balance", "payment_required")),
    (400, ("context_length", "exceed_context", "context size", "context window", "context length")),
    (429, ("rate_limit", "ratelimit", "rate limit", "too_many", "too many requests", "toomanyrequests")),
    (429, ("resource_exhausted", "throttl", "quota")),
    (503, ("overloaded", "unavailable", "no_available", "at capacity", "loading model")),
    (504, ("deadline_exceeded", "timeout", "timed out", "timed_out")),
    (401, ("unauthenticated", "unauthorized", "invalid_api_key", "authentication", "api key")),
    (403, ("permission", "forbidden", "moderation")),
    (404, ("not_found", "notfound", "does not exist")),
    (400, ("invalid_request", "invalid_argument", "bad_request", "badrequest", "validation")),
    (500, ("internal", "server_error")),
)
"""HTTP statuses by the words that name them, the more telling first."""

_STATUS_IN_TEXT = re.compile(r"\b(?:http|status|code|error)\D{0,12}\b([45]\d\d)\b", re.IGNORECASE)
_STATUS_OF_PAGE = re.compile(r"<(?:title|h1)[^>]*>\s*(?:error\s*)?(5\d\d)\b", re.IGNORECASE)

_DAY = re.compile(r"per[\s_-]?day|\bdaily\b|\(?\b[rt]pd\b|(?:requests|tokens) a day", re.IGNORECASE)
"""A limit of the day, as Google, OpenAI, Groq and OpenRouter name it."""

_MINUTE = re.compile(r"per[\s_-]?min|\b[rt]pm\b", re.IGNORECASE)
_MINUTE_WAIT = 10.0
"""Seconds to wait, in addition to growing pauses, for a limit per minute that does not say when it is renewed."""

_LOADING = re.compile(r"loading\s+(?:the\s+)?model|model is (?:currently )?loading|warming up", re.IGNORECASE)
_LOADING_WAIT = 20.0
"""Seconds to wait, in addition to growing pauses, for a server that is loading its model: large ones take minutes."""

_DELAY = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+)s"')
"""google.rpc.RetryInfo in the body of an error: Google's Retry-After."""

_TRY_AGAIN = re.compile(
    r"(?:retry|try again)\s+(?:in|after)\s+((?:\d+(?:\.\d+)?\s*(?:ms|h|m|s)[a-z]*\s*)+)", re.IGNORECASE
)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s{0,3}(ms|d|h|m|s)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_WAIT = 366 * 86400.0
"""Seconds beyond which no limit is renewed: such a number is no time."""
_FAR = 3600.0
"""Seconds from which on a limit counts as one of the day."""

_CONTEXT = (
    re.compile(r'n_ctx\\?"?\s*[:=]\s*(\d+)'),
    re.compile(r"context (?:length|size|window)\D{0,40}?(\d[\d,]{2,})", re.IGNORECASE),
    re.compile(r"number of tokens allowed\D{0,12}(\d[\d,]{2,})", re.IGNORECASE),
    re.compile(r"(\d[\d,]{2,}) tokens?\D{0,20}context", re.IGNORECASE),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """Status, body and headers of an HTTP response."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def error_within(payload: object, headers: Mapping[str, str] | None = None) -> Reply | None:
    """The error in the parsed body of a successful response, as the response that it should have been; else None.

    An error beside a choice that has text is none: some services write an empty one into every answer.
    """
    body = payload[0] if isinstance(payload, list) and payload else payload
    if not isinstance(body, Mapping):
        return None
    choice = _first(body.get("choices"))
    if choice.get("error") or choice.get("finish_reason") == "error":
        return _as_reply(choice.get("error") or choice, headers)
    if _has_text(choice) or body.get("candidates"):
        return None
    if error := body.get("error") or _first(body.get("errors")):
        return _as_reply(body if error is True or isinstance(error, str) else error, headers)
    told = any(body.get(name) for name in ("detail", "message", "msg")) and "choices" not in body
    return _as_reply(body, headers) if told else None


def page_of_error(text: str) -> Reply | None:
    """The error that an HTML page names in its title or heading (“502 Bad Gateway”), though it came as a success."""
    found = _STATUS_OF_PAGE.search(text[:2000])
    return Reply(status=int(found[1]), body=text) if found else None


def _has_text(choice: Mapping[str, Any]) -> bool:
    message = choice.get("message")
    said = message.values() if isinstance(message, Mapping) else [message, choice.get("text")]
    return any(part for part in said if part != "assistant")


def _first(values: object) -> Mapping[str, Any]:
    one = values[0] if isinstance(values, list) and values else {}
    return one if isinstance(one, Mapping) else {}


def _as_reply(error: Any, headers: Mapping[str, str] | None) -> Reply:
    metadata = error.get("metadata") if isinstance(error, Mapping) else None
    own = metadata.get("headers") if isinstance(metadata, Mapping) else None
    more = {str(name): str(value) for name, value in own.items()} if isinstance(own, Mapping) else {}
    body = json.dumps(error, ensure_ascii=False) if not isinstance(error, str) else error
    return Reply(status=_status(error), body=body, headers={**(headers or {}), **more})


def _status(error: Any) -> int:
    """The HTTP status that an error names by number or word; BAD_GATEWAY without one."""
    if not isinstance(error, Mapping):
        return _status_in(str(error))
    for name in _NUMBERS:
        value = error.get(name)
        written = str(value) if isinstance(value, (int, float, str)) else ""
        if re.fullmatch(r"[45]\d\d(?:\.0)?", written, re.ASCII):
            return int(written[:3])
    words = " ".join(str(error[name]) for name in _WORDS if isinstance(error.get(name), str))
    by_words = _by_words(words)
    return by_words or _status_in(" ".join(str(error.get(name, "")) for name in _MESSAGES))


def _status_in(text: str) -> int:
    found = _STATUS_IN_TEXT.search(text)
    return int(found[1]) if found else _by_words(text) or BAD_GATEWAY


def _by_words(text: str) -> int:
    low = text.lower()
    return next((status for status, marks in _STATUSES if says(low, marks)), 0)


def says(text: str, marks: Iterable[str]) -> bool:
    """Tell whether one of `marks` occurs in `text`."""
    return any(mark in text for mark in marks)


def context_length(text: str) -> int:
    """The length in tokens of the model's context that an error names, 0 without one."""
    found = next((match for pattern in _CONTEXT if (match := pattern.search(text))), None)
    return int(found[1].replace(",", "")) if found else 0


def is_of_the_day(reply: Reply) -> bool:
    """Tell whether a refusal for quota is about the day's, or one that is renewed as late."""
    return bool(_DAY.search(reply.body)) or _renewed_in(reply) > _FAR


def renewed_at(reply: Reply) -> datetime | None:
    """The time at which the quota of the day is renewed, as far as the service says or documents it."""
    if "perday" in reply.body.lower() and "google" in reply.body.lower():
        return _midnight(_zone("America/Los_Angeles", -8))  # https://ai.google.dev/gemini-api/docs/rate-limits
    wait = _renewed_in(reply)
    return datetime.now(UTC) + timedelta(seconds=wait) if wait > 60 else None


def asked_to_wait(reply: Reply) -> float:
    """Seconds that a service asks to wait: Retry-After, Google's RetryInfo, a time in its sentence or the headers about
    its limits; 0 without any.
    """
    wait = _renewed_in(reply) if reply.status == 429 else _retry_after(reply) or _told(reply.body)
    if not wait and reply.status == 429 and _MINUTE.search(reply.body):
        return _MINUTE_WAIT
    if not wait and reply.status == 503 and _LOADING.search(reply.body):
        return _LOADING_WAIT
    return wait


def _renewed_in(reply: Reply) -> float:
    return _retry_after(reply) or _told(reply.body) or _reset(reply)


def _retry_after(reply: Reply) -> float:
    """Seconds from Retry-After: a number or a date (RFC 9110 section 10.2.3)."""
    value = _header(reply, "retry-after").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d+)?", value):
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _told(body: str) -> float:
    if found := _DELAY.search(body):
        return float(found[1])
    said = _TRY_AGAIN.search(body)
    return _duration(said[1]) if said else 0.0


def _header(reply: Reply, wanted: str) -> str:
    return next((str(text) for name, text in reply.headers.items() if name.lower() == wanted), "")


def _reset(reply: Reply) -> float:
    """Seconds until the used-up limit of those in the headers is renewed; the first one, if none says it is used up."""
    resets = [(name.lower(), str(text)) for name, text in reply.headers.items() if "ratelimit-reset" in name.lower()]
    waits = [(_header(reply, name.replace("reset", "remaining")), _until(text)) for name, text in resets]
    used_up = [wait for left, wait in waits if left.strip() == "0"]
    return max(used_up, default=0.0) or min((wait for _, wait in waits), default=0.0)


def _until(text: str) -> float:
    """Seconds until a time in any of the usual forms: seconds, a duration, Unix time in seconds or ms, ISO 8601."""
    try:
        number = float(text)
    except ValueError:
        if _DURATION.match(text.strip()):
            return _duration(text)
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            return 0.0
        number = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    while 1e11 < number < math.inf:  # milliseconds, or smaller parts
        number /= 1000
    wait = number - datetime.now(UTC).timestamp() if number > 1e9 else number
    return min(max(0.0, wait), _LONGEST_WAIT) if math.isfinite(wait) else 0.0


def _duration(text: str) -> float:
    wait = sum(float(number) * _SECONDS[unit.lower()] for number, unit in _DURATION.findall(text))
    return min(wait, _LONGEST_WAIT)


def _midnight(zone: tzinfo) -> datetime:
    now = datetime.now(zone)
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _zone(name: str, hours: int) -> tzinfo:
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:  # a system without the time zone database
        return timezone(timedelta(hours=hours))
