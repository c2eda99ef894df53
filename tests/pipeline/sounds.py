"""Generated sounds without speech, and the voices of tests/data."""

from __future__ import annotations

import subprocess
import wave
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from jobs.pipeline.protocols import SAMPLE_RATE, Samples

DATA = Path(__file__).parent.parent / "data"
SAMPLE = DATA / "sample/sample_rms.wav"
SENTENCES = DATA / "speech/sample5_slt.wav"
HUMAN = DATA / "speech/jfk.flac"

SENTENCES_TEXT = (
    "Hello and welcome to this video. Today we will learn how to build a web application. "
    "She reads a new book every week. The children are playing in the park. Thank you for watching and see you soon."
)


def silence(seconds: float = 10) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)


@cache
def hum(seconds: float = 10) -> Samples:
    """The mains, with overtones."""
    return _mixed([np.sin(2 * np.pi * 50 * n * _time(seconds)) * 0.1 / n for n in (1, 2, 3, 4, 6)])


def noise(seconds: float = 10, level: float = 0.05) -> Samples:
    """White noise, the same at every call."""
    return np.random.default_rng(1).normal(0, level, int(seconds * SAMPLE_RATE)).astype(np.float32)


@cache
def music(seconds: float = 10) -> Samples:
    """Four chords that die away, and a melody of two notes a second above them."""
    sound = np.zeros(int(seconds * SAMPLE_RATE))
    chords = ((220, 277, 330), (196, 247, 294), (175, 220, 262), (165, 208, 247))
    melody = (440, 494, 523, 587, 659, 587, 523, 494)
    for at in range(int(seconds // 2)):
        _add(sound, at * 2.0, _mixed([_note(pitch, 2.0, 1.0) * 0.05 for pitch in chords[at % 4]]))
    for at in range(int(seconds * 2)):
        _add(sound, at * 0.5, _note(melody[at % 8], 0.5, 3.0) * 0.08)
    return sound.astype(np.float32)


@cache
def voice(path: Path) -> Samples:
    """The sound of a file, as the pipeline has it."""
    to_raw = ["-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
    raw = subprocess.run([get_ffmpeg_exe(), "-v", "error", "-i", path, *to_raw], check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<i2").astype(np.float32) / np.float32(32768)


def write_wav(path: Path, *parts: Samples) -> Path:
    """The parts one after the other as the WAV file that extract_audio() makes."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for part in parts:
            file.writeframes((part.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def plain(text: str) -> list[str]:
    """The words of a text without case and punctuation."""
    return [word.strip(".,!?").lower() for word in text.split()]


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _note(pitch: float, seconds: float, decay: float) -> NDArray[np.float64]:
    time = _time(seconds)
    waves = sum((np.sin(2 * np.pi * pitch * n * time) / n for n in range(1, 5)), start=np.zeros_like(time))
    return waves * np.exp(-decay * time) * np.minimum(1, time * 50)


def _add(sound: NDArray[np.float64], at: float, part: NDArray[np.floating[Any]]) -> None:
    first = int(at * SAMPLE_RATE)
    sound[first : first + len(part)] += part[: len(sound) - first]


def _mixed(parts: list[NDArray[np.float64]]) -> Samples:
    mixed: Samples = np.sum(parts, axis=0).astype(np.float32)
    return mixed
