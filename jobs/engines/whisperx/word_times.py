"""Conversion of WhisperX's segments, aligned or not, to words with times in seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from jobs.engines.whisperx.decoding import MAX_COMPRESSION, Decoded
from jobs.pipeline.protocols import Region, Word
from jobs.pipeline.speech.pieces import Piece
from jobs.pipeline.speech.voice_activity import overlap

_MARGIN = 0.1  # seconds by which regions are wider than their speech
_LEAST_SECONDS = 0.03  # of a word
_MOST = 0.9  # share of the words
_LONGEST_WORD, _SHORTENED = 4.0, 1.0  # seconds: a word that lasts longer hides skipped speech, and is given so many
_SNAP = 0.6  # seconds by which the attention's time of a first or last word may differ from the speech's
_LOOPING = math.log(0.3)  # mean log-probability that a text is given that still loops at the last attempt
_UNSPACED = ("ja", "zh", "yue")  # written without spaces: each character is a word


def attended_words(decoded: Decoded, piece: Piece, language: str, regions: Sequence[Region]) -> list[Word]:
    """The words of a piece in seconds of the window, with the times of the decoder's attention. The first word of a
    stretch of speech begins with the speech, and the last one ends with it.
    """
    timed = [
        {"word": word["word"].strip(), "start": piece.time(float(word["start"])), "end": piece.time(float(word["end"]))}
        for word in decoded.words
        if word["word"].strip()
    ]
    segment = {"text": decoded.text, "words": timed, "avg_logprob": _belief(decoded), **_bounds(piece)}
    words = words_of(segment, language, regions)
    if _lie_in_speech(words, regions):
        return _snapped(_without_skipped(words), regions)
    return words_of({**segment, "words": []}, language, regions)


def _without_skipped(words: Sequence[Word]) -> list[Word]:
    """The words, without speech that the decoder skipped: the attention counts it to the word before it goes on, or,
    where it does not go on, to the last one.
    """
    shortened = list(words)
    for at, word in enumerate(words):
        if word.end - word.start <= _LONGEST_WORD:
            continue
        is_last = at == len(words) - 1
        shortened[at] = (
            replace(word, end=word.start + _SHORTENED) if is_last else replace(word, start=word.end - _SHORTENED)
        )
    return shortened


def _lie_in_speech(words: Sequence[Word], regions: Sequence[Region]) -> bool:
    """Whether nearly all words last and lie in speech: the attention of some models says nothing about times."""
    good = [word for word in words if overlap(word.start, word.end, regions) > _LEAST_SECONDS]
    return len(good) >= _MOST * len(words)


def aligned_words(
    segments: Sequence[dict[str, Any]], decoded: Decoded, piece: Piece, language: str, regions: Sequence[Region]
) -> list[Word]:
    """The words of a piece in seconds of the window, with the times of align(), which gives the piece as sentences."""
    timed = [
        {**word, **{key: piece.time(float(word[key])) for key in ("start", "end") if key in word}}
        for segment in segments
        for word in segment.get("words") or []
    ]
    whole = {"text": decoded.text, "words": timed, "avg_logprob": _belief(decoded), **_bounds(piece)}
    return words_of(whole, language, regions)


def _belief(decoded: Decoded) -> float:
    """The mean log-probability of a text; that of a loop, of which the model is sure, counts as low."""
    return min(decoded.logprob, _LOOPING) if decoded.compression > MAX_COMPRESSION else decoded.logprob


def _bounds(piece: Piece) -> dict[str, float]:
    return {"start": piece.spans[0].start, "end": piece.spans[-1].end}


def words_of(segment: dict[str, Any], language: str, regions: Sequence[Region]) -> list[Word]:
    """The words of a segment with their aligned times. Words without times, such as numbers, are put between their
    neighbours; a segment without any is spread over its speech by the length of its words.
    """
    parts = _parts(str(segment["text"]), language)
    known = _aligned_times(parts, segment.get("words") or [])
    times = _filled(known, parts, segment) if any(known) else _spread_times(parts, segment, regions)
    confidence = min(1.0, math.exp(segment.get("avg_logprob", 0.0)))
    return [
        Word(text=part, start=start, end=end, confidence=confidence, language=language)
        for part, (start, end) in zip(parts, times, strict=True)
    ]


def _snapped(words: Sequence[Word], regions: Sequence[Region]) -> list[Word]:
    """The words, with the start of the first and the end of the last in each region at those of the speech."""
    snapped = list(words)
    for region in regions:
        inside = [at for at, word in enumerate(snapped) if region.start <= (word.start + word.end) / 2 < region.end]
        if not inside:
            continue
        begin, finish = region.start + _MARGIN, region.end - _MARGIN
        if inside[-1] + 1 < len(snapped):
            finish = min(finish, snapped[inside[-1] + 1].start)
        first, last = snapped[inside[0]], snapped[inside[-1]]
        if abs(first.start - begin) <= _SNAP and begin < first.end:
            snapped[inside[0]] = replace(first, start=begin)
            last = snapped[inside[-1]]
        if abs(last.end - finish) <= _SNAP and finish > last.start:
            snapped[inside[-1]] = replace(last, end=finish)
    return snapped


def _parts(text: str, language: str) -> list[str]:
    """The words of a text: split at spaces, or character by character (except Latin words) in unspaced scripts."""
    return re.findall(r"[!-~À-ɏ]+|\S", text) if language in _UNSPACED else text.split()


def _aligned_times(parts: Sequence[str], aligned: Sequence[dict[str, Any]]) -> list[tuple[float, float] | None]:
    """The times of the words from align(), which gives them per word or per character; None for those without."""
    times: list[tuple[float, float] | None] = []
    pieces = list(aligned)
    for part in parts:
        own: list[dict[str, Any]] = []
        while pieces and sum(len(piece["word"]) for piece in own) < len(part):
            own.append(pieces.pop(0))
        starts = [float(piece["start"]) for piece in own if "start" in piece]
        ends = [float(piece["end"]) for piece in own if "end" in piece]
        times.append((starts[0], ends[-1]) if starts and ends else None)
    return times


def _filled(
    known: Sequence[tuple[float, float] | None], parts: Sequence[str], segment: dict[str, Any]
) -> list[tuple[float, float]]:
    """The known times, and for runs of words without times those between their neighbours, by the length of the words.

    At the beginning and end of a segment the time of such words is the one before or after its known words.
    """
    times: list[tuple[float, float]] = []
    at = 0
    while at < len(known):
        own = known[at]
        if own is not None:
            times.append(own)
            at += 1
            continue
        following = next((place for place in range(at, len(known)) if known[place] is not None), len(known))
        start = times[-1][1] if times else float(segment["start"])
        after = known[following] if following < len(known) else None
        end = max(start, after[0] if after else float(segment["end"]))
        edges = np.cumsum([0, *(len(part) for part in parts[at:following])])
        times += list(pairwise(float(start + (end - start) * edge / edges[-1]) for edge in edges))
        at = following
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
