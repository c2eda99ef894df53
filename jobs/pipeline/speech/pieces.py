"""Division of a window's speech into pieces that a recogniser takes at once, without the long pauses between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.pipeline.protocols import SAMPLE_RATE, Region, Samples
from jobs.pipeline.speech.windows import cut

_AROUND = 0.3
"""Seconds of sound kept before and after speech: detectors miss soft beginnings and ends of words."""

_KEPT_PAUSE = 0.5
"""Seconds of a pause beyond `_AROUND` on both sides that stay in a piece: pauses help a recogniser to end sentences."""


_FULL = 0.8
"""Share of the longest piece from which on a piece counts as full."""


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
    """Pack the speech of a window into few pieces, in order, each at most `longest` seconds.

    Of the places at which a piece could end that is full then, the one with the longest pause is used.
    """
    speech = _with_margins(_short_enough(samples, regions, longest - 2 * _AROUND), len(samples) / SAMPLE_RATE)
    pieces: list[Piece] = []
    while speech:
        fits = [Piece(spans=_joined(speech[:count])) for count in range(1, len(speech) + 1)]
        count = sum(piece.seconds <= longest for piece in fits)  # at least one: each part of the speech is short enough
        if count < len(speech):
            ends = [at for at in range(1, count) if fits[at - 1].seconds >= _FULL * longest]
            count = max((*ends, count), key=lambda at: (speech[at].start - speech[at - 1].end, at))
        pieces.append(fits[count - 1])
        speech = speech[count:]
    return pieces


def full_until(samples: Samples, regions: Sequence[Region], *, longest: float) -> float:
    """The second at which a window of these samples should end so that its pieces are full: where the last one begins,
    if there are several and it is not full, else the end. What follows is then packed with the speech after it.
    """
    pieces = pieces_of(samples, regions, longest=longest)
    if len(pieces) < 2 or pieces[-1].seconds >= _FULL * longest:
        return len(samples) / SAMPLE_RATE
    return pieces[-1].spans[0].start


def _with_margins(regions: Sequence[Region], length: float) -> list[Region]:
    """The regions with the sound around them, at most half of the pause between two."""
    edges = [-_AROUND, *(time for region in regions for time in (region.start, region.end)), length + _AROUND]
    pauses = [later - earlier for earlier, later in zip(edges[::2], edges[1::2], strict=True)]
    return [
        Region(
            start=max(0.0, region.start - min(_AROUND, before / 2)),
            end=min(length, region.end + min(_AROUND, after / 2)),
        )
        for region, before, after in zip(regions, pauses[:-1], pauses[1:], strict=True)
    ]


def _joined(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions, those joined between which there is no long pause."""
    joined: list[Region] = []
    for region in regions:
        if joined and region.start - joined[-1].end <= _KEPT_PAUSE:
            joined[-1] = Region(start=joined[-1].start, end=region.end)
        else:
            joined.append(region)
    return tuple(joined)


def _short_enough(samples: Samples, regions: Sequence[Region], longest: float) -> list[Region]:
    """The regions, cut in pauses or, without any, at their quietest moments, so that each is at most `longest`."""
    short: list[Region] = []
    for region in regions:
        start = region.start
        while region.end - start > longest:
            first = round(start * SAMPLE_RATE)
            end = start + cut(samples[first : first + round(longest * SAMPLE_RATE)]) / SAMPLE_RATE
            short.append(Region(start=start, end=end))
            start = end
        short.append(Region(start=start, end=region.end))
    return short
