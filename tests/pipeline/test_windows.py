"""Windows: they end in silences, cover the audio without gaps, and are the same from any start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.pipeline.protocols import SAMPLE_RATE, Samples
from jobs.pipeline.speech.windows import Stretch, cut, on_grid, open_audio, stretch_at
from tests.pipeline.sounds import noise, silence, write_wav


def talk(seconds: float, level: float = 0.1) -> Samples:
    """Noise stands for speech: only loudness matters here."""
    return noise(seconds, level)


def windows(path: Path, *, start: float = 0.0, begin: float = 0.0, longest: float = 90.0) -> list[Stretch]:
    with open_audio(path) as audio:
        found, position = list[Stretch](), on_grid(start)
        while stretch := stretch_at(audio, position, begin=begin, longest=longest):
            found.append(stretch)
            position = stretch.following
        return found


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Four minutes: talk in pieces of 7 s with pauses of half a second, and pauses of 2 s now and then."""
    parts = [part for at in range(32) for part in (talk(7), silence(2.0 if at % 5 == 4 else 0.5))]
    return write_wav(tmp_path / "a.wav", *parts)


def test_windows_tile_the_audio_exactly(recording: Path) -> None:
    found = windows(recording)

    ends = [stretch.first + len(stretch.samples) for stretch in found]
    with open_audio(recording) as audio:
        assert [stretch.first for stretch in found] == [0, *ends[:-1]]
        assert ends[-1] == audio.length
        assert np.array_equal(np.concatenate([stretch.samples for stretch in found]), audio.read(0, audio.length))


def test_windows_grow_to_the_length_that_is_asked(recording: Path) -> None:
    first, second, third, *_ = (len(stretch.samples) / SAMPLE_RATE for stretch in windows(recording))

    assert 10 <= first <= 20
    assert first < second <= 2 * first
    assert second < third <= 90


def test_an_engine_that_likes_short_windows_gets_them(recording: Path) -> None:
    assert all(len(stretch.samples) <= 20 * SAMPLE_RATE for stretch in windows(recording, longest=20))


def test_windows_end_in_silence(recording: Path) -> None:
    for before, after in zip(windows(recording), windows(recording)[1:], strict=False):
        around = np.concatenate((before.samples[-1600:], after.samples[:1600]))
        assert np.abs(around).max() == 0


@pytest.mark.parametrize("offset", [0.0, 0.023219, 1.7])
def test_any_end_resumes_to_the_same_windows(recording: Path, offset: float) -> None:
    """Times pass through a database that keeps milliseconds, with the audio's offset on them."""
    whole = windows(recording)
    for at, stretch in enumerate(whole[:-1]):
        stored = round(stretch.end + offset, 3)
        resumed = windows(recording, start=stored - offset)
        assert [part.first for part in resumed] == [part.first for part in whole[at + 1 :]]


def test_nothing_is_left_after_the_end(recording: Path) -> None:
    assert windows(recording, start=windows(recording)[-1].end) == []


def test_audio_shorter_than_a_window_is_one(tmp_path: Path) -> None:
    [only] = windows(write_wav(tmp_path / "a.wav", talk(12.3456)))

    assert only.start == 0
    assert only.end == pytest.approx(12.3456, abs=1e-3)


def test_empty_audio_has_no_window(tmp_path: Path) -> None:
    assert windows(write_wav(tmp_path / "a.wav")) == []


def test_a_file_cut_short_ends_where_it_ends(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", talk(100))
    path.write_bytes(path.read_bytes()[: 44 + 2 * 70 * SAMPLE_RATE])

    assert windows(path)[-1].end == pytest.approx(70)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_audio_is_refused(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    content = bytearray(write_wav(path, talk(1)).read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(ValueError, match="16 kHz"), open_audio(path):
        pass


def test_the_longest_silence_is_cut_in_its_middle() -> None:
    samples = np.concatenate((talk(40), silence(0.3), talk(5), silence(0.8), talk(5), silence(0.2), talk(4)))

    assert cut(samples) / SAMPLE_RATE == pytest.approx(45.7, abs=0.02)


def test_of_long_silences_the_latest_is_cut() -> None:
    samples = np.concatenate((talk(35), silence(4), talk(10), silence(1.2), talk(5)))

    assert cut(samples) / SAMPLE_RATE == pytest.approx(49.7, abs=0.02)


def test_a_pause_in_noise_is_a_silence() -> None:
    samples = np.concatenate((talk(45), talk(1, level=0.005), talk(9)))

    assert cut(samples) / SAMPLE_RATE == pytest.approx(45.5, abs=0.05)


def test_without_silence_the_quietest_moment_is_cut() -> None:
    samples = np.concatenate((talk(50), talk(0.2, level=0.08), talk(9)))

    assert cut(samples) / SAMPLE_RATE == pytest.approx(50.1, abs=0.06)


def test_the_cut_lies_near_the_end_of_a_long_window() -> None:
    samples = np.concatenate((talk(100), silence(5), talk(180), silence(0.4), talk(14)))

    assert cut(samples) / SAMPLE_RATE == pytest.approx(285.2, abs=0.02)


@pytest.mark.parametrize("samples", [silence(60), talk(20)[:1] * np.ones(60 * SAMPLE_RATE, dtype=np.float32)])
def test_where_all_is_alike_the_window_is_as_long_as_can_be(samples: Samples) -> None:
    assert cut(samples) / SAMPLE_RATE == pytest.approx(60, abs=1)
