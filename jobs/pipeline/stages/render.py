"""The render stage: puts subtitles on the video and makes a poster beside it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from jobs.pipeline.errors import MediaFailed
from jobs.pipeline.media import encode
from jobs.pipeline.media.poster import poster
from jobs.pipeline.media.streams import Media
from jobs.pipeline.protocols import Mode, Progress, ignore_progress
from jobs.pipeline.subtitles.fonts import FONTS


def poster_of(target: Path) -> Path:
    """Path of a rendered video's poster."""
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
    """Write the video and its poster. Returns the path of the video, or None for the mode `none`.

    `burn` draws an ASS file into the picture. `soft` adds a track in `language` and may write an MKV (see
    `media.encode.embed`); its subtitles should be SRT, which an MP4 keeps completely. Without subtitles nothing is
    rendered. A poster that cannot be made is left out. Raises as `media.encode.burn` does.
    """
    if mode == "none" or subtitles is None:
        return None
    if mode == "burn":
        encode.burn(source, subtitles, target, media=media, fonts=FONTS, progress=progress)
    else:
        target = encode.embed(source, subtitles, target, media=media, language=language, progress=progress)
    with suppress(MediaFailed):
        poster(source, poster_of(target), media=media)
    return target
