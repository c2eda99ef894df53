"""Burning: place and time of the subtitles, and the streams of the source that are kept."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import jobs.pipeline.media.ffmpeg
from jobs.pipeline import errors
from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.frame_times import frame_times
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import Media
from jobs.pipeline.subtitles.fonts import FONTS
from tests.pipeline.clips import Clips, gray_frame, run, write_ass

SIZE = (160, 120)


@pytest.fixture
def burned(clips: Clips, tmp_path: Path, ass: Path, fonts: Path) -> Burned:
    return Burned(clips, tmp_path / "out.mp4", ass, fonts)


class Burned:
    """Burns a clip and probes the result."""

    def __init__(self, clips: Clips, target: Path, ass: Path, fonts: Path) -> None:
        self.clips, self.target, self.ass, self.fonts = clips, target, ass, fonts

    def __call__(self, source: Path | str) -> Media:
        path = self.clips[source] if isinstance(source, str) else source
        encode.burn(path, self.ass, self.target, media=probe(path), fonts=self.fonts)
        return probe(self.target)


@pytest.fixture(scope="module")
def once(clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Burned:
    """Burns what several tests look at, once: see `black` and `plain`."""
    room = tmp_path_factory.mktemp("burned")
    (room / "fonts").mkdir()
    return Burned(clips, room / "out.mp4", write_ass(room / "cues.ass", 0.5, 1.0), room / "fonts")


@pytest.fixture(scope="module")
def black(once: Burned) -> Path:
    """A black picture with letters."""
    once("black.mp4")
    return once.target.rename(once.target.with_name("black.mp4"))


@pytest.fixture(scope="module")
def plain(once: Burned) -> Path:
    """The plain clip with letters."""
    once("plain.mp4")
    return once.target.rename(once.target.with_name("plain.mp4"))


def lit(frame: bytes) -> int:
    """The number of bright pixels: letters on black."""
    return sum(point > 180 for point in frame)


def test_letters_are_drawn_when_they_are_due(black: Path) -> None:
    lights = {time: lit(gray_frame(black, time, SIZE)) for time in (0.0, 0.44, 0.52, 0.9, 1.04, 1.5)}
    assert [time for time, count in lights.items() if count > 50] == [0.52, 0.9]
    assert lights[0.0] == lights[1.5] == 0


def test_letters_stand_near_the_bottom(black: Path) -> None:
    frame = gray_frame(black, 0.7, SIZE)
    assert lit(frame[: 160 * 60]) == 0
    assert lit(frame[160 * 60 :]) > 50


@pytest.mark.parametrize("name", ["late.ts", "late_sound.mp4", "late_picture.mkv"])
def test_times_count_from_the_files_start(burned: Burned, name: str) -> None:
    """Also where the picture, the sound or both begin later."""
    burned.ass = write_ass(burned.ass, 1.0, 1.5)
    burned(name)
    lights = [lit(gray_frame(burned.target, time, SIZE)) > 50 for time in (0.9, 1.1, 1.4, 1.6)]
    assert lights == [False, True, True, False]


def test_what_the_result_is(plain: Path) -> None:
    result = probe(plain)
    assert result.video
    assert (result.video.codec, result.video.pixel_format, result.video.fps) == ("h264", "yuv420p", 25)
    assert result.duration == pytest.approx(2, abs=0.1)
    assert [track.language for track in result.audio] == ["eng"]


def test_the_index_comes_first(plain: Path) -> None:
    whole = plain.read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")


def packets(path: Path, stream: str) -> list[str]:
    """The check sums of a stream's packets as they are stored."""
    command = [
        str(ffmpeg()),
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        stream,
        "-c",
        "copy",
        "-f",
        "framecrc",
        "-",
    ]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split(",")[5].strip() for line in listing.splitlines() if not line.startswith("#")]


def test_sound_is_copied_bit_by_bit(clips: Clips, plain: Path) -> None:
    assert packets(plain, "0:a") == packets(clips["plain.mp4"], "0:a")


def test_every_track_is_kept(burned: Burned) -> None:
    result = burned("tracks.mkv")
    assert [track.codec for track in result.audio] == ["mp3", "ac3"]
    assert result.speech is result.audio[1]


@pytest.mark.parametrize(
    ("name", "codec"), [("web.webm", "aac"), ("gap.mkv", "aac"), ("ten_bit.mkv", "opus"), ("late_sound.mp4", "mp3")]
)
def test_sound_is_encoded_only_where_it_must_be(burned: Burned, name: str, codec: str) -> None:
    assert [track.codec for track in burned(name).audio] == [codec]


@pytest.mark.parametrize("name", ["late_sound.mkv", "late_sound.mp4"])
def test_late_sound_stays_late(burned: Burned, name: str) -> None:
    before = probe(burned.clips[name])
    assert burned(name).audio[0].offset == pytest.approx(before.audio[0].offset, abs=0.03)


def test_a_turned_picture_comes_upright(burned: Burned) -> None:
    """Stored red above blue, shown a quarter turned: blue left, red right. Luminance: red 76, blue 29."""
    result = burned(burned.clips.turned())
    assert result.video
    assert (result.video.width, result.video.height, result.video.rotation) == (120, 160, 0)
    frame = gray_frame(burned.target, 0.1, (120, 160))
    row = frame[120 * 20 : 120 * 21]
    assert row[10] + 20 < row[110]


