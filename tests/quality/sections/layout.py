"""Line breaks and cues of prose: ours beside the writers of other programs."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jobs.pipeline.subtitles.segmentation import GAP, MAX_SECONDS, MIN_SECONDS
from jobs.pipeline.text.display_width import cell_width
from jobs.pipeline.text.languages import language
from tests.quality.breaks import EZAFE_UNWRITTEN, broken, reasons
from tests.quality.engines import Session
from tests.quality.layouts import LINE, LINES, PEERS, Shown, ours, spoken
from tests.quality.rows import Row, at_most, info

SECTION = "layout"
TEXTS = Path(__file__).parents[2] / "data" / "layout"
_ROUNDING = 0.002
"""Tolerance in seconds: times have whole milliseconds."""


def measure(session: Session) -> list[Row]:
    """Judge the cues of 4,000 words of English and of Persian; the short form is the same, it takes seconds."""
    return [row for name, code in (("english", "en"), ("persian", "fa")) for row in _rows(name, code)]


def _rows(name: str, code: str) -> list[Row]:
    text = " ".join((TEXTS / f"{name}.txt").read_text(encoding="utf-8").split())
    kinds, words = reasons(text, code), spoken(text)
    found = {"ours": ours(words, code)} | {peer: layout(words, code) for peer, layout in PEERS.items()}
    for who, cues in found.items():
        if " ".join(line for cue in cues for line in cue.lines) != text:
            raise AssertionError(f"{who} changed the {name} text")
    rows = []
    for who, cues in found.items():
        breaks = Counter(kinds[at] for at in broken(cues) if kinds[at])
        logging.info("%s, %s: %s in %d cues", name, who, dict(breaks), len(cues))
        unwritten = breaks.pop(EZAFE_UNWRITTEN, 0)
        row = f"{name}, {who}: " + "{}"
        bad, over = 100 * breaks.total() / len(cues), sum(is_over_limits(cues, code))
        if who == "ours":
            rows.append(at_most(SECTION, row.format("bad breaks per 100 cues"), bad, 2))
            rows.append(at_most(SECTION, row.format("cues over a limit"), over, 0))
            rows.append(at_most(SECTION, row.format("cues of one word in a longer sentence"), lone_words(cues), 0))
            rows.append(info(SECTION, row.format("top-heavy cues per 100"), 100 * sum(is_top_heavy(cues)) / len(cues)))
        else:
            rows.append(info(SECTION, row.format("bad breaks per 100 cues"), bad))
            rows.append(info(SECTION, row.format("cues over a limit"), over))
        if code == "fa":
            rows.append(info(SECTION, row.format("and at an ezafe that is not written"), 100 * unwritten / len(cues)))
    return rows


def is_over_limits(cues: Sequence[Shown], code: str) -> list[bool]:
    """For each cue, whether it breaks a limit: lines, their length, duration, reading speed, or the gap before it.

    A single word that is longer than a line or than 7 seconds is not counted: nothing can be done about it.
    """
    speed, found = language(code).reading_speed, []
    for at, cue in enumerate(cues):
        seconds, one = cue.end - cue.start, len(" ".join(cue.lines).split()) == 1
        gap = cue.start - cues[at - 1].end if at else GAP
        width = sum(cell_width(line) for line in cue.lines) + len(cue.lines) - 1
        found.append(
            len(cue.lines) > LINES
            or any(cell_width(line) > LINE and " " in line for line in cue.lines)
            or (seconds > MAX_SECONDS + _ROUNDING and not one)
            or seconds < MIN_SECONDS - _ROUNDING
            or width / seconds > speed * 1.005
            or gap < GAP - _ROUNDING
        )
    return found


def is_top_heavy(cues: Sequence[Shown]) -> list[bool]:
    """For each cue, whether its upper line is more than half as long again as its lower one."""
    widths = [[cell_width(line) for line in cue.lines] for cue in cues]
    return [len(lines) > 1 and lines[0] > 1.5 * lines[1] for lines in widths]


def lone_words(cues: Sequence[Shown]) -> int:
    """The number of cues that have one word, which neither begins nor ends a sentence there alone."""
    texts = [" ".join(cue.lines) for cue in cues]
    return sum(
        " " not in text and not (text.endswith((".", "!", "?", "؟")) and before.endswith((".", "!", "?", "؟")))
        for before, text in zip([".", *texts], texts, strict=False)
    )
