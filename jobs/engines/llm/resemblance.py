"""Comparison of second answers with the first ones: a text that resembles another line's first answer is not its own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jobs.pipeline.text.terms import fold

_RESEMBLES = 0.4
"""The share of common words from which a text resembles a draft."""


def of_others(final: Mapping[int, str], drafts: Mapping[int, str]) -> set[int]:
    """The ids of final texts that resemble the draft of another line more than their own: texts that changed places."""
    words = {number: _words(text) for number, text in drafts.items()}
    found = set[int]()
    for number, text in final.items():
        said = _words(text)
        own = _overlap(said, words[number])
        if any(_overlap(said, other) > max(own, _RESEMBLES) for at, other in words.items() if at != number):
            found.add(number)
    return found


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", fold(text)))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of common words, of the text with more of them."""
    return len(one & other) / max(len(one), len(other), 1)
