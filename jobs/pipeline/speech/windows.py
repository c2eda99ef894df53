"""Division of an audio file into windows that end in silences; one window at a time is in memory."""

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

FIRST = 20.0
"""Seconds of the first window, at most: short, so that captions appear soon. Each further window is at most twice as
long as all the sound before it.
"""

_SEARCH = 30.0  # seconds before the desired end that are searched for a cut, at most half of the window
_LONG_ENOUGH = 1.0  # seconds: of silences at least this long the latest is used
_QUIET = 0.25  # share of the range from the quietest to the loud level (90 %) below which a frame is silent
_FLAT = 3.0  # dB of that range below which there is no silence
_FLOOR = -70.0  # dBFS: differences below it are noise of the recorder
_SMOOTH = 10  # frames over which a level is averaged: a tenth of a second


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Samples `first` to `first + len(samples)` of the audio."""

    first: int
    samples: Samples

    @property
    def start(self) -> float:
        """Seconds from the start of the audio."""
        return self.first / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Seconds from the start of the audio."""
        return (self.first + len(self.samples)) / SAMPLE_RATE


class Audio:
    """An open WAV file of 16 kHz, mono, 16 bit. `length` is in samples. Raises ValueError for another format."""

    def __init__(self, file: wave.Wave_read) -> None:
        found = (file.getframerate(), file.getnchannels(), file.getsampwidth())
        if found != (SAMPLE_RATE, 1, 2):
            raise ValueError(f"audio must be 16 kHz, mono, 16 bit, not {found}")
        self._file = file
        self.length = file.getnframes()

    def read(self, first: int, count: int) -> Samples:
        """Read at most `count` samples from `first` on, of shape (n,)."""
        self._file.setpos(min(first, self.length))
        return np.frombuffer(self._file.readframes(count), dtype="<i2").astype(np.float32) / np.float32(32768)


@contextmanager
def open_audio(path: Path) -> Iterator[Audio]:
    """Open the audio at `path`. Raises ValueError, wave.Error or EOFError if extract_audio() did not write it."""
    with wave.open(str(path), "rb") as file:
        yield Audio(file)


def stretches(audio: Audio, *, begin: float, start: float, longest: float) -> Iterator[Stretch]:
    """Yield the windows of `audio` from `start` to its end, each at most `longest` seconds, without gaps or overlaps.

    The window that starts at `begin` is the first of all, and at most FIRST seconds long; the following ones grow. The
    end of a window depends on its start only, so continuing with the end of any window as `start` gives the same
    windows. Times are seconds of the audio.
    """
    first_of_all, position = _on_grid(begin), _on_grid(start)
    while position < audio.length:
        seconds = min(longest, max(FIRST, 2 * (position - first_of_all) / SAMPLE_RATE))
        samples = audio.read(position, _on_grid(seconds))
        if not len(samples):  # the file is shorter than its header states
            return
        if len(samples) == _on_grid(seconds) and position + len(samples) < audio.length:
            samples = samples[: cut(samples)]
        yield Stretch(first=position, samples=samples)
        position += len(samples)


def cut(samples: Samples) -> int:
    """The index of the sample at which to end a window: in the longest silence near the end of `samples`.

    It is the middle of that silence's last second. Silences of a second or more count as equal, and the latest is used.
    Without a silence it is the latest of the quietest moments.
    """
    level = _levels(samples)
    earliest = max(len(level) // 2, len(level) - _on_grid(_SEARCH) // FRAME)
    searched = np.convolve(level[earliest:], np.ones(_SMOOTH) / _SMOOTH, "same")
    inner = searched[_SMOOTH // 2 : -_SMOOTH // 2]  # the outer averages are of too few frames
    quiet, loud = float(inner.min()), float(np.percentile(level, 90))
    if loud - quiet < _FLAT:
        return (earliest + _SMOOTH // 2 + len(inner) - 1 - int(np.argmin(inner[::-1]))) * FRAME
    silences = runs_of(level[earliest:] <= quiet + _QUIET * (loud - quiet))
    enough = round(_LONG_ENOUGH * SAMPLE_RATE / FRAME)
    first, last = max(silences, key=lambda run: (min(run[1] - run[0], enough), run[0]))
    return (earliest + last - min(last - first, enough) // 2) * FRAME


def _levels(samples: Samples) -> NDArray[np.float32]:
    """The level of every 10 ms in dBFS, of shape (frames,)."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level: NDArray[np.float32] = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-12)
    return np.maximum(level, np.float32(_FLOOR))


def _on_grid(seconds: float) -> int:
    """The sample at the nearest 10 ms, which corrects times that were rounded or shifted by an offset."""
    return round(seconds * SAMPLE_RATE / FRAME) * FRAME
