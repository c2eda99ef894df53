"""High dynamic range (HLG, PQ): how bright text is drawn, and how a picture is made for screens without it."""

from __future__ import annotations

import re
from math import log, sqrt
from typing import Literal

Transfer = Literal["arib-std-b67", "smpte2084", ""]
"""ffmpeg's names of HLG and PQ; empty for other pictures."""

WHITE = 203.0
"""Luminance of white letters in cd/m²: HDR reference white (ITU-R BT.2408). Full signal would be 1,000 or more."""

_DISPLAY_GAMMA = 2.4
_HLG_PEAK = 1000.0
_HLG_SYSTEM_GAMMA = 1.2

_COLOURED = re.compile(r"^Style:.*$|(?<!\\)\{\\1c&H[0-9A-F]{6}&\}", re.MULTILINE)
"""Styles of an ASS file, and its tags for colours. Braces in texts are behind a backslash."""

_COLOUR = re.compile(r"(&H(?:[0-9A-F]{2})?)([0-9A-F]{6})(?![0-9A-F])")
"""A colour of ASS: transparency in a style only, then blue, green and red."""


def dimmed(ass: str, transfer: Transfer) -> str:
    """Change the colours in an ASS file so that they look in an HDR picture as they do in others."""

    def colour(found: re.Match[str]) -> str:
        channels = (round(255 * signal(int(found[2][at : at + 2], 16) / 255, transfer)) for at in (0, 2, 4))
        return found[1] + "".join(f"{channel:02X}" for channel in channels)

    return _COLOURED.sub(lambda part: _COLOUR.sub(colour, part[0]), ass) if transfer else ass


def signal(level: float, transfer: Transfer) -> float:
    """The signal, 0 to 1, that shows a `level` of a standard picture, 0 to 1, with WHITE as its 1."""
    if not transfer:
        return level
    luminance = WHITE * level**_DISPLAY_GAMMA
    return _hlg(luminance) if transfer == "arib-std-b67" else _pq(luminance)


def _pq(luminance: float) -> float:
    """The inverse EOTF of SMPTE ST 2084, for cd/m²."""
    power = (luminance / 10_000) ** (2610 / 16384)
    return float(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def _hlg(luminance: float) -> float:
    """The inverse OOTF and the OETF of ITU-R BT.2100 HLG, for cd/m² on a screen of 1,000."""
    scene = (luminance / _HLG_PEAK) ** (1 / _HLG_SYSTEM_GAMMA)
    return sqrt(3 * scene) if scene <= 1 / 12 else 0.17883277 * log(12 * scene - 0.28466892) + 0.55991073


def tone_mapping(transfer: Transfer) -> str:
    """Filters that turn an HDR picture into one of BT.709, followed by a comma; empty for other pictures."""
    if not transfer:
        return ""
    linear = f"zscale=tin={transfer}:pin=bt2020:min=bt2020nc:t=linear:npl={WHITE:g},format=gbrpf32le"
    return f"{linear},zscale=p=bt709,tonemap=mobius:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p,"
