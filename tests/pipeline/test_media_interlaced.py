"""Interlaced pictures: whole frames are made before text is drawn, at the same times; others are left as they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from jobs.pipeline.media import encode
from jobs.pipeline.media.description import combed
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from tests.pipeline.clips import run
from tests.pipeline.test_media_burn import times

SIZE = (96, 576)
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "15", "-pix_fmt", "yuv420p")
MPEG2 = ("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "2", "-bf", "0")


def film(path: Path, order: str, *, marked: bool = True, codec: tuple[str, ...]) -> Path:
    """Bars that move, 25 frames a second of two fields each; `order` is top, bottom, or empty for whole frames."""
    moving = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=50:duration=2"
    fields = f"tinterlace=interleave_{order}" if order else "framestep=2"
    mark = f"setfield={order[0]}ff" if marked and order else "setfield=prog"
    run("-f", "lavfi", "-i", f"{moving},{fields},{mark}", *codec, str(path))
    return path


def combing(path: Path) -> float:
    """The mean difference of each row from those above and below it: large where fields of two moments are mixed."""
    command = [str(ffmpeg()), "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough"]
    drawn = subprocess.run([*command, "-pix_fmt", "gray", "-f", "rawvideo", "-"], check=True, stdout=subprocess.PIPE)
    rows = np.frombuffer(drawn.stdout, dtype=np.uint8).reshape(-1, *SIZE[::-1]).astype(np.float32)
    return float(np.abs(2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:]).mean())


@pytest.mark.parametrize(
    ("name", "order", "fields", "options"),
    [
        ("dvd.mpg", "top", "marked", {"codec": MPEG2}),
        ("broadcast.ts", "top", "marked", {"codec": (*X264, "-x264opts", "tff=1")}),
        pytest.param(
            *("bottom.mkv", "bottom", "marked", {"codec": (*X264, "-x264opts", "bff=1")}), marks=pytest.mark.soak
        ),
        ("card.mov", "top", "tff", {"codec": ("-c:v", "mjpeg", "-q:v", "2")}),
        ("lost marks.mp4", "bottom", "bff", {"codec": X264, "marked": False}),
    ],
)
def test_fields_become_whole_frames(
    tmp_path: Path, ass: Path, fonts: Path, name: str, order: str, fields: str, options: dict[str, object]
) -> None:
    source = film(tmp_path / name, order, **options)  # type: ignore[arg-type]
    media = probe(source)
    assert media.picture.fields == fields
    assert media.picture.pixel_format
    encode.burn(source, ass, tmp_path / "out.mp4", media=media, fonts=fonts)
    assert combing(tmp_path / "out.mp4") < 0.6 * combing(source)
    after = probe(tmp_path / "out.mp4")
    assert after.picture.fields == ""
    assert after.duration == pytest.approx(media.duration, abs=0.05)
    assert np.diff(times(tmp_path / "out.mp4")) == pytest.approx(np.full(49, 0.04), abs=0.002)


def test_whole_frames_stay_as_they_are(tmp_path: Path, ass: Path, fonts: Path) -> None:
    source = film(tmp_path / "film.mp4", "", codec=X264)
    media = probe(source)
    assert media.picture.fields == ""
    encode.burn(source, ass, tmp_path / "out.mp4", media=media, fonts=fonts)
    assert combing(tmp_path / "out.mp4") == pytest.approx(combing(source), rel=0.2)


def test_a_few_frames_prove_nothing() -> None:
    said = "Multi frame detection: TFF: {} BFF: 0 Progressive: {} Undetermined: 0"
    assert combed(said.format(50, 2)) == "tff"
    assert combed(said.format(5, 0)) == ""
    assert combed(said.format(30, 30)) == ""
    assert combed("") == ""
