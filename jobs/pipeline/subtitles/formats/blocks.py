"""SRT and WebVTT: every line with an arrow between times becomes an event, or is named as a problem.

A parser for players may skip what is not as the format demands; people bring files that were joined, shifted,
translated by machine or cut, and none of their lines may be lost without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from jobs.pipeline.subtitles.formats.event import Event, Problem, ProblemKind
from jobs.pipeline.subtitles.formats.times import Timing, broken_timing, clock, plain, sole_clock, timing

_NUMBERED = 0.5  # share of the times that have a number above them, from which the numbers are counters
_RISING = 0.8  # share of the numbers above all times that follow a smaller one, from which each is a counter
_SPACED = 0.9  # share of the times with a blank line below, from which blank lines mean nothing
_COUNTER = re.compile(r"^[\s#(\[]*(\d{1,6})[\s.)\]:]*$")
_BROKEN_COUNTER = re.compile(r"^\W*\d[\w.]{0,5}\W?$|^\W{1,4}$")
_META = re.compile(r"^(NOTE|STYLE|REGION)(\s|$)")
_HEADER = re.compile(r"^\ufeff?WEBVTT(\s|$)", re.IGNORECASE)
_TIMESTAMP_MAP = re.compile(r"^X-TIMESTAMP-MAP\s*=", re.IGNORECASE)
_MPEGTS_CLOCK = 90  # ticks of a millisecond


@dataclass(frozen=True, kw_only=True, slots=True)
class _Times:
    """A line with times: its number in the file from 0, the first line of its cue (that of its counter or name, if it
    has one), its times, and its counter.
    """

    at: int
    begin: int
    timing: Timing
    counter: int | None


def srt_blocks(text: str) -> Iterator[Event | Problem]:
    """The events of an SRT file."""
    lines, numbers = _without_doubled_ends(text.split("\n"))
    for one in _events(lines, _times(lines)):
        yield replace(one, line=numbers[one.line - 1])


def vtt_blocks(text: str) -> Iterator[Event | Problem]:
    """The events of a WebVTT file, also of several that were joined. Comments, styles, regions and names of cues are
    left out. Segments of HLS that give their clock are put at the times that it says, from the first one on.
    """
    lines = text.split("\n")
    shifts = _shifts(lines)
    lines = _without_meta(lines)
    for one in _events(lines, _times(lines, named=True)):
        yield _shifted(one, shifts[one.line - 1]) if isinstance(one, Event) else one


def has_timing(lines: Sequence[str]) -> bool:
    """Whether one of the lines has an arrow between two times."""
    return any(timing(line) for line in lines)


def _times(lines: Sequence[str], *, named: bool = False) -> list[_Times]:
    """The lines with times, in order. `named`: a line above them, after a blank one, is the name of the cue."""
    whole = {at: known for at, line in enumerate(lines) if (known := timing(line))}
    counters = [number for at in whole if (number := _counter(lines, at - 1)) is not None]
    counted = len(counters)
    rises = sum(first < second for first, second in pairwise(counters))
    everywhere = counted == len(whole) and rises >= _RISING * (counted - 1)
    numbered = bool(whole) and counted >= _NUMBERED * len(whole)
    broken = {
        at: known
        for at, line in enumerate(lines)
        if at not in whole and (known := broken_timing(line)) and _opens(lines, at, known, numbered=numbered)
    }
    found = list[_Times]()
    expected: int | None = None
    for at, known in sorted({**whole, **broken}.items()):
        number = _counter(lines, at - 1)
        after_blank = at < 2 or not lines[at - 2].strip()
        counter = number if numbered and (after_blank or everywhere or number == expected) else None
        is_name = named or (numbered and at > 0 and _BROKEN_COUNTER.match(plain(lines[at - 1]).strip()))
        belongs = counter is not None or (is_name and after_blank and at > 0 and bool(lines[at - 1].strip()))
        found.append(_Times(at=at, begin=at - 1 if belongs else at, timing=known, counter=counter))
        expected = counter + 1 if counter is not None else expected and expected + 1
    return found


def _opens(lines: Sequence[str], at: int, broken: Timing, *, numbered: bool) -> bool:
    """Whether a line with a broken arrow is meant as times: one of them can be read, or it stands where times do."""
    if broken.start is not None or broken.end is not None:
        return True
    before = lines[at - 1].strip() if at else ""
    return not before or (numbered and _counter(lines, at - 1) is not None)


def _events(lines: Sequence[str], times: Sequence[_Times]) -> Iterator[Event | Problem]:
    """The event of each line with times. Its text goes on to the next one, over blank lines, too; a counter without
    times ends it.
    """
    later = _later_counters(times)
    yield from _lost(lines, 0, times[0].begin if times else len(lines))
    for at, one in enumerate(times):
        following = times[at + 1].begin if at + 1 < len(times) else len(lines)
        end = _orphan(lines, one, following, later[at])
        text = [one.timing.text, *lines[one.at + 1 : end]]
        until = one.timing.end
        if until is None and len(text) > 1 and (until := sole_clock(text[1])) is not None:  # broken into two lines
            del text[1]
        event = Event(
            start=one.timing.start,
            end=until,
            text="\n".join(text).strip("\n"),
            line=one.at + 1,
        )
        if one.timing.start is None and until is None:
            yield Problem(kind=ProblemKind.NO_TIMES, line=one.at + 1)
        else:
            yield event
        yield from _lost(lines, end, following)


def _later_counters(times: Sequence[_Times]) -> list[int | None]:
    """For each cue the counter of the next one that has one."""
    later: list[int | None] = [None]
    for one in reversed(times[1:]):
        later.append(later[-1] if one.counter is None else one.counter)
    return later[::-1]


def _lost(lines: Sequence[str], first: int, end: int) -> Iterator[Problem]:
    """Text that has no times: one problem, at its first line that is not blank and no counter."""
    for at in range(first, end):
        if lines[at].strip() and _counter(lines, at) is None:
            yield Problem(kind=ProblemKind.NO_TIMES, line=at + 1)
            return


def _orphan(lines: Sequence[str], one: _Times, following: int, later: int | None) -> int:
    """The line before which the text of a cue ends: that of the next cue, or of the next counter after a blank line if
    its times are missing.
    """
    if one.counter is None:
        return following
    for at in range(one.at + 2, following):
        number = _counter(lines, at)
        if number == one.counter + 1 and number != later and not lines[at - 1].strip():
            return at
    return following


def _counter(lines: Sequence[str], at: int) -> int | None:
    """The number that stands alone in a line."""
    found = _COUNTER.match(plain(lines[at])) if 0 <= at < len(lines) and len(lines[at]) < 20 else None
    return int(found[1]) if found else None


def _without_doubled_ends(lines: list[str]) -> tuple[list[str], list[int]]:
    """The lines and their numbers from 1. Of a file whose line ends were doubled, so that a blank line follows each,
    these blank lines are left out.
    """
    places = [at for at, line in enumerate(lines[:-1]) if timing(line)]
    followed = sum(not lines[at + 1].strip() for at in places)
    doubled = bool(places) and followed >= _SPACED * len(places)
    kept = list[tuple[str, int]]()
    is_extra = False
    for number, line in enumerate(lines, start=1):
        is_extra = doubled and not line.strip() and bool(kept) and not is_extra
        if not is_extra:
            kept.append((line, number))
    return [line for line, _ in kept], [number for _, number in kept]


def _without_meta(lines: Sequence[str]) -> list[str]:
    """The lines of a WebVTT file, those of headers, comments, styles and regions made blank. They end at a blank line,
    a header also before times.
    """
    kept = list[str]()
    is_header = is_meta = False
    before = ""
    for line in lines:
        goes_on = is_header and bool(line.strip()) and not (timing(line) or broken_timing(line))
        is_header = bool(_HEADER.match(line)) or goes_on
        is_meta = bool(line.strip()) and (is_meta or (not before.strip() and bool(_META.match(line))))
        kept.append("" if is_header or is_meta else line)
        before = line
    return kept


def _shifted(event: Event, shift: int) -> Event:
    start, end = (None if time is None else time + shift for time in (event.start, event.end))
    return replace(event, start=start, end=end)


def _shifts(lines: Sequence[str]) -> list[int]:
    """Milliseconds by which the times of each line are to be moved: by the clocks of the segments it was joined from,
    against that of the first.
    """
    shifts, first, shift = list[int](), None, 0
    for line in lines:
        if _TIMESTAMP_MAP.match(line) and (offset := _offset(line)) is not None:
            first = offset if first is None else first
            shift = offset - first
        shifts.append(shift)
    return shifts


def _offset(line: str) -> int | None:
    """Milliseconds between the clock of a segment and its times; None if it cannot be read."""
    local = re.search(r"LOCAL:([\d:.]+)", line, re.IGNORECASE)
    ticks = re.search(r"MPEGTS:(\d+)", line, re.IGNORECASE)
    start = clock(local[1]) if local else None
    return None if start is None or ticks is None else int(ticks[1]) // _MPEGTS_CLOCK - start
