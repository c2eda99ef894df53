"""Reading of services' responses: errors in their usual forms, and lengths of contexts.

Services and brokers of models put errors into bodies of HTTP 200, into a choice, or into an event of a stream. Each is
converted to the response with the HTTP status that it names, so that it is handled like any other error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

BAD_GATEWAY = 502
"""Status of an error without a number or a word that tells more: the model behind a broker failed."""

_NUMBERS = ("code", "status", "status_code", "statusCode", "http_status", "http_code")
_WORDS = ("code", "status", "type", "__type", "reason", "title", "name")
_MESSAGES = (
    "message",
    "detail",
    "msg",
    "error",
    "title",
    "error_msg",
    "status_msg",
    "faultstring",
    "reason",
    "Message",
)

_STATUSES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (402, ("insufficient_quota", "insufficient_credit", "insufficient_balance", "payment_required")),
    (400, ("context_length", "exceed_context", "context size", "context window", "context length")),
    (429, ("rate_limit", "ratelimit", "rate limit", "too_many", "too many requests", "toomanyrequests")),
    (429, ("resource_exhausted", "throttl", "quota", "速率")),
    (503, ("overloaded", "unavailable", "no_available", "at capacity", "capacity temporarily", "loading model")),
    (504, ("deadline_exceeded", "timeout", "timed out", "timed_out")),
    (401, ("unauthenticated", "unauthorized", "invalid_api_key", "authentication", "api key")),
    (403, ("permission", "forbidden", "moderation")),
    (404, ("not_found", "notfound", "does not exist")),
    (400, ("invalid_request", "invalid_argument", "bad_request", "badrequest", "validation")),
    (500, ("internal", "server_error")),
)
"""HTTP statuses by the words that name them, the more telling first."""

_STATUS_IN_TEXT = re.compile(r"\b(?:http|status|code|error)\D{0,12}\b([45]\d\d)\b", re.IGNORECASE)
_STATUS_OF_PAGE = re.compile(r"<(?:title|h1)[^>]*>\s*(?:[^<|]{0,80}\|\s*)?(?:error\s*)?(5\d\d|429)\b", re.IGNORECASE)
_STATUS_OF_TEXT = re.compile(r"\W*(?:error(?: code)?\W{0,3})?(5\d\d|429)\b[^{]{0,200}", re.IGNORECASE)
_OF_GATEWAY = re.compile(
    r"(?:upstream (?:connect|request)|bad gateway|no healthy upstream)\b[^{]{0,300}", re.IGNORECASE
)
"""Texts that gateways send in place of an answer, without any markup."""

_STATUS_AS_ANSWER = re.compile(r"\W*(?:\w+ )?(?:error|http)(?: code| status)?\W{0,4}([45]\d\d)\b[^{]*", re.IGNORECASE)
"""An answer of a model that is the error of a broker: “Error: 429 Too Many Requests”."""

_LONGEST_STATUS = 300  # characters

_CONTEXT = (
    re.compile(r'n_ctx\\?"?\s*[:=]\s*(\d+)'),
    re.compile(r"context (?:length|size|window)(?!\s+by\b)\D{0,40}?(\d[\d,]{2,})", re.IGNORECASE),
    re.compile(r"maximum (?:model|prompt|input) length\D{0,12}(\d[\d,]{2,})", re.IGNORECASE),
    re.compile(r"(?:max_(?:seq_len|kv_size|model_len)|must be <=|must have less than|limit is)\D{0,4}(\d[\d,]{2,})"),
    re.compile(r"(\d[\d,]{2,}) maximum context", re.IGNORECASE),
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
    message = choice.get("message")
    inner = message.get("error") if isinstance(message, Mapping) else None
    if choice.get("error") or inner or "error" in {choice.get("finish_reason"), choice.get("native_finish_reason")}:
        return _as_reply(choice.get("error") or inner or choice, headers)
    said = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(said, str) and (named := _STATUS_AS_ANSWER.fullmatch(said[:_LONGEST_STATUS])):
        return Reply(status=int(named[1]), body=said, headers=headers or {})
    if _has_text(choice) or body.get("candidates"):
        return None
    wrapped = body.get("fault") or body.get("base_resp")
    if error := body.get("error") or _first(body.get("errors")) or wrapped:
        return _as_reply(body if error is True or isinstance(error, str) else error, headers)
    if body.get("choices", ...) is None:
        return Reply(status=BAD_GATEWAY, body="The answer has no choice.", headers=headers or {})
    told = any(body.get(name) for name in ("detail", "message", "Message", "msg")) or body.get("status") == "error"
    return _as_reply(body, headers) if told and "choices" not in body else None


def page_of_error(text: str) -> Reply | None:
    """The error that a page names in its title or heading (“502 Bad Gateway”), or a text of a gateway at its beginning,
    though it came as a success.
    """
    found = _STATUS_OF_PAGE.search(text[:2000]) or _STATUS_OF_TEXT.fullmatch(text.strip())
    if found is None and _OF_GATEWAY.fullmatch(text.strip()):
        return Reply(status=BAD_GATEWAY, body=text)
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
