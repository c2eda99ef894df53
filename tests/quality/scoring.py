"""Comparison of heard words with the words that were said: error rates, loops, matching positions.

Texts are compared in lower case, in NFKC, without punctuation and marks of vowels, with one form of each Persian letter
and a space for the half-space. Digits and words for numbers stay as they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FORMS = str.maketrans(
    {"ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "‌": " ", "’": "'", "ß": "ss"}
)
_APOSTROPHE = "'"
_LONGEST = 12  # words of a phrase that is looked for in turns


def normalise(text: str) -> list[str]:
    """The words of `text` in the form in which they are compared."""
    plain = unicodedata.normalize("NFKC", text).lower().translate(_FORMS).replace(_APOSTROPHE, "")
    letters = (" " if unicodedata.category(char)[0] in "PSZC" else char for char in plain)
    return "".join(char for char in letters if char not in "ًٌٍَُِّْٰٔ").split()


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """Counts of an alignment: `errors` (wrong, missing and added units) on `length` units of the reference."""

    errors: int
    length: int

    def __add__(self, other: Errors) -> Errors:
        return Errors(errors=self.errors + other.errors, length=self.length + other.length)

    @property
    def percent(self) -> float:
        """The error rate in percent."""
        return 100.0 * self.errors / max(1, self.length)


def word_errors(said: str, heard: str) -> Errors:
    """The word errors, of which WER is the rate."""
    return errors(normalise(said), normalise(heard))


def character_errors(said: str, heard: str) -> Errors:
    """The errors in letters, spaces left out, of which CER is the rate."""
    return errors("".join(normalise(said)), "".join(normalise(heard)))


def errors(said: Sequence[str], heard: Sequence[str]) -> Errors:
    """The least number of changes, insertions and deletions that make `heard` of `said` (Levenshtein)."""
    return Errors(errors=int(_distances(said, heard)[-1, -1]), length=len(said))


def matches(said: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions (said, heard) of the cheapest alignment, of equal and of changed units, in order."""
    table = _distances(said, heard)
    pairs, row, column = list[tuple[int, int]](), len(said), len(heard)
    while row and column:
        if table[row, column] == table[row - 1, column - 1] + (said[row - 1] != heard[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif table[row, column] == table[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]


def _distances(said: Sequence[str], heard: Sequence[str]) -> NDArray[np.int32]:
    """The table of Levenshtein distances between the beginnings of both, of shape (said + 1, heard + 1)."""
    numbers = {unit: number for number, unit in enumerate({*said, *heard})}
    across = np.array([numbers[unit] for unit in heard], dtype=np.int32)
    steps = np.arange(len(heard) + 1, dtype=np.int32)
    table = np.zeros((len(said) + 1, len(heard) + 1), dtype=np.int32)
    table[0] = steps
    for row, unit in enumerate(said, start=1):
        above = table[row - 1]
        best = np.concatenate(([row], np.minimum(above[1:] + 1, above[:-1] + (across != numbers[unit]))))
        table[row] = np.minimum.accumulate(best - steps) + steps  # insertions, from left to right
    return table


def loops(words: Sequence[str]) -> list[bool]:
    """For each of the normalised `words`, whether it is in a later turn of a loop.

    A loop is a phrase several times in a row: four turns of one word, three of 2 to 5 words, two of 6 to 12.
    """
    looped = [False] * len(words)
    for size in range(1, _LONGEST + 1):
        turns = 4 if size == 1 else 3 if size < 6 else 2
        for first, last in _runs(words, size):
            if last - first >= size * turns:
                looped[first + size : last] = [True] * (last - first - size)
    return looped


def _runs(words: Sequence[str], size: int) -> Iterator[tuple[int, int]]:
    """The stretches (first, one past the last) in which each word equals the one `size` before, that one included."""
    first = 0
    for at in range(size, len(words) + 1):
        if at == len(words) or words[at] != words[at - size]:
            if at - first > size:
                yield first, at
            first = at - size + 1


def looped_words(said: str, heard: Iterable[str]) -> int:
    """The number of heard words in later turns of loops that are not in what was said."""
    return max(0, sum(loops(normalise(" ".join(heard)))) - sum(loops(normalise(said))))
