"""Pictures that stand still, begin late, end early or are a single frame: subtitles are seen at their times."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from tests.pipeline.clips import AAC, H264, gray_frame, run, write_ass
from tests.pipeline.test_media_burn import times

SOUND = ("-f", "lavfi", "-i", "sine=duration=8")
GRAY = "color=gray:size=160x120"
SLOW = ("-f", "lavfi", "-i", f"{GRAY}:rate=1/4:duration=8")
ONE = ("-f", "lavfi", "-i", f"{GRAY}:rate=25:duration=0.04")
SHORT = ("-f", "lavfi", "-i", f"{GRAY}:rate=25:duration=3")
BURSTS = ("-f", "lavfi", "-i", f"{GRAY}:rate=30:duration=8,select='lt(mod(t\\,4)\\,1)'")
"""A recording of a screen: 30 frames a second while something moves, which is in the first of every four seconds."""

FILMS = {
    "a frame every 4 s.mp4": (*SLOW, *SOUND, *H264, *AAC),
    "in coarse units of time.avi": (*SLOW, *SOUND, "-c:v", "mjpeg"),
    "without sound.mkv": (*SLOW, *H264),
    "one frame.mp4": (*ONE, *SOUND, *H264, *AAC),
    "one frame.mkv": (*ONE, *SOUND, "-c:v", "mjpeg"),
    "ends early.mkv": (*SHORT, *SOUND, *H264, *AAC),
    "begins late.mkv": ("-itsoffset", "5", *SHORT, *SOUND, *H264, *AAC),
    "begins late.mp4": ("-itsoffset", "5", *SHORT, *SOUND, *H264, *AAC),
    "bursts.mkv": (*BURSTS, *SOUND, "-fps_mode", "vfr", *H264, *AAC),
}
CUES = ((0.33, 0.97), (2.0, 3.1), (5.55, 6.5))


def cues(directory: Path) -> Path:
    """An ASS file of CUES."""
    path = write_ass(directory / "cues.ass", *CUES[0])
    lines = (f"Dialogue: 0,0:00:{start:05.2f},0:00:{end:05.2f},Default,,0,0,0,,HELLO\n" for start, end in CUES[1:])
    path.write_text(path.read_text() + "".join(lines))
    return path


def shown(path: Path) -> list[tuple[float, float]]:
    """The spans of time in seconds in which letters are seen."""
    command = [str(ffmpeg()), "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough"]
    drawn = subprocess.run([*command, "-pix_fmt", "gray", "-f", "rawvideo", "-"], check=True, stdout=subprocess.PIPE)
    lit = (np.frombuffer(drawn.stdout, dtype=np.uint8).reshape(-1, 160 * 120) > 200).sum(axis=1) > 30
    at = [*times(path), 8.0]
    changes = [at[0]] * bool(lit[0]) + [at[number] for number in range(1, len(lit)) if lit[number] != lit[number - 1]]
    changes += [8.0] * bool(lit[-1])
    return list(zip(changes[::2], changes[1::2], strict=True))


SIMILAR = {"a frame every 4 s.mp4", "one frame.mkv", "begins late.mkv"}
"""Films that differ from another one of FILMS only in their container, or in the lack of sound."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.soak] * (name in SIMILAR)) for name in FILMS])
def test_subtitles_are_seen_at_their_times(tmp_path: Path, fonts: Path, name: str) -> None:
    source = tmp_path / name
    run(*FILMS[name], str(source))
    target = tmp_path / "out.mp4"
    media = probe(source)
    encode.burn(source, cues(tmp_path), target, media=media, fonts=fonts)
    spans = shown(target)
    assert len(spans) == len(CUES)
    assert np.array(spans) == pytest.approx(np.array(CUES), abs=0.1)
    assert probe(target).duration == pytest.approx(media.duration, abs=0.1)


def test_a_picture_that_stands_still_and_changes_its_size(tmp_path: Path, fonts: Path) -> None:
    """As in recordings of video calls: black and 160x120 at first, then gray and larger."""
    parts = []
    for number, (colour, size) in enumerate((("black", "160x120"), ("gray", "320x240"))):
        picture = ("-f", "lavfi", "-i", f"color={colour}:size={size}:rate=25:duration=4,select='not(mod(n\\,50))'")
        begin = ("-fps_mode", "vfr", "-output_ts_offset", str(4 * number), "-muxdelay", "0", "-muxpreload", "0")
        run(*picture, "-f", "lavfi", "-i", "sine=duration=4", *H264, "-c:a", "mp2", *begin, str(tmp_path / "part.ts"))
        parts.append((tmp_path / "part.ts").read_bytes())
    source = tmp_path / "call.ts"
    source.write_bytes(b"".join(parts))
    encode.burn(source, cues(tmp_path), tmp_path / "out.mp4", media=probe(source), fonts=fonts)
    assert np.array(shown(tmp_path / "out.mp4")) == pytest.approx(np.array(CUES), abs=0.1)
    for time, gray in ((1.5, 16), (3.5, 16), (4.5, 126), (7.5, 126)):
        assert np.median(np.frombuffer(gray_frame(tmp_path / "out.mp4", time, (160, 120)), np.uint8)) == pytest.approx(
            gray, abs=20
        )


def test_frames_of_a_recording_with_still_parts_keep_their_times(tmp_path: Path, ass: Path, fonts: Path) -> None:
    source = tmp_path / "bursts.mkv"
    run(*FILMS["bursts.mkv"], str(source))
    encode.burn(source, ass, tmp_path / "out.mp4", media=probe(source), fonts=fonts)
    after = np.array(times(tmp_path / "out.mp4"))
    for before in times(source):
        assert np.abs(after - before).min() < 0.002
    assert len(after) < 61 + 6.2 * 20


def test_a_film_that_moves_gets_no_frames(tmp_path: Path, ass: Path, fonts: Path) -> None:
    source = tmp_path / "film.mkv"
    run("-f", "lavfi", "-i", f"{GRAY}:rate=12:duration=2", *H264, str(source))
    encode.burn(source, ass, tmp_path / "out.mp4", media=probe(source), fonts=fonts)
    assert len(times(tmp_path / "out.mp4")) == 24
