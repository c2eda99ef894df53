"""A transcriber and a diarizer with scripted answers that record their calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.pipeline.errors import CannotDetectLanguage
from jobs.pipeline.protocols import SAMPLE_RATE, Progress, Samples, Turn, Word
from jobs.pipeline.speech.voice_activity import speech_regions


class Parrot:
    """Says its phrases in turn, one for each region of speech, or what `words` gives for the samples."""

    name = "parrot"

    def __init__(
        self,
        *phrases: str,
        window_seconds: float = 60.0,
        languages: Sequence[str] = ("en",),
        words: Callable[[Samples], Sequence[Word]] | None = None,
    ) -> None:
        self.window_seconds = window_seconds
        self.heard: list[float] = []
        self.asked: list[str] = []
        self.detected: list[float] = []
        self._phrases = [phrase.split() for phrase in phrases or ("Polly wants a cracker",)]
        self._languages = list(languages)
        self._words = words or self._repeat

    def detect(self, samples: Samples) -> str:
        """The next of its languages; the empty one stands for music, in which none can be told."""
        self.detected.append(len(samples) / SAMPLE_RATE)
        language = self._languages.pop(0) if len(self._languages) > 1 else self._languages[0]
        if not language:
            raise CannotDetectLanguage
        return language

    def recognise(self, samples: Samples, language: str, progress: Progress) -> Sequence[Word]:
        self.heard.append(len(samples) / SAMPLE_RATE)
        self.asked.append(language)
        progress(0.5)
        progress(1.0)
        return self._words(samples)

    def _repeat(self, samples: Samples) -> list[Word]:
        words = []
        for at, region in enumerate(speech_regions(samples)):
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
        self._turns = turns

    def diarize(self, audio: Path, speakers: int | None, progress: Progress) -> Sequence[Turn]:
        self.asked.append(speakers)
        progress(1.0)
        return self._turns
