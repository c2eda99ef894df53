"""Dialogue cues: two speakers in one cue, each on a line of their own that begins with a dash.

Cues of one speaker are preferred. In a quick exchange one of them would be gone before it is read; then two share a
cue, as the Netflix timed text guide has it (general requirements, dual speakers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.segmentation import MAX_SECONDS, MIN_SECONDS
from jobs.pipeline.text.display_width import cell_width
from jobs.pipeline.text.languages import Language
from jobs.pipeline.text.line_breaking import line_cells

DASH = "- "

_TOGETHER = 0.5  # seconds between two cues up to which they are one exchange
_ROUNDING = 0.0015  # seconds


def with_dialogues(cues: Sequence[Cue], language: Language, *, first_id: int = 1) -> list[Cue]:
    """The cues of one window with quick exchanges joined, numbered from `first_id`.

    The speaker of a joined cue is the names of both, separated by a space. No word is lost, and no time changes.
    """
    joined: list[Cue] = []
    for cue in cues:
        if joined and _is_exchange(joined[-1], cue, language):
            joined.append(_dialogue(joined.pop(), cue))
        else:
            joined.append(cue)
    return [replace(cue, id=number) for number, cue in enumerate(joined, start=first_id)]


def speakers_of(cue: Cue) -> list[str]:
    """The names of the speakers of a cue: none, one, or the two of a dialogue."""
    return cue.speaker.split()


def _is_exchange(first: Cue, second: Cue, language: Language) -> bool:
    names = [*speakers_of(first), *speakers_of(second)]
    return (
        len(names) == len(set(names)) == 2
        and first.language == second.language
        and min(first.end - first.start, second.end - second.start) < MIN_SECONDS - _ROUNDING
        and second.start - first.end <= _TOGETHER
        and second.end - first.start <= MAX_SECONDS
        and all(cell_width(DASH + cue.source) <= line_cells(language) for cue in (first, second))
    )


def _dialogue(first: Cue, second: Cue) -> Cue:
    return replace(
        first,
        end=second.end,
        source=f"{DASH}{first.source}\n{DASH}{second.source}",
        speaker=f"{first.speaker} {second.speaker}",
        flags=tuple(dict.fromkeys([*first.flags, *second.flags])),
    )
