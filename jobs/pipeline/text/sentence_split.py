"""Sentences out of lines, and translated sentences back into the lines they came from.

For translators that take whole sentences and know nothing of cues.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from jobs.pipeline.protocols import Line
from jobs.pipeline.text.display_width import Piece, cell_width, pieces
from jobs.pipeline.text.languages import Language

LONGEST_SENTENCE = 12
"""Lines joined at most: a transcript without any sign of a sentence's end must end somewhere."""

_ANY_WORD = 0.15
"""What a cut in the middle of a clause costs, in shares of the sentence: a cut may move that far to find a comma."""

_MARKS = frozenset(".,;:!?…،؛؟、。，；：—–")


def sentences(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """`lines` in runs that end with a sentence, LONGEST_SENTENCE lines at most."""
    start = 0
    for at, line in enumerate(lines, start=1):
        if line.ends_sentence or at == len(lines) or at - start == LONGEST_SENTENCE:
            yield lines[start:at]
            start = at


def split_by_shares(text: str, shares: Sequence[int], language: Language) -> list[str]:
    """`text` in as many parts as there are `shares`, about in their proportion, cut at words and rather at punctuation.

    Every part has a word. Where there are fewer words than parts, the last ones repeat the last word: on the screen it
    just stays. An empty `text` gives empty parts.
    """
    parts = pieces(text, language)
    missing = max(0, len(shares) - len(parts))
    if not parts:
        return [""] * len(shares)
    cuts = [0, *_cuts(parts, shares[: len(shares) - missing]), len(parts)]
    found = [_joined(parts[first:last]) for first, last in pairwise(cuts)]
    return found + found[-1:] * missing


def _cuts(parts: Sequence[Piece], shares: Sequence[int]) -> list[int]:
    """The cheapest increasing cuts between `parts`, one less than `shares`, found cut by cut (dynamic programming)."""
    ends = list(accumulate(max(1, cell_width(part.space + part.text)) for part in parts))
    wishes = list(accumulate(max(1, share) for share in shares))
    best: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for number, wish in enumerate(wishes[:-1], start=1):
        last_possible = len(parts) - (len(shares) - number)
        reached: dict[int, tuple[float, list[int]]] = {}
        for at in range(number, last_possible + 1):
            cost, cuts = min(found for place, found in best.items() if place < at)
            miss = abs(ends[at - 1] / ends[-1] - wish / wishes[-1])
            reached[at] = (cost + miss + (0 if parts[at - 1].text[-1] in _MARKS else _ANY_WORD), [*cuts, at])
        best = reached
    return min(best.values())[1]


def _joined(parts: Sequence[Piece]) -> str:
    return "".join(part.space + part.text for part in parts).strip()
