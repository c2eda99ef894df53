"""Reader of the subtitles that people bring: many formats, in any usual encoding, also carelessly written ones.

Every place of a file with times becomes a cue or is named as a problem, with its line. Times are kept, overlaps
included (`quality` reports them).
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from jobs.pipeline.errors import (
    EmptyFile,
    NoSubtitleLines,
    NoSuchFile,
    NotAFile,
    TooLarge,
    TooManySubtitles,
    UnreadableSubtitles,
)
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.formats import lines as line_formats
from jobs.pipeline.subtitles.formats.ass import ass_events, is_ass
from jobs.pipeline.subtitles.formats.blocks import has_timing, srt_blocks, vtt_blocks
from jobs.pipeline.subtitles.formats.event import Event, Problem, ProblemKind
from jobs.pipeline.subtitles.formats.markup import plain_text
from jobs.pipeline.subtitles.formats.merging import Shown, without_frames, without_rolling, without_syllables
from jobs.pipeline.subtitles.formats.transcripts import is_json, json_events
from jobs.pipeline.subtitles.formats.xml_like import BrokenXml, is_sami, is_ttml, sami_events, ttml_events
from jobs.pipeline.text.encoding import decode
from jobs.pipeline.text.mojibake import with_moved_punctuation, without_mojibake

MAX_BYTES = 40 * 1024 * 1024
"""Largest file: three hours of speech are about 200 kB, those of a series with drawn signs up to 30 MB."""

MAX_CUES = 20_000
"""Most cues of a file: ten hours of fast speech have about 12,000."""

_MOST_PARTS = 4
"""Parts of a cue in a file that is not ASS: rolling captions have three for each line."""

_LONGEST_TEXT = 2000
"""Characters of a cue: ten times as many as can be read in seven seconds."""

_LONGEST_MARKED = 20_000
"""Characters of a cue with its markup."""

_LONGEST_LINE = 4000
"""Characters that are read of a line."""

_LATEST = 1000 * 3_600_000  # milliseconds; a later time is no time
_LONGEST_ESTIMATE = 7000  # milliseconds of a cue whose start or end is not known
_SHORTEST_ESTIMATE = 1000
_MILLISECONDS_A_CHARACTER = 70

Parser = Callable[[str], Iterator[Event | Problem]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The cues of a file, and its problems. `was_misread`: its letters had been stored in a wrong encoding, and were
    repaired. `was_reversed`: its punctuation stood at the wrong side, and was moved.
    """

    cues: tuple[Cue, ...]
    problems: tuple[Problem, ...] = ()
    was_misread: bool = False
    was_reversed: bool = False


def read_subtitles(path: Path, *, repair: bool = True) -> Reading:
    """Read a subtitle file. Raises NoSuchFile, NotAFile, and as `parse_subtitles` does."""
    return parse_subtitles(_contents(path), path.name, repair=repair)


def parse_subtitles(data: bytes, name: str, *, repair: bool = True) -> Reading:
    """Parse subtitles: cues in the order of their times, numbered from 1, with the text in `source`. `name` is the
    file's name. `repair`: letters that were stored in a wrong encoding are restored, and punctuation at the wrong end
    of right-to-left lines is moved; the result says so.

    Line breaks are kept as newlines; tags, comments and direction marks at the ends of lines are removed; of identical
    cues one is kept, captions that roll and songs by the syllable become whole lines. Raises EmptyFile, TooLarge,
    TooManySubtitles, UnreadableSubtitles or NoSubtitleLines.
    """
    if not data.strip():
        raise EmptyFile(path=name)
    if len(data) > MAX_BYTES:
        raise TooLarge(name=name, limit=f"{MAX_BYTES // 1024**2} MB")
    decoded = decode(data)
    if decoded is None:
        raise UnreadableSubtitles(name=name, detail="The file is not text in a known encoding.")
    text = without_mojibake(decoded) if repair else decoded
    parser = _parser(name, text)
    problems = list[Problem]()
    is_ass = parser is ass_events
    found = list(islice(_parsed(parser, text, name), None if is_ass else _MOST_PARTS * MAX_CUES + 1))
    if not is_ass and len(found) > _MOST_PARTS * MAX_CUES:
        raise TooManySubtitles(name=name, limit=MAX_CUES)
    if parser not in {ttml_events, json_events}:
        problems += _cut_lines(text, found, is_ass=is_ass)
    shown = _merged(list(_shown(found, problems, is_ass=is_ass)), is_ass=is_ass)
    if not shown:
        raise NoSubtitleLines(name=name)
    if len(shown) > MAX_CUES:
        raise TooManySubtitles(name=name, limit=MAX_CUES)
    moved = with_moved_punctuation([one.text for one in shown]) if repair else None
    texts = moved or [one.text for one in shown]
    return Reading(
        cues=tuple(
            Cue(id=number, start=one.start / 1000, end=one.end / 1000, source=lines)
            for number, (one, lines) in enumerate(zip(shown, texts, strict=True), start=1)
        ),
        problems=tuple(sorted(set(problems), key=lambda problem: (problem.line, problem.kind))),
        was_misread=text != decoded,
        was_reversed=moved is not None,
    )


