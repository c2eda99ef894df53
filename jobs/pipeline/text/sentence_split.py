"""Joining lines to sentences, and splitting translated sentences into the same lines.

For translators that take whole sentences and do not know cues.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from jobs.pipeline.protocols import Line
from jobs.pipeline.text import phrases
from jobs.pipeline.text.display_width import Piece, cell_width, pieces
from jobs.pipeline.text.languages import Language

LONGEST_SENTENCE = 12
"""Most lines of a sentence, for transcripts without any punctuation."""

_CUT = 0.03
"""Cost of a cut for each unit of the costs of `phrases`, as a share of the sentence: a cut may move that far to be at a
better place."""


def sentences(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Group `lines` into runs that end with a sentence, of LONGEST_SENTENCE lines at most."""
    start = 0
    for at, line in enumerate(lines, start=1):
        if line.ends_sentence or at == len(lines) or at - start == LONGEST_SENTENCE:
            yield lines[start:at]
            start = at


def split_by_shares(text: str, shares: Sequence[int], language: Language) -> list[str]:
    """Split `text` between words into parts about in proportion to `shares`, preferably at the places of `phrases`.

    Every part has a word. If there are fewer words than parts, the last parts repeat the last word, which then stays on
    the screen. An empty `text` gives empty parts.
    """
    parts = pieces(text, language)
    missing = max(0, len(shares) - len(parts))
    if not parts:
        return [""] * len(shares)
    cuts = [0, *_cuts(parts, shares[: len(shares) - missing], phrases.costs(parts, language)), len(parts)]
    found = [_joined(parts[first:last]) for first, last in pairwise(cuts)]
    return found + found[-1:] * missing


def _cuts(parts: Sequence[Piece], shares: Sequence[int], costs: Sequence[float]) -> list[int]:
    """The cheapest increasing cuts between `parts`, one less than `shares`, by dynamic programming."""
    ends = list(accumulate(max(1, cell_width(part.space + part.text)) for part in parts))
    wishes = list(accumulate(max(1, share) for share in shares))
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for number, wish in enumerate(wishes[:-1], start=1):
        last_possible = len(parts) - (len(shares) - number)
        reached: dict[int, tuple[float, list[int]]] = {}
        for at in range(number, last_possible + 1):
            cost, cuts = min(found for place, found in best.items() if place < at)
            miss = abs(ends[at - 1] / ends[-1] - wish / wishes[-1])
            reached[at] = (cost + miss + _CUT * costs[at - 1], [*cuts, at])
        best = reached
    return min(best.values())[1]


def _joined(parts: Sequence[Piece]) -> str:
    return "".join(part.space + part.text for part in parts).strip()
