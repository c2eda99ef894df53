"""Conversion of WhisperX's segments, aligned or not, to words with times in seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from jobs.pipeline.protocols import Word
from jobs.pipeline.speech.voice_activity import Region

_UNSPACED = ("ja", "zh", "yue")  # written without spaces: each character is a word


def words_of(segment: dict[str, Any], language: str, regions: Sequence[Region]) -> list[Word]:
    """The words of a segment with their aligned times; without those, spread over its speech by their length."""
    parts = _parts(str(segment["text"]), language)
    times = _aligned_times(parts, segment.get("words") or []) or _spread_times(parts, segment, regions)
    confidence = min(1.0, math.exp(segment.get("avg_logprob", 0.0)))
    return [
        Word(text=part, start=start, end=end, confidence=confidence)
        for part, (start, end) in zip(parts, times, strict=True)
    ]


def _parts(text: str, language: str) -> list[str]:
    """The words of a text: split at spaces, or character by character (except Latin words) in unspaced scripts."""
    return re.findall(r"[!-~À-ɏ]+|\S", text) if language in _UNSPACED else text.split()


def _aligned_times(parts: Sequence[str], aligned: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """The times of the words from align(), which gives them per word or per character; empty when any is missing."""
    times: list[tuple[float, float]] = []
    pieces = list(aligned)
    for part in parts:
        own: list[dict[str, Any]] = []
        while pieces and sum(len(piece["word"]) for piece in own) < len(part):
            own.append(pieces.pop(0))
        if not own or not all("start" in piece and "end" in piece for piece in own):
            return []
        times.append((float(own[0]["start"]), float(own[-1]["end"])))
    return times


def _spread_times(
    parts: Sequence[str], segment: dict[str, Any], regions: Sequence[Region]
) -> list[tuple[float, float]]:
    time_at = _spoken_time(float(segment["start"]), float(segment["end"]), regions)
    edges = np.cumsum([0, *(len(part) + 1 for part in parts)])
    return list(pairwise(time_at(edge / edges[-1]) for edge in edges)) if parts else []


def _spoken_time(start: float, end: float, regions: Sequence[Region]) -> Callable[[float], float]:
    """A function from a share (0 to 1) of the speech between `start` and `end` to its time; pauses have no share."""
    spans = [(max(start, part.start), min(end, part.end)) for part in regions if part.end > start and part.start < end]
    spans = spans or [(start, end)]
    times = [time for span in spans for time in span]
    lengths = [length for first, last in spans for length in (0.0, last - first)]
    shares = np.cumsum(lengths) / max(sum(lengths), 1e-6)
    return lambda share: float(np.interp(share, shares, times))
