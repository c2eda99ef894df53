"""Cues that do not fit two lines, as people bring them, divided in time.

Parts are chosen like cues of recognised words (see `segmentation`), with their line breaks. Nothing is lost, and all
times lie within those of the cue.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.segmentation import GAP
from jobs.pipeline.text import phrases
from jobs.pipeline.text.display_width import cell_width, pieces
from jobs.pipeline.text.languages import Language
from jobs.pipeline.text.line_breaking import MAX_LINES, best_break, line_cells, lines_needed, unwrap

_SPEAKER = re.compile(r"\s*[-–—‐][^\d]")
_PART = 12.0
"""Cost of a part, on the scale of `phrases`: one more is made only where words that belong together are kept so."""
_SMALL = 4.0
"""Cost of a part without text; those from half a line on cost nothing."""
_LEAST_SECONDS = 0.25
"""Seconds of a part on average, below which a cue is not divided: it could not be seen."""
_GAP_SHARE = 0.1
"""Most of the time of a part that is left free for the gap after it."""


def divided(cues: Sequence[Cue], language: Language) -> tuple[list[Cue], int]:
    """The cues with those that do not fit two lines divided, in the order of their times and numbered from 1, and the
    number of those that were."""
    found = [_divided(cue, language) for cue in cues]
    ordered = sorted((part for parts in found for part in parts), key=lambda cue: cue.start)
    numbered = [replace(cue, id=number) for number, cue in enumerate(ordered, start=1)]
    return numbered, sum(len(parts) > 1 for parts in found)


def _divided(cue: Cue, language: Language) -> list[Cue]:
    texts = _parts(cue.source, language)
    if len(texts) < 2 or cue.end - cue.start < _LEAST_SECONDS * len(texts):
        return [cue]
    shares = list(accumulate((max(1, cell_width(text)) for text in texts), initial=0))
    borders = [cue.start + (cue.end - cue.start) * share / shares[-1] for share in shares]
    gaps = [*(min(GAP, _GAP_SHARE * (end - start)) for start, end in pairwise(borders[:-1])), 0.0]
    return [
        replace(cue, start=round(start, 3), end=round(end - gap, 3), source=text)
        for text, (start, end), gap in zip(texts, pairwise(borders), gaps, strict=True)
    ]


def _parts(text: str, language: Language) -> list[str]:
    """The texts of the parts: as few of two full lines as possible. Lines of speakers stay whole, two of them together
    where each fits a line; one that does not fit two lines is divided by itself.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) >= MAX_LINES and all(_SPEAKER.match(line) for line in lines):
        return _of_speakers(lines, language)
    if lines_needed(unwrap(text, language), language) <= MAX_LINES:
        return [text]
    return list(_cut(unwrap(text, language), language))


def _of_speakers(lines: Sequence[str], language: Language) -> list[str]:
    parts, waiting = list[str](), ""
    for line in lines:
        if waiting and lines_needed(line, language) == 1:
            parts.append(f"{waiting}\n{line}")
            waiting = ""
            continue
        parts += [waiting] if waiting else []
        waiting = line if lines_needed(line, language) == 1 else ""
        parts += [] if waiting else _cut(line.strip(), language) if lines_needed(line, language) > MAX_LINES else [line]
    return parts + ([waiting] if waiting else [])


def _cut(text: str, language: Language) -> Iterator[str]:
    """The cheapest parts of a text that fit two lines (dynamic programming); a piece wider than a line is kept."""
    parts, line = pieces(text, language), line_cells(language)
    costs = [*phrases.costs(parts, language), 0.0]
    ends = list(accumulate((len(part.space) + cell_width(part.text) for part in parts), initial=0))
    starts = [end + len(part.space) for end, part in zip(ends, parts, strict=False)]
    best, origin = [0.0] + [math.inf] * len(parts), [0] * (len(parts) + 1)
    for first in range(len(parts)):
        for last in range(first + 1, len(parts) + 1):
            width = ends[last] - starts[first]
            cost = best[first] + _PART + costs[last - 1] + _SMALL * max(0.0, 1 - 2 * width / line)
            if width > line and last > first + 1:
                broken, _ = best_break(starts, ends, costs, (first, last), line)
                if broken > phrases.BOUND * 10:
                    break
                cost += broken
            if cost < best[last]:
                best[last], origin[last] = cost, first
    cuts = [len(parts)]
    while cuts[-1]:
        cuts.append(origin[cuts[-1]])
    for first, last in pairwise(cuts[::-1]):
        yield "".join(part.space + part.text for part in parts[first:last]).strip()
