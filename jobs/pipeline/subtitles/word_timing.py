"""Recognised words as timed pieces of text, with all irregular times of recognisers corrected.

Words may have equal, inverted, overlapping or missing (NaN) times, contain several words, punctuation only, or be
blank.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from jobs.pipeline.protocols import Word
from jobs.pipeline.text.display_width import Piece, cell_width, holds, joins_words, pieces, space_between
from jobs.pipeline.text.languages import Language

_SECONDS_A_CELL = 1 / 17
"""Seconds per cell that words without times of their own are assumed to last: their reading time."""


class TimedPiece(NamedTuple):
    """A piece of text and its times in seconds. `cells` is its width without the space before it."""

    piece: Piece
    start: float
    end: float
    cells: int
    confidence: float
    speaker: str
    doubted: bool = False


def timed_pieces(words: Iterable[Word], language: Language, *, until: float = math.inf) -> list[TimedPiece]:
    """Split `words` into pieces. Starts never decrease; no piece ends after the next one's start, nor after `until`.

    A word without a speaker gets the speaker of the word before.
    """
    return _pieces(_without_overlaps(list(_with_rising_starts(words, until)), until), language)


class _Spoken(NamedTuple):
    """A word with its corrected times and speaker."""

    word: Word
    start: float
    end: float
    speaker: str


def _with_rising_starts(words: Iterable[Word], until: float) -> Iterator[_Spoken]:
    """The words with text, with finite starts that never decrease, and ends not before their starts."""
    start = end = 0.0
    speaker = ""
    for word in words:
        if not word.text.strip():
            continue
        start = min(max(start, word.start if math.isfinite(word.start) else end), until)
        end = max(start, word.end if math.isfinite(word.end) else start)
        speaker = word.speaker or speaker
        yield _Spoken(word, start, end, speaker)


def _without_overlaps(words: Sequence[_Spoken], until: float) -> Iterator[_Spoken]:
    """The words with ends not after the next start; words with the same start share the time to the next one."""
    groups = [list(group) for _, group in groupby(words, key=attrgetter("start"))]
    for at, group in enumerate(groups, start=1):
        end = groups[at][0].start if at < len(groups) else until
        if len(group) > 1:
            yield from _spread(group, end)
        else:
            yield group[0]._replace(end=end) if group[0].end > end else group[0]


def _spread(group: Sequence[_Spoken], latest: float) -> Iterator[_Spoken]:
    sizes = [cell_width(spoken.word.text) for spoken in group]
    start = group[0].start
    length = min(max(max(spoken.end for spoken in group) - start, sum(sizes) * _SECONDS_A_CELL), latest - start)
    for spoken, (begins, ends) in zip(group, _shares(start, start + length, sizes), strict=True):
        yield spoken._replace(start=begins, end=ends)


def _shares(start: float, end: float, sizes: Sequence[int]) -> Iterator[tuple[float, float]]:
    """Divide the time from `start` to `end` in proportion to `sizes`."""
    total, before = sum(sizes) or 1, 0
    for size in sizes:
        begins = start + (end - start) * before / total
        before += size
        yield begins, start + (end - start) * before / total


def _pieces(words: Iterable[_Spoken], language: Language) -> list[TimedPiece]:
    found: list[TimedPiece] = []
    before = ""
    for spoken in words:
        space = space_between(before, spoken.word.text, language) if found else ""
        first, *rest = _timed(spoken, language, space)
        if found and _belongs_together(found[-1], first, language):
            first = _joined(found.pop(), first)
        found += [first, *rest]
        before = spoken.word.text
    return found


def _timed(spoken: _Spoken, language: Language, space: str) -> list[TimedPiece]:
    """The pieces of one word, with its time divided in proportion to their widths."""
    word, start, end, speaker = spoken
    parts = pieces(word.text, language, space=space)
    sizes = [cell_width(part.text) for part in parts]
    if len(parts) == 1:
        return [TimedPiece(parts[0], start, end, sizes[0], word.confidence, speaker, word.doubted)]
    return [
        TimedPiece(part, begins, ends, size, word.confidence, speaker, word.doubted)
        for part, size, (begins, ends) in zip(parts, sizes, _shares(start, end, sizes), strict=True)
    ]


def _belongs_together(before: TimedPiece, after: TimedPiece, language: Language) -> bool:
    """Tell whether two pieces are one: separate punctuation, or characters between which no line may break."""
    if after.piece.space or before.speaker != after.speaker:
        return False
    return not joins_words(language) or holds(before.piece.text[-1], after.piece.text[0])


def _joined(before: TimedPiece, after: TimedPiece) -> TimedPiece:
    return before._replace(
        piece=before.piece._replace(text=before.piece.text + after.piece.text),
        end=max(before.end, after.end),
        cells=before.cells + after.cells,
        doubted=before.doubted or after.doubted,
    )
