"""Probing: data about media files, and errors for others."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from jobs.pipeline import errors
from jobs.pipeline.media.containers import looks_like_media, track_language
from jobs.pipeline.media.description import describe
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import Media, VideoStream
from tests.pipeline.clips import H264, PICTURE, TONE, Clips, run


def picture(media: Media) -> VideoStream:
    assert media.video
    return media.video


def test_a_plain_video(clips: Clips) -> None:
    media = probe(clips["plain.mp4"])
    assert media.name == "plain.mp4"
    assert media.container.startswith("mov,mp4")
    assert media.duration == pytest.approx(2, abs=0.1)
    assert media.size == clips["plain.mp4"].stat().st_size
    video = picture(media)
    assert (video.codec, video.width, video.height, video.rotation) == ("h264", 160, 120, 0)
    assert (video.fps, video.variable_rate, video.pixel_format, video.offset) == (25.0, False, "yuv420p", 0.0)
    (track,) = media.audio
    assert (track.codec, track.language, track.sample_rate) == ("aac", "eng", 44100)
    assert track.offset == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("suffix", ["mp3", "wav", "flac", "m4a", "ogg", "aac"])
def test_sound_alone_has_no_picture(clips: Clips, suffix: str) -> None:
    media = probe(clips[f"sound.{suffix}"])
    assert media.video is None
    assert len(media.audio) == 1
    assert media.duration == pytest.approx(2, abs=0.1)
    assert media.audio[0].sample_rate == 44100


def test_a_cover_is_no_picture(clips: Clips) -> None:
    media = probe(clips["covered.mp3"])
    assert media.video is None
    assert media.audio[0].codec == "mp3"


STILL = ("-f", "lavfi", "-i", "color=red:size=64x64:rate=25:duration=0.04")
CHAPTERS = ("-f", "lavfi", "-i", "color=red:size=64x64:rate=1:duration=2")


@pytest.mark.parametrize(
    ("name", "cover", "codec"),
    [
        ("film.mkv", STILL, "mjpeg"),
        ("film.mov", STILL, "png"),
        ("film.mp4", STILL, "libx264"),
        ("film.mov", CHAPTERS, "mjpeg"),
        ("film.avi", STILL, "mjpeg"),
    ],
)
def test_a_cover_that_is_not_marked_is_not_the_film(
    tmp_path: Path, name: str, cover: tuple[str, ...], codec: str
) -> None:
    film = tmp_path / name
    run(*cover, *PICTURE, *TONE, "-map", "0", "-map", "1", "-map", "2", *H264, "-c:v:0", codec, str(film))
    video = picture(probe(film))
    assert (video.index, video.width) == (1, 160)
    assert video.end == pytest.approx(2, abs=0.05)


def test_a_single_still_is_the_film_where_there_is_no_other(tmp_path: Path) -> None:
    film = tmp_path / "talk.mkv"
    run(*STILL, *TONE, "-c:v", "mjpeg", str(film))
    assert picture(probe(film)).codec == "mjpeg"


def test_a_film_of_still_pictures_is_no_cover(tmp_path: Path) -> None:
    """Old cameras write MJPEG; a short stream beside it changes nothing."""
    film = tmp_path / "film.mov"
    short = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1")
    run(*PICTURE, *short, "-map", "0", "-map", "1", *H264, "-c:v:0", "mjpeg", str(film))
    assert picture(probe(film)).index == 0


def test_streams_in_a_group_are_found(clips: Clips, tmp_path: Path) -> None:
    """Cameras write a track with time codes, which ffmpeg lists in a group with the picture, further to the right."""
    film = tmp_path / "camera.mov"
    run("-i", str(clips["plain.mp4"]), "-c", "copy", "-timecode", "01:00:00:00", str(film))
    assert "Stream group" in subprocess_text(film)
    media = probe(film)
    assert picture(media).codec == "h264"
    assert [track.codec for track in media.audio] == ["aac"]


def test_a_picture_without_sound(clips: Clips) -> None:
    media = probe(clips["mute.mp4"])
    assert media.audio == ()
    assert media.speech is None


def test_a_phones_rotated_hevc(clips: Clips) -> None:
    video = picture(probe(clips.turned()))
    assert (video.codec, video.width, video.height, video.rotation) == ("hevc", 120, 160, 90)


@pytest.mark.parametrize("name", ["late_sound.mkv", "late_sound.mp4"])
def test_sound_that_starts_late(clips: Clips, name: str) -> None:
    media = probe(clips[name])
    assert media.audio[0].offset == pytest.approx(0.5, abs=0.03)
    assert picture(media).offset == 0


def test_a_picture_that_starts_late(clips: Clips) -> None:
    media = probe(clips["late_picture.mkv"])
    assert media.audio[0].offset == 0
    assert picture(media).offset == pytest.approx(0.6, abs=0.01)


def test_times_count_from_the_first_stream(clips: Clips) -> None:
    media = probe(clips["late.ts"])
    assert media.duration == pytest.approx(2, abs=0.1)
    assert min(media.audio[0].offset, picture(media).offset) == pytest.approx(0, abs=0.001)
    assert max(media.audio[0].offset, picture(media).offset) < 0.1


def test_a_variable_frame_rate(clips: Clips) -> None:
    video = picture(probe(clips["variable.mkv"]))
    assert video.variable_rate
    assert 10 < video.fps < 30


def test_full_colour_range_is_seen(clips: Clips) -> None:
    assert picture(probe(clips["full_range.mp4"])).colour_range == "pc"


def test_the_default_track_is_the_speech(clips: Clips) -> None:
    media = probe(clips["tracks.mkv"])
    assert [track.codec for track in media.audio] == ["mp3", "ac3"]
    assert media.speech is media.audio[1]
    assert media.audio[0].language in {"fas", "per"}


def test_subtitle_tracks_chapters_and_region_codes(clips: Clips, srt: Path, tmp_path: Path) -> None:
    """moviepy's parser gives up on these."""
    chapters = tmp_path / "chapters"
    chapters.write_text(";FFMETADATA1\n" + 2 * "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n")
    target = tmp_path / "chapters.mkv"
    inputs = ("-i", str(clips["plain.mp4"]), "-i", str(srt), "-i", str(chapters))
    tags = ("-metadata:s:s:0", "language=pes", "-metadata:s:a:0", "language=en-US", "-map_metadata", "2")
    run(*inputs, "-map", "0", "-map", "1", *tags, "-c", "copy", str(target))
    media = probe(target)
    assert [(track.codec, track.language) for track in media.subtitles] == [("subrip", "pes")]
    assert media.duration == pytest.approx(2, abs=0.1)
    assert picture(media).fps == pytest.approx(25, rel=0.01)


