"""Clocks that jump and lengths that are stated wrongly: the whole film is there, in step with its sound."""

from __future__ import annotations

import struct
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import jobs.pipeline.media.ffmpeg
from jobs.pipeline import errors
from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.timeline import PacketReader
from jobs.pipeline.speech.extraction import extract_audio
from jobs.pipeline.stages.fetch import fetch
from tests.pipeline.clips import run, write_ass
from tests.pipeline.test_media_burn import times
from tests.pipeline.test_media_embed import text_of

Joined = Callable[..., Path]

WHITE = "drawbox=color=white:thickness=fill:enable='between(mod(t,1),0.2,0.6)'"
BEEP = "sine=frequency=880:sample_rate=48000,volume=0:enable='not(between(mod(t,1),0.2,0.6))'"
"""In every second the picture is white, and a tone is heard, from 0.2 to 0.6 s."""

MPEG2 = ("-c:v", "mpeg2video", "-bf", "0", "-g", "12", "-c:a", "mp2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p", "-c:a", "aac")


@cache
def piece(
    kind: str, *, seconds: float = 4, start: float = 0, sound: float = 0, codecs: tuple[str, ...] = MPEG2
) -> bytes:
    """A stream whose clock begins at `start`; its sound is `sound` seconds longer than its picture."""
    picture = ("-f", "lavfi", "-i", f"color=black:size=64x48:rate=25:duration={seconds},{WHITE}")
    tone = ("-f", "lavfi", "-i", BEEP)
    begin = ("-muxdelay", "0", "-muxpreload", "0", *(("-output_ts_offset", str(start)) if start else ()))
    both = ("-map", "0", "-map", "1", "-filter:a", f"atrim=duration={seconds + sound}")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"piece.{kind}"
        run(*picture, *tone, *codecs, *both, *begin, str(path))
        return path.read_bytes()


@pytest.fixture
def joined(tmp_path: Path) -> Joined:
    def join(kind: str, *starts: float, **options: object) -> Path:
        path = tmp_path / f"joined.{kind}"
        parts = [piece(kind, start=start, **options) for start in starts]
        path.write_bytes(b"".join(parts))
        return path

    return join


def flashes(path: Path) -> list[float]:
    """The times in seconds at which the picture turns white."""
    command = [
        str(ffmpeg()),
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-vf",
        "scale=8:8",
    ]
    shown = subprocess.run([*command, "-pix_fmt", "gray", "-f", "rawvideo", "-"], check=True, stdout=subprocess.PIPE)
    levels = np.frombuffer(shown.stdout, dtype=np.uint8).reshape(-1, 64)[:, :24].mean(axis=1)
    shown_at = times(path)
    return [shown_at[at] for at in range(1, len(levels)) if levels[at] > 128 >= levels[at - 1]]


def beeps(path: Path, offset: float) -> list[float]:
    """The times in seconds at which a tone begins."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    loud = np.abs(samples[: len(samples) // 160 * 160].reshape(-1, 160)).max(axis=1) > 1000
    return [at / 100 + offset for at in range(1, len(loud)) if loud[at] and not loud[max(at - 10, 0) : at].any()]


def check(source: Path, tmp_path: Path, *, length: float, count: int) -> None:
    """The film, its sound and the burned result are whole, and each flash comes with its tone."""
    media = probe(source)
    assert media.duration == pytest.approx(length, abs=0.15)
    (sound,) = media.audio
    extract_audio(source, tmp_path / "sound.wav", media=media)
    encode.burn(source, write_ass(tmp_path / "c.ass", 0, 59), tmp_path / "out.mp4", media=media, fonts=tmp_path)
    seen, heard = flashes(tmp_path / "out.mp4"), beeps(tmp_path / "sound.wav", sound.offset)
    assert len(seen) == len(heard) == count
    assert seen == pytest.approx(heard, abs=0.09)
    result = probe(tmp_path / "out.mp4")
    assert result.duration == pytest.approx(length, abs=0.15)
    extract_audio(tmp_path / "out.mp4", tmp_path / "again.wav", media=result)
    assert beeps(tmp_path / "again.wav", result.audio[0].offset) == pytest.approx(seen, abs=0.09)


WRAP = 2**33 / 90_000
"""Seconds after which the clock of MPEG begins again at zero."""

JUMPS = {
    "cells that begin at zero": ("vob", (0, 0, 0, 0), 16),
    "a broadcast that restarts": ("ts", (50, 0), 8),
    "far back": ("ts", (5000, 20, 20), 12),
    "forward by an hour": ("ts", (0, 3600), 8),
    "forward and back": ("ts", (0, 3600, 4), 12),
    "Matroska files that were joined": ("mkv", (0, 0), 8),
    "the clock wraps": ("ts", (WRAP - 2,), 4),
    "the clock wraps where pieces are joined, and restarts": ("ts", (WRAP - 4, 0, 0), 12),
}


SIMILAR = {"a broadcast that restarts", "forward by an hour", "the clock wraps"}
"""Names of clocks in JUMPS that add nothing to the others by default: `make soak` tries them too."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.soak] * (name in SIMILAR)) for name in JUMPS])
def test_a_clock_that_jumps(joined: Joined, tmp_path: Path, name: str) -> None:
    kind, starts, seconds = JUMPS[name]
    check(joined(kind, *starts), tmp_path, length=seconds, count=seconds)


def test_a_track_is_added_to_the_whole_film(joined: Joined, srt: Path, tmp_path: Path) -> None:
    """Copied packets get the corrected times as well."""
    source = joined("ts", 50, 0)
    soft = encode.embed(source, srt, tmp_path / "out.mp4", media=probe(source), language="fa")
    result = probe(soft)
    assert result.duration == pytest.approx(8, abs=0.15)
    extract_audio(soft, tmp_path / "sound.wav", media=result)
    heard = beeps(tmp_path / "sound.wav", result.audio[0].offset)
    assert len(heard) == 8
    assert flashes(soft) == pytest.approx(heard, abs=0.09)
    assert "00:00:00,500 --> 00:00:01,500" in text_of(soft)


