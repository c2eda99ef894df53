"""Pictures whose pixels are not square: letters are shown as round as in a picture with square pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.pipeline.media import encode
from jobs.pipeline.media.poster import poster
from jobs.pipeline.media.probe import probe
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.fonts import FONTS
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language
from tests.pipeline.clips import gray_frame, run

FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def film(path: Path, size: tuple[int, int], aspect: str = "1", rate: int = 10) -> Path:
    """Three black frames."""
    black = f"color=black:size={size[0]}x{size[1]}:rate={rate}:duration={3 / rate:.2f},setsar={aspect}"
    run("-f", "lavfi", "-i", black, *(FAST if path.suffix != ".mpg" else ("-c:v", "mpeg2video")), str(path))
    return path


def box(source: Path, room: Path) -> tuple[float, float, float]:
    """Width and height of the letters, and their distance from the left side, in shown pixels of the burned picture."""
    media = probe(source)
    video = media.picture
    cue = Cue(id=1, start=0, end=1, source="", target="OOO")
    write([cue], room / "c.ass", form="target", source=language("en"), target=language("en"), size=video.shown_size)
    encode.burn(source, room / "c.ass", room / "out.mp4", media=media, fonts=FONTS)
    result = probe(room / "out.mp4").picture
    assert result.pixel_aspect == pytest.approx(video.pixel_aspect, rel=0.01)
    size = (result.width, result.height)
    lit = np.frombuffer(gray_frame(room / "out.mp4", 0.1, size), dtype=np.uint8).reshape(size[::-1]) > 128
    columns, rows = np.flatnonzero(lit.any(axis=0)), np.flatnonzero(lit.any(axis=1))
    across = np.array([columns[-1] - columns[0] + 1, columns[0]]) * result.pixel_aspect
    return float(across[0]), float(rows[-1] - rows[0] + 1), float(across[1])


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float, float]:
    """The box of letters in a square picture of 1024x576."""
    room = tmp_path_factory.mktemp("square")
    return box(film(room / "square.mp4", (1024, 576)), room)


@pytest.mark.parametrize(
    ("size", "aspect", "shown", "kind"),
    [
        ((720, 576), "64/45", (1024, 576), "mpg"),
        pytest.param((720, 480), "8/9", (640, 480), "mp4", marks=pytest.mark.soak),
        ((352, 576), "24/11", (768, 576), "mp4"),
    ],
)
def test_letters_are_shown_round(
    tmp_path: Path,
    square: tuple[float, float, float],
    size: tuple[int, int],
    aspect: str,
    shown: tuple[int, int],
    kind: str,
) -> None:
    found = box(film(tmp_path / f"film.{kind}", size, aspect), tmp_path)
    wanted = square if shown == (1024, 576) else box(film(tmp_path / "square.mp4", shown), tmp_path)
    assert found == pytest.approx(wanted, abs=3, rel=0.02)


def test_a_picture_that_also_stands_still(tmp_path: Path, square: tuple[float, float, float]) -> None:
    found = box(film(tmp_path / "film.mkv", (720, 576), "64/45", rate=2), tmp_path)
    assert found == pytest.approx(square, abs=3, rel=0.02)


def test_a_turned_picture(tmp_path: Path) -> None:
    run(
        "-display_rotation",
        "90",
        "-i",
        str(film(tmp_path / "lying.mp4", (720, 576), "64/45")),
        "-c",
        "copy",
        str(tmp_path / "film.mp4"),
    )
    video = probe(tmp_path / "film.mp4").picture
    assert (video.width, video.height) == (576, 720)
    assert video.shown_size == (405, 720)
    assert box(tmp_path / "film.mp4", tmp_path)[:2] == pytest.approx(
        box(film(tmp_path / "square.mp4", (404, 720)), tmp_path)[:2], abs=3
    )


def test_an_absurd_aspect_is_not_believed(tmp_path: Path) -> None:
    assert probe(film(tmp_path / "film.mkv", (64, 48), "100")).picture.shown_size == (64, 48)


def test_the_poster_has_the_shown_shape(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mkv", (720, 576), "64/45")
    poster(source, tmp_path / "p.webp", media=probe(source))
    with Image.open(tmp_path / "p.webp") as picture:
        assert picture.size == (1024, 576)
