"""Repair of text that was damaged before it was stored: letters of a wrong encoding, punctuation on the wrong side."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

from jobs.pipeline.text.encoding import is_arabic

_MISREAD = (
    ("cp1252", "utf-8"),
    ("cp1256", "utf-8"),
    ("cp1251", "utf-8"),
    ("cp1250", "utf-8"),
    ("cp437", "utf-8"),
    ("mac_roman", "utf-8"),
)
"""Encodings in which text was read, and that in which it was written."""
_WORD = re.compile(r"[^ \t\r\n]+")
"""Bytes of a misread letter can look like white space of other kinds."""
_SAMPLE, _LONGEST = 2000, 100  # words from which a repair is judged, and letters of one
_ENOUGH = 0.9  # share of the words beyond ASCII that a repair has to explain
_PUNCTUATION = ".!?؟،:؛…"
_RIGHT_TO_LEFT = re.compile("[\u0590-\u07ff\ufb1d-\ufdff\ufe70-\ufefc]")
_MOVED = re.compile(rf"^(?P<before>\s*)(?!\.\.|…)(?P<signs>[{_PUNCTUATION}]+)(?P<text>.*[^{_PUNCTUATION}\s])\s*$")
_REVERSED = 0.3  # share of the lines from right to left with a sign at their beginning, from which it was moved there
_FEWEST = 2


def without_mojibake(text: str) -> str:
    """The text, with letters repaired that were read in a wrong encoding and stored so, such as “Ø³Ù„Ø§Ù…” for «سلام»;
    the text itself if that explains less than nine of ten of its foreign words.
    """
    foreign = (word[0][:_LONGEST] for word in _WORD.finditer(text) if not word[0].isascii())
    words = list(dict.fromkeys(islice(foreign, _SAMPLE)))
    if not words:
        return text
    for wrong, right in _MISREAD:
        repaired = [_reread(word, wrong, right) for word in words]
        if sum(word is not None for word in repaired) >= _ENOUGH * len(words):
            return _word_by_word(text, wrong, right)
    arabic = [_reread(word, "cp1252", "cp1256") for word in words]
    if _are_signs(words) and all(arabic) and is_arabic(" ".join(word or "" for word in arabic)):
        return _word_by_word(text, "cp1252", "cp1256")
    return text


def _are_signs(words: Sequence[str]) -> bool:
    """Whether words have next to no ASCII letters, which in a European language they would have."""
    letters = [letter for word in words for letter in word if letter.isalpha()]
    return sum(letter.isascii() for letter in letters) < len(letters) / 5


def _word_by_word(text: str, wrong: str, right: str) -> str:
    return _WORD.sub(lambda found: _reread(found[0], wrong, right) or found[0], text)


def _reread(word: str, wrong: str, right: str) -> str | None:
    """A word with its bytes in the other encoding; None if that is impossible. Bytes unknown to `wrong` were kept
    as control characters.
    """
    try:
        data = b"".join(bytes([ord(letter)]) if "\x80" <= letter <= "\x9f" else letter.encode(wrong) for letter in word)
        return data.decode(right)
    except UnicodeError:
        return None


def with_moved_punctuation(lines: Sequence[str]) -> list[str] | None:
    """Texts from right to left whose last signs stand before their lines, as old programs needed it, with these signs
    behind; None if that is not the habit of the texts.
    """
    rows = [row for text in lines for row in text.split("\n") if _RIGHT_TO_LEFT.search(row)]
    moved = [row for row in rows if _MOVED.match(row)]
    if len(moved) < _FEWEST or len(moved) < _REVERSED * len(rows):
        return None
    return ["\n".join(_with_signs_behind(row) for row in text.split("\n")) for text in lines]


def _with_signs_behind(row: str) -> str:
    found = _MOVED.match(row) if _RIGHT_TO_LEFT.search(row) else None
    return f"{found['before']}{found['text']}{unicodedata.normalize('NFC', found['signs'])[::-1]}" if found else row