def test_a_variable_rate_keeps_every_time(burned: Burned) -> None:
    burned("variable.mkv")
    assert times(burned.target) == pytest.approx(times(burned.clips["variable.mkv"]), abs=0.0011)


def times(path: Path) -> list[float]:
    command = [str(ffmpeg()), "-v", "error", "-i", str(path), "-map", "0:v", "-c", "copy", "-f", "framecrc", "-"]
    return frame_times(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_full_colour_range_stays_full(burned: Burned) -> None:
    before = gray_frame(burned.clips["full_range.mp4"], 0.1, SIZE)
    result = burned("full_range.mp4")
    assert result.video
    assert result.video.colour_range == "pc"
    assert before[0] == gray_frame(burned.target, 0.1, SIZE)[0]


def test_odd_sides_become_even(burned: Burned) -> None:
    result = burned("odd.mkv")
    assert result.video
    assert (result.video.width, result.video.height) == (160, 120)


@pytest.fixture
def one_processor() -> Iterator[None]:
    """For what is begun in the test: on all those of a fast machine a clip would be burned before anything is said."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usual)})
    yield
    os.sched_setaffinity(0, usual)


@pytest.mark.usefixtures("one_processor")
def test_progress_rises_to_one(
    clips: Clips, tmp_path: Path, ass: Path, fonts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ffmpeg reports fifty times a second, in place of twice, so that the film may be short."""
    monkeypatch.setattr(jobs.pipeline.media.ffmpeg, "_QUIET", ("-loglevel", "error", "-stats_period", "0.02"))
    shares: list[float] = []
    source = clips["middle.mp4"]
    encode.burn(source, ass, tmp_path / "out.mp4", media=probe(source), fonts=fonts, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(0 < share < 1 for share in shares)


def test_a_bundled_font_is_found(clips: Clips, tmp_path: Path) -> None:
    """A font that is nowhere but in the given directory changes what is drawn."""
    found = sorted(FONTS.glob("*.ttf")) if FONTS.exists() else []
    if not found:
        pytest.skip("no bundled font yet")
    frames = []
    for number, fonts in enumerate((FONTS, tmp_path / "none")):
        fonts.mkdir(exist_ok=True)
        cues = write_ass(tmp_path / "cues.ass", 0, 2, "سلام")
        target = tmp_path / f"{number}.mp4"
        encode.burn(clips["black.mp4"], cues, target, media=probe(clips["black.mp4"]), fonts=fonts)
        frames.append(gray_frame(target, 1, SIZE))
    assert frames[0] != frames[1]


def test_fonts_and_cues_leave_no_trace(black: Path) -> None:
    left = {path.name for path in black.parent.iterdir()}
    assert left - {"plain.mp4"} == {"cues.ass", "fonts", "black.mp4"}


def test_sound_alone_cannot_be_burned(burned: Burned) -> None:
    with pytest.raises(errors.NoVideoStream):
        burned("sound.mp3")


def test_an_old_result_is_replaced_only_by_a_whole_one(burned: Burned, tmp_path: Path) -> None:
    burned.target.write_text("old")
    broken = tmp_path / "broken.mp4"
    known = probe(burned.clips["plain.mp4"])
    broken.write_bytes(b"nonsense")
    with pytest.raises(errors.MediaFailed) as caught:
        encode.burn(broken, burned.ass, burned.target, media=known, fonts=burned.fonts)
    assert "Invalid data" in caught.value.detail
    assert burned.target.read_text() == "old"
    burned("plain.mp4")
    assert probe(burned.target).video


def merged(picture: Path, sound: Path, target: Path) -> None:
    encode.merge(picture, sound, target, media=probe(picture), sound=probe(sound))


def test_merge_brings_two_downloads_together(clips: Clips, tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv"):
        target = tmp_path / f"whole.{suffix}"
        merged(clips["mute.mp4"], clips["sound.m4a"], target)
        whole = probe(target)
        assert whole.video
        assert [track.codec for track in whole.audio] == ["aac"]


def test_merge_wants_one_of_each(clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(errors.NoAudio):
        merged(clips["mute.mp4"], clips["mute.mp4"], tmp_path / "whole.mp4")
    with pytest.raises(errors.NoVideoStream):
        merged(clips["sound.m4a"], clips["sound.m4a"], tmp_path / "whole.mp4")


def test_the_control_picture_is_black(clips: Clips, tmp_path: Path) -> None:
    run("-i", str(clips["black.mp4"]), "-c", "copy", str(tmp_path / "copy.mp4"))
    assert lit(gray_frame(tmp_path / "copy.mp4", 0.7, SIZE)) == 0


def test_no_more_is_burned_than_the_file_said_it_holds(clips: Clips, tmp_path: Path, ass: Path, fonts: Path) -> None:
    source = tmp_path / "long.mkv"
    run("-f", "lavfi", "-i", "color=size=64x48:rate=10:duration=20", str(source))
    said = dataclasses.replace(probe(source), duration=1.0)
    encode.burn(source, ass, tmp_path / "out.mp4", media=said, fonts=fonts)
    assert 1 < probe(tmp_path / "out.mp4").duration < 8
