"""Choice of the formats to download, from those that a site offers of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Format = Mapping[str, Any]
"""One entry of yt-dlp's `formats`; its class InfoExtractor describes the fields."""

SORT = ("res:1080", "vcodec:h264", "acodec:aac", "ext:mp4:m4a")
"""yt-dlp's `format_sort`: the largest picture up to 1080 lines first (the shorter side, so that portrait counts the
same), then what every player and an MP4 container take. `choose` looks at the language of the sound.
"""

PROTOCOLS = frozenset({"http", "https", "m3u8_native", "m3u8", "http_dash_segments", "http_dash_segments_generator"})
"""Protocols that yt-dlp downloads over HTTP in its own process, unlike rtmp, mms, rtsp and websockets."""

_MP4 = frozenset({"mp4", "m4a", "mov"})


_ORIGINAL = 10
"""`language_preference` that yt-dlp gives the original sound."""
_DESCRIPTION = -10
"""`language_preference` that yt-dlp gives an audio description."""


def choose(formats: Sequence[Format], max_pixels: int, spoken: str = "") -> list[Format]:
    """Choose the best of `formats`, which are sorted from worst to best.

    Returns a format with picture and sound, or a picture and a sound to be merged, or a sound alone; empty if none can
    be downloaded. The original sound is preferred to dubbed sound, also where that comes with a larger picture, and
    sound in the language `spoken`, if it is known, to any other.
    """
    usable = [each for each in formats if _is_usable(each)]
    best = max((_sound_rank(each, spoken) for each in usable if _has_sound(each)), default=None)
    right = [each for each in usable if _has_sound(each) and _sound_rank(each, spoken) == best]
    sounds = [each for each in right if each.get("vcodec") == "none"]
    pictures = [each for each in usable if each.get("vcodec") != "none" and fits(each, max_pixels)]
    fitting = [each for each in pictures if each in right or (not _has_sound(each) and (sounds or best is None))]
    if not pictures:
        return list(sounds[-1:])
    if fitting:
        return [fitting[-1], *(sounds[-1:] if not _has_sound(fitting[-1]) else [])]
    return [pictures[-1], *sounds[-1:]]  # every picture comes with other sound, which merging leaves out


def sound_of(chosen: Sequence[Format]) -> Format | None:
    """The format of the chosen ones whose sound is used; None if there is none."""
    return next((each for each in reversed(chosen) if _has_sound(each)), None)


def sound_language(sound: Format, formats: Sequence[Format]) -> str:
    """The language code of a format's sound; empty unless the site tells several languages or kinds of sound apart.

    With a single language, sites often state that of the uploader or none.
    """
    told = {_base(each.get("language")) for each in formats if _has_sound(each)} - {""}
    sure = len(told) > 1 or _is_marked(sound, "original") or _is_marked(sound, "dub")
    return _base(sound.get("language")) if sure else ""


def is_dubbed(sound: Format, original: str | None) -> bool:
    """Tell whether a format's sound is dubbed; `original` is the language of the video, if the site states it."""
    if _is_marked(sound, "dub"):
        return True
    preference = sound.get("language_preference")
    other = _base(sound.get("language")) != _base(original)
    return bool(original and sound.get("language") and other and preference is not None and preference < 0)


def _sound_rank(candidate: Format, spoken: str) -> tuple[bool, bool, int, int]:
    """The place of a format's sound among others: the highest is best."""
    preference = candidate.get("language_preference")
    number = -1 if preference is None else int(preference)
    original = _is_marked(candidate, "original") or number >= _ORIGINAL
    return (
        not (_is_marked(candidate, "descripti") or number <= _DESCRIPTION),
        bool(spoken) and _base(candidate.get("language")) == _base(spoken),
        2 if original else 0 if _is_marked(candidate, "dub") else 1,
        number,
    )


def _is_marked(candidate: Format, word: str) -> bool:
    return word in str(candidate.get("format_note") or "").casefold()


def _base(language: object) -> str:
    """The language of a tag without its region, such as `de` for `de-DE`."""
    return str(language or "").replace("_", "-").split("-")[0].lower()


def _has_sound(candidate: Format) -> bool:
    return candidate.get("acodec") != "none"


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