def test_a_length_that_is_not_written_is_measured(clips: Clips) -> None:
    assert describe(subprocess_text(clips.live())).duration is None
    assert probe(clips.live()).duration == pytest.approx(2, abs=0.15)


def subprocess_text(path: Path) -> str:
    command = [str(ffmpeg()), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(errors.NoSuchFile):
        probe(tmp_path / "none.mp4")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(errors.NotAFile):
        probe(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(errors.NotAFile):
        probe(tmp_path / "pipe.mp4")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(errors.EmptyFile):
        probe(tmp_path / "empty.mp4")


@pytest.mark.parametrize(
    "content",
    [b"Dear diary, this is no film.\n" * 50, b"<!DOCTYPE html><html><body>404</body></html>", b"\x00" * 5000, b"x"],
    ids=["text", "html", "zeros", "one byte"],
)
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(errors.NotAVideo) as caught:
        probe(path)
    assert "film.mp4" in str(caught.value)


def test_a_still_is_no_video(clips: Clips) -> None:
    with pytest.raises(errors.NotAVideo):
        probe(clips["picture.png"])


@pytest.mark.parametrize("name", ["plain.mp4", "faststart.mp4", "web.webm", "odd.mkv"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_file_cut_short(clips: Clips, name: str, share: float) -> None:
    with pytest.raises(errors.DamagedVideo):
        probe(clips.cut(name, share))


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_recordings_made_to_be_cut_are_used(clips: Clips, share: float) -> None:
    assert probe(clips.cut("fragmented.mp4", share)).video
    assert probe(clips.cut("late.ts", share)).video
    live = clips.live()
    cut = live.with_name("cut-live.webm")
    cut.write_bytes(live.read_bytes()[: int(live.stat().st_size * share)])
    assert 0.5 < probe(cut).duration < 2


def test_pictures_that_cannot_be_decoded(clips: Clips, tmp_path: Path) -> None:
    """The index is whole, what it points at is not."""
    whole = clips["mute.mp4"].read_bytes()
    begin, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    path = tmp_path / "noise.mp4"
    path.write_bytes(whole[:begin] + b"\xff" * (end - begin) + whole[end:])
    with pytest.raises(errors.DamagedVideo):
        probe(path)


def test_no_length(clips: Clips) -> None:
    with pytest.raises(errors.TooShort):
        probe(clips["nothing.wav"])


def test_errors_are_plain_data(tmp_path: Path) -> None:
    with pytest.raises(errors.NoSuchFile) as caught:
        probe(tmp_path / "none.mp4")
    assert caught.value.record()["params"] == {"path": str(tmp_path / "none.mp4")}


def test_heads_of_files() -> None:
    assert looks_like_media(b"\x00\x00\x00\x18ftypisom")
    assert not looks_like_media(b"#EXTM3U\n#EXT-X")


LONG_CODES = """
fa fas, en eng, de deu, fr fra, zh-Hant zho, pt-BR por, ar ara, he heb, sr srp, ms msa, ro ron, cs ces, tl tgl,
ckb ckb, gu guj, sw swa, xx und
"""


@pytest.mark.parametrize(("code", "long"), [pair.split() for pair in LONG_CODES.split(",")])
def test_language_codes_of_tracks(code: str, long: str) -> None:
    assert track_language(code, mp4=True) == long


def test_language_codes_of_matroska() -> None:
    assert track_language("fa", mp4=False) == "per"
    assert track_language("en", mp4=False) == "eng"
