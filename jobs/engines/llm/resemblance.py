"""Comparison of second answers with the first ones: a text that resembles that of another line is not its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from jobs.pipeline.text.terms import fold

_WORD = re.compile(r"\w+")

_RESEMBLES = 0.4
"""The share of common words from which a text resembles a draft."""

_STEM = 4
"""First letters by which two forms of a word are the same."""


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
    return frozenset(_WORD.findall(fold(text)))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of common words, of the text with more of them."""
    return len(one & other) / max(len(one), len(other), 1)


def is_shortened(own: str, shorter: str, others: Collection[str]) -> bool:
    """Whether a text may be a shorter form of `own`: it shares words with it, and not more with one of `others`, the
    other texts of the same answer.
    """
    shared = _shared(shorter, own)
    return shared > 0 and all(_shared(shorter, other) <= shared for other in others)


def _shared(one: str, other: str) -> int:
    """The number of words that two texts share, by their first letters: endings change. Of texts without spaces, as in
    Chinese and Japanese, the number of characters.
    """
    if " " not in one and " " not in other:
        return len({*fold(one)} & {*fold(other)})
    stems = {word[:_STEM] for word in _WORD.findall(fold(other))}
    return sum(word[:_STEM] in stems for word in {*_WORD.findall(fold(one))})
