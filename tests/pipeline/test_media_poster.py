"""Posters of videos."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from jobs.pipeline import errors
from jobs.pipeline.media.poster import poster as media_poster
from jobs.pipeline.media.probe import probe
from tests.pipeline.clips import Clips, run


def poster(source: Path, target: Path) -> Image.Image:
    media_poster(source, target, media=probe(source))
    return Image.open(target)


@pytest.mark.parametrize(("suffix", "form"), [(".webp", "WEBP"), (".jpg", "JPEG")])
def test_forms(clips: Clips, tmp_path: Path, suffix: str, form: str) -> None:
    with poster(clips["plain.mp4"], tmp_path / f"out{suffix}") as picture:
        assert (picture.format, picture.size) == (form, (160, 120))


def test_a_turned_picture_stands_upright(clips: Clips, tmp_path: Path) -> None:
    """Stored red above blue, shown a quarter turned clockwise: blue left, red right."""
    with poster(clips.turned(), tmp_path / "out.jpg") as picture:
        assert picture.size == (120, 160)
        colours = picture.convert("RGB")
    left, right = colours.getpixel((10, 80)), colours.getpixel((110, 80))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[2] > left[0]
    assert right[0] > right[2]


@pytest.mark.parametrize("name", ["late_picture.mkv", "variable.mkv", "ten_bit.mkv", "odd.mkv", "web.webm"])
def test_any_video_has_one(clips: Clips, tmp_path: Path, name: str) -> None:
    with poster(clips[name], tmp_path / "out.webp") as picture:
        assert min(picture.size) >= 120


def test_a_dark_beginning_is_passed_over(tmp_path: Path) -> None:
    source = tmp_path / "dawn.mp4"
    dawn = "color=black:size=160x120:rate=25:duration=1[a];color=white:size=160x120:rate=25:duration=3[b];[a][b]concat"
    run("-f", "lavfi", "-i", dawn, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(source))
    with poster(source, tmp_path / "out.jpg") as picture:
        assert picture.convert("L").getpixel((80, 60)) == pytest.approx(255, abs=5)


def test_a_black_video_gets_a_black_poster(clips: Clips, tmp_path: Path) -> None:
    with poster(clips["black.mp4"], tmp_path / "out.jpg") as picture:
        assert picture.convert("L").getpixel((80, 60)) == pytest.approx(0, abs=5)


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    source = tmp_path / "large.mp4"
    run(
        "-f",
        "lavfi",
        "-i",
        "color=red:size=2560x1440:rate=1:duration=1",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        str(source),
    )
    with poster(source, tmp_path / "out.jpg") as picture:
        assert picture.size == (1280, 720)


def test_one_frame_is_enough(tmp_path: Path) -> None:
    source = tmp_path / "one.mp4"
    run("-f", "lavfi", "-i", "color=red:size=64x64:rate=25", "-frames:v", "1", "-pix_fmt", "yuv420p", str(source))
    with poster(source, tmp_path / "out.jpg") as picture:
        assert picture.size == (64, 64)


def test_sound_alone_has_none(clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(errors.NoVideoStream):
        poster(clips["sound.mp3"], tmp_path / "out.jpg")
    assert not list(tmp_path.iterdir())
