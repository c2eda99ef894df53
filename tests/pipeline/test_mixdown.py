"""Mixing of the channels of a film: no speech is cancelled or drowned, and ordinary films get an ordinary mix."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.pipeline import errors
from jobs.pipeline.media.probe import probe
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.protocols import SAMPLE_RATE
from jobs.pipeline.speech.extraction import extract_audio
from jobs.pipeline.speech.mixdown import BLOCK, Mixer, channels_of
from jobs.pipeline.stages import sound
from tests.pipeline.clips import Clips, run
from tests.pipeline.sounds import SAMPLE, SENTENCES, hum, music, noise, voice

SECONDS = 30
Floats = NDArray[np.floating]
Channels = Callable[[Floats, Floats], list[Floats]]
"""The channels of a film, made of two voices."""


def fitted(samples: Floats) -> Floats:
    return np.resize(samples, SECONDS * SAMPLE_RATE)


@pytest.fixture(scope="module")
def voices() -> tuple[Floats, Floats]:
    return fitted(voice(SAMPLE)), fitted(voice(SENTENCES))


def mixed(layout: str, channels: list[Floats]) -> tuple[Floats, dict[str, float]]:
    """The mix of a film, and the seconds of speech by way of mixing."""
    film = np.stack(channels, axis=1).astype(np.float32)
    mixer, size = Mixer(channels_of(layout, film.shape[1])), int(BLOCK * SAMPLE_RATE)
    out = np.concatenate([mixer.mix(film[first : first + size]) for first in range(0, len(film), size)])
    assert len(out) == len(film)
    return out, mixer.seconds


def likeness(one: Floats, two: Floats) -> float:
    return float(one @ two / np.sqrt((one @ one) * (two @ two)))


def late(samples: Floats, start: bool = False) -> Floats:
    """The second half of `samples`, or the first one, in silence."""
    kept = samples.copy()
    kept[slice(len(kept) // 2, None) if start else slice(None, len(kept) // 2)] = 0
    return kept


LOUD = 3
NOISE = [fitted(noise(SECONDS, 0.1)), fitted(noise(SECONDS, 0.1))[::-1]]
HUM = fitted(hum(SECONDS))
MUSIC = fitted(music(SECONDS))
WIDE = np.roll(MUSIC, SAMPLE_RATE // 2)

HARD: dict[str, tuple[str, Channels, set[str]]] = {
    "sides in opposite phase": ("stereo", lambda a, _: [a, -a], {"inverted"}),
    "opposite, one quieter": ("stereo", lambda a, _: [a, -0.6 * a], {"inverted"}),
    "opposite, and very quiet": ("stereo", lambda a, _: [0.01 * a, -0.01 * a], {"inverted"}),
    "opposite, with noise": ("stereo", lambda a, _: [a + 0.02 * NOISE[0], -a + 0.02 * NOISE[1]], {"inverted"}),
    "rear in opposite phase": ("quad", lambda a, _: [a, a, -a, -a], {"inverted"}),
    "noise on the right": ("stereo", lambda a, _: [a, LOUD * NOISE[0]], {"FL"}),
    "noise on the left": ("stereo", lambda a, _: [LOUD * NOISE[0], a], {"FR"}),
    "hum on the right": ("stereo", lambda a, _: [a, LOUD * HUM], {"FL"}),
    "music on the left": ("stereo", lambda a, _: [LOUD * MUSIC, a], {"FR"}),
    "two channels without names": ("", lambda a, _: [a, LOUD * NOISE[0]], {"1"}),
    "centre under effects": (
        "5.1",
        lambda a, _: [LOUD * NOISE[0], LOUD * NOISE[1], a, 9 * HUM, NOISE[0], NOISE[1]],
        {"FC"},
    ),
    "centre under music": ("5.1(side)", lambda a, _: [LOUD * MUSIC, LOUD * WIDE, a, HUM, MUSIC, WIDE], {"FC"}),
    "centre of three": ("3.0", lambda a, _: [LOUD * NOISE[0], LOUD * NOISE[1], a], {"FC"}),
}


@pytest.mark.parametrize("name", HARD)
def test_speech_is_neither_cancelled_nor_drowned(voices: tuple[Floats, Floats], name: str) -> None:
    layout, channels, ways = HARD[name]
    out, seconds = mixed(layout, channels(*voices))
    assert likeness(out, voices[0]) > 0.98
    assert set(seconds) == ways


ORDINARY: dict[str, tuple[str, Channels]] = {
    "the same on both sides": ("stereo", lambda a, _: [a, a]),
    "one side silent": ("stereo", lambda a, _: [a, np.zeros_like(a)]),
    "a little to the left": ("stereo", lambda a, _: [a, 0.4 * a]),
    "speech in the middle of music": ("stereo", lambda a, _: [a + MUSIC, a + WIDE]),
    "two microphones far apart": ("stereo", lambda a, _: [a, np.roll(a, 80)]),
    "all channels the same": ("5.1", lambda a, _: [a] * 6),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_films_are_mixed(voices: tuple[Floats, Floats], name: str) -> None:
    layout, channels = ORDINARY[name]
    given = channels(*voices)
    out, seconds = mixed(layout, given)
    assert likeness(out, np.sum(given, axis=0)) > 0.98
    assert set(seconds) <= {"mix"}


def test_a_film_may_change(voices: tuple[Floats, Floats]) -> None:
    """The right side turns over in the middle of a block, and then holds noise."""
    voice = voices[0]
    right = voice.copy()
    right[14 * SAMPLE_RATE :] *= -1
    right[22 * SAMPLE_RATE :] = LOUD * NOISE[0][22 * SAMPLE_RATE :]
    out, _ = mixed("stereo", [voice, right])
    for start in range(0, SECONDS, 2):
        part = slice(start * SAMPLE_RATE, (start + 2) * SAMPLE_RATE)
        assert abs(likeness(out[part], voice[part])) > 0.9, f"from second {start}"


def test_speech_and_noise_change_sides_within_a_block(voices: tuple[Floats, Floats]) -> None:
    left, right = voices[0].copy(), LOUD * NOISE[0]
    middle = slice(5 * SAMPLE_RATE, None)
    left[middle], right[middle] = right[middle].copy(), voices[0][middle]
    out, _ = mixed("stereo", [left, right])
    for part in (slice(0, 5 * SAMPLE_RATE), middle):
        assert likeness(out[part], voices[0][part]) > 0.95


def test_both_speakers_of_an_interview_are_kept(voices: tuple[Floats, Floats]) -> None:
    """Each on a side, with a room, taking turns of 3 seconds."""
    turn = (np.arange(len(voices[0])) // (3 * SAMPLE_RATE)) % 2
    one, other = np.where(turn == 0, voices[0], 0), np.where(turn == 1, voices[1], 0)
    out, _ = mixed("stereo", [one + 0.01 * NOISE[0], other + 0.01 * NOISE[1]])
    for spoken in (one, other):
        kept = spoken != 0
        assert likeness(out[kept], spoken[kept]) > 0.95


def test_speech_outside_the_centre_is_kept(voices: tuple[Floats, Floats]) -> None:
    centre, left = late(voices[0], start=True), late(voices[1])
    empty = np.zeros_like(centre)
    out, _ = mixed("5.1", [left, empty, centre, HUM, empty, empty])
    for spoken in (centre, left):
        kept = spoken != 0
        assert likeness(out[kept], spoken[kept]) > 0.9


def test_silence_stays_silence() -> None:
    out, seconds = mixed("5.1", [np.zeros(SECONDS * SAMPLE_RATE)] * 6)
    assert not out.any()
    assert not seconds


# From files

FILE_SECONDS = 8


def extracted(source: Path, target: Path) -> tuple[Floats, dict[str, float]]:
    ways = extract_audio(source, target, media=probe(source))
    with wave.open(str(target)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768, ways


@pytest.mark.parametrize(
    ("layout", "pan", "codec", "way"),
    [
        ("stereo", "c0=c0|c1=-1*c0", "aac", "inverted"),
        ("5.1", "c0=c1|c1=c1|c2=c0|c3=c1|c4=c1|c5=c1", "ac3", "FC"),
        pytest.param("5.1(side)", "c0=c1|c1=c1|c2=c0|c3=c1|c4=c1|c5=c1", "flac", "FC", marks=pytest.mark.soak),
        ("7.1", "c0=c1|c1=c1|c2=c0|c3=c1|c4=c1|c5=c1|c6=c1|c7=c1", "pcm_s16le", "FC"),
        ("stereo", "c0=c1|c1=c0", "libopus", "FR"),
    ],
)
def test_files(tmp_path: Path, layout: str, pan: str, codec: str, way: str) -> None:
    source = tmp_path / "film.mkv"
    sounds = (
        "-i",
        str(SAMPLE),
        "-f",
        "lavfi",
        "-i",
        f"anoisesrc=amplitude=0.5:color=pink:seed=1:duration={FILE_SECONDS}",
    )
    join = f"[0:a]aresample=48000,atrim=0:{FILE_SECONDS}[s];[s][1:a]join=2:stereo:map=0.0-FL|1.0-FR,pan={layout}|{pan}"
    run(*sounds, "-filter_complex", join, "-c:a", codec, str(source))
    samples, ways = extracted(source, tmp_path / "out.wav")
    spoken = voice(SAMPLE)[: FILE_SECONDS * SAMPLE_RATE]
    assert len(samples) == pytest.approx(len(spoken), abs=0.1 * SAMPLE_RATE)
    assert set(ways) == {way}
    count = min(len(samples), len(spoken))
    spectrum = np.fft.rfft(samples[:count]) * np.conj(np.fft.rfft(spoken[:count]))  # codecs delay by some samples
    likest = np.abs(np.fft.irfft(spectrum)).max()
    assert likest / np.linalg.norm(samples[:count]) / np.linalg.norm(spoken[:count]) > 0.9


SIMILAR = [pytest.param(layout, marks=pytest.mark.soak) for layout in ("4.0", "5.0")]


@pytest.mark.parametrize("layout", ["2.1", "quad", "6.1", "7.1(wide)", "22.2", *SIMILAR])
def test_every_layout_is_read(tmp_path: Path, layout: str) -> None:
    source = tmp_path / "film.wav"
    run("-f", "lavfi", "-i", f"sine=duration=0.6,aformat=channel_layouts={layout}", str(source))
    samples, _ = extracted(source, tmp_path / "out.wav")
    assert len(samples) == pytest.approx(0.6 * SAMPLE_RATE, abs=1000)
    assert np.abs(samples).max() > 0.01


def test_channels_that_no_layout_names(tmp_path: Path) -> None:
    """Four channels of a recorder, the third with a tone."""
    source = tmp_path / "recorder.wav"
    with wave.open(str(source), "wb") as file:
        file.setparams((4, 2, SAMPLE_RATE, 0, "NONE", ""))
        samples = np.zeros((2 * SAMPLE_RATE, 4), dtype="<i2")
        samples[:, 2] = 8000 * np.sin(np.arange(len(samples)) / 5)
        file.writeframes(samples.tobytes())
    found, _ = extracted(source, tmp_path / "out.wav")
    assert np.abs(found).max() > 0.05


def test_a_track_that_cannot_be_read_any_more(clips: Clips, tmp_path: Path) -> None:
    """The file is damaged between the probe and the extraction; nothing is left of the output."""
    source = tmp_path / "film.wav"
    run("-f", "lavfi", "-i", "sine=duration=2,pan=stereo|c0=c0|c1=-1*c0", str(source))
    media = probe(source)
    source.write_bytes(b"not a film")
    with pytest.raises(errors.MediaFailed):
        extract_audio(source, tmp_path / "out.wav", media=media)
    assert not (tmp_path / "out.wav").exists()
    assert clips.directory.exists()


def test_what_differs_from_an_ordinary_mix_is_told(clips: Clips) -> None:
    media = probe(clips["plain.mp4"])
    ways = {"mix": 60.0, "inverted": 61.0, "FC": 3600.0, "FL": 4.0}
    assert list(sound.notes(media, "", ways)) == [
        (NoteCode.CHANNELS_INVERTED, {"length": "1 min 1 s"}),
        (NoteCode.ONE_CHANNEL, {"length": "1 h", "side": "centre"}),
    ]
    assert sound.facts(media, ways)["mixed"] == ways
