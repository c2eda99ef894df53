"""Forms of a word: whether a word of a text is a known word with an ending.

The endings are the regular ones of nouns, names and adjectives. Stems that change (mouse, mice) are not recognised.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

_PERSIAN = re.compile(
    r"(?:ها|های|هایی|ان|گان|ات)?(?:ی|ای|یی|ام|ات|اش|م|ت|ش|مان|تان|شان|مون|تون|شون|یم|ید|ند)?(?:را|رو|و)?"
)
_ONE_LETTER = 4
"""Letters of a Persian word from which an ending of one letter is expected: «کارت» is no form of «کار»."""

_ARABIC_PREFIXES = ("وال", "بال", "فال", "کال", "ال", "لل", "و", "ب", "ل", "ف", "ک")
_ARABIC_ENDINGS = frozenset(("ات", "ون", "ین", "ان", "ها", "هم", "نا", "ی", "ه", "ک", "ا", "یه"))
_HEBREW_PREFIXES = ("וה", "ה", "ו", "ב", "ל", "מ", "ש", "כ")

_ROMANCE = frozenset(("s", "es", "a", "o", "as", "os", "e", "i", "x"))
_ENDINGS: dict[str, frozenset[str]] = {
    "en": frozenset(("s", "es", "ed", "ing")),
    "de": frozenset(("s", "es", "e", "en", "er", "em", "n", "ern", "in", "innen")),
    "nl": frozenset(("s", "en", "e", "n", "er")),
    "sv": frozenset(("s", "en", "et", "er", "ar", "or", "na", "n", "t", "a", "erna", "arna")),
    **dict.fromkeys(("es", "pt", "it", "fr", "ca", "ro"), _ROMANCE),
}
_USUAL = frozenset(("s", "es", "n", "en", "e", "a", "i"))
"""Endings of other languages, for words of any length."""

_LONG_ENDINGS = {
    **dict.fromkeys(("tr", "az", "uz", "kk", "fi", "hu", "et", "ko", "eu"), 12),
    **dict.fromkeys(("ru", "uk", "pl", "cs", "sk", "bg", "sr", "hr", "sl", "lt", "lv", "el", "hi", "ur"), 3),
}
"""Letters of the longest ending in languages with many of them."""

_OVER = re.compile("([a-z])[\u0300-\u036f]+")

_LEAST_STEM = 4
"""Letters of a word from which it is recognised by its stem, when an ending replaces letters: история, историю."""

_COMMON_SHARE = 0.7
"""The share of a word's letters with which two forms of it begin, at least."""


def is_form(known: str, word: str, code: str) -> bool:
    """Whether `word` is `known` with a regular ending of the language `code`. Both are folded (see `terms.fold`)."""
    if word == known:
        return True
    primary = code.split("-")[0]
    if primary in {"ar", "he"}:
        prefixes = _ARABIC_PREFIXES if primary == "ar" else _HEBREW_PREFIXES
        bare = [word, *(word.removeprefix(start) for start in prefixes if word.startswith(start))]
        return any(one == known or _has_ending(known, one, primary) for one in bare)
    return _has_ending(known, word, primary)


def _has_ending(known: str, word: str, primary: str) -> bool:
    ending = word[len(known) :] if word.startswith(known) else None
    if primary == "en":
        return _is_english_form(known, word, ending)
    if primary in _LONG_ENDINGS:
        most = _LONG_ENDINGS[primary] if len(known) > _LEAST_STEM else min(_LONG_ENDINGS[primary], _LEAST_STEM)
        stem = known[:-1] if len(known) > _LEAST_STEM and primary not in {"tr", "az", "uz", "kk"} else known
        return len(known) >= _LEAST_STEM - 1 and word.startswith(stem) and len(word) - len(stem) <= most
    if ending is None:
        return False
    if primary in {"fa", "prs", "tg"}:
        return bool(_PERSIAN.fullmatch(ending)) and (len(ending) > 1 or len(known) >= _ONE_LETTER)
    if primary in {"ar", "he"}:
        return ending in _ARABIC_ENDINGS
    return ending in _ENDINGS.get(primary, _USUAL)


def _is_english_form(known: str, word: str, ending: str | None) -> bool:
    if ending is not None:
        return ending in _ENDINGS["en"] or (ending == "d" and known.endswith("e"))
    if known.endswith("y"):
        return word in {f"{known[:-1]}ies", f"{known[:-1]}ied"}
    return known.endswith("e") and word == f"{known[:-1]}ing"


def may_be_form(known: str, word: str, code: str) -> bool:
    """Whether `word` may be a form of `known`: a regular one, or one that begins with the same letters. For checks that
    should rather miss an error than report a wrong one.
    """
    known, word = _plain(known), _plain(word)
    if is_form(known, word, code):
        return True
    bare, primary = [word], code.split("-")[0]
    if primary == "fa" and word.startswith(known) and _PERSIAN.fullmatch(word[len(known) :]):
        return True
    if primary == "ar":
        bare += [word.removeprefix(start) for start in _ARABIC_PREFIXES if word.startswith(start)]
    return len(known) >= _LEAST_STEM and any(_common(known, one) >= _COMMON_SHARE * len(known) for one in bare)


def _plain(word: str) -> str:
    """The word without the signs over Latin letters, which change with the form: Wort, Wörter."""
    return word if word.isascii() else _OVER.sub(r"\1", unicodedata.normalize("NFD", word))


def _common(one: str, other: str) -> int:
    """The number of letters with which both words begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
