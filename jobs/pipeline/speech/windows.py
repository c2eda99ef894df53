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
        return self.following / SAMPLE_RATE

    @property
    def following(self) -> int:
        """The first sample behind it."""
        return self.first + len(self.samples)

    def until(self, seconds: float) -> Stretch:
        """The part before this time, in seconds from the start of the stretch."""
        return Stretch(first=self.first, samples=self.samples[: on_grid(seconds)])


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


def stretch_at(audio: Audio, position: int, *, begin: float, longest: float) -> Stretch | None:
    """The window of `audio` that starts at the sample `position`, at most `longest` seconds; None at the end.

    The window that starts at the second `begin` is the first of all, and at most FIRST seconds long; the following ones
    grow. The end of a window depends on its start only, so that continuing at the end of any window gives the same
    windows.
    """
    if position >= audio.length:
        return None
    seconds = min(longest, max(FIRST, 2 * (position - on_grid(begin)) / SAMPLE_RATE))
    samples = audio.read(position, on_grid(seconds))
    if len(samples) == on_grid(seconds) and position + len(samples) < audio.length:
        samples = samples[: cut(samples)]
    return Stretch(first=position, samples=samples) if len(samples) else None  # shorter than its header states


def cut(samples: Samples) -> int:
    """The index of the sample at which to end a window: in the longest silence near the end of `samples`.

    It is the middle of that silence's last second. Silences of a second or more count as equal, and the latest is used.
    Without a silence it is the latest of the quietest moments.
    """
    level = _levels(samples)
    earliest = max(len(level) // 2, len(level) - on_grid(_SEARCH) // FRAME)
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


def on_grid(seconds: float) -> int:
    """The sample at the nearest 10 ms, where windows are cut; corrects times that were rounded or shifted."""
    return round(seconds * SAMPLE_RATE / FRAME) * FRAME
