"""Two languages in one file, in six orders: each part must be heard as well as alone."""

from __future__ import annotations

from itertools import permutations

from tests.quality.engines import Heard, Session
from tests.quality.material import Clip, joined, made
from tests.quality.rows import Row, at_most, info
from tests.quality.scoring import word_errors
from tests.quality.sections.recognition import looped

SECTION = "languages"
WORSE = 3.0
"""Points of WER by which a part may be worse than alone."""
SENTENCES = 14
"""Sentences of a part: about 40 seconds."""


def measure(session: Session) -> list[Row]:
    """Measure each order of two of English, German and Persian, and English, Persian, English in one file."""
    alone = {language: _alone(session, language) for language in ("en", "de", "fa")}
    rows = [info(SECTION, f"WER {language} alone (%)", rate) for language, rate in alone.items()]
    for order in [*permutations(alone, 2), ("en", "fa", "en")]:
        rows += _file(session, order, alone)
    return rows


def _alone(session: Session, language: str) -> float:
    part = made(language, SENTENCES)
    return word_errors(part.text, session.ours(part).text).percent


def _file(session: Session, order: tuple[str, ...], alone: dict[str, float]) -> list[Row]:
    clip = joined("-".join(order), [made(language, SENTENCES) for language in order], pauses=(1.0,))
    heard = session.ours(clip)
    name = ", ".join(order)
    parts = [_part(clip, heard, at) for at in range(len(order))]
    worse = [rate - alone[language] for rate, language in zip(parts, order, strict=True)]
    return [
        *(info(SECTION, f"{name}: WER of part {at} (%)", rate) for at, rate in enumerate(parts, start=1)),
        at_most(SECTION, f"{name}: WER of the worst part minus alone (points)", max(worse), WORSE),
        at_most(SECTION, f"{name}: words in loops, not flagged", looped(clip, heard, unflagged=True), 0),
    ]


def _part(clip: Clip, heard: Heard, number: int) -> float:
    own = clip.sentences[number * SENTENCES : (number + 1) * SENTENCES]
    start = own[0].start - 1.0 if number else 0.0
    end = own[-1].end + 0.5
    return word_errors(" ".join(one.text for one in own), heard.between(start, end)).percent
