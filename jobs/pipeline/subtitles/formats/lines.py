"""Formats with a line, or a few, for each subtitle: SBV, LRC, MicroDVD, MPL2 and TMPlayer."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from jobs.pipeline.subtitles.formats.event import Event, Problem, ProblemKind
from jobs.pipeline.subtitles.formats.times import clock

_CLOCK = r"-?\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,3})?"
_SBV = re.compile(rf"^\s*({_CLOCK})\s*,\s*({_CLOCK}|)\s*$")
_LRC = re.compile(r"^\s*((?:\[-?\d{1,3}:\d{2}(?:[.:]\d{1,3})?\])+)(.*)$")
_LRC_TIME = re.compile(r"\[(-?\d{1,3}:\d{2}(?:[.:]\d{1,3})?)\]")
_LRC_WORD = re.compile(r"<\d{1,3}:\d{2}(?:[.:]\d{1,3})?>")
_LRC_TAG = re.compile(r"^\s*\[[A-Za-z#]\w*:.*\]\s*$")
_LRC_OFFSET = re.compile(r"^\s*\[offset:\s*([+-]?\d+)\s*\]", re.IGNORECASE)
_MICRODVD = re.compile(r"^\s*\{(-?\d+)\}\{(-?\d+|)\}(.*)$")
_MPL2 = re.compile(r"^\s*\[(-?\d+)\]\[(-?\d+|)\](.*)$")
_TMPLAYER = re.compile(r"^\s*(\d{1,2}:\d{2}:\d{2})(?:,\d=|[:=,])(?!.{0,20}\d:\d\d:\d)(.*)$")
USUAL_FRAMES = 23.976
"""Frames a second that are assumed for a MicroDVD file that does not say it."""
_DIGITS = 12  # of a number that are read: more are no time of a video anyway
_LONGEST = 7000  # milliseconds of a subtitle whose end is not given


def sbv_events(text: str) -> Iterator[Event | Problem]:
    """The events of an SBV file, as YouTube gives it."""
    lines = text.split("\n")
    places = [at for at, line in enumerate(lines) if _SBV.match(line)]
    if any(line.strip("\ufeff \t") for line in lines[: places[0]]):
        yield Problem(kind=ProblemKind.NO_TIMES, line=1)
    for at, following in pairwise([*places, len(lines)]):
        found = _SBV.match(lines[at])
        assert found
        shown = "\n".join(lines[at + 1 : following]).strip().replace("[br]", "\n")
        yield Event(start=clock(found[1]), end=clock(found[2]) if found[2] else None, text=shown, line=at + 1)


def lrc_events(text: str) -> Iterator[Event | Problem]:
    """The events of an LRC file, the words of a song: each lasts until the next line, which may be empty."""
    offset, found = 0, list[tuple[int, int, str]]()
    for number, line in enumerate(text.split("\n"), start=1):
        if told := _LRC_OFFSET.match(line):
            offset = int(told[1])
        elif row := _LRC.match(line):
            shown = _LRC_WORD.sub("", row[2])
            found += [(_lrc_time(time), number, shown) for time in _LRC_TIME.findall(row[1])]
        elif line.strip() and not _LRC_TAG.match(line):
            yield Problem(kind=ProblemKind.NO_TIMES, line=number)
    yield from _until_the_next([(start - offset, number, shown) for start, number, shown in sorted(found)])


def _lrc_time(written: str) -> int:
    minutes, seconds, *fraction = re.split(r"[:.]", written.removeprefix("-"))
    time = (int(minutes) * 60 + int(seconds)) * 1000 + round(float(f"0.{(*fraction, '0')[0]}") * 1000)
    return -time if written.startswith("-") else time


def microdvd_events(text: str) -> Iterator[Event | Problem]:
    """The events of a MicroDVD file, whose times are frames. The first line may say how many a second has."""
    rows = _rows(text, _MICRODVD)
    stated = _stated_rate(rows[0]) if rows else None
    if rows and not stated:
        yield Problem(kind=ProblemKind.RATE_ASSUMED, line=rows[0][0])
    rate, rows = stated or USUAL_FRAMES, rows if stated is None else rows[1:]
    yield from _unread(text, _MICRODVD)
    yield from _with_ends(rows, lambda frames: round(int(frames[:_DIGITS]) * 1000 / rate))


def _stated_rate(row: tuple[int, str, str, str]) -> float | None:
    """The frames a second that the first row states, at the very start of the video; None if it is a subtitle."""
    _, start, end, text = row
    told = re.fullmatch(r"\s*(\d{2,3}(?:[.,]\d+)?)\s*", text)
    if not told or int(start[:_DIGITS]) not in {0, 1} or int(end[:_DIGITS] or 0) not in {0, 1}:
        return None
    return float(told[1].replace(",", "."))


def mpl2_events(text: str) -> Iterator[Event | Problem]:
    """The events of an MPL2 file, whose times are tenths of a second."""
    yield from _unread(text, _MPL2)
    yield from _with_ends(_rows(text, _MPL2), lambda tenths: int(tenths[:_DIGITS]) * 100)


def tmplayer_events(text: str) -> Iterator[Event | Problem]:
    """The events of a TMPlayer file, which has only starts."""
    found = list[tuple[int, int, str]]()
    for number, line in enumerate(text.split("\n"), start=1):
        if row := _TMPLAYER.match(line):
            found.append((clock(row[1]) or 0, number, row[2].replace("|", "\n")))
    yield from _unread(text, _TMPLAYER)
    yield from _until_the_next(sorted(found))


FORMATS: tuple[tuple[re.Pattern[str], Callable[[str], Iterator[Event | Problem]]], ...] = (
    (_SBV, sbv_events),
    (_MICRODVD, microdvd_events),
    (_MPL2, mpl2_events),
    (_LRC, lrc_events),
    (_TMPLAYER, tmplayer_events),
)
"""The pattern of a line of each format, and its parser."""


def _rows(text: str, pattern: re.Pattern[str]) -> list[tuple[int, str, str, str]]:
    """The line number, start, end and text of each line of this form. “/” before a line means italics."""
    return [
        (number, row[1], row[2], "\n".join(part.removeprefix("/") for part in row[3].split("|")))
        for number, line in enumerate(text.split("\n"), start=1)
        if (row := pattern.match(line))
    ]


def _unread(text: str, pattern: re.Pattern[str]) -> Iterator[Problem]:
    """A problem for each line that is not of this form."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(" \t\ufeff\x1a") and not pattern.match(line):
            yield Problem(kind=ProblemKind.NO_TIMES, line=number)


def _with_ends(rows: Sequence[tuple[int, str, str, str]], time: Callable[[str], int]) -> Iterator[Event | Problem]:
    """The rows as events; one without an end lasts until the next."""
    starts = sorted(time(start) for _, start, _, _ in rows)
    for number, start, end, text in rows:
        first = time(start)
        last = time(end) if end else _following(starts, first)
        yield Event(start=first, end=last, text=text, line=number)


def _until_the_next(rows: Sequence[tuple[int, int, str]]) -> Iterator[Event | Problem]:
    """Events of rows with a start, a line number and a text: each with text lasts until the next row."""
    starts = [start for start, _, _ in rows]
    for start, number, text in rows:
        if text.strip():
            yield Event(start=start, end=_following(starts, start), text=text, line=number)


def _following(starts: Sequence[int], start: int) -> int:
    """The next of the sorted `starts`, but no more than _LONGEST after `start`."""
    at = bisect(starts, start)
    return min(starts[at], start + _LONGEST) if at < len(starts) else start + _LONGEST
