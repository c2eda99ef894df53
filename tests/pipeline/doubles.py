"""A transcriber and a diarizer with scripted answers that record their calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from jobs.pipeline.protocols import SAMPLE_RATE, Hints, Progress, Region, Samples, Turn, Word
from jobs.pipeline.speech.voice_activity import speech_regions

_FOUND: dict[bytes, list[Region]] = {}


def regions_of(samples: Samples) -> list[Region]:
    """The real regions with speech, which are looked for once in the same sound."""
    name = blake2b(samples.tobytes()).digest()
    if name not in _FOUND:
        _FOUND[name] = speech_regions(samples)
    return list(_FOUND[name])


class Parrot:
    """Says its phrases in turn, one for each region of speech, or what `words` gives for the samples."""

    name = "parrot"

    def __init__(
        self,
        *phrases: str,
        window_seconds: float = 60.0,
        piece_seconds: float = 0.0,
        languages: Sequence[str] = ("en",),
        words: Callable[[Samples], Sequence[Word]] | None = None,
    ) -> None:
        self.window_seconds = window_seconds
        self.piece_seconds = piece_seconds
        self.heard: list[float] = []
        self.asked: list[Hints] = []
        self.loaded = 0
        self._phrases = [phrase.split() for phrase in phrases or ("Polly wants a cracker",)]
        self._languages = list(languages)
        self._words = words or self._repeat

    def load(self) -> None:
        self.loaded += 1

    def speech(self, samples: Samples) -> list[Region]:
        return regions_of(samples)

    def recognise(
        self, samples: Samples, regions: Sequence[Region], hints: Hints, progress: Progress
    ) -> Sequence[Word]:
        """The words of its phrases, in the language that is named, or else in the next of its languages; in the empty
        one, which stands for music, it hears none.
        """
        self.heard.append(len(samples) / SAMPLE_RATE)
        self.asked.append(hints)
        progress(0.5)
        progress(1.0)
        language = hints.language or self._next_language()
        return [replace(word, language=word.language or language) for word in self._words(samples)] if language else []

    def _next_language(self) -> str:
        return self._languages.pop(0) if len(self._languages) > 1 else self._languages[0]

    def _repeat(self, samples: Samples) -> list[Word]:
        words = []
        for at, region in enumerate(regions_of(samples)):
            phrase = self._phrases[at % len(self._phrases)]
            each = (region.end - region.start) / len(phrase)
            starts = [region.start + place * each for place in range(len(phrase))]
            words += [
                Word(text=text, start=start, end=min(start + each, region.end), confidence=0.9)
                for text, start in zip(phrase, starts, strict=True)
            ]
        return words


class Listener:
    """A diarizer that hears these turns in every audio."""

    name = "listener"

    def __init__(self, *turns: Turn) -> None:
        self.asked: list[int | None] = []
        self.loaded = 0
        self._turns = turns

    def load(self) -> None:
        self.loaded += 1

    def diarize(self, audio: Path, speakers: int | None, progress: Progress) -> Sequence[Turn]:
        self.asked.append(speakers)
        progress(1.0)
        return self._turns
