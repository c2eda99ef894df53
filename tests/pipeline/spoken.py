"""Recognised words with times, made from text, for tests of segmentation."""

from __future__ import annotations

from jobs.pipeline.protocols import Word

SENTENCE_PAUSE, CLAUSE_PAUSE = 0.6, 0.25


def spoken(
    text: str, *, start: float = 0.6, rate: float = 14.0, speaker: str = "", confidence: float = 1.0
) -> list[Word]:
    """The words of `text` at `rate` letters a second, with a pause after each sentence and a shorter one in it."""
    words = []
    for letters in text.split():
        end = start + len(letters) / rate
        words.append(
            Word(text=letters, start=round(start, 3), end=round(end, 3), speaker=speaker, confidence=confidence)
        )
        start = end + 0.05 + SENTENCE_PAUSE * (letters[-1] in ".?!؟") + CLAUSE_PAUSE * (letters[-1] in ",;،")
    return words
