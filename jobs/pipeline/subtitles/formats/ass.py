"""ASS and SSA: the lines of dialogue, by the columns that the file's own Format line names.

Styles, fonts and positions are not parsed, so that no file they refer to is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jobs.pipeline.subtitles.formats.event import Event, Place, Problem, ProblemKind
from jobs.pipeline.subtitles.formats.times import clock

_SECTION = re.compile(r"^\s*\[([^\]]+)\]\s*$")
_COLUMNS = {
    "ass": "layer,start,end,style,name,marginl,marginr,marginv,effect,text",
    "ssa": "marked,start,end,style,name,marginl,marginr,marginv,effect,text",
}
"""The columns of a file without a Format line."""
_PLACED = re.compile(r"\\(pos|move|kf?|ko|K)\b|\\k\d", re.IGNORECASE)
"""Commands by which the syllables of a song are put beside each other, or coloured in turn."""


_NUMBER = r"\s*(-?\d{1,6}(?:\.\d{0,9})?)\s*"
_POINTS = re.compile(rf"\\(?:pos|move)\({_NUMBER},{_NUMBER}(?:,{_NUMBER},{_NUMBER})?[,)]", re.IGNORECASE)
_DIALOGUE = re.compile(r"^\s*Dialogue\s*:(?:[^,]*,)?\s*-?\d+:\d+:\d+[.:]\d+\s*,", re.IGNORECASE)
_OTHER = {"format", "dialogue", "comment", "picture", "sound", "movie", "command"}
"""The kinds of lines of the section with the events."""


def is_ass(lines: list[str]) -> bool:
    """Whether the lines are those of an ASS or SSA file: a title of its sections is the first that says something, or
    there are lines of dialogue.
    """
    titles = {"[script info]", "[events]"}
    said = (line.strip("\ufeff\u200e\u200f \t") for line in lines)
    first = next((line for line in said if line and line[0] not in ";!"), "")
    return first.lower() in titles or any(map(_DIALOGUE.match, lines))


def ass_events(text: str) -> Iterator[Event | Problem]:
    """The events of an ASS or SSA file in its order; comments are left out. Lines of no known kind are problems."""
    columns: list[str] = []
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if heading := _SECTION.match(line):
            section = heading[1].strip().lower()
        kind, _, rest = line.lstrip().partition(":")
        kind = kind.strip().lower()
        if (
            (section or columns)
            and section in {"events", ""}
            and not heading
            and line.strip()
            and not (kind in _OTHER or line.lstrip()[0] in ";!")
        ):
            yield Problem(kind=ProblemKind.NO_TIMES, line=number)
        if section not in {"events", ""} or not rest:
            continue
        if kind == "format":
            columns = [name.strip().lower() for name in rest.split(",")]
        elif kind == "dialogue":
            known = columns if "text" in columns and "start" in columns else _COLUMNS["ass"].split(",")
            yield _event(_fields(rest, known), number)


def _fields(rest: str, columns: list[str]) -> dict[str, str]:
    """The fields of a line by their columns. The text is what is left after the others, commas included."""
    before = columns.index("text")
    first, *last = rest.split(",", before), columns[before + 1 :]
    values = dict(zip(columns, first, strict=False))
    behind = last[0]
    if behind and "text" in values:  # columns after the text have no commas
        text, *others = values["text"].rsplit(",", len(behind))
        values.update({"text": text, **dict(zip(behind, others, strict=False))})
    return values


def _event(fields: dict[str, str], number: int) -> Event | Problem:
    start, end = (_time(fields.get(name, "")) for name in ("start", "end"))
    if start is None or end is None or end <= start or "text" not in fields:  # players do not show such lines
        return Problem(kind=ProblemKind.NO_TIMES, line=number)
    text = fields["text"]
    group = fields.get("style", "") or "-" if _PLACED.search(text) or fields.get("effect", "").strip() else ""
    return Event(start=start, end=end, text=text, line=number, group=group, places=_places(text) if group else ())


def _places(text: str) -> tuple[Place, ...]:
    """The points at which a text stands, or between which it moves."""
    found = _POINTS.search(text)
    numbers = [float(number) for number in found.groups() if number is not None] if found else []
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _time(written: str) -> int | None:
    return clock(written) if re.fullmatch(r"\s*-?\d+(:\d+){1,2}([.,:]\d+)?\s*", written) else None
