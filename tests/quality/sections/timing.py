"""Times of sentences in made speech, without an alignment model."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.quality.engines import Heard, Session
from tests.quality.material import LANGUAGES, Clip, made
from tests.quality.rows import Row, at_most, info
from tests.quality.scoring import matches, normalise

SECTION = "timing"
LIMIT = 0.15
"""Seconds of the median error of starts, and of ends, over the sentences of all languages."""


def measure(session: Session) -> list[Row]:
    """Compare the first and the last word of each sentence with the sound of the sentence."""
    rows, starts, ends = list[Row](), list[float](), list[float]()
    for language in LANGUAGES:
        clip = made(language)
        late, over = deviations(clip, session.ours(clip, language))
        starts, ends = [*starts, *late], [*ends, *over]
        rows += [
            info(SECTION, f"{language}: sentences whose first and last word were heard", min(len(late), len(over))),
            info(SECTION, f"{language}: starts, median error (s)", _middle(late)),
            info(SECTION, f"{language}: ends, median error (s)", _middle(over)),
        ]
    return [
        *rows,
        at_most(SECTION, "starts of sentences, median error (s)", _middle(starts), LIMIT),
        at_most(SECTION, "ends of sentences, median error (s)", _middle(ends), LIMIT),
    ]


def deviations(clip: Clip, heard: Heard) -> tuple[list[float], list[float]]:
    """Seconds by which sentences start and end late, of those whose first or last word has a counterpart."""
    said = [normalise(one.text) for one in clip.sentences]
    words = [(word, one) for one in heard.texts for word in normalise(one["text"])]
    pairs = dict(matches([word for words in said for word in words], [word for word, _ in words]))
    starts, ends, first = list[float](), list[float](), 0
    for sentence, texts in zip(clip.sentences, said, strict=True):
        last = first + len(texts) - 1
        if first in pairs:
            starts.append(words[pairs[first]][1]["start"] - sentence.start)
        if last in pairs:
            ends.append(words[pairs[last]][1]["end"] - sentence.end)
        first = last + 1
    return starts, ends


def _middle(values: Sequence[float]) -> float:
    """The median of the absolute values; 99 without any."""
    return median(map(abs, values)) if values else 99.0
