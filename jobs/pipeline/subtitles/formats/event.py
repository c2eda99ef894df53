"""Results of a parser of a format: events, and problems with their line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Place = tuple[float, float]
"""A point of the picture, in the units of its file."""


class ProblemKind(StrEnum):
    """The reason for which a place of a subtitle file is no cue, or one that differs from the file."""

    NO_TIMES = "no_times"  # its times cannot be read
    NO_TEXT = "no_text"  # it has times, and no text
    BEFORE_START = "before_start"  # it ends before the video begins
    END_ESTIMATED = "end_estimated"  # its end is missing or not after its start
    START_ESTIMATED = "start_estimated"  # its start is missing
    TEXT_CUT = "text_cut"  # its text is longer than a cue may be
    RATE_ASSUMED = "rate_assumed"  # its times are frames, and the file does not say how many a second has


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A place of a file that differs from the cues that are read from it. `line` counts from 1."""

    kind: ProblemKind
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A text with its times in milliseconds, as the file says it; the start may be negative. `line` is that of the
    times, from 1. `end` or `start` is None where it cannot be read.

    `group`: events with the same one may be syllables of one line (see `merging`); empty if they never are. `places`:
    the points at which such a text stands, or between which it moves.
    """

    start: int | None
    end: int | None
    text: str
    line: int
    group: str = ""
    places: tuple[Place, ...] = ()
