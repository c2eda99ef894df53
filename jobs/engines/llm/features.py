"""Features of a text that survive translation: its length, end mark, numbers, words and names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_ENDS = {
    "?": "?",
    "؟": "?",
    "？": "?",
    "¿": "?",
    ";": ".",
    "!": "!",
    "！": "!",
    "…": "…",
    ".": ".",
    "。": ".",
    "।": ".",
}
_CLOSING = "\"'”’»)]}」』 \u200c\u200e\u200f"
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBERS = re.compile(r"\d+(?:[.,٫٬]\d+)*")
LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
"""A Latin letter."""

_SKELETON = {
    **dict.fromkeys("بپ", "b"),
    **dict.fromkeys("تطثد", "t"),
    **dict.fromkeys("جچژشسصزذضظ", "s"),
    **dict.fromkeys("کگقخغ", "k"),
    **dict.fromkeys("لر", "l"),
    **dict.fromkeys("من", "n"),
    "ف": "f",
}
"""Classes of consonants of Arabic letters; vowels, و, ه, ی and ع have none."""

_LATIN_SKELETON = {
    **dict.fromkeys("bp", "b"),
    **dict.fromkeys("td", "t"),
    **dict.fromkeys("jszxc", "s"),
    **dict.fromkeys("kgq", "k"),
    **dict.fromkeys("lr", "l"),
    **dict.fromkeys("mn", "n"),
    "f": "f",
}

_TWO_LETTERS = (("sh", "s"), ("ch", "s"), ("kh", "k"), ("gh", "k"), ("ph", "f"))


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a text that are compared."""

    length: int
    end: str
    numbers: frozenset[str]
    words: frozenset[str]  # in lower case
    names: frozenset[str]  # consonants of words that may be names
    is_latin: bool


@lru_cache(maxsize=4096)
def features(text: str) -> Features:
    """The features of a text."""
    plain = unicodedata.normalize("NFKC", text)
    found = _WORDS.findall(plain)
    is_latin = sum(map(len, LATIN.findall(plain))) * 2 > sum(map(str.isalpha, plain))
    return Features(
        length=sum(map(str.isalnum, plain)),
        end=_end_of(plain),
        numbers=frozenset(_number(number) for number in _NUMBERS.findall(plain)),
        words=frozenset(word.casefold() for word in found),
        names=frozenset(filter(None, (_consonants(word, is_latin=is_latin) for word in found))),
        is_latin=is_latin,
    )


def _end_of(text: str) -> str:
    """The class of the mark at the end of a text; empty for a letter, a comma or a dash."""
    shown = text.rstrip(_CLOSING)
    if shown.endswith("..."):
        return "…"
    return _ENDS.get(shown[-1:], "")


def _number(written: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in written if character.isdigit())


def _consonants(word: str, *, is_latin: bool) -> str:
    """The classes of the consonants of a word that may be a name, at least three; empty otherwise. Of Latin words those
    in capitals count.
    """
    if is_latin:
        if not word[0].isupper():
            return ""
        sounds = word.casefold()
        for written, sound in _TWO_LETTERS:
            sounds = sounds.replace(written, sound)
        skeleton = "".join(_LATIN_SKELETON.get(letter, "") for letter in sounds)
    else:
        skeleton = "".join(_SKELETON.get(letter, "") for letter in word)
    skeleton = re.sub(r"(.)\1+", r"\1", skeleton)
    return skeleton if len(skeleton) >= 3 else ""
