"""Line breaking: the text of one cue in at most two lines.

Rules: Netflix timed text guide, general requirements (two lines; break after punctuation, before conjunctions and
prepositions), and its preference for a bottom line that is not the shorter one.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise

from jobs.pipeline.text import phrases
from jobs.pipeline.text.display_width import Piece, cell_width, cells_a_character, pieces, space_between, words_of
from jobs.pipeline.text.languages import Language

MAX_LINES = 2
"""Most lines of a cue."""

_MARKS = "\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
_DASH = re.compile(rf"^[{_MARKS}]*[-–—‐][^\d]")
_NEXT_SPEAKER = re.compile(r"(?<=[.!?…؟。！？\"”»]) +(?=[-–—‐] ?\w)")

_OVERFLOW = 1000.0
_BOTTOM_HEAVY, _TOP_HEAVY = 3.0, 7.0
"""Costs of two lines of which one is empty: the upper, the lower. The bottom line is rather the longer one."""
_LONGER_TOP = 0.3
_UNEVEN = 4.0
"""Cost of a line among several that is empty or twice as long as the others."""


def wrap(text: str, language: Language) -> str:
    """Break `text` into at most two lines, joined by a newline, at the best place.

    Lines of a dialogue, which begin with dashes, are kept, as is an existing break at a good place. Text longer than
    two full lines becomes two lines of similar length: the quality report names it.
    """
    lines = _speakers(_lines(text))
    if _is_dialogue(lines) or _is_well_broken(lines, language):
        return "\n".join(lines)
    return _break(pieces(unwrap(text, language), language), language)


def unwrap(text: str, language: Language) -> str:
    """Join the lines of `text`, with spaces if the script has them; white space becomes single."""
    lines = _lines(text)
    joints = (space_between(before, after, language) for before, after in pairwise(lines))
    return "".join(chain.from_iterable(zip(["", *joints], lines, strict=True))) if lines else ""


def line_cells(language: Language) -> int:
    """The longest line of `language` in cells."""
    return language.line_length * cells_a_character(language)


def lines_needed(text: str, language: Language) -> int:
    """The number of lines of `text` if each is filled as far as possible."""
    max_cells, taken, lines = line_cells(language), 0, 1
    for piece in pieces(text, language):
        size = cell_width(piece.text)
        if taken and taken + len(piece.space) + size > max_cells:
            lines, taken = lines + 1, size
        else:
            taken += len(piece.space) + size
    return lines


def _lines(text: str) -> list[str]:
    return [" ".join(words) for line in text.splitlines() if (words := words_of(line))]


def _speakers(lines: list[str]) -> list[str]:
    """Split a line with two speakers, “- Yes? - No.”, into two."""
    if len(lines) == 1 and _DASH.match(lines[0]):
        return _NEXT_SPEAKER.split(lines[0])
    return lines


def _is_dialogue(lines: Sequence[str]) -> bool:
    return len(lines) == MAX_LINES and all(_DASH.match(line) for line in lines)


def _is_well_broken(lines: Sequence[str], language: Language) -> bool:
    """Tell whether these are two lines that fit and separate no words that belong together."""
    if len(lines) != MAX_LINES or max(map(cell_width, lines)) > line_cells(language):
        return False
    before, after = (pieces(line, language) for line in lines)
    return phrases.costs([before[-1], after[0]], language)[0] < phrases.BOUND


def _break(parts: Sequence[Piece], language: Language) -> str:
    text = _text(parts)
    max_cells = line_cells(language)
    if len(parts) < MAX_LINES or cell_width(text) <= max_cells:
        return text
    ends = list(accumulate((cell_width(part.space + part.text) for part in parts), initial=0))
    starts = [end + len(part.space) for end, part in zip(ends, parts, strict=False)]
    _, at = best_break(starts, ends, phrases.costs(parts, language), (0, len(parts)), max_cells)
    return f"{_text(parts[:at])}\n{_text(parts[at:])}"


def best_break(
    starts: Sequence[int], ends: Sequence[int], costs: Sequence[float], span: tuple[int, int], max_cells: int
) -> tuple[float, int]:
    """The cheapest break of the pieces of `span` into two lines: its cost, and the first piece of the lower line.

    `starts[i]` is where piece i begins, in cells from the beginning of the text, `ends[i]` where the piece before it
    ends; `costs[i]` is the cost of a break after piece i. Lines wider than `max_cells` cost more than any break.
    """
    first, last = span
    begin, end = starts[first], ends[last]
    low = bisect_left(starts, end - max_cells, first + 1, last)
    high = bisect_right(ends, begin + max_cells, first + 1, last)
    if low >= high:
        low, high = first + 1, last
    best, found = math.inf, low
    for at in range(low, high):
        top, bottom = ends[at] - begin, end - starts[at]
        cost = costs[at - 1]
        if top > bottom:
            cost += _LONGER_TOP + _TOP_HEAVY * (top - bottom) / (top + bottom)
        else:
            cost += _BOTTOM_HEAVY * (bottom - top) / (top + bottom)
        if top > max_cells or bottom > max_cells:
            cost += _OVERFLOW * (max(top, bottom) - max_cells + 1)
        if cost < best:
            best, found = cost, at
    return best, found


def break_evenly(parts: Sequence[Piece], language: Language, count: int, max_cells: int) -> list[str]:
    """The pieces in `count` lines of at most `max_cells` cells, as many as they need if each is filled: at the best
    places, of similar lengths. A piece must not be wider than a line."""
    costs = [*phrases.costs(parts, language), 0.0]
    ends = list(accumulate((len(part.space) + cell_width(part.text) for part in parts), initial=0))
    starts = [end + len(part.space) for end, part in zip(ends, parts, strict=False)]
    ideal = max(1.0, ends[-1] / count)
    best, origins = {0: 0.0}, list[dict[int, int]]()
    for _ in range(count):
        reached, origin = dict[int, float](), dict[int, int]()
        for first, so_far in best.items():
            for last in range(first + 1, bisect_right(ends, starts[first] + max_cells) if first < len(parts) else 0):
                uneven = abs(ends[last] - starts[first] - ideal) / ideal
                cost = so_far + costs[last - 1] + _UNEVEN * uneven
                if last not in reached or cost < reached[last]:
                    reached[last], origin[last] = cost, first
        best = reached
        origins.append(origin)
    cuts = [len(parts)]
    for origin in reversed(origins):
        cuts.append(origin[cuts[-1]])
    return [_text(parts[first:last]) for first, last in pairwise(cuts[::-1])]


def _text(parts: Sequence[Piece]) -> str:
    return "".join(part.space + part.text for part in parts).strip(" \u3000")
