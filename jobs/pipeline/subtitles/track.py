"""The text track of a video, made of an SRT file of `subtitles.writer`: within the video, one text at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

_MOST_AT_ONCE = 20
"""Texts that are shown together at most: no picture has room for more."""

_TIMES = re.compile(r"(\d+):(\d\d):(\d\d),(\d\d\d) --> (\d+):(\d\d):(\d\d),(\d\d\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A text with its times in milliseconds."""

    start: int
    end: int
    text: str


def entries_of(srt: str) -> list[Entry]:
    """The entries of an SRT file that `writer` has written, which has no blank line inside a text."""
    found = []
    for block in srt.split("\n\n"):
        _, _, rest = block.strip("\n").partition("\n")
        times, _, text = rest.partition("\n")
        if read := _TIMES.fullmatch(times):
            start, end = _milliseconds(read.groups()[:4]), _milliseconds(read.groups()[4:])
            found.append(Entry(start=start, end=end, text=text))
    return found


def within(entries: Sequence[Entry], seconds: float) -> list[Entry]:
    """The entries that begin before the end of a video of so many seconds; what is still shown then ends with it."""
    last = int(seconds * 1000)
    return [replace(entry, end=min(entry.end, last)) for entry in entries if entry.start < last]


def one_at_a_time(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, none at the time of another: texts of the same time are joined, the one that began first on top.

    The text tracks of an MP4 (3GPP timed text) hold one text at a time: of two, a player would never show one. Of more
    than _MOST_AT_ONCE texts those that began last are shown.
    """
    ordered = sorted((entry for entry in entries if entry.end > entry.start), key=lambda entry: entry.start)
    changes = sorted({time for entry in ordered for time in (entry.start, entry.end)})
    joined, shown, waiting = list[Entry](), list[Entry](), 0
    for start, end in pairwise(changes):
        still = [entry for entry in shown if entry.end > start]
        shown = list(still)
        while waiting < len(ordered) and ordered[waiting].start <= start:
            shown.append(ordered[waiting])
            waiting += 1
        shown = shown[-_MOST_AT_ONCE:]
        text = "\n".join(dict.fromkeys(entry.text for entry in shown))
        if still and joined[-1].text == text:
            joined[-1] = replace(joined[-1], end=end)
        elif text:
            joined.append(Entry(start=start, end=end, text=text))
    return joined


def as_srt(entries: Sequence[Entry]) -> str:
    """The entries as an SRT file."""
    return "".join(
        f"{number}\n{_clock(entry.start)} --> {_clock(entry.end)}\n{entry.text}\n\n"
        for number, entry in enumerate(entries, start=1)
    )


def _milliseconds(parts: Sequence[str]) -> int:
    hours, minutes, seconds, rest = map(int, parts)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def _clock(time: int) -> str:
    seconds, rest = divmod(time, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"
