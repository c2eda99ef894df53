"""Quotas in refusals of services: of a minute, a day or longer, and the time until they are renewed."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jobs.engines.llm.replies import Reply

_DAY = re.compile(
    r"(?:per|by)[\s_-]?day|\bdaily\b|\(?\b[rt]pd\b|(?:requests|tokens) a day|/ ?day\b|per 24 ?h|per 86400|for today|"
    r"tomorrow|当日|每日|今日|明天|روزانه|فردا",
    re.IGNORECASE,
)
"""A limit of the day, as Google, OpenAI, Groq, OpenRouter and GitHub name it."""

_LONGER = re.compile(r"(?:per|/|a) ?(?:week|month)\b|\b(?:week|month)ly\b", re.IGNORECASE)
"""A limit that is renewed after days."""

_MINUTE = re.compile(r"per[\s_-]?min|\b[rt]pm\b", re.IGNORECASE)
_MINUTE_WAIT = 10.0
"""Seconds to wait, in addition to growing pauses, for a limit per minute that does not say when it is renewed."""

_LOADING = re.compile(r"loading\s+(?:the\s+)?model|model is (?:currently )?loading|warming up", re.IGNORECASE)
_LOADING_WAIT = 20.0
"""Seconds to wait, in addition to growing pauses, for a server that is loading its model: large ones take minutes."""

_DELAY = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+)s"')
"""google.rpc.RetryInfo in the body of an error: Google's Retry-After."""

_TRY_AGAIN = re.compile(
    r"(?:(?:retry|again|resets?|renewed|available)\s+(?:in|after)|wait(?:\s+for)?)\s+"
    r"((?:\d+(?:\.\d+)?\s*(?:ms|d|h|m|s)[a-z]*\s*)+)",
    re.IGNORECASE,
)
_TRY_AGAIN_AT = re.compile(
    r"(?:retry|again|resets?|renewed|available)\s+(?:at|on|after)\s+"
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?)",
    re.IGNORECASE,
)
_RETRY_FIELD = re.compile(r'"retry_?after(_?ms)?(?:_?s(?:econds)?)?"\s*:\s*"?(\d{1,9}(?:\.\d+)?)', re.IGNORECASE)
"""Seconds, or milliseconds, in a field of the body."""

_RESET = re.compile(r"ratelimit-(?:\w+-)?reset", re.IGNORECASE)
_RATE_LIMIT = re.compile(r"\br=0\b.*\bt=(\d{1,9})")
"""A limit that is used up, and the seconds until it is renewed (draft-ietf-httpapi-ratelimit-headers)."""

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s{0,3}(ms|d|h|m|s)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_WAIT = 366 * 86400.0
"""Seconds beyond which no limit is renewed: such a number is no time."""
_FAR = 3600.0
"""Seconds from which on a limit counts as one of the day."""


def is_of_the_day(reply: Reply) -> bool:
    """Tell whether a refusal for quota is about the day's, or one that is renewed as late."""
    return bool(_DAY.search(reply.body)) or _renewed_in(reply) > _FAR


def is_of_longer(reply: Reply) -> bool:
    """Tell whether a refusal for quota is about that of a week or a month."""
    return bool(_LONGER.search(reply.body)) and not _MINUTE.search(reply.body)


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
    if (parts := _header(reply, "retry-after-ms").strip()).isdecimal():
        return min(int(parts) / 1000, _LONGEST_WAIT)
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
    if found := _RETRY_FIELD.search(body):
        return min(float(found[2]) / (1000 if found[1] else 1), _LONGEST_WAIT)
    if found := _TRY_AGAIN.search(body):
        return _duration(found[1])
    at = _TRY_AGAIN_AT.search(body)
    return _until(at[1]) if at else 0.0


def _header(reply: Reply, wanted: str) -> str:
    return next((str(text) for name, text in reply.headers.items() if name.lower() == wanted), "")


def _reset(reply: Reply) -> float:
    """Seconds until the used-up limit of those in the headers is renewed; the first one, if none says it is used up."""
    if found := _RATE_LIMIT.search(_header(reply, "ratelimit")):
        return float(found[1])
    resets = [(name.lower(), str(text)) for name, text in reply.headers.items() if _RESET.search(name)]
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