def _contents(path: Path) -> bytes:
    """Read the file, but only one byte more than allowed."""
    if not path.exists():
        raise NoSuchFile(path=str(path))
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotAFile(path=str(path), detail=str(error)) from error


def _parser(name: str, text: str) -> Parser:
    """The parser of the format of `text`, whatever its name. Raises UnreadableSubtitles."""
    lines = _lines(text)
    start = text[:200].lstrip("\ufeff\u200e\u200f\u202a\u202b \t\r\n")
    if start[:6].upper() == "WEBVTT":
        return vtt_blocks
    if is_ass(lines):
        return ass_events
    if is_ttml(start):
        return ttml_events
    if is_sami(text[:20_000]):
        return sami_events
    if is_json(text):
        return json_events
    if has_timing(lines):
        return srt_blocks
    for pattern, parser in line_formats.FORMATS:
        if any(pattern.match(line) for line in lines):
            return parser
    raise UnreadableSubtitles(name=name, detail="The file has no line with times.")


def _parsed(parser: Parser, text: str, name: str) -> Iterator[Event | Problem]:
    """The events and problems that the parser finds. Raises UnreadableSubtitles."""
    try:
        yield from parser(text if parser in {ttml_events, json_events} else "\n".join(_lines(text)))
    except (BrokenXml, ValueError, ArithmeticError, RecursionError) as error:
        raise UnreadableSubtitles(name=name, detail=str(error)) from error


def _cut_lines(text: str, found: Sequence[Event | Problem], *, is_ass: bool) -> Iterator[Problem]:
    """A problem for each event with a line that `_lines` cuts: one below that of its times, or the same in ASS."""
    places = sorted(one.line for one in found if isinstance(one, Event))
    for number, line in enumerate(_all_lines(text), start=1):
        if len(line) > _LONGEST_LINE and (at := bisect(places, number)) and (places[at - 1] == number or not is_ass):
            yield Problem(kind=ProblemKind.TEXT_CUT, line=places[at - 1])


def _lines(text: str) -> list[str]:
    return [line[:_LONGEST_LINE] for line in _all_lines(text)]


def _all_lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _shown(found: Sequence[Event | Problem], problems: list[Problem], *, is_ass: bool) -> Iterator[Shown]:
    """The events with text in the order of the file, whose times are whole. What is not as in the file is added to
    `problems`.
    """
    problems += [one for one in found if isinstance(one, Problem)]
    events = list[Event]()
    for one in found:
        if isinstance(one, Event) and _is_possible(one):
            events.append(one)
        elif isinstance(one, Event):
            problems.append(Problem(kind=ProblemKind.NO_TIMES, line=one.line))
    for before, event, after in zip([None, *events], events, [*events[1:], None], strict=False):
        text = plain_text(event.text[:_LONGEST_MARKED], is_ass=is_ass)
        if not text:
            if not is_ass:  # where it is usual: drawings
                problems.append(Problem(kind=ProblemKind.NO_TEXT, line=event.line))
            continue
        if len(text) > _LONGEST_TEXT or len(event.text) > _LONGEST_MARKED:
            problems.append(Problem(kind=ProblemKind.TEXT_CUT, line=event.line))
            text = text[:_LONGEST_TEXT].rstrip()
        whole = _with_times(event, text, before, after)
        if whole is not event:
            missing = ProblemKind.START_ESTIMATED if event.start is None else ProblemKind.END_ESTIMATED
            problems.append(Problem(kind=missing, line=event.line))
        assert whole.start is not None
        assert whole.end is not None
        if whole.end <= 0:
            problems.append(Problem(kind=ProblemKind.BEFORE_START, line=event.line))
            continue
        raw = event.text if not is_ass else _raw(event.text)
        yield Shown(
            start=max(0, whole.start),
            end=whole.end,
            text=text,
            line=event.line,
            group=event.group,
            raw=raw,
            places=event.places,
        )


def _is_possible(event: Event) -> bool:
    """Whether the times of an event are those of a video, however long."""
    return all(time is None or abs(time) <= _LATEST for time in (event.start, event.end))


def _raw(text: str) -> str:
    """A syllable of ASS with the space that may follow it."""
    shown = plain_text(text, is_ass=True)
    return shown + " " * text.endswith(" ")


def _with_times(event: Event, text: str, before: Event | None, after: Event | None) -> Event:
    """The event, with a start or an end that cannot be right put where the text can be read in time."""
    length = min(max(len(text) * _MILLISECONDS_A_CHARACTER, _SHORTEST_ESTIMATE), _LONGEST_ESTIMATE)
    if event.start is None:
        assert event.end is not None
        earliest = before.end if before and before.end is not None and before.end < event.end else 0
        return replace(event, start=max(event.end - length, earliest))
    if event.end is None or event.end <= event.start:
        latest = event.start + length
        if after and after.start is not None and after.start > event.start:
            latest = min(latest, after.start)
        return replace(event, end=latest)
    return event


def _merged(shown: Sequence[Shown], *, is_ass: bool) -> list[Shown]:
    """The events in the order of their times, each once, and whole."""
    once = list({(one.start, one.end, one.text, one.raw if one.group else ""): one for one in shown}.values())
    ordered = sorted(once, key=lambda one: (one.start, one.end))
    if not is_ass:
        return without_rolling(ordered)
    return without_rolling(without_frames(without_syllables(ordered)))
