"""Choice of the formats to download, from those that a site offers of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Format = Mapping[str, Any]
"""One entry of yt-dlp's `formats`; its class InfoExtractor describes the fields."""

SORT = ("lang", "res:1080", "vcodec:h264", "acodec:aac", "ext:mp4:m4a")
"""yt-dlp's `format_sort`: the original language first, then the largest picture up to 1080 lines (the shorter side, so
that portrait counts the same), then what every player and an MP4 container take."""

PROTOCOLS = frozenset({"http", "https", "m3u8_native", "m3u8", "http_dash_segments", "http_dash_segments_generator"})
"""Protocols that yt-dlp downloads over HTTP in its own process, unlike rtmp, mms, rtsp and websockets."""

_MP4 = frozenset({"mp4", "m4a", "mov"})


def choose(formats: Sequence[Format], max_pixels: int) -> list[Format]:
    """Choose the best of `formats`, which are sorted from worst to best.

    Returns a format with picture and sound, or a picture and a sound to be merged, or a sound alone; empty if none can
    be downloaded.
    """
    usable = [each for each in formats if _is_usable(each)]
    pictures = [each for each in usable if each.get("vcodec") != "none" and fits(each, max_pixels)]
    sounds = [each for each in usable if each.get("vcodec") == "none" and each.get("acodec") != "none"]
    if not pictures:
        return list(sounds[-1:])
    silent = pictures[-1].get("acodec") == "none"
    return [pictures[-1], *(sounds[-1:] if silent else [])]


def fits(candidate: Format, max_pixels: int) -> bool:
    """Tell whether the picture is within `max_pixels`. An unknown size fits, and is checked after the download."""
    return (candidate.get("width") or 0) * (candidate.get("height") or 0) <= max_pixels


def suffix(chosen: Sequence[Format]) -> str:
    """Suffix of the file made of `chosen`: MP4 if all parts are, else Matroska, which accepts every codec."""
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
