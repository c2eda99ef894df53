"""First words of the lines beside their translations, which show to which line a text belongs.

A model that copies the beginning of a line before its translation, and then merges, splits or leaves out lines, puts
the beginning of another line under an id together with the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from jobs.pipeline.protocols import Line

_ALIKE = 0.7
"""Least similarity (`SequenceMatcher.ratio`) of a copied beginning with its line: models mend spelling."""

_MOST_WITHOUT = 1
"""Lines whose beginning may be missing in an answer that has beginnings: a model may stop before the last."""


def are_given(lines: Sequence[Line], texts: Mapping[int, str], beginnings: Mapping[int, str]) -> bool:
    """Whether an answer has the beginnings of the lines whose texts it has."""
    without = [line for line in lines if texts.get(line.id) and not beginnings.get(line.id) and _bare(line.text)]
    return bool(beginnings) and len(without) <= _MOST_WITHOUT


def doubtful(lines: Sequence[Line], texts: Mapping[int, str], beginnings: Mapping[int, str]) -> set[int]:
    """The ids of lines whose texts may be those of others: without their own beginning, and the line before each of
    those and before each missing one, which may hold two lines or the half of one.
    """
    sources = [_bare(line.text) for line in lines]
    wrong = {
        at
        for at, line in enumerate(lines)
        if not texts.get(line.id) or not _is_own(at, sources, _bare(beginnings.get(line.id, "")))
    }
    return {lines[place].id for at in wrong for place in (at - 1, at) if place >= 0}


def _is_own(at: int, sources: Sequence[str], beginning: str) -> bool:
    """Whether a beginning is that of the source at a place, rather than that of any other source."""
    if not sources[at] or (beginning and sources[at].startswith(beginning)):
        return True
    own = _likeness(sources[at], beginning)
    return own >= _ALIKE and all(_likeness(source, beginning) < own for source in {*sources} - {sources[at]})


def _likeness(source: str, beginning: str) -> float:
    if not source or not beginning:
        return 0.0
    return SequenceMatcher(None, source[: len(beginning)], beginning, autojunk=False).ratio()


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
