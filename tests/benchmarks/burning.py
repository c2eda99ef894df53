"""Burning subtitles: our `media.burn` against ffmpeg alone, and against compositing with moviepy."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

from jobs.pipeline.media import encode
from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from jobs.pipeline.subtitles import writer
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.fonts import FONTS
from jobs.pipeline.text.languages import language
from tests.benchmarks.material import persian_cues, video
from tests.benchmarks.measure import BUILD, alternate, timed
from tests.benchmarks.rows import Row, ratio

FONT = FONTS / "Vazirmatn-Regular.ttf"


def measure(*, quick: bool) -> list[Row]:
    seconds, runs = (6, 1) if quick else (60, 3)
    source, cues = video(seconds), persian_cues(seconds)
    drawn, persian = BUILD / "burning.ass", language("fa")
    writer.write(cues, drawn, form="target", source=persian, target=persian, size=(1280, 720))
    found = probe(source)
    ours, bare = alternate(
        runs,
        partial(timed, partial(encode.burn, source, drawn, BUILD / "ours.mp4", media=found, fonts=FONTS)),
        partial(timed, partial(_bare, source, drawn, BUILD / "bare.mp4")),
    )
    ((composed),) = alternate(1, partial(timed, partial(_compose, source, cues, BUILD / "moviepy.mp4")))
    return [
        ratio(f"burning {seconds} s of 720p, to ffmpeg alone", ours, bare, limit=1.05, kind="at most"),
        ratio(f"moviepy's compositing of {seconds} s, to ours", composed, ours, limit=4.0, kind="at least"),
    ]


def _bare(source: Path, drawn: Path, target: Path) -> None:
    """Burn with ffmpeg as a person would: the same filter, codec and quality."""
    picture = ("-vf", f"ass={drawn}:fontsdir={FONTS}", "-c:v", "libx264", "-crf", str(encode.CRF))
    rest = ("-pix_fmt", "yuv420p", "-c:a", "copy", "-movflags", "+faststart", str(target))
    subprocess.run([str(ffmpeg()), "-nostdin", "-v", "error", "-y", "-i", source, *picture, *rest], check=True)


def _compose(source: Path, cues: list[Cue], target: Path) -> None:
    """Burn with moviepy as its guide shows: a text clip over the video for each cue; the same codec and quality."""
    from moviepy import CompositeVideoClip, TextClip, VideoFileClip

    with VideoFileClip(str(source)) as clip:
        texts = [
            TextClip(font=str(FONT), text=cue.target, font_size=43, color="white", bg_color=(0, 0, 0, 184))
            .with_start(cue.start)
            .with_end(cue.end)
            .with_position(("center", 0.85), relative=True)
            for cue in cues
        ]
        CompositeVideoClip([clip, *texts]).write_videofile(
            str(target),
            codec="libx264",
            preset="medium",
            ffmpeg_params=["-crf", str(encode.CRF)],
            audio_codec="aac",
            temp_audiofile_path=str(BUILD),
            logger=None,
        )
