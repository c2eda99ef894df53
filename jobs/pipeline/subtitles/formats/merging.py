"""Events that are parts of one subtitle: lines that roll through several, and syllables or frames of one text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median

from jobs.pipeline.subtitles.formats.event import Place
from jobs.pipeline.text.display_width import cell_width

_TOUCHING = 200  # milliseconds between two captions of one roll
_ROLLING = 0.5  # share of the captions that repeat the one before, from which they roll
_FLASH = 100  # milliseconds that a caption between two states of a roll is shown: 10 at the largest site
_OF_ALL = 0.25  # least share of them among all captions of a file
_FEWEST = 3  # captions of a roll
_SYLLABLE = 8  # cells of the longest syllable
_SYLLABLES = 4  # syllables of the shortest line of a song
_SYLLABLE_PAUSE = 1000  # milliseconds between the starts of two syllables of a line, of which the first has gone
_LONG_PAUSE = 4000  # the same, while the first is still shown
_BACK = 2.5  # usual steps from syllable to syllable by which the first of the next line stands back
_SAME_TEXT = 50  # milliseconds between two frames of a text that is animated


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A text with its times in milliseconds, whose markup is removed. `line`, `group` and `places` as in `Event`; `raw`
    is the text before spaces at its ends were removed.
    """

    start: int
    end: int
    text: str
    line: int
    group: str = ""
    raw: str = ""
    places: tuple[Place, ...] = ()


def without_rolling(events: Sequence[Shown]) -> list[Shown]:
    """The events; of captions that roll (each repeats the last lines of the one before, or goes on with the last), as
    sites make them by machine, each line once, from when it appears until the next one does.
    """
    if len(events) < _FEWEST or not _rolls(events):
        return list(events)
    merged = list[Shown]()
    shown = list[str]()  # the lines of the caption before
    until = 0
    for event in events:
        lines = event.text.split("\n")
        carried, grows = _carried(shown, lines)
        touches = event.start - until <= _TOUCHING
        if not touches and (grows or carried == len(lines)):  # said again
            carried, grows = 0, False
        if carried and merged:
            text = merged[-1].text
            if grows:
                text = "\n".join([*text.split("\n")[:-1], lines[carried - 1]])
            merged[-1] = replace(merged[-1], text=text, end=max(merged[-1].end, event.end if touches else 0))
        if new := lines[carried:]:
            if merged:
                merged[-1] = replace(merged[-1], end=max(merged[-1].start + 1, min(merged[-1].end, event.start)))
            merged.append(replace(event, text="\n".join(new)))
        shown, until = lines, max(until, event.end)
    return merged


def _rolls(events: Sequence[Shown]) -> bool:
    """Whether captions roll. Of captions that only say the same again, those that flash up count, each text once: a
    person may say “No.” three times.
    """
    touching = [(one, two) for one, two in pairwise(events) if two.start - one.end <= _TOUCHING]
    flashes = {one.text for one, two in touching if _is_same(one, two) and _is_flash(one, two)}
    changed = [(one.text.split("\n"), two.text.split("\n")) for one, two in touching if not _is_same(one, two)]
    carrying = sum(_carried(one, two)[0] > 0 for one, two in changed) + len(flashes)
    return carrying >= max(_FEWEST - 1, _ROLLING * len(touching), _OF_ALL * len(events))


def _is_same(one: Shown, two: Shown) -> bool:
    """Whether two captions have one text and one markup: a word that is marked anew is a change."""
    return one.raw.split() == two.raw.split()


def _is_flash(*events: Shown) -> bool:
    return min(event.end - event.start for event in events) <= _FLASH


def _carried(before: Sequence[str], lines: Sequence[str]) -> tuple[int, bool]:
    """The number of lines of a caption that stood in the one before, and whether the last of these goes on now."""
    for count in range(min(len(before), len(lines)), 0, -1):
        last = before[-count:]
        if list(last) == list(lines[:count]):
            return count, False
        if list(last[:-1]) == list(lines[: count - 1]) and _goes_on(last[-1], lines[count - 1]):
            return count, True
    return 0, False


def _goes_on(line: str, longer: str) -> bool:
    """Whether a line is another one with more words, or with more letters of a script without spaces."""
    added = longer.removeprefix(line)
    return added != longer and (added.startswith(" ") or cell_width(added[:1]) > 1)


def without_syllables(events: Sequence[Shown]) -> list[Shown]:
    """The events in the order of their times; of a song whose syllables are put beside each other one by one, each line
    as one event.
    """
    kept = [event for event in events if not _is_syllable(event)]
    rest = sorted((event for event in events if _is_syllable(event)), key=lambda event: (event.group, event.start))
    for _, of_style in groupby(rest, key=lambda event: event.group):
        lines = _lines_of_syllables(_each_once(of_style))
        is_song = any(len(line) >= _SYLLABLES for line in lines)
        for line in lines:
            kept += [_as_line(line)] if is_song else line
    return sorted(kept, key=lambda event: (event.start, event.end))


def _is_syllable(event: Shown) -> bool:
    return bool(event.group) and cell_width(event.text) <= _SYLLABLE and " " not in event.text


def _each_once(events: Iterable[Shown]) -> list[Shown]:
    """The syllables in the order of their starts. Layers of one syllable (the same start), and what it does one after
    the other at one place (it comes, is sung, goes) are one event.
    """
    once = list[Shown]()
    known: dict[object, int] = {}
    for event in events:
        keys = [(event.raw, event.start), *((event.raw, place) for place in event.places)]
        at = next((known[key] for key in keys if key in known), None)
        if at is None or event.start > once[at].end + _SAME_TEXT:
            at = len(once)
            once.append(event)
        else:
            once[at] = replace(once[at], end=max(once[at].end, event.end))
        known.update(dict.fromkeys(keys, at))
    return once


def _lines_of_syllables(events: Sequence[Shown]) -> list[list[Shown]]:
    """The syllables, divided at pauses, and where they go on at the other side of the picture."""
    steps = [
        second.places[-1][0] - first.places[-1][0] for first, second in pairwise(events) if _both_placed(first, second)
    ]
    usual = median(map(abs, steps)) if steps else 0.0
    forward = sum(step > 0 for step in steps) >= sum(step < 0 for step in steps)
    lines = [[events[0]]]
    for before, event in pairwise(events):
        step = event.places[-1][0] - before.places[-1][0] if _both_placed(before, event) else 0.0
        pause = event.start - before.start
        goes_back = (step < 0) == forward and abs(step) > _BACK * usual
        if goes_back or pause > _LONG_PAUSE or (pause > _SYLLABLE_PAUSE and event.start > before.end + _SAME_TEXT):
            lines.append([])
        lines[-1].append(event)
    return lines


def _both_placed(first: Shown, second: Shown) -> bool:
    return bool(first.places and second.places)


def _as_line(syllables: Sequence[Shown]) -> Shown:
    """One event of the syllables."""
    text = " ".join("".join(one.raw for one in syllables).split())
    return replace(syllables[0], end=max(one.end for one in syllables), text=text, group="", places=())


def without_frames(events: Sequence[Shown]) -> list[Shown]:
    """The events in the order of their times; of a text that is shown frame by frame, to move it, one event."""
    merged = list[Shown]()
    last: dict[str, int] = {}
    for event in sorted(events, key=lambda event: (event.start, event.end)):
        place = last.get(event.text)
        if place is not None and event.start <= merged[place].end + _SAME_TEXT:
            merged[place] = replace(merged[place], end=max(merged[place].end, event.end))
        else:
            last[event.text] = len(merged)
            merged.append(event)
    return merged
