"""Notes on a subtitle file: what could not be read as it stands, and what was repaired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobs.pipeline.notes import NoteCode
from jobs.pipeline.subtitles.formats.event import ProblemKind
from jobs.pipeline.subtitles.formats.lines import USUAL_FRAMES
from jobs.pipeline.subtitles.reader import Reading

_CODES = {
    ProblemKind.NO_TIMES: NoteCode.LINES_WITHOUT_TIMES,
    ProblemKind.NO_TEXT: NoteCode.LINES_WITHOUT_TEXT,
    ProblemKind.BEFORE_START: NoteCode.LINES_BEFORE_START,
    ProblemKind.START_ESTIMATED: NoteCode.TIMES_ESTIMATED,
    ProblemKind.END_ESTIMATED: NoteCode.TIMES_ESTIMATED,
    ProblemKind.TEXT_CUT: NoteCode.TEXT_CUT,
}
NOTES = frozenset(
    {
        *_CODES.values(),
        NoteCode.LETTERS_REPAIRED,
        NoteCode.PUNCTUATION_MOVED,
        NoteCode.FRAME_RATE_ASSUMED,
        NoteCode.FRAME_RATE_OF_VIDEO,
        NoteCode.SUBTITLES_DIVIDED,
    }
)
"""The notes that a subtitle file gives rise to."""

_SHOWN = 30
"""Lines that a note names."""


def notes_on(reading: Reading, count: int) -> Iterator[tuple[NoteCode, dict[str, str]]]:
    """A note for each kind of problem, with the lines, for each repair of the whole text, and for the `count` of
    subtitles that were divided because they do not fit two lines.
    """
    lines: dict[NoteCode, list[int]] = {}
    for problem in reading.problems:
        if problem.kind == ProblemKind.RATE_ASSUMED:
            yield NoteCode.FRAME_RATE_ASSUMED, {"rate": str(USUAL_FRAMES)}
            continue
        lines.setdefault(_CODES[problem.kind], []).append(problem.line)
    for code, places in lines.items():
        yield code, {"lines": _listed(sorted(set(places)))}
    if reading.was_misread:
        yield NoteCode.LETTERS_REPAIRED, {}
    if reading.was_reversed:
        yield NoteCode.PUNCTUATION_MOVED, {}
    if count:
        yield NoteCode.SUBTITLES_DIVIDED, {"count": str(count)}


def _listed(numbers: Sequence[int]) -> str:
    more = f" … (+{len(numbers) - _SHOWN})" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers[:_SHOWN])) + more
