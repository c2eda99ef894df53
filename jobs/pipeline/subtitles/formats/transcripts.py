"""Transcripts as JSON: of Whisper and WhisperX, whisper.cpp, transformers, and YouTube's json3."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from jobs.pipeline.subtitles.formats.event import Event, Problem, ProblemKind
from jobs.pipeline.subtitles.formats.times import clock


def is_json(text: str) -> bool:
    """Whether a text may be JSON."""
    return bool(re.match(r"\s*[{\[]\s*[\"{\[\]}]", text.lstrip("\ufeff")))


def json_events(text: str) -> Iterator[Event | Problem]:
    """The events of a transcript. In place of lines its segments are counted, from 1. Raises ValueError for what is no
    JSON or no transcript.
    """
    entries = _entries(json.loads(text.lstrip("\ufeff")))
    if not entries:
        raise ValueError("The JSON has no list of segments.")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            continue
        (start, end), shown = _times(entry), _text(entry)
        if "tStartMs" in entry and not shown.strip():  # where lines of json3 roll, and its windows
            continue
        if start is None and end is None:
            yield Problem(kind=ProblemKind.NO_TIMES, line=number)
        else:
            yield Event(start=start, end=end, text=shown, line=number)


def _entries(content: Any) -> list[Any]:
    """The list of segments in a transcript."""
    if isinstance(content, list):
        return content if any(isinstance(one, dict) and _times(one) != (None, None) for one in content) else []
    if not isinstance(content, dict):
        return []
    for name in ("segments", "chunks", "transcription", "events", "cues", "subtitles", "results", "body"):
        if isinstance(content.get(name), list):
            return list(content[name])
    return []


def _times(entry: dict[str, Any]) -> tuple[int | None, int | None]:
    """Start and end in milliseconds."""
    if isinstance(entry.get("offsets"), dict):  # whisper.cpp
        return _number(entry["offsets"].get("from"), 1), _number(entry["offsets"].get("to"), 1)
    if isinstance(entry.get("timestamp"), list | tuple) and len(entry["timestamp"]) == 2:  # transformers
        return _number(entry["timestamp"][0], 1000), _number(entry["timestamp"][1], 1000)
    if "tStartMs" in entry:  # json3
        start, length = _number(entry["tStartMs"], 1), _number(entry.get("dDurationMs"), 1)
        return start, None if start is None or length is None else start + length
    start, end = (
        next((_number(entry[name], 1000) for name in names if name in entry), None)
        for names in (("start", "from", "start_time"), ("end", "to", "end_time"))
    )
    return start, end


def _number(value: Any, factor: int) -> int | None:
    """Milliseconds of a number, or of a clock."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return round(value * factor) if abs(value) < 1e9 else None
    if isinstance(value, str):
        if re.fullmatch(r"-?\d+(:\d+){1,2}([.,]\d+)?", value):
            return clock(value)
        with suppress(ValueError):
            return _number(float(value), factor)
    return None


def _text(entry: dict[str, Any]) -> str:
    if isinstance(entry.get("segs"), list):
        return "".join(str(part.get("utf8", "")) for part in entry["segs"] if isinstance(part, dict))
    found = next((entry[name] for name in ("text", "content", "transcript") if isinstance(entry.get(name), str)), "")
    return str(found)
