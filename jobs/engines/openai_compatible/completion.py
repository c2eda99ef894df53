"""Reading of chat completions: whole ones, and those that come in events of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.pipeline.protocols import Usage

_MOST_TOKENS = 1_000_000_000
"""Token counts above this are ignored as invalid: Python's JSON reader accepts numbers up to Infinity."""

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Fields of a message in which servers put what a model thought; some put the answer there as well."""


def is_stream(body: str) -> bool:
    """Tell whether a body consists of server-sent events, whatever its content type says."""
    return body.lstrip("\ufeff \r\n").startswith(("data:", "event:", "error:", ": ", ":\n", "id:"))


def assembled(body: str) -> tuple[dict[str, Any], bool]:
    """Put the chat completion of a stream together, in the form of one that came at once, with the `error` of an event.
    The second value tells whether the stream came to its end.
    """
    said: dict[str, list[str]] = {}
    whole: dict[str, Any] = {}
    reason: object = None
    for event in _events(body):
        whole |= {name: event[name] for name in ("usage", "error") if event.get(name)}
        if event.get("object") == "error" or ("choices" not in event and event.keys() & {"message", "detail", "msg"}):
            whole["error"] = whole.get("error") or event
        choice = next(iter(event.get("choices") or []), None)
        if not isinstance(choice, Mapping):
            continue
        if choice.get("error"):
            whole["error"] = choice["error"]
        reason = choice.get("finish_reason") or reason
        for part in (choice.get("delta"), choice.get("message")):
            for name, text in part.items() if isinstance(part, Mapping) else ():
                said.setdefault(name, []).append(_text(text))
    message = {name: "".join(parts) for name, parts in said.items() if name != "role"}
    if reason == "error":
        whole["error"] = whole.get("error") or {"code": 502, "message": "The model ended with an error."}
    whole["choices"] = [{"message": message, "finish_reason": None if reason == "error" else reason}]
    return whole, bool(reason) or "data: [DONE]" in body or "data:[DONE]" in body


def _events(body: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    data: list[str] = []
    for line in [*body.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("error:"):  # older versions of llama.cpp
            yield {"error": line[6:].strip()}
        elif not line and data:
            try:
                event = json.loads("\n".join(data))
            except (ValueError, RecursionError):  # [DONE], or the last one, which was cut off
                event = None
            if isinstance(event, Mapping):
                yield event
            data = []


def text_of(message: Mapping[str, Any], *, whole: bool = True) -> str:
    """The answer in a message: its content, in one string or in parts; without any, what stands in its thoughts, unless
    they are not `whole`, when they hold drafts. Thoughts that do not begin with an answer are marked as such.
    """
    said = _text(message.get("content"))
    thoughts = next((found for name in _THOUGHTS if (found := _text(message.get(name)))), "") if whole else ""
    return said or (thoughts if thoughts.lstrip()[:1] in {"", "{", "["} else f"<think>{thoughts}")


def _text(content: object) -> str:
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, Mapping) and part.get("type", "text") == "text"]
        return "".join(_text(part.get("text")) for part in parts)
    return content if isinstance(content, str) else ""


def usage_of(counted: object) -> Usage:
    """Token counts of the server; an invalid count is 0, since the translation beside it is still usable."""
    if not isinstance(counted, Mapping):
        return Usage()
    return Usage(
        input_tokens=_count(counted.get("prompt_tokens")), output_tokens=_count(counted.get("completion_tokens"))
    )


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 <= value <= _MOST_TOKENS else 0
