"""Detection of a text file's encoding: by its byte order mark, then UTF-8, then by the letters in it."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_MARKED = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32 LE comes before UTF-16 LE, because its mark begins with that of UTF-16 LE."""

_USUAL = frozenset(
    {
        *(f"cp125{number}" for number in range(7)),
        *("cp874", "koi8_r", "iso8859_5", "iso8859_6"),
        *("gb18030", "big5", "cp932", "euc_jp", "cp949"),
    }
)
"""Encodings of subtitles from before UTF-8."""

_FEW = 0.02
"""Share of characters or bytes that may be wrong in a text."""
_RIGHT_TO_WRONG = 3
_WRONG = "\ufffd"
_WRONG_RUN = re.compile(f"{_WRONG}+")

_SAMPLE = 50_000
"""Bytes from which the encoding is detected."""

_FOREIGN_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_ARABIC_WORD = re.compile(r"[\u0620-\u06ff]+")
_ARABIC_SHARE = 0.9
_FREQUENT_ARABIC = frozenset("اليمونرهىت")
"""About 60 % of the letters in Arabic and Persian; 10 to 20 % in other texts decoded as Windows-1256."""
_FREQUENT_SHARE = 0.4

_WESTERN = frozenset("àâäáãåæçéèêëíîïñóôöøúùûüœßÿ")
"""Letters of Western Europe without ì, õ, ý, ð and þ, which other letters become when Windows-1250, 1251 or 1254 is
decoded as 1252; the few texts with those are detected by statistics."""
_SYMBOL_IN_WORD = re.compile(r"(?<=[^\W\d_])[¹²³¼½¾¯¿ª¡¢£¥]")


def decode(data: bytes) -> str | None:
    """Decode `data`; None if it is not text. In UTF-8 and UTF-16 a few wrong bytes become U+FFFD, and lines of another
    encoding in UTF-8 are decoded by themselves; zeros are left out of a text that has a few, or has them at its end.
    """
    for mark, encoding in _MARKED:
        if data.startswith(mark):
            return _nearly(data, encoding)
    data = data.removeprefix(codecs.BOM_UTF8)  # which some programs put before other encodings, too
    if b"\0" in data:
        if b"\0" not in data.rstrip(b"\0")[:-1]:  # a file that was made longer, then not written to its end
            data = data.rstrip(b"\0")
        text = _unmarked_utf16(data)
        if text is not None or data.count(0) > max(3, len(data) * _FEW):
            return text
        data = data.replace(b"\0", b"")
    if (text := _strictly(data, "utf-8")) is not None:
        return text
    return _mostly_utf8(data) or _legacy(data)


def _nearly(data: bytes, encoding: str) -> str | None:
    """Decode data whose encoding is known; None if more than a few of its bytes are wrong."""
    if encoding == "utf-16" and len(data) % 2:
        data = data[:-1]
    text = data.decode(encoding, errors="replace")
    return text if text.count(_WRONG) <= max(1, len(text) * _FEW) and len(text) > 1 else None


def _mostly_utf8(data: bytes) -> str | None:
    """Decode UTF-8 with a few wrong bytes, and with lines of another encoding, as in files that were joined. None for
    data most of whose lines beyond ASCII are not UTF-8: three times as many letters are right as bytes are wrong.
    """
    lines = data.splitlines(keepends=True)
    shown = [line.decode("utf-8", errors="replace") for line in lines]
    damaged = [at for at, line in enumerate(shown) if _WRONG in line]
    doubtful = {
        at: _right(shown[at]) for at in damaged if _right(shown[at]) < _RIGHT_TO_WRONG * shown[at].count(_WRONG)
    }
    if sum(not line.isascii() for line in shown) < max(1, len(doubtful)) + len(doubtful):
        return None
    foreign = [at for at, right in doubtful.items() if right < len(_WRONG_RUN.findall(shown[at]))]
    others = (_legacy(b"\n".join(lines[at].rstrip(b"\r\n") for at in foreign)) or "").split("\n")
    if len(others) == len(foreign):
        for at, line in zip(foreign, others, strict=True):
            shown[at] = line + shown[at][len(shown[at].rstrip("\r\n")) :]
    return "".join(shown)


def _right(line: str) -> int:
    """The letters beyond ASCII of a line, without wrong ones."""
    return sum(not character.isascii() for character in line) - line.count(_WRONG)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _unmarked_utf16(data: bytes) -> str | None:
    """Decode UTF-16 without a mark, in which every other byte of digits and spaces is zero; None for other data."""
    low, high = data[1::2].count(0), data[0::2].count(0)
    if max(low, high) < len(data) / 20 or min(low, high) > max(low, high) / 20:
        return None
    return _strictly(data, "utf-16-le" if low > high else "utf-16-be")


def _legacy(data: bytes) -> str | None:
    """Decode a single-byte or East Asian encoding.

    Windows-1256 and 1252 are recognised by their letters: statistics confuse them with similar encodings, above all in
    short texts such as subtitles, and in Persian, whose letters are unknown to statistics of Arabic.
    """
    sample = data[:_SAMPLE]
    if is_arabic(sample.decode("cp1256")):
        return data.decode("cp1256")
    western = sample.decode("cp1252", errors="replace")
    if _is_western(western):
        return data.decode("cp1252", errors="replace")
    refused = {"cp1252", "cp1254"} if _SYMBOL_IN_WORD.search(western) else set()
    best = from_bytes(sample, cp_isolation=sorted(_USUAL - refused)).best()
    return None if best is None else data.decode(best.encoding, errors="replace")


def is_arabic(text: str) -> bool:
    """Tell whether 90 % of the words beyond ASCII are Arabic, with the frequent letters of Arabic and Persian."""
    words = _FOREIGN_WORD.findall(text)
    arabic = [word for word in words if _ARABIC_WORD.fullmatch(word)]
    letters = "".join(arabic)
    frequent = sum(letter in _FREQUENT_ARABIC for letter in letters)
    return bool(letters) and len(arabic) >= _ARABIC_SHARE * len(words) and frequent >= _FREQUENT_SHARE * len(letters)


def _is_western(text: str) -> bool:
    """Tell whether all letters beyond ASCII are Western European, and no word contains a symbol."""
    foreign = {letter for word in _FOREIGN_WORD.findall(text.lower()) for letter in word if not letter.isascii()}
    return "\ufffd" not in text and foreign <= _WESTERN and not _SYMBOL_IN_WORD.search(text)
