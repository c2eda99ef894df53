"""Widths of text, and the pieces into which it may be split, for every script.

Widths are counted in cells: a full-width character (Unicode's East Asian Width W or F) has two, combining marks and
invisible characters (ZWNJ, ZWJ, bidi marks) have none, all others one. Limits of a language in full-width characters,
as in the Netflix guides for Chinese, Japanese and Korean, count a character as two cells.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from jobs.pipeline.text.languages import Language

_IDEOGRAPHIC = frozenset({"Hans", "Hant", "Jpan"})
"""Scripts without spaces in which a line may break between almost any two characters."""

_CLUSTERED = frozenset({"Thai", "Laoo", "Khmr", "Mymr"})
"""Scripts with spaces between phrases only; words inside a phrase cannot be found without a dictionary."""

_FULL_WIDTH_LINE = 20
"""Line lengths up to this are in full-width characters (Netflix: 16 and 13)."""

_SPACES = re.compile(r"[ \t\r\n\f\v\u2000-\u2006\u2008-\u200a\u2028\u2029]+")
"""White space at which text may be split: all except no-break spaces and the ideographic space, a punctuation mark."""

_OPENING = frozenset("([{<«“‘「『（〈《【〔［｛¿¡")
_CLOSING = frozenset(
    ")]}>»”’」』）〉》】〕］｝.,:;!?…%。、，．：；！？・،؛؟٪।॥ー々〜ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ\u3000"
)
"""Characters that may not begin a line: punctuation, and small kana by JIS X 4051."""

_FOLLOWING = frozenset("ะาำๅๆฯະາຳ\u2060\ufeff")
_LEADING = frozenset("เแโใไเແໂໃໄ\u1039\u17d2\u2060\ufeff\u200d")
"""Vowels written before their consonant, stackers and joiners: a line may not break after them."""


class Piece(NamedTuple):
    """The smallest part of a text that a line break may not split. `space` comes before it, unless it begins a line.

    `inner` is true if no space tells whether a word begins with it. (A named tuple, because there are tens of
    thousands, and creating a frozen dataclass takes four times as long.)
    """

    text: str
    space: str
    inner: bool


@cache
def _is_closing(text: str) -> bool:
    return all(character in _CLOSING for character in text)


@cache
def cells(character: str) -> int:
    """The width of one character in cells: 0, 1 or 2."""
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cell_width(text: str) -> int:
    """The width of one line of text in cells."""
    return len(text) if text.isascii() else sum(map(cells, text))


def cells_a_character(language: Language) -> int:
    """Cells of one character in the language's limits: 1 or 2."""
    return 2 if language.line_length <= _FULL_WIDTH_LINE else 1


def width(text: str, language: Language) -> float:
    """The width of `text` in the characters of the language's limits; a line break counts as a space."""
    return cell_width(text) / cells_a_character(language)


def joins_words(language: Language) -> bool:
    """Tell whether the language is written without spaces between words."""
    return language.script in _IDEOGRAPHIC or language.script in _CLUSTERED


def words_of(text: str) -> list[str]:
    """Split `text` at white space, but not at ZWNJ and no-break spaces."""
    return [word for word in _SPACES.split(text) if word]


def pieces(text: str, language: Language, *, space: str = "") -> list[Piece]:
    """Split `text` into pieces; `space` comes before the first. Joined they give `text` with single spaces."""
    words = words_of(text)
    if not joins_words(language):
        return [Piece(text=word, space=" " if at else space, inner=False) for at, word in enumerate(words)]
    found: list[Piece] = []
    for word in words:
        before = " " if found else space
        for cluster in _clusters(word):
            found.append(Piece(text=cluster, space=before, inner=not before))
            before = ""
    return found


def _clusters(word: str) -> list[str]:
    clusters = [word[0]]
    for character in word[1:]:
        if holds(clusters[-1][-1], character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def holds(before: str, after: str) -> bool:
    """Tell whether no line may break between two neighbouring characters of a script without spaces."""
    return (
        after in _CLOSING
        or after in _FOLLOWING
        or before in _OPENING
        or before in _LEADING
        or unicodedata.category(after) in {"Mn", "Mc", "Me", "Cf"}
        or (_is_narrow_letter(before) and _is_narrow_letter(after))
    )


def _is_narrow_letter(character: str) -> bool:
    """Tell whether it is part of a Latin, Greek or Cyrillic word, which is not split inside Chinese or Thai."""
    return (character.isalnum() or character in "'’-_@/") and character < "\u0590"


def space_between(before: str, after: str, language: Language) -> str:
    """The space between two recognised words: none before a word of punctuation only.

    In a script without spaces it is set between Latin words only, and if one of the words has a space of its own.
    """
    if not joins_words(language):
        return "" if _is_closing(after.strip()) else " "
    if before[-1:].isspace() or after[:1].isspace():
        return " "
    return " " if _is_narrow_letter(before[-1]) and _is_narrow_letter(after[0]) else ""
