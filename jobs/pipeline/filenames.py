"""Names of files, from titles that people and sites chose."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

_LONGEST = 180
"""Bytes of a name. File systems take 255, and what is added to it (` (2)`, `.pt-BR.srt`, `.report.json`) needs room."""

_WORD = 40
"""Bytes of a cut name that are given up so that it ends with a whole word."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidi embeddings, overrides and isolates: one that is left open turns the ending of the name round."""

_UNSEEN = frozenset("\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")
"""Joiners, bidi marks and other characters that mean nothing at the end of a name."""

_VIRAMA = 9
"""The combining class of signs that join the letter after them to the one before, as in Devanagari."""


def result_name(title: str) -> str:
    """A file name made of `title`: no slash or control character, not hidden, not empty, at most 180 bytes of UTF-8.

    A longer one ends with a whole word, or at least with a whole character as readers see it (a grapheme cluster).
    """
    kept = "".join(map(_letter, title))
    name = _stripped(" ".join(kept.split()).lstrip(". "))
    short = shortened(name, _LONGEST, size=_bytes)
    if short != name and name[len(short)] != " ":
        words = short.rpartition(" ")[0]
        short = words if _bytes(words) >= _LONGEST - _WORD else short
    return _stripped(short) or "video"


def shortened(text: str, limit: int, *, size: Callable[[str], int] = len) -> str:
    """The beginning of `text`, of a `size` of at most `limit`, that does not end within a grapheme cluster.

    `size` measures a text, in characters unless told otherwise. Of a single cluster that is too large nothing is left.
    """
    if size(text) <= limit:
        return text
    end, used = 0, 0
    while end < len(text) and used + size(text[end]) <= limit:
        used += size(text[end])
        end += 1
    while end and _is_inside(text, end):
        end -= 1
    return text[:end].rstrip("".join(_UNSEEN) + " ")


def _letter(letter: str) -> str:
    if letter in _TURNING:
        return ""
    return " " if unicodedata.category(letter) in {"Cc", "Cs"} or letter == "/" else letter


def _stripped(name: str) -> str:
    return name.strip("".join(_UNSEEN) + " ").lstrip(". ")


def _bytes(text: str) -> int:
    return len(text.encode())


def _is_inside(text: str, at: int) -> bool:
    """Whether the place before `text[at]` lies within a grapheme cluster (Unicode Standard Annex 29)."""
    before, after = text[at - 1], text[at]
    if after in "\u200c\u200d" or unicodedata.category(after) in {"Mn", "Mc", "Me"}:
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, tags of flags
        return True
    if before == "\u200d" or unicodedata.combining(before) == _VIRAMA:
        return unicodedata.category(after)[0] in "LS"
    if _is_regional(before) and _is_regional(after):
        first = at - 1
        while first and _is_regional(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 1
    return _is_jamo_behind(before, after)


def _is_regional(letter: str) -> bool:
    """One half of a flag."""
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _is_jamo_behind(before: str, after: str) -> bool:
    """Whether two parts of one Korean syllable stand beside each other."""
    leads, follows = "\u1100" <= before <= "\u115f", "\u1160" <= after <= "\u11ff"
    syllable = leads or "\u1160" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"
    return (syllable and follows) or (leads and ("\u1100" <= after <= "\u115f" or "\uac00" <= after <= "\ud7a3"))


def result_file(name: str, kind: str, file: str, target: str) -> str:
    """What the file of a kind is called beside the other results of the video `name`. `file` is its name now."""
    if kind == "video":
        return f"{name}.{target}{Path(file).suffix}"
    return f"{name}{Path(file).suffix}" if kind == "poster" else f"{name}.{kind}"
