"""Division of a window's speech into pieces that a recogniser takes at once, without the long pauses between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.pipeline.protocols import SAMPLE_RATE, Region, Samples
from jobs.pipeline.speech.windows import cut

_AROUND = 0.3
"""Seconds of sound kept before and after speech: detectors miss soft beginnings and ends of words."""

_KEPT_PAUSE = 0.5
"""Seconds of a pause beyond `_AROUND` on both sides that stay in a piece: pauses help a recogniser to end sentences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Stretches of a window's sound, joined. `spans` are in seconds of the window, in order, without overlaps."""

    spans: tuple[Region, ...]

    @property
    def seconds(self) -> float:
        """The length of the joined sound in seconds."""
        return sum(span.end - span.start for span in self.spans)

    def sound(self, samples: Samples) -> Samples:
        """The joined sound of the piece, of shape (n,), cut from the window's `samples`."""
        parts = [samples[round(span.start * SAMPLE_RATE) : round(span.end * SAMPLE_RATE)] for span in self.spans]
        return np.concatenate(parts)

    def time(self, seconds: float) -> float:
        """The time in the window of a time in the joined sound."""
        before = 0.0
        for span in self.spans:
            length = span.end - span.start
            if seconds < before + length or span is self.spans[-1]:
                return min(span.start + max(0.0, seconds - before), span.end)
            before += length
        raise AssertionError("a piece has a span")

    def place(self, seconds: float) -> float:
        """The time in the joined sound of a time in the window; inside a pause that was cut out, that of its end."""
        before = 0.0
        for span in self.spans:
            if seconds < span.end:
                return before + max(0.0, seconds - span.start)
            before += span.end - span.start
        return before

    def split(self, times: Sequence[float]) -> list[Piece]:
        """The parts of the piece between these times of the window, in order."""
        parts, rest = list[Piece](), list(self.spans)
        for time in times:
            before = [Region(start=span.start, end=min(span.end, time)) for span in rest if span.start < time]
            rest = [Region(start=max(span.start, time), end=span.end) for span in rest if span.end > time]
            if before:
                parts.append(Piece(spans=tuple(before)))
        return [*parts, Piece(spans=tuple(rest))] if rest else parts


def pieces_of(samples: Samples, regions: Sequence[Region], *, longest: float) -> list[Piece]:
    """Pack the speech of a window into as few pieces as possible, in order, each at most `longest` seconds."""
    packed: list[list[Region]] = []
    room = 0.0
    for span in _short_enough(samples, _around(regions, len(samples) / SAMPLE_RATE), longest):
        length = span.end - span.start
        if not packed or length > room:
            packed.append([])
            room = longest
        packed[-1].append(span)
        room -= length
    return [Piece(spans=tuple(spans)) for spans in packed]


def _around(regions: Sequence[Region], length: float) -> Iterator[Region]:
    """The regions with the sound around them, joined where no pause is left to be cut out."""
    last: Region | None = None
    for region in regions:
        start, end = max(0.0, region.start - _AROUND), min(length, region.end + _AROUND)
        if last and start - last.end <= _KEPT_PAUSE:
            last = Region(start=last.start, end=max(end, last.end))
        else:
            if last:
                yield last
            last = Region(start=start, end=end)
    if last:
        yield last


def _short_enough(samples: Samples, spans: Iterator[Region], longest: float) -> Iterator[Region]:
    """The spans, cut in pauses or, without any, at their quietest moments, so that each fits a piece."""
    for span in spans:
        start = span.start
        while span.end - start > longest:
            first = round(start * SAMPLE_RATE)
            end = start + cut(samples[first : first + round(longest * SAMPLE_RATE)]) / SAMPLE_RATE
            yield Region(start=start, end=end)
            start = end
        yield Region(start=start, end=span.end)
