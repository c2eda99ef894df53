"""Subtitles that a person brings: SRT, WebVTT, ASS or SSA in any usual encoding, read for their times and text only.

The times are the person's: they are kept, overlaps included (`quality` names them); only lines without a length go.
Styles, fonts, drawings and positions of an ASS are not even parsed, so that nothing it refers to can be opened.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysubs2

from jobs.pipeline.errors import EmptyFile, NoSubtitleLines, NoSuchFile, NotAFile, TooLarge, UnreadableSubtitles
from jobs.pipeline.subtitles.segmentation import Cue
from jobs.pipeline.subtitles.writer import clean
from jobs.pipeline.text.encoding import decode

MAX_BYTES = 10 * 1024 * 1024
"""Far above any film: three hours of speech take some 200 kB."""

_TIMING = re.compile(r"\d{1,2}:\d{2}[.,:]\d{1,3}[ \t]*-->[ \t]*(\d+:)?\d{1,2}:\d{2}[.,:]\d")
_LONGEST_LINE = 2000
"""Characters that are read of a line, and of a cue: nobody reads a tenth of it in seven seconds."""

_DIALOGUE = re.compile(r"Dialogue:[^,]*,\s*\d+:\d+:\d+[.,]\d+\s*,\s*\d+:\d+:\d+[.,]\d+\s*,", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def read_subtitles(path: Path) -> list[Cue]:
    """The cues of a subtitle file: see `parse_subtitles`. Raises NoSuchFile and NotAFile, too."""
    return parse_subtitles(_contents(path), path.name)


def parse_subtitles(data: bytes, name: str) -> list[Cue]:
    """The cues in the order of their times, numbered from 1, the text in `source`. `name` is what their file is called.

    Line breaks stay, as newlines; tags, comments and marks of direction at the ends of lines go; a line that stands
    there twice comes once. Raises EmptyFile, TooLarge, UnreadableSubtitles or NoSubtitleLines.
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
    """No more than shows that it is too much."""
    if not path.exists():
        raise NoSuchFile(path=str(path))
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotAFile(path=str(path), detail=str(error)) from error


def _events(name: str, text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end in milliseconds, and text, of each line that has both."""
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
    """The format of `text`, and what pysubs2 is to read of it. Raises UnreadableSubtitles."""
    lines = [line[:_LONGEST_LINE] for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    start = clean(text[:200])[:6]
    if start == "WEBVTT":
        return "vtt", "\n".join(_vtt_lines(lines))
    if any(line.strip().lower() in {"[script info]", "[events]"} for line in lines):
        form = "ssa" if any(line.strip().lower() == "[v4 styles]" for line in lines) else "ass"
        return form, "\n".join(["[Events]", *(line.strip() for line in lines if _DIALOGUE.match(line.strip()))])
    if any(_TIMING.search(line) for line in lines):
        # The number behind the last line keeps pysubs2 from taking a number that is its text for the next cue's.
        return "srt", "\n".join([*lines, "", "0", ""])
    raise UnreadableSubtitles(name=name, detail="The file has no line with times.")


def _vtt_lines(lines: Iterable[str]) -> Iterator[str]:
    """The timing and text lines of a WebVTT file, numbered.

    pysubs2 takes comments, styles and names of cues for text of the cue before them, and times within a line of text
    (karaoke) for those of a cue.
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
    """The lines of one cue in NFC, without marks of direction (the writer puts in its own) and blank lines."""
    plain = html.unescape(text) if unescape else text
    lines = (_clean_line(line) for line in plain.split("\n"))
    return unicodedata.normalize("NFC", "\n".join(line for line in lines if line))


def _clean_line(line: str) -> str:
    return re.sub(" {2,}", " ", clean(line)).strip(" \u00a0")
