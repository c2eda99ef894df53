"""Audio from disk in windows that end in silences: never the whole of it in memory."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.pipeline.protocols import SAMPLE_RATE, Samples
from jobs.pipeline.speech.voice_activity import runs_of

FRAME = 160
"""Samples of the grid on which windows are cut: 10 ms."""

FIRST = 60.0
"""Seconds of the first window: short, so that a live page has captions soon."""

_SEARCH = 30.0  # seconds before the wished end in which the cut may lie, at most half of the window
_LONG_ENOUGH = 1.0  # seconds: of silences as long as this the latest is taken
_QUIET = 0.25  # share of the way from the quietest moment to the loud level (90 %) under which a frame is silent
_FLAT = 3.0  # dB between the two under which there is no silence
_FLOOR = -70.0  # dBFS: below it differences are noise of the recorder
_SMOOTH = 10  # frames over which a moment's level is averaged: a tenth of a second


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Samples `first` to `first + len(samples)` of the audio."""

    first: int
    samples: Samples

    @property
    def start(self) -> float:
        return self.first / SAMPLE_RATE

    @property
    def end(self) -> float:
        return (self.first + len(self.samples)) / SAMPLE_RATE


class Audio:
    """An open WAV file of 16 kHz, mono, 16 bit. `length` is in samples."""

    def __init__(self, file: wave.Wave_read) -> None:
        found = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if found != (SAMPLE_RATE, 1, 2):
            raise ValueError(f"audio must be 16 kHz, mono, 16 bit, not {found}")
        self._file = file
        self.length = file.getnframes()

    def read(self, first: int, count: int) -> Samples:
        """At most `count` samples from `first` on."""
        self._file.setpos(min(first, self.length))
        return np.frombuffer(self._file.readframes(count), dtype="<i2").astype(np.float32) / np.float32(32768)


@contextmanager
def open_audio(path: Path) -> Iterator[Audio]:
    """The audio at `path`. Raises ValueError, wave.Error or EOFError when it is not what extract_audio() writes."""
    with wave.open(str(path), "rb") as file:
        yield Audio(file)


def stretches(audio: Audio, *, begin: float, start: float, longest: float) -> Iterator[Stretch]:
    """The windows of `audio` from `start` to its end, each at most `longest` seconds: they tile it exactly.

    The window that starts at `begin` is the first of all and at most FIRST seconds long. Where a window ends depends on
    nothing but where it starts, so the end of any window is a `start` that gives the same windows again. Times are
    seconds of the audio.
    """
    first_of_all, position = _on_grid(begin), _on_grid(start)
    while position < audio.length:
        seconds = min(FIRST, longest) if position == first_of_all else longest
        samples = audio.read(position, _on_grid(seconds))
        if not len(samples):  # a file cut short after its header was written
            return
        if len(samples) == _on_grid(seconds) and position + len(samples) < audio.length:
            samples = samples[: cut(samples)]
        yield Stretch(first=position, samples=samples)
        position += len(samples)


def cut(samples: Samples) -> int:
    """The sample at which to end a window: inside the longest silence near the end of `samples`.

    It is the middle of its last second. Silences of a second or more count alike, and of equal ones the latest is
    taken. Without any silence it is the quietest moment, the latest of them.
    """
    level = _levels(samples)
    earliest = max(len(level) // 2, len(level) - _on_grid(_SEARCH) // FRAME)
    searched = np.convolve(level[earliest:], np.ones(_SMOOTH) / _SMOOTH, "same")
    inner = searched[_SMOOTH // 2 : -_SMOOTH // 2]  # the outer ones are averages of too few
    quiet, loud = float(inner.min()), float(np.percentile(level, 90))
    if loud - quiet < _FLAT:
        return (earliest + _SMOOTH // 2 + len(inner) - 1 - int(np.argmin(inner[::-1]))) * FRAME
    silences = runs_of(level[earliest:] <= quiet + _QUIET * (loud - quiet))
    enough = round(_LONG_ENOUGH * SAMPLE_RATE / FRAME)
    first, last = max(silences, key=lambda run: (min(run[1] - run[0], enough), run[0]))
    return (earliest + last - min(last - first, enough) // 2) * FRAME


def _levels(samples: Samples) -> NDArray[np.float32]:
    """The level of every 10 ms in dBFS."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level: NDArray[np.float32] = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    return np.maximum(level, np.float32(_FLOOR))


def _on_grid(seconds: float) -> int:
    """The sample of the nearest 10 ms: undoes what rounding and an added offset did to a time."""
    return round(seconds * SAMPLE_RATE / FRAME) * FRAME
