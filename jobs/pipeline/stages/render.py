"""The last stage: subtitles and picture become one file, with a poster beside it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from jobs.pipeline.errors import MediaFailed
from jobs.pipeline.media import encode as ffmpeg
from jobs.pipeline.media.encode import Media
from jobs.pipeline.protocols import Mode, Progress, ignore_progress
from jobs.pipeline.subtitles.fonts import FONTS


def poster_of(target: Path) -> Path:
    """Where the poster of a rendered video lies."""
    return target.with_suffix(".webp")


def render(
    source: Path,
    media: Media,
    subtitles: Path | None,
    target: Path,
    *,
    mode: Mode,
    language: str = "und",
    progress: Progress = ignore_progress,
) -> Path | None:
    """Write the video and its poster; the path of the video, or None when the mode is `none`.

    `burn` draws an ASS file into the picture. `soft` adds a track in `language` and may answer with an MKV (see
    `media.embed`); give it SRT, of which an MP4 keeps everything. Without subtitles, as when nobody speaks, there is
    nothing to render. A video of which no poster can be made goes without. Errors as those of `media.burn`.
    """
    if mode == "none" or subtitles is None:
        return None
    if mode == "burn":
        ffmpeg.burn(source, subtitles, target, media=media, fonts=FONTS, progress=progress)
    else:
        target = ffmpeg.embed(source, subtitles, target, media=media, language=language, progress=progress)
    with suppress(MediaFailed):
        ffmpeg.poster(source, poster_of(target), media=media)
    return target
