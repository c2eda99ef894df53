"""Made sounds: music, drums, noise, hum, silence, a room's echo, and mixing at a level. All are the same in every run.

Sounds are float32 samples at 16 kHz, of shape (n,).
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np

from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.protocols import SAMPLE_RATE, Samples

CLEAN = -25.0
"""Level of made speech in dBFS (root mean square)."""

_CHORDS = ((220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (164.8, 207.7, 246.9))
_ROUND = 16.0  # seconds of all chords


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.float32)


def noise(seconds: float, level: float = CLEAN) -> Samples:
    """White noise."""
    return leveled(np.random.default_rng(1).standard_normal(len(silence(seconds))), level)


def hum(seconds: float, level: float = CLEAN) -> Samples:
    """Mains hum: 50 Hz and its overtones."""
    time = _time(1.0)
    once = sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 8))
    return leveled(np.resize(once, len(silence(seconds))), level)


def music(seconds: float, level: float = CLEAN) -> Samples:
    """Sustained chords of 4 seconds with overtones that swell and fade."""
    time = _time(_ROUND)
    once = np.zeros_like(time)
    for number, chord in enumerate(_CHORDS):
        playing = np.clip(1.5 - np.abs((time / 4 - number - 0.5 + 2) % 4 - 2) * 2, 0, 1)
        for pitch in chord:
            whole = round(pitch * _ROUND) / _ROUND  # so that the end of a round fits its start
            once += playing * sum(np.sin(2 * np.pi * whole * k * time + k) / k**1.5 for k in range(1, 6))
    return leveled(np.resize(once, len(silence(seconds))), level)


def drums(seconds: float, level: float = CLEAN) -> Samples:
    """A beat of 120 a minute: bass drum, snare, hi-hat."""
    random, time = np.random.default_rng(2), _time(0.25)
    bass = np.sin(2 * np.pi * (50 + 60 * np.exp(-time * 30)) * time) * np.exp(-time * 12)
    snare = random.standard_normal(len(time)) * np.exp(-time * 18) * 0.7
    hat = np.diff(random.standard_normal(len(time) + 1)) * np.exp(-time * 60) * 0.3
    bar = np.concatenate([bass, hat, snare, hat, bass, bass * 0.6 + hat, snare, hat])
    return leveled(np.resize(bar, len(silence(seconds))), level)


def echoing(sound: Samples, seconds: float = 0.8) -> Samples:
    """The sound in a room whose echo takes `seconds` to fall by 60 dB, at the same level."""
    time = _time(seconds)
    room = np.random.default_rng(3).standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    room[0] = 8.0
    length = len(sound) + len(room) - 1
    wet = np.fft.irfft(np.fft.rfft(sound, length) * np.fft.rfft(room, length), length)[: len(sound)]
    return leveled(wet, level_of(sound))


def under(sound: Samples, disturbance: Samples, ratio: float) -> Samples:
    """The sound with a disturbance whose level is `ratio` dB below the sound's."""
    both = sound + leveled(disturbance[: len(sound)], level_of(sound) - ratio)
    return np.asarray(both / max(1.0, float(np.abs(both).max())), dtype=np.float32)


def quieter(sound: Samples, decibels: float) -> Samples:
    """The sound at a level that many dB lower."""
    return np.asarray(sound * 10 ** (-decibels / 20), dtype=np.float32)


def level_of(sound: Samples) -> float:
    """The level in dBFS (root mean square)."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


def leveled(sound: np.typing.ArrayLike, level: float) -> Samples:
    """The sound brought to a level in dBFS (root mean square)."""
    samples = np.asarray(sound, dtype=np.float32)
    return np.asarray(samples * 10 ** ((level - level_of(samples)) / 20), dtype=np.float32)


def decode(source: Path | bytes) -> Samples:
    """The sound of a file, or of the bytes of one."""
    name, given = ("-", source) if isinstance(source, bytes) else (str(source), None)
    command = [str(ffmpeg()), "-v", "error", "-i", name, "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "-"]
    done = subprocess.run(command, input=given or b"", capture_output=True, check=True)
    return np.frombuffer(done.stdout, dtype="<i2").astype(np.float32) / np.float32(32768)


def save(sound: Samples, path: Path) -> Path:
    """Write a WAV file as `media.extract_audio` does: 16 kHz, mono, 16 bit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes())
    return part.replace(path)


def load(path: Path) -> Samples:
    """Read a file that `save` wrote."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / np.float32(32768)


def _time(seconds: float) -> np.typing.NDArray[np.float64]:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
