"""HDR pictures keep their ten bits and their tags, and letters have the brightness of reference white."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.hdr import Transfer, dimmed, signal
from jobs.pipeline.media.poster import poster
from jobs.pipeline.media.probe import probe
from tests.pipeline.clips import run, write_ass

HLG: Transfer = "arib-std-b67"
PQ: Transfer = "smpte2084"
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
X264 = ("-c:v", "libx264", "-preset", "ultrafast")
REFERENCE_WHITE = {HLG: 0.75, PQ: 0.58}
"""The signals of 203 cd/m², as ITU-R BT.2408 gives them."""


def film(
    path: Path,
    transfer: Transfer,
    *,
    codec: tuple[str, ...] = X265,
    pixels: str = "yuv420p10le",
    rate: int = 10,
    gray: int = 0,
) -> Path:
    tags = f"setparams=color_primaries=bt2020:color_trc={transfer or 'bt709'}:colorspace=bt2020nc:range=tv"
    picture = f"color=0x{gray:02x}{gray:02x}{gray:02x}:size=160x120:rate={rate}:duration=2,format={pixels},{tags}"
    run("-f", "lavfi", "-i", picture, *codec, "-pix_fmt", pixels, str(path))
    return path


def described(path: Path) -> str:
    said = subprocess.run([str(ffmpeg()), "-i", str(path)], capture_output=True, text=True, check=False).stderr
    found = re.search(r"Video: .*", said)
    assert found
    return found[0]


def letters(path: Path) -> float:
    """The signal of the letters, 0 to 1: the upper end of the luminance in a picture that is black without them."""
    command = [str(ffmpeg()), "-v", "error", "-ss", "0.7", "-i", str(path), "-frames:v", "1", "-pix_fmt", "gray10le"]
    drawn = subprocess.run([*command, "-f", "rawvideo", "-"], check=True, stdout=subprocess.PIPE).stdout
    levels = np.sort(np.frombuffer(drawn, dtype="<u2"))
    return float(levels[-40] / 1023)


@pytest.mark.parametrize(
    ("transfer", "options"),
    [
        (HLG, {}),
        (PQ, {}),
        (HLG, {"codec": X264}),
        (PQ, {"codec": ("-c:v", "libvpx-vp9", "-deadline", "realtime")}),
        (HLG, {"codec": X264, "pixels": "yuv420p"}),
        (PQ, {"rate": 1}),
    ],
)
def test_hdr_stays_hdr_with_letters_of_reference_white(
    tmp_path: Path, ass: Path, fonts: Path, transfer: Transfer, options: dict[str, object]
) -> None:
    source = film(tmp_path / "film.mkv", transfer, **options)  # type: ignore[arg-type]
    media = probe(source)
    assert media.picture.transfer == transfer
    encode.burn(source, ass, tmp_path / "out.mp4", media=media, fonts=fonts)
    assert f"yuv420p10le(tv, bt2020nc/bt2020/{transfer}" in described(tmp_path / "out.mp4")
    assert "hvc1" in described(tmp_path / "out.mp4")
    assert letters(tmp_path / "out.mp4") == pytest.approx(REFERENCE_WHITE[transfer], abs=0.03)


def test_ten_bits_without_hdr_become_eight(tmp_path: Path, ass: Path, fonts: Path) -> None:
    source = film(tmp_path / "film.mkv", "")
    encode.burn(source, ass, tmp_path / "out.mp4", media=probe(source), fonts=fonts)
    assert "yuv420p(tv" in described(tmp_path / "out.mp4")
    assert letters(tmp_path / "out.mp4") > 0.97


def test_signals_of_bt_2408() -> None:
    for transfer, white in REFERENCE_WHITE.items():
        assert signal(1, transfer) == pytest.approx(white, abs=0.005)
        assert signal(0, transfer) == pytest.approx(0, abs=0.001)
    assert signal(0.5, "") == 0.5


def test_only_colours_are_dimmed(tmp_path: Path) -> None:
    """Those of styles and of speakers, but no text that looks like one."""
    text = write_ass(tmp_path / "c.ass", 0, 1, r"{\1c&H00FFFF&}yes \{\1c&H00FFFF&\} &H00FFFFFF").read_text()
    assert dimmed(text, "") == text
    dim = dimmed(text, PQ)
    assert "&H00949494" in dim
    assert dim.endswith("{\\1c&H009494&}yes \\{\\1c&H00FFFF&\\} &H00FFFFFF\n")


@pytest.mark.parametrize("transfer", [HLG, PQ])
def test_the_poster_is_made_for_common_screens(tmp_path: Path, transfer: Transfer) -> None:
    """Reference white in the film is nearly white in the poster; untouched, it would be 191 or 148 of 255."""
    source = film(tmp_path / "film.mkv", transfer, gray=round(REFERENCE_WHITE[transfer] * 255))
    poster(source, tmp_path / "p.jpg", media=probe(source))
    with Image.open(tmp_path / "p.jpg") as picture:
        assert np.asarray(picture).mean() > 205
