"""The render stage: puts subtitles on the video and makes a poster beside it."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from pathlib import Path

from jobs.pipeline.errors import MediaFailed
from jobs.pipeline.media import encode
from jobs.pipeline.media.atomic_files import writing
from jobs.pipeline.media.extras import embeds_as_mp4
from jobs.pipeline.media.glyphs import without_glyph
from jobs.pipeline.media.poster import poster
from jobs.pipeline.media.streams import Media
from jobs.pipeline.protocols import Mode, Progress, ignore_progress
from jobs.pipeline.subtitles.fallback import unbundled
from jobs.pipeline.subtitles.fonts import FONTS
from jobs.pipeline.subtitles.track import as_srt, entries_of, one_at_a_time, within

_EMPTY_TRACK = "WEBVTT\n\n"
"""A file without subtitles; ffmpeg does not open an SRT file without any."""


def poster_of(target: Path) -> Path:
    """Path of a rendered video's poster."""
    return target.with_suffix(".webp")


def undrawable(subtitles: Path) -> str:
    """The characters of an ASS file of ours that no font at hand has, neither a bundled one nor one of the machine.

    They are in the order in which they appear.
    """
    text = subtitles.read_text(encoding="utf-8")
    family = re.search(r"^Style: [^,\n]*,([^,\n]*)", text, re.MULTILINE)
    doubtful = unbundled(text)
    return "".join(sorted(without_glyph(doubtful, family=family[1] if family else "", fonts=FONTS), key=text.index))


def render(
    source: Path,
    media: Media,
    subtitles: Path | None,
    target: Path,
    *,
    mode: Mode,
    language: str = "und",
    undrawable: str = "",
    progress: Progress = ignore_progress,
) -> Path | None:
    """Write the video and its poster. Returns the path of the video, or None for the mode `none`.

    `burn` draws an ASS file into the picture, with “…” in place of the `undrawable` characters. `soft` adds an SRT file
    of ours as a track in `language`, which ends with the video, and may write an MKV (see `media.encode.embed`).
    Without subtitles nothing is rendered. A poster that cannot be made is left out. Raises as `media.encode.burn` does.
    """
    if mode == "none" or subtitles is None:
        return None
    with writing(target), tempfile.TemporaryDirectory(prefix="zirnevis-") as scratch:
        if mode == "burn":
            drawn = Path(scratch) / "drawn.ass"
            drawn.write_text(_without(undrawable, subtitles.read_text(encoding="utf-8")), encoding="utf-8")
            encode.burn(source, drawn, target, media=media, fonts=FONTS, progress=progress)
        else:
            text = _track(subtitles.read_text(encoding="utf-8"), media)
            track = Path(scratch) / ("track.srt" if text else "track.vtt")
            track.write_text(text or _EMPTY_TRACK, encoding="utf-8")
            target = encode.embed(source, track, target, media=media, language=language, progress=progress)
    with suppress(MediaFailed):
        poster(source, poster_of(target), media=media)
    return target


def _track(srt: str, media: Media) -> str:
    """The text of the track: within the video, and in an MP4 with one text at a time."""
    entries = within(entries_of(srt), media.duration)
    return as_srt(one_at_a_time(entries) if embeds_as_mp4(media) else entries)


def _without(characters: str, ass: str) -> str:
    """The ASS file with “…” in place of each run of these characters."""
    if not characters:
        return ass
    one = "[" + re.escape(characters) + "]"
    return re.sub(rf"{one}(?:[\s\u200c-\u200f\ufe00-\ufe0f]?{one})*", "…", ass)
