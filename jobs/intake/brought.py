"""The owner's own subtitles: their cues, and what is to be told of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.intake.options import JobOptions
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.formats.event import ProblemKind
from jobs.pipeline.subtitles.long_cues import divided
from jobs.pipeline.subtitles.reader import Reading, parse_subtitles, read_subtitles
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.script_detection import check_script

_CODES = {
    ProblemKind.NO_TIMES: NoteCode.LINES_WITHOUT_TIMES,
    ProblemKind.NO_TEXT: NoteCode.LINES_WITHOUT_TEXT,
    ProblemKind.BEFORE_START: NoteCode.LINES_BEFORE_START,
    ProblemKind.START_ESTIMATED: NoteCode.TIMES_ESTIMATED,
    ProblemKind.END_ESTIMATED: NoteCode.TIMES_ESTIMATED,
    ProblemKind.TEXT_CUT: NoteCode.TEXT_CUT,
}
NOTES = frozenset({*_CODES.values(), NoteCode.LETTERS_REPAIRED, NoteCode.PUNCTUATION_MOVED, NoteCode.SUBTITLES_DIVIDED})
"""The notes that a subtitle file gives rise to."""

_SHOWN = 30
"""Lines that a note names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Brought:
    """The owner's cues, and notes on their file: codes with parameters."""

    cues: Sequence[Cue] = ()
    notes: Sequence[dict[str, Any]] = ()


def read_brought(options: JobOptions, path: Path) -> Brought:
    """Read the owner's subtitle file. Raises SubtitlesError, also when it is in another language."""
    return _brought(options, read_subtitles(path), path.name)


def parse_brought(options: JobOptions, data: bytes, name: str) -> Brought:
    """Parse the owner's subtitle file `name`. Raises SubtitlesError, also when it is in another language."""
    return _brought(options, parse_subtitles(data, name), name)


def _brought(options: JobOptions, reading: Reading, name: str) -> Brought:
    own = language(options.spoken or options.target)
    check_script(own, (cue.source for cue in reading.cues), name)
    if options.whole_subtitles:
        return Brought(cues=reading.cues, notes=_notes(reading))
    cues, count = divided(reading.cues, own)
    notes = [{"code": NoteCode.SUBTITLES_DIVIDED, "params": {"count": str(count)}}] if count else []
    return Brought(cues=cues, notes=[*_notes(reading), *notes])


def _notes(reading: Reading) -> list[dict[str, Any]]:
    """A note for each kind of problem, with the lines, and for each repair of the whole text."""
    lines: dict[NoteCode, list[int]] = {}
    for problem in reading.problems:
        lines.setdefault(_CODES[problem.kind], []).append(problem.line)
    notes: list[dict[str, Any]] = [
        {"code": code, "params": {"lines": _listed(sorted(set(places)))}} for code, places in lines.items()
    ]
    repairs = {NoteCode.LETTERS_REPAIRED: reading.was_misread, NoteCode.PUNCTUATION_MOVED: reading.was_reversed}
    return notes + [{"code": code, "params": {}} for code, done in repairs.items() if done]


def _listed(numbers: Sequence[int]) -> str:
    more = f" … (+{len(numbers) - _SHOWN})" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers[:_SHOWN])) + more
