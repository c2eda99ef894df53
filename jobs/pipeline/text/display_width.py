"""How wide text is, and into what pieces it may be cut: the same for every script.

Widths are counted in cells: a full-width character (Unicode's East Asian Width W or F) takes two, combining marks and
invisible characters (ZWNJ, ZWJ, bidi marks) none, anything else one. Where the limits of a language are given in
full-width characters, as the Netflix guides do for Chinese, Japanese and Korean, a character is two cells.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from jobs.pipeline.text.languages import Language

_IDEOGRAPHIC = frozenset({"Hans", "Hant", "Jpan"})
"""Scripts without spaces where a line may break between nearly any two characters."""

_CLUSTERED = frozenset({"Thai", "Laoo", "Khmr", "Mymr"})
"""Scripts with spaces between phrases only; without a dictionary, words inside a phrase cannot be told."""

_FULL_WIDTH_LINE = 20
"""A line length up to this is counted in full-width characters (Netflix: 16 and 13)."""

_SPACES = re.compile(r"[ \t\r\n\f\v\u2000-\u2006\u2008-\u200a\u2028\u2029]+")
"""White space at which text may be cut: all but the no-break spaces and the ideographic space, which is punctuation."""

_OPENING = frozenset("([{<«“‘「『（〈《【〔［｛¿¡")
_CLOSING = frozenset(
    ")]}>»”’」』）〉》】〕］｝.,:;!?…%。、，．：；！？・،؛؟٪।॥ー々〜ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ\u3000"
)
"""Characters that no line begins with (JIS X 4051 and its like for the small kana), beside ordinary punctuation."""

_FOLLOWING = frozenset("ะาำๅๆฯະາຳ\u2060\ufeff")
_LEADING = frozenset("เแโใไเແໂໃໄ\u1039\u17d2\u2060\ufeff\u200d")
"""Vowels written before their consonant, stackers and joiners: nothing is cut off behind them."""


class Piece(NamedTuple):
    """The smallest stretch of text that a line break never cuts. `space` stands before it, unless it begins a line.

    `inner` is true where no space shows whether the border before it is one of words. (A tuple, for there are tens of
    thousands, and a frozen dataclass takes four times as long to make.)
    """

    text: str
    space: str
    inner: bool


@cache
def _is_closing(text: str) -> bool:
    return all(character in _CLOSING for character in text)


@cache
def cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cell_width(text: str) -> int:
    """The width of one line of text in cells."""
    return len(text) if text.isascii() else sum(map(cells, text))


def cells_a_character(language: Language) -> int:
    """How many cells one character of the language's limits takes."""
    return 2 if language.line_length <= _FULL_WIDTH_LINE else 1


def width(text: str, language: Language) -> float:
    """The width of `text` in the characters that `language` counts in; a line break counts as the space it replaces."""
    return cell_width(text) / cells_a_character(language)


def joins_words(language: Language) -> bool:
    """Whether words are written without spaces between them."""
    return language.script in _IDEOGRAPHIC or language.script in _CLUSTERED


def words_of(text: str) -> list[str]:
    """`text` cut at white space; ZWNJ and no-break spaces hold."""
    return [word for word in _SPACES.split(text) if word]


def pieces(text: str, language: Language, *, space: str = "") -> list[Piece]:
    """The pieces of `text`, in order, the first after `space`; joined again they give it, white space made single."""
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
    """Whether two neighbouring characters of a script without spaces stay on one line."""
    return (
        after in _CLOSING
        or after in _FOLLOWING
        or before in _OPENING
        or before in _LEADING
        or unicodedata.category(after) in {"Mn", "Mc", "Me", "Cf"}
        or (_is_narrow_letter(before) and _is_narrow_letter(after))
    )


def _is_narrow_letter(character: str) -> bool:
    """Letters and digits of Latin, Greek, Cyrillic and their like: their words are not cut inside Chinese or Thai."""
    return (character.isalnum() or character in "'’-_@/") and character < "\u0590"


def space_between(before: str, after: str, language: Language) -> str:
    """What stands between two words that a recogniser gave apart: punctuation alone belongs to the word before it.

    In a script without spaces only Latin words are parted, and words that carry a space of their own.
    """
    if not joins_words(language):
        return "" if _is_closing(after.strip()) else " "
    if before[-1:].isspace() or after[:1].isspace():
        return " "
    return " " if _is_narrow_letter(before[-1]) and _is_narrow_letter(after[0]) else ""
