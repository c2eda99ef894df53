"""The cue: one subtitle with its times, text and translation."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.pipeline.text.languages import Language
from jobs.pipeline.text.line_breaking import MAX_LINES

_LINES_FILLED = 0.9
"""Share of the lines that text can fill: lines break between words, so about half a word of 42 characters is lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cue:
    """One subtitle: its times in seconds from the video's start, what is said, and the translation.

    `flags` are keys of `protocols.FLAGS`. `language` is the code of what is said; empty: that of the job.
    """

    id: int
    start: float
    end: float
    source: str
    target: str = ""
    speaker: str = ""
    flags: tuple[str, ...] = ()
    language: str = ""


def capacity(cue: Cue, target: Language) -> int:
    """Characters of `target` (see `display_width.width`) that fit two lines and can be read in the time of `cue`."""
    return max(1, int(min((cue.end - cue.start) * target.reading_speed, MAX_LINES * target.line_length)))


def budget(cue: Cue, target: Language) -> int:
    """Characters that a translator is asked to use at most: less than the capacity if both lines would be full."""
    return min(capacity(cue, target), int(MAX_LINES * target.line_length * _LINES_FILLED))
