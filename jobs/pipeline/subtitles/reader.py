"""Reader of uploaded subtitles: times and text of SRT, WebVTT, ASS or SSA in any usual encoding.

Times are kept, overlaps included (`quality` reports them); only lines without a duration are dropped. Styles, fonts,
drawings and positions of an ASS file are not parsed, so that no file it refers to is opened.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysubs2

from jobs.pipeline.errors import EmptyFile, NoSubtitleLines, NoSuchFile, NotAFile, TooLarge, UnreadableSubtitles
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.writer import clean
from jobs.pipeline.text.encoding import decode

MAX_BYTES = 10 * 1024 * 1024
"""Largest file: three hours of speech are about 200 kB."""

_TIMING = re.compile(r"\d{1,2}:\d{2}[.,:]\d{1,3}[ \t]*-->[ \t]*(\d+:)?\d{1,2}:\d{2}[.,:]\d")
_LONGEST_LINE = 2000
"""Characters that are read of a line, and of a cue: ten times as many as can be read in seven seconds."""

_DIALOGUE = re.compile(r"Dialogue:[^,]*,\s*\d+:\d+:\d+[.,]\d+\s*,\s*\d+:\d+:\d+[.,]\d+\s*,", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def read_subtitles(path: Path) -> list[Cue]:
    """Read the cues of a subtitle file. Raises NoSuchFile, NotAFile, and as `parse_subtitles` does."""
    return parse_subtitles(_contents(path), path.name)


def parse_subtitles(data: bytes, name: str) -> list[Cue]:
    """Parse cues in the order of their times, numbered from 1, with the text in `source`. `name` is the file's name.

    Line breaks are kept as newlines; tags, comments and direction marks at the ends of lines are removed; of identical
    cues one is kept. Raises EmptyFile, TooLarge, UnreadableSubtitles or NoSubtitleLines.
    """
    if not data.strip():
        raise EmptyFile(path=name)
    if len(data) > MAX_BYTES:
        raise TooLarge(name=name, limit=f"{MAX_BYTES // 1024**2} MB")
    text = decode(data)
    if text is None:
        raise UnreadableSubtitles(name=name, detail="The file is not text in a known encoding.")
    events = dict.fromkeys(sorted(_events(name, text), key=lambda event: event[:2]))
    if not events:
        raise NoSubtitleLines(name=name)
    return [
        Cue(id=number, start=start / 1000, end=end / 1000, source=lines)
        for number, (start, end, lines) in enumerate(events, start=1)
    ]


def _contents(path: Path) -> bytes:
    """Read the file, but only one byte more than allowed."""
    if not path.exists():
        raise NoSuchFile(path=str(path))
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotAFile(path=str(path), detail=str(error)) from error


def _events(name: str, text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end in milliseconds, and text, of each event with a duration and text."""
    form, plain = _prepared(name, text)
    try:
        subtitles = pysubs2.SSAFile.from_string(plain, format_=form)
    except (ValueError, pysubs2.exceptions.Pysubs2Error) as error:
        raise UnreadableSubtitles(name=name, detail=str(error)) from error
    for event in subtitles:
        lines = "" if event.is_drawing else _clean(event.plaintext, unescape=form == "vtt")[:_LONGEST_LINE]
        if lines and event.end > event.start >= 0:
            yield event.start, event.end, lines


def _prepared(name: str, text: str) -> tuple[str, str]:
    """The format of `text`, and the part of it for pysubs2 to parse. Raises UnreadableSubtitles."""
    lines = [line[:_LONGEST_LINE] for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    start = clean(text[:200])[:6]
    if start == "WEBVTT":
        return "vtt", "\n".join(_vtt_lines(lines))
    if any(line.strip().lower() in {"[script info]", "[events]"} for line in lines):
        form = "ssa" if any(line.strip().lower() == "[v4 styles]" for line in lines) else "ass"
        return form, "\n".join(["[Events]", *(line.strip() for line in lines if _DIALOGUE.match(line.strip()))])
    if any(_TIMING.search(line) for line in lines):
        # Without a number after the last line pysubs2 takes a number in its text for that of a next cue.
        return "srt", "\n".join([*lines, "", "0", ""])
    raise UnreadableSubtitles(name=name, detail="The file has no line with times.")


def _vtt_lines(lines: Iterable[str]) -> Iterator[str]:
    """The timing and text lines of a WebVTT file, numbered.

    The rest is removed, because pysubs2 takes comments, styles and names of cues for text of the cue before them, and
    times within a line of text (karaoke) for those of a cue.
    """
    yield "WEBVTT"
    inside = False
    for line in lines:
        if _TIMING.search(line):
            inside = True
            yield from ("", "0", line)
        elif not line.strip():
            inside = False
        elif inside:
            yield _TAG.sub("", line)
    yield from ("", "0", "")


def _clean(text: str, *, unescape: bool) -> str:
    """The lines of one cue in NFC, without direction marks (the writer adds its own) and blank lines."""
    plain = html.unescape(text) if unescape else text
    lines = (_clean_line(line) for line in plain.split("\n"))
    return unicodedata.normalize("NFC", "\n".join(line for line in lines if line))


def _clean_line(line: str) -> str:
    return re.sub(" {2,}", " ", clean(line)).strip(" \u00a0")
