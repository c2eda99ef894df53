"""Times of subtitle files: clocks and the lines with an arrow between two of them, also carelessly written ones."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_FRAMES_A_SECOND = 25  # of a clock like 00:01:02:12
_LONGEST = 400  # characters of a line that can have times

_SIGNS = str.maketrans(
    {
        **dict.fromkeys("：﹕∶", ":"),
        **dict.fromkeys("，،٬٫﹐", ","),
        **dict.fromkeys("．。", "."),
        **dict.fromkeys("；؛", ";"),
        **dict.fromkeys("－–—−‐‑﹣‒", "-"),
        **dict.fromkeys("＞›﹥", ">"),
        **dict.fromkeys("→⟶➔➜", ">"),
        "＝": "=",
        "\u00a0": " ",
        "\u3000": " ",
        **dict.fromkeys("\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff\u200b", None),
    }
)
"""Signs of other scripts, as translation programs put them into times, and marks that are not visible."""

_CLOCK = r"-?\s?\d{1,5}(?:\s?[:.,;]\s?-?\d{1,9}){1,3}"
_ARROW = r"(?:-[-\s]{0,4}>+|=+>+|>+)"
_BEFORE = r"^\s*(?:\d{1,6}\s+)?[\[(]?\s?"
"""A counter in the line of the times, and the bracket in which some recognisers put these."""
_TIMING = re.compile(rf"{_BEFORE}({_CLOCK})[.,]?\s*{_ARROW}\s*({_CLOCK})(?![\d:])[.,]?\s?[\])]?(.*)$")
_START_ONLY = re.compile(rf"{_BEFORE}({_CLOCK})[.,]?\s*(?:{_ARROW}|-+)")
_END_ONLY = re.compile(rf"{_ARROW}\s*({_CLOCK})\s*$")
_HEAD = re.compile("&gt;|[>→＞›﹥⟶➔➜]")
"""The head of an arrow, in any script."""
_PLAIN_ARROW = re.compile(r"-[-\s]{0,4}-\s?>|-{2,}>")
_SETTINGS = re.compile(r"^(?:\s*(?:[A-Za-z]\w*:[^\s:]\S*))*\s*$")
"""Settings behind the times: those of WebVTT, and the positions of some SRT files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """A line with times in milliseconds; None where one cannot be read. `text`: what stands behind them."""

    start: int | None
    end: int | None
    text: str = ""


def plain(line: str) -> str:
    """The line with ASCII digits and signs, without direction marks."""
    if line.isascii():
        return line.replace("&gt;", ">")
    digits = "".join(
        str(unicodedata.digit(character)) if character.isdigit() and not character.isascii() else character
        for character in line
    )
    return digits.translate(_SIGNS).replace("&gt;", ">")


def timing(line: str) -> Timing | None:
    """The times of a line that has two of them; None for any other line."""
    if _HEAD.search(line) is None:
        return None
    found = _TIMING.match(plain(line[:_LONGEST]))
    if found is None:
        return None
    start, end = clock(found[1]), clock(found[2])
    if start is None or end is None:
        return None
    rest = found[3]
    return Timing(start=start, end=end, text="" if _SETTINGS.match(rest) else rest.strip())


def broken_timing(line: str) -> Timing | None:
    """The time that can still be read of a line with an arrow, if any; None for a line without a sign of times."""
    if _HEAD.search(line) is None:
        return None
    known = plain(line[:_LONGEST])
    if _PLAIN_ARROW.search(known) is None and not (">" in known and _START_ONLY.match(known)):
        return None
    first, last = _START_ONLY.match(known), _END_ONLY.search(known)
    return Timing(start=clock(first[1]) if first else None, end=clock(last[1]) if last else None)


def sole_clock(line: str) -> int | None:
    """The time of a line that has nothing else, with minutes at least; None for any other line."""
    known = plain(line[:_LONGEST]).strip()
    return clock(known) if ":" in known and re.fullmatch(_CLOCK, known) else None


def clock(written: str) -> int | None:
    """Milliseconds of a clock: hours, minutes, seconds and a fraction, or as many of them as there are, from the right.

    A fraction follows a dot, a comma or a semicolon. After a fourth colon stand milliseconds if they have three digits,
    else frames. Also a sole number with a fraction is seconds. A minus before any of them makes the whole negative.
    """
    text = written.strip()
    negative, text = "-" in text, text.replace("-", "").lstrip()
    numbers = re.split(r"\s?[:.,;]\s?", text)
    signs = re.findall(r"[:.,;]", text)
    if len(signs) == 3 and signs[-1] == ":":
        value = _whole(numbers[:3]) + _frames(numbers[3])
    elif signs and signs[-1] != ":":
        value = _whole(numbers[:-1]) + round(float(f"0.{numbers[-1]}") * 1000)
    elif len(numbers) in {2, 3}:
        value = _whole(numbers)
    else:
        return None
    return -value if negative else value


def _frames(number: str) -> int:
    return int(number) if len(number) >= 3 else round(int(number) * 1000 / _FRAMES_A_SECOND)


def _whole(numbers: list[str]) -> int:
    """Milliseconds of [hours, ] [minutes, ] seconds."""
    seconds = 0
    for number in numbers:
        seconds = seconds * 60 + int(number)
    return seconds * 1000
