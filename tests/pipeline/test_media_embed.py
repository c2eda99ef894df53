"""Embedding subtitles as a track, without encoding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jobs.pipeline import errors
from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from tests.pipeline.clips import Clips, write_srt
from tests.pipeline.test_media_burn import packets


def embed(source: Path, subtitles: Path, target: Path, language: str = "fa") -> Path:
    return encode.embed(source, subtitles, target, media=probe(source), language=language)


def text_of(path: Path) -> str:
    command = [str(ffmpeg()), "-v", "error", "-i", str(path), "-map", "0:s:0", "-f", "srt", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def test_an_mp4_gets_a_text_track(clips: Clips, srt: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    assert embed(clips["plain.mp4"], srt, target) == target
    (track,) = probe(target).subtitles
    assert (track.codec, track.language) == ("mov_text", "fas")
    assert text_of(target).split("\n")[1:3] == ["00:00:00,500 --> 00:00:01,500", "\u200fسلام"]


def test_streams_are_copied_bit_by_bit(clips: Clips, srt: Path, tmp_path: Path) -> None:
    embed(clips["plain.mp4"], srt, tmp_path / "out.mp4")
    for stream in ("0:v", "0:a"):
        assert packets(tmp_path / "out.mp4", stream) == packets(clips["plain.mp4"], stream)


def test_codecs_that_fit_no_mp4_go_into_an_mkv(clips: Clips, srt: Path, tmp_path: Path) -> None:
    written = embed(clips["web.webm"], srt, tmp_path / "out.mp4")
    assert written == tmp_path / "out.mkv"
    assert not (tmp_path / "out.mp4").exists()
    (track,) = probe(written).subtitles
    assert (track.codec, track.language) == ("subrip", "per")


@pytest.mark.parametrize(("name", "codec"), [("plain.mp4", "mov_text"), ("web.webm", "ass")])
def test_styled_subtitles(clips: Clips, ass: Path, tmp_path: Path, name: str, codec: str) -> None:
    written = embed(clips[name], ass, tmp_path / "out.mp4")
    assert probe(written).subtitles[0].codec == codec
    assert "HELLO" in text_of(written)


def test_a_phones_rotation_stays(clips: Clips, srt: Path, tmp_path: Path) -> None:
    video = probe(embed(clips.turned(), srt, tmp_path / "out.mp4")).video
    assert video
    assert (video.codec, video.width, video.height, video.rotation) == ("hevc", 120, 160, 90)


def test_hevc_bears_the_mark_that_apple_wants(clips: Clips, srt: Path, tmp_path: Path) -> None:
    embed(clips["hevc.mkv"], srt, tmp_path / "out.mp4")
    assert b"hvc1" in (tmp_path / "out.mp4").read_bytes()


def test_late_sound_stays_late(clips: Clips, srt: Path, tmp_path: Path) -> None:
    written = embed(clips["late_sound.mp4"], srt, tmp_path / "out.mp4")
    assert probe(written).audio[0].offset == pytest.approx(0.5, abs=0.03)
    assert "00:00:00,500 --> 00:00:01,500" in text_of(written)


def test_sound_alone_is_refused(clips: Clips, srt: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.NoVideoStream):
        embed(clips["sound.mp3"], srt, tmp_path / "out.mp4")


def test_an_unknown_language_is_undetermined(clips: Clips, tmp_path: Path) -> None:
    written = embed(clips["mute.mp4"], write_srt(tmp_path / "x.srt"), tmp_path / "out.mp4", language="xx")
    assert probe(written).subtitles[0].language == ""
