"""Which of a video's formats to download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Format = Mapping[str, Any]
"""One entry of yt-dlp's `formats`; the fields are described in its InfoExtractor class."""

SORT = ("lang", "res:1080", "vcodec:h264", "acodec:aac", "ext:mp4:m4a")
"""yt-dlp's `format_sort`: the original language first, then the largest picture up to 1080 lines (the shorter side, so
that portrait counts the same), then what every player and an MP4 container take."""

PROTOCOLS = frozenset({"http", "https", "m3u8_native", "m3u8", "http_dash_segments", "http_dash_segments_generator"})
"""Those that yt-dlp downloads by itself, over HTTP, in this process. rtmp, mms, rtsp and websockets are not."""

_MP4 = frozenset({"mp4", "m4a", "mov"})


def choose(formats: Sequence[Format], max_pixels: int) -> list[Format]:
    """The best of `formats`, which are sorted worst first: one with picture and sound, or a picture and a sound to be
    merged, or a sound alone. Empty when none can be downloaded.
    """
    usable = [each for each in formats if _is_usable(each)]
    pictures = [each for each in usable if each.get("vcodec") != "none" and fits(each, max_pixels)]
    sounds = [each for each in usable if each.get("vcodec") == "none" and each.get("acodec") != "none"]
    if not pictures:
        return list(sounds[-1:])
    silent = pictures[-1].get("acodec") == "none"
    return [pictures[-1], *(sounds[-1:] if silent else [])]


def fits(candidate: Format, max_pixels: int) -> bool:
    """An unknown size fits: it is measured once it is here."""
    return (candidate.get("width") or 0) * (candidate.get("height") or 0) <= max_pixels


def suffix(chosen: Sequence[Format]) -> str:
    """The suffix of the file that `chosen` makes: MP4 where it is, else Matroska, which takes every codec."""
    extensions = {each.get("ext") for each in chosen}
    if extensions <= _MP4 or (len(chosen) == 1 and extensions <= {"webm", "mp3"}):
        return f".{next(iter(extensions))}" if len(chosen) == 1 else ".mp4"
    return ".mkv"


def _is_usable(candidate: Format) -> bool:
    return (
        candidate.get("protocol") in PROTOCOLS
        and not candidate.get("has_drm")
        and not (candidate.get("vcodec") == "none" == candidate.get("acodec"))
    )
