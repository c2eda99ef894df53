"""File names made of titles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

_LONGEST = 180
"""Most bytes of a name: file systems allow 255, and endings (` (2)`, `.pt-BR.srt`, `.report.json`) are added."""

_WORD = 40
"""Most bytes that are given up so that a shortened name ends with a whole word."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidi embeddings, overrides and isolates: an unclosed one reverses the ending of the name."""

_UNSEEN = frozenset("\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")
"""Joiners, bidi marks and other invisible characters without a meaning at the end of a name."""

_VIRAMA = 9
"""Combining class of signs that join the letter after them to the one before, as in Devanagari."""

_FEWEST_LETTERS = 3
"""Latin letters of a title from which they are a name by themselves."""

_SPELT = {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d"}
_SPELT |= {"Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "’": "", "‘": "", "–": "-", "—": "-"}
"""Letters that Unicode does not divide into one of ASCII and an accent."""


def result_name(title: str) -> str:
    """Make a file name of `title`: no slash or control character, not hidden, not empty, at most 180 bytes of UTF-8.

    A shortened name ends with a whole word, or at least with a whole grapheme cluster.
    """
    kept = "".join(map(_letter, title))
    name = _stripped(" ".join(kept.split()).lstrip(". "))
    short = shortened(name, _LONGEST, size=_bytes)
    if short != name and name[len(short)] != " ":
        words = short.rpartition(" ")[0]
        short = words if _bytes(words) >= _LONGEST - _WORD else short
    return _stripped(short) or "video"


def ascii_title(title: str) -> str:
    """A form of `title` in ASCII, for programs that know no other: its Latin letters and digits, without accents.

    `video` where these are no name, as for a title in Persian.
    """
    known = "".join(_SPELT[letter] if letter in _SPELT else _ascii(letter) for letter in title)
    words = re.sub(r"[^A-Za-z0-9 ()+,.=@_-]+", " ", known).split()
    kept = _stripped(" ".join(words).rstrip(" ,.=-+_").lstrip(" ,.=-+_)"))
    return kept if len(re.findall(r"[A-Za-z]", kept)) >= _FEWEST_LETTERS else "video"


def _ascii(letter: str) -> str:
    """A letter without its accents, a digit of any script as one of ours; a blank for all others."""
    if (digit := unicodedata.digit(letter, None)) is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return plain if plain or unicodedata.combining(letter) else " "


def shortened(text: str, limit: int, *, size: Callable[[str], int] = len) -> str:
    """Shorten `text` to a `size` of at most `limit`, without splitting a grapheme cluster.

    `size` measures a text, by default in characters. A single cluster that is too large leaves an empty text.
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
    """Tell whether the index `at` is inside a grapheme cluster (Unicode Standard Annex 29)."""
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
    """Tell whether the character is a regional indicator, one half of a flag."""
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _is_jamo_behind(before: str, after: str) -> bool:
    """Tell whether two characters are neighbouring parts of one Korean syllable."""
    leads, follows = "\u1100" <= before <= "\u115f", "\u1160" <= after <= "\u11ff"
    syllable = leads or "\u1160" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3"
    return (syllable and follows) or (leads and ("\u1100" <= after <= "\u115f" or "\uac00" <= after <= "\ud7a3"))


def result_file(name: str, kind: str, file: str, target: str) -> str:
    """The name of a result of the video `name`, by its `kind`; `file` is its present name, `target` a language code."""
    if kind == "video":
        return f"{name}.{target}{Path(file).suffix}"
    return f"{name}{Path(file).suffix}" if kind == "poster" else f"{name}.{kind}"
