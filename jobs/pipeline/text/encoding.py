"""The encoding of a text file that does not tell: by its mark, then UTF-8, then by what its letters look like."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 LE begins with that of UTF-16 LE, and comes first."""

_USUAL = frozenset(
    {
        *(f"cp125{number}" for number in range(7)),
        *("cp874", "koi8_r", "iso8859_5", "iso8859_6"),
        *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
    }
)
"""The encodings that subtitles were written in before UTF-8."""

_SAMPLE = 50_000
"""Bytes that are looked at to tell the encoding."""

_FOREIGN_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_ARABIC_WORD = re.compile(r"[\u0620-\u06ff]+")
_ARABIC_SHARE = 0.9
_FREQUENT_ARABIC = frozenset("اليمونرهىت")
"""About six letters of ten in Arabic and in Persian; one or two of ten where other bytes are read as Windows-1256."""
_FREQUENT_SHARE = 0.4

_WESTERN = frozenset("àâäáãåæçéèêëíîïñóôöøúùûüœßÿ")
"""The letters of Western Europe, less those (ì, õ, ý, ð, þ) that stand for others where Windows-1250, 1251 or 1254 is
read as 1252; the few texts with those go by statistics."""
_SYMBOL_IN_WORD = re.compile(r"(?<=[^\W\d_])[¹²³¼½¾¯¿ª¡¢£¥]")


def decode(data: bytes) -> str | None:
    """`data` as text; None where it is no text."""
    for mark, encoding in _MARKED:
        if data.startswith(mark):
            return _strictly(data, encoding)
    if b"\0" in data:
        return _unmarked_utf16(data)
    if (text := _strictly(data, "utf-8")) is not None:
        return text
    return _legacy(data)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its digits and spaces is zero. Other zeros are no text."""
    low, high = data[1::2].count(0), data[0::2].count(0)
    if max(low, high) < len(data) / 20 or min(low, high) > max(low, high) / 20:
        return None
    return _strictly(data, "utf-16-le" if low > high else "utf-16-be")


def _legacy(data: bytes) -> str | None:
    """Text of one byte a character, or of an East Asian encoding.

    Windows-1256 and 1252 are told by their letters: statistics confuse them with their neighbours, above all in texts
    as short as subtitles, and where Persian letters, which Arabic statistics do not know, are frequent.
    """
    sample = data[:_SAMPLE]
    if _is_arabic(sample.decode("cp1256")):
        return data.decode("cp1256")
    western = sample.decode("cp1252", errors="replace")
    if _is_western(western):
        return data.decode("cp1252", errors="replace")
    refused = {"cp1252", "cp1254"} if _SYMBOL_IN_WORD.search(western) else set()
    best = from_bytes(sample, cp_isolation=sorted(_USUAL - refused)).best()
    return None if best is None else data.decode(best.encoding, errors="replace")


def _is_arabic(text: str) -> bool:
    """Whether the words with letters beyond ASCII are Arabic throughout, and their letters as frequent as they are."""
    words = _FOREIGN_WORD.findall(text)
    arabic = [word for word in words if _ARABIC_WORD.fullmatch(word)]
    letters = "".join(arabic)
    frequent = sum(letter in _FREQUENT_ARABIC for letter in letters)
    return bool(letters) and len(arabic) >= _ARABIC_SHARE * len(words) and frequent >= _FREQUENT_SHARE * len(letters)


def _is_western(text: str) -> bool:
    """Whether all letters beyond ASCII are of Western Europe, and no word holds a symbol."""
    foreign = {letter for word in _FOREIGN_WORD.findall(text.lower()) for letter in word if not letter.isascii()}
    return "\ufffd" not in text and foreign <= _WESTERN and not _SYMBOL_IN_WORD.search(text)
