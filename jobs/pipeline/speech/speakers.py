"""Speakers of words: the turns of a diarizer, named in order of appearance, and the words said in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Literal

from jobs.pipeline.errors import BadSpeakers
from jobs.pipeline.protocols import Turn, Word

Speakers = Literal["off", "auto"] | int
"""Whether speakers are told apart: not, with an estimated number, or with a known number of them."""

MAX_SPEAKERS = 20
"""The largest number of speakers that can be asked for."""

_NEAR = 1.0  # seconds: a word further from every turn gets no speaker of its own
_SNAP_WORDS = 2  # how far the end of a sentence may be from a change of speakers that is moved to it
_SNAP_SECONDS = 0.5  # the same in time: words beyond a pause are not given to another speaker
_SENTENCE_END = re.compile(r"[.!?…؟。！？۔][\"'”’»)\]]*$")


def parse_speakers(text: str) -> Speakers:
    """Parse `off`, `auto` or a number from 1 to MAX_SPEAKERS. Raises BadSpeakers."""
    word = text.strip().lower() or "off"
    if word == "off" or word == "auto":
        return "off" if word == "off" else "auto"
    if word.isdecimal() and 1 <= int(word) <= MAX_SPEAKERS:
        return int(word)
    raise BadSpeakers(speakers=text, most=str(MAX_SPEAKERS))


def named_turns(turns: Sequence[Turn], offset: float) -> list[Turn]:
    """The turns with the names S1, S2 and so on in order of appearance, `offset` seconds later, sorted by start."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    names: dict[str, str] = {}
    for turn in ordered:
        names.setdefault(turn.speaker, f"S{len(names) + 1}")
    return [Turn(start=turn.start + offset, end=turn.end + offset, speaker=names[turn.speaker]) for turn in ordered]


def with_speakers(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """The words with the speaker in whose turns they are said, by the same clock.

    Times of words are exact to some tenths of a second only, so a change of speakers is moved to the end of a sentence
    when there is one beside it. A word far from every turn gets no speaker.
    """
    if not turns or not words:
        return list(words)
    first, last = words[0].start - _NEAR, words[-1].end + _NEAR
    near = [turn for turn in turns if turn.end >= first and turn.start <= last]
    speakers = _snapped(words, [_speaker(word, near) for word in words])
    return [replace(word, speaker=speaker) for word, speaker in zip(words, speakers, strict=True)]


def _speaker(word: Word, turns: Sequence[Turn]) -> str:
    """The speaker of most of the word's time, else of the nearest turn within a second, else nobody."""
    shares: dict[str, float] = {}
    nearest, distance = "", _NEAR
    for turn in turns:
        overlap = min(turn.end, word.end) - max(turn.start, word.start)
        if overlap > 0:
            shares[turn.speaker] = shares.get(turn.speaker, 0.0) + overlap
        elif -overlap <= distance:
            nearest, distance = turn.speaker, -overlap
    return max(shares, key=lambda name: shares[name]) if shares else nearest


def _snapped(words: Sequence[Word], speakers: Sequence[str]) -> list[str]:
    """The speakers with each change moved to the nearest end of a sentence within two words and half a second."""
    runs = [(name, len(list(group))) for name, group in groupby(speakers)]
    changes = [sum(length for _, length in runs[:at]) for at in range(1, len(runs))]
    borders, least = [], 0
    for at, change in enumerate(changes):
        most = changes[at + 1] if at + 1 < len(changes) else len(words)
        found = _sentence_border(words, change, least + 1, most - 1)
        borders.append(found)
        least = found
    edges = [0, *borders, len(words)]
    return [name for (name, _), first, last in zip(runs, edges, edges[1:], strict=False) for _ in range(first, last)]


def _sentence_border(words: Sequence[Word], change: int, least: int, most: int) -> int:
    """The border nearest to `change`, between `least` and `most`, at which a sentence ends; `change` without one."""
    near = [at for at in range(change - _SNAP_WORDS, change + _SNAP_WORDS + 1) if least <= at <= most]
    ends = [
        at
        for at in near
        if _SENTENCE_END.search(words[at - 1].text) and abs(words[at].start - words[change].start) <= _SNAP_SECONDS
    ]
    return min(ends, key=lambda at: (abs(at - change), at), default=change)