@pytest.mark.parametrize("sound", [-0.35, pytest.param(0.15, marks=pytest.mark.soak)])
def test_pieces_whose_sound_is_shorter_or_longer_stay_in_step(joined: Joined, tmp_path: Path, sound: float) -> None:
    """Judged stream by stream, as ffmpeg does, five joins would be 0.7 to 1.7 s out of step."""
    seconds = 6 * (4 + max(sound, 0))
    check(joined("ts", 0, 0, 0, 0, 0, 0, sound=sound), tmp_path, length=seconds, count=24)


def test_pictures_that_are_stored_out_of_order(joined: Joined, tmp_path: Path) -> None:
    check(joined("ts", 30, 10, 10, codecs=H264), tmp_path, length=12, count=12)


def stating(path: Path, seconds: float) -> Path:
    """Twenty seconds of sound in a Matroska file that states another length."""
    run("-f", "lavfi", "-i", "sine=duration=20", "-c:a", "libopus", str(path))
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88") + 3
    content[place : place + 8] = struct.pack(">d", seconds * 1000)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("stated", [1, 40_000])
def test_a_length_that_is_stated_wrongly(tmp_path: Path, stated: float) -> None:
    """Too short: nothing is cut. Too long: the file is not refused for a length that it has not."""
    found = fetch(str(stating(tmp_path / "lie.mkv", stated)), tmp_path)
    assert found.media.duration == pytest.approx(20, abs=0.05)
    extract_audio(found.path, tmp_path / "out.wav", media=found.media)
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert file.getnframes() / 16_000 == pytest.approx(20, abs=0.05)


def test_limits_apply_to_the_measured_length(tmp_path: Path) -> None:
    with pytest.raises(errors.TooLong):
        fetch(str(stating(tmp_path / "lie.mkv", 1)), tmp_path, limits=Limits(max_seconds=10))


def test_a_subtitle_that_lies_hours_behind_the_film_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "late.srt").write_text("1\n09:59:58,000 --> 10:00:00,000\nCredits\n")
    run("-f", "lavfi", "-i", "sine=duration=2", "-i", str(tmp_path / "late.srt"), str(tmp_path / "film.mkv"))
    assert probe(tmp_path / "film.mkv").duration == pytest.approx(2, abs=0.05)


def test_sound_that_is_missing_for_a_while_is_no_jump(tmp_path: Path) -> None:
    """ffmpeg by itself would put what comes after 15 s without sound where the sound ended."""
    sound = f"{BEEP},aselect='not(between(t,4,19))'"
    path = tmp_path / "gap.ts"
    picture = ("-f", "lavfi", "-i", f"color=black:size=64x48:rate=25:duration=24,{WHITE}", "-f", "lavfi", "-i", sound)
    run(*picture, *MPEG2, "-t", "24", "-muxdelay", "0", str(path))
    media = probe(path)
    extract_audio(path, tmp_path / "sound.wav", media=media)
    assert media.duration == pytest.approx(24, abs=0.1)
    heard = beeps(tmp_path / "sound.wav", media.audio[0].offset)
    assert heard == pytest.approx([at + 0.2 for at in (0, 1, 2, 3, 19, 20, 21, 22, 23)], abs=0.09)


def test_corrections_too_long_for_an_argument_go_by_a_file(
    joined: Joined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording of two hours in joined segments of a few seconds has thousands of jumps."""
    monkeypatch.setattr(jobs.pipeline.media.ffmpeg, "LONGEST_ARGUMENT", 200)
    source = joined("ts", 0, 0, 0)
    check(source, tmp_path, length=12, count=12)


def test_absurd_lengths_of_packets_are_passed_over() -> None:
    reader = PacketReader("mpegts", [0])
    good = line(0, 0, 0.5)
    reader.take([good.replace("ds:", "ds:-"), line(7, 0, 0.5), "[showinfo @ 0x1] n: nonsense", good])
    assert reader.timeline().streams[0].packets == 1


def test_a_reader_that_fails_does_not_hold_ffmpeg(tmp_path: Path) -> None:
    (tmp_path / "one.ts").write_bytes(piece("ts", seconds=20))

    def hear(lines: Iterable[str]) -> None:
        del lines

    code, said = jobs.pipeline.media.ffmpeg.run(
        ["-debug_ts", "-i", "one.ts", "-f", "null", "-"], directory=tmp_path, hear=hear
    )
    assert (code, said) == (0, "")


def test_one_stream_that_slips_back_stays_where_it_is() -> None:
    """A jump of one stream alone, while the other goes on, is not a jump of the clock."""
    reader = PacketReader("mpegts", [0, 1])
    steady = [(0, number, number / 10) for number in range(600)]
    slipping = [(1, number, number / 10 - (2 if number >= 300 else 0)) for number in range(600)]
    reader.take(line(*packet) for packet in sorted(steady + slipping, key=lambda packet: packet[1]))
    found = reader.timeline()
    assert found.length == pytest.approx(60, abs=0.1)
    assert {shift.seconds for shift in found.shifts} == {0}


def line(stream: int, number: int, time: float) -> str:
    """A line of ffmpeg's listing: 1,000 ticks a second, 0.1 s a packet."""
    label = (stream + 1 << 40) + 100
    ticks = round(time * 1000)
    return (
        f"[showinfo @ 0x1] n: {number} size: 9 pts:{ticks} pt:{time} dts:{ticks} dt:{time} ds:{label} d:{label / 1000}"
    )
