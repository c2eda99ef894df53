"""Extraction of the audio for transcription."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.pipeline import errors
from jobs.pipeline.media.probe import probe
from jobs.pipeline.speech.extraction import extract_audio
from tests.pipeline.clips import Clips, run


def sound(path: Path, target: Path) -> NDArray[np.int16]:
    extract_audio(path, target, media=probe(path))
    with wave.open(str(target)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


@pytest.mark.parametrize("name", ["plain.mp4", "sound.mp3", "sound.ogg", "web.webm", "late.ts"])
def test_sixteen_kilohertz_mono(clips: Clips, tmp_path: Path, name: str) -> None:
    samples = sound(clips[name], tmp_path / "out.wav")
    assert len(samples) / 16000 == pytest.approx(2, abs=0.1)
    assert np.abs(samples).max() > 1000


def test_the_offset_is_not_padded(clips: Clips, tmp_path: Path) -> None:
    samples = sound(clips["late_sound.mkv"], tmp_path / "out.wav")
    assert len(samples) / 16000 == pytest.approx(2, abs=0.01)
    assert np.abs(samples[:800]).max() > 1000


def test_a_gap_is_filled_so_that_later_times_stay_true(clips: Clips, tmp_path: Path) -> None:
    samples = sound(clips["gap.mkv"], tmp_path / "out.wav")
    assert len(samples) / 16000 == pytest.approx(2, abs=0.05)
    assert np.abs(samples[16000 - 4000 : 16000 + 4000]).max() == 0
    assert np.abs(samples[-4000:]).max() > 1000


def test_the_default_track_is_taken(tmp_path: Path) -> None:
    """Silence first, a tone as the default."""
    source = tmp_path / "two.mkv"
    inputs = ("-f", "lavfi", "-i", "anullsrc=duration=1", "-f", "lavfi", "-i", "sine=duration=1")
    run(*inputs, "-map", "0", "-map", "1", "-disposition:a:0", "0", "-disposition:a:1", "default", str(source))
    assert np.abs(sound(source, tmp_path / "out.wav")).max() > 1000


def test_no_sound(clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(errors.NoAudio):
        sound(clips["mute.mp4"], tmp_path / "out.wav")


def test_progress_ends_at_one(clips: Clips, tmp_path: Path) -> None:
    shares: list[float] = []
    source = clips["plain.mp4"]
    extract_audio(source, tmp_path / "out.wav", media=probe(source), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
