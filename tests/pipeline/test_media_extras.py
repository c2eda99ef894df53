"""Tracks, fonts and chapters beside picture and sound stay when a track is added or subtitles are burned in."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.pipeline.media import extras
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import Attachment, ClockShift, SubtitleStream
from jobs.pipeline.stages.render import render
from tests.pipeline.clips import Clips, run, write_ass, write_srt
from tests.pipeline.test_messages import MEDIA

FILM = Path(__file__).parents[1] / "data" / "media" / "has-tracks.mkv"
"""8 s with English and German sound, an English subtitle track, two chapters and a font. The title of the second
chapter is a line of ffmpeg's own output: “Stream #0:0: Audio: none”.
"""
CHAPTERS = [("0.000000", "4.000000", "Part: one"), ("4.000000", "8.000000", "Stream #0:0: Audio: none")]


COVER = ("-disposition:v:1", "attached_pic")


def described(path: Path) -> str:
    return subprocess.run(
        [str(ffmpeg()), "-hide_banner", "-i", str(path)], capture_output=True, check=False
    ).stderr.decode()


def chapters(path: Path) -> list[tuple[str, ...]]:
    found = re.findall(r"Chapter #0:\d+: start ([\d.]+), end ([\d.]+)\n +Metadata:\n +title +: (.*)\n", described(path))
    return [tuple(each) for each in found]


def defaults(path: Path) -> list[bool]:
    """Whether each subtitle track is a default."""
    return ["(default)" in line for line in described(path).splitlines() if ": Subtitle: " in line]


def text_of(path: Path, number: int = 0) -> str:
    command = [str(ffmpeg()), "-v", "error", "-i", str(path), "-map", f"0:s:{number}", "-f", "srt", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def soft(source: Path, srt: Path, room: Path) -> Path:
    written = render(source, probe(source), srt, room / "soft.mp4", mode="soft", language="fa")
    assert written
    return written


def test_a_cover_that_is_lost_is_told(tmp_path: Path, clips: Clips) -> None:
    covered = tmp_path / "covered.mp4"
    inputs = ("-i", str(clips["plain.mp4"]), "-f", "lavfi", "-i", "color=red:size=64x64")
    run(*inputs, "-map", "0", "-map", "1", *("-c", "copy", "-c:v:1", "png", "-frames:v:1", "1"), *COVER, str(covered))
    assert extras.left_out(probe(covered)) == ["cover (png)"]
    media = probe(soft(covered, write_srt(tmp_path / "cues.srt"), tmp_path))
    assert ([track.codec for track in media.subtitles], media.attachments) == (["mov_text"], ())


def test_the_tracks_of_a_film_stay(tmp_path: Path) -> None:
    written = soft(FILM, write_srt(tmp_path / "cues.srt"), tmp_path)
    media = probe(written)
    assert written.suffix == ".mkv"
    assert [track.language for track in media.audio] == ["eng", "ger"]
    assert [(track.codec, track.language) for track in media.subtitles] == [("subrip", "per"), ("subrip", "eng")]
    assert defaults(written) == [True, False]
    assert "An English subtitle that was there." in text_of(written, 1)
    assert chapters(written) == CHAPTERS
    assert [(each.name, each.mime_type) for each in media.attachments] == [
        ("Heebo-Bold.ttf", "application/x-truetype-font")
    ]
    assert media.duration == pytest.approx(probe(FILM).duration, abs=0.1)


def test_sounds_and_chapters_stay_in_a_burned_video(tmp_path: Path) -> None:
    ass = write_ass(tmp_path / "cues.ass", 0.5, 1.0)
    written = render(FILM, probe(FILM), ass, tmp_path / "burned.mp4", mode="burn")
    assert written
    assert [track.language for track in probe(written).audio] == ["eng", "ger"]
    assert chapters(written) == CHAPTERS


def test_a_default_track_loses_that_mark_and_keeps_the_others(clips: Clips, srt: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    marks = ("-c:s", "mov_text", "-metadata:s:s", "language=spa", "-disposition:s", "default+forced")
    run("-i", str(clips["plain.mp4"]), "-i", str(srt), "-map", "0", "-map", "1", "-c", "copy", *marks, str(source))
    written = soft(source, srt, tmp_path)
    assert written.suffix == ".mp4"
    assert [track.language for track in probe(written).subtitles] == ["fas", "spa"]
    assert defaults(written) == [True, False]


def test_text_tracks_of_an_mp4_become_srt_in_an_mkv(clips: Clips, srt: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.mov"
    made = ("-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "pcm_s16le", "-c:s", "mov_text")
    run("-i", str(clips["plain.mp4"]), "-i", str(srt), *made, str(source))
    written = soft(source, srt, tmp_path)
    assert [track.codec for track in probe(written).subtitles] == ["subrip", "subrip"]
    assert "سلام" in text_of(written, 1)


def test_a_track_that_was_there_ends_with_the_video(clips: Clips, tmp_path: Path) -> None:
    late = tmp_path / "late.srt"
    late.write_text("1\n00:00:01,000 --> 00:10:00,000\nLong.\n\n2\n00:00:03,000 --> 00:04:00,000\nLate.\n")
    run("-i", str(clips["plain.mp4"]), "-i", str(late), "-map", "0", "-map", "1", "-c", "copy", str(tmp_path / "s.mkv"))
    written = soft(tmp_path / "s.mkv", write_srt(tmp_path / "new.srt"), tmp_path)
    stated = re.search(r"Duration: ([\d:.]+)", described(written))
    assert stated
    assert stated[1] < "00:00:02.2"
    assert text_of(written, 1).split("\n")[1:3] == ["00:00:01,000 --> 00:00:02,000", "Long."]
    assert "Late" not in text_of(written, 1)


def test_what_cannot_be_kept_is_named() -> None:
    tracks = (
        SubtitleStream(index=2, codec="subrip", language="eng"),
        SubtitleStream(index=3, codec="eia_608", language=""),
    )
    files = (Attachment(index=4, name="a.ttf", mime_type=""), Attachment(index=5, name="b.ttf", mime_type="font/ttf"))
    media = replace(MEDIA, subtitles=tracks, attachments=files)
    assert extras.left_out(media) == ["eia_608", "a.ttf"]
    shifted = replace(media, attachments=(), clock=(ClockShift(stream=0, packet=9, seconds=5.0),))
    assert extras.left_out(shifted) == ["subrip (eng)", "eia_608"]


def test_a_track_of_a_webm_stays(clips: Clips, srt: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.webm"
    run(
        "-i",
        str(clips["web.webm"]),
        "-i",
        str(srt),
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-c:s",
        "webvtt",
        str(source),
    )
    written = soft(source, srt, tmp_path)
    assert [track.codec for track in probe(written).subtitles] == ["subrip", "webvtt"]
    assert "سلام" in text_of(written, 1)


def test_styles_of_a_track_stay(clips: Clips, ass: Path, srt: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    run("-i", str(clips["plain.mp4"]), "-i", str(ass), "-map", "0", "-map", "1", "-c", "copy", str(source))
    assert [track.codec for track in probe(soft(source, srt, tmp_path)).subtitles] == ["subrip", "ass"]
