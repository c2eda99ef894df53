"""Engines without cost, so that only our own code is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jobs.pipeline.protocols import SAMPLE_RATE, Batch, Brief, Hints, Line, Progress, Region, Samples, Translation, Word
from jobs.pipeline.speech.voice_activity import speech_regions


class Counter:
    """Recognises a new word every 0.4 s (150 a minute) in any sound."""

    name = "counter"
    pace = 0.4
    piece_seconds = 0.0

    def __init__(self, window_seconds: float) -> None:
        self.window_seconds = window_seconds
        self._heard = 0

    def load(self) -> None:
        """There is nothing to load."""

    def speech(self, samples: Samples) -> Sequence[Region]:
        return speech_regions(samples)

    def recognise(
        self, samples: Samples, regions: Sequence[Region], hints: Hints, progress: Progress
    ) -> Sequence[Word]:
        count = int(len(samples) / SAMPLE_RATE / self.pace)
        first, self._heard = self._heard, self._heard + count
        return [
            Word(
                text=f"word{first + at}{'.' if at % 9 == 8 else ''}",
                start=at * self.pace,
                end=(at + 0.9) * self.pace,
                confidence=0.9,
            )
            for at in range(count)
        ]


class Mirror:
    """Translates every line into its own words in reverse order, a hundred lines at once."""

    name = "mirror"

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        for first in range(0, len(lines), 100):
            yield Batch(
                translations=tuple(
                    Translation(id=line.id, text=" ".join(reversed(line.text.split())))
                    for line in lines[first : first + 100]
                )
            )
