"""Fonts of burned subtitles: bundled ones for the common scripts, the machine's Noto fonts for the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.pipeline.text.languages import Language

FONTS = Path(__file__).resolve().parents[3] / "static" / "vendor" / "fonts"
"""Directory of the bundled fonts. It must contain fonts only, since ffmpeg's `fontsdir` reads every file in it as one.
static/vendor/vendor.lock.json lists them with their sources."""

PLACES = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts"),
    Path("~/.fonts"),
    Path("/Library/Fonts"),
    Path("~/Library/Fonts"),
)
"""Directories in which systems keep fonts (the XDG base directories and Apple's)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Font:
    """A font by the name of its family. `height`, in em, is ascent plus descent of its OS/2 table: ASS's font size."""

    family: str
    height: float
    bundled: bool = True


_VAZIRMATN = Font(family="Vazirmatn", height=(2200 + 1300) / 2048)
_HEEBO = Font(family="Heebo", height=(2146 + 862) / 2048)
_NOTO = Font(family="Noto Sans", height=(1124 + 395) / 1000)
_BUNDLED = {"Arab": _VAZIRMATN, "Hebr": _HEEBO, "Latn": _NOTO, "Cyrl": _NOTO, "Grek": _NOTO, "Deva": _NOTO}

FALLBACKS = (
    _VAZIRMATN,
    _NOTO,
    _HEEBO,
    Font(family="Noto Sans Arabic", height=(1431 + 738) / 1000),
    Font(family="DejaVu Sans", height=(1901 + 483) / 2048),
    Font(family="Noto Music", height=(1645 + 709) / 1000),
    Font(family="Noto Emoji", height=(1900 + 500) / 2048),
)
"""Bundled fonts that draw what the font of a language lacks, in the order in which they are tried."""

_CJK = {"Hans": "SC", "Hant": "TC", "Jpan": "JP", "Kore": "KR"}
_CJK_HEIGHT = (1160 + 288) / 1000
_OTHER_HEIGHT = 1.5
"""Height of Noto fonts for other scripts, in em: most are between 1.3 and 1.7."""

_NOTO_NAMES = {
    **{"Thai": "Thai", "Laoo": "Lao", "Khmr": "Khmer", "Mymr": "Myanmar", "Sinh": "Sinhala", "Tibt": "Tibetan"},
    **{"Beng": "Bengali", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Knda": "Kannada", "Mlym": "Malayalam"},
    **{"Orya": "Oriya", "Taml": "Tamil", "Telu": "Telugu", "Armn": "Armenian", "Geor": "Georgian"},
    **{"Ethi": "Ethiopic", "Thaa": "Thaana", "Syrc": "Syriac", "Nkoo": "NKo", "Tfng": "Tifinagh"},
    **{"Mong": "Mongolian", "Cher": "Cherokee", "Adlm": "Adlam", "Olck": "OlChiki", "Cans": "CanadianAboriginal"},
}
"""Scripts (ISO 15924) to their names in Noto's families."""


def font(language: Language) -> Font:
    """The font for a language by its script; Noto Sans for an unknown script."""
    if language.script in _BUNDLED:
        return _BUNDLED[language.script]
    if language.script in _CJK:
        return Font(family=f"Noto Sans CJK {_CJK[language.script]}", height=_CJK_HEIGHT, bundled=False)
    if language.script in _NOTO_NAMES:
        return Font(family=f"Noto Sans {_NOTO_NAMES[language.script]}", height=_OTHER_HEIGHT, bundled=False)
    return _NOTO


def missing_font(language: Language) -> str | None:
    """The Debian package with the font for `language`, or None when it is bundled or on this machine."""
    if font(language).bundled:
        return None
    if language.script in _CJK:
        return None if _on_this_machine("NotoSansCJK") else "fonts-noto-cjk"
    return None if _on_this_machine(f"NotoSans{_NOTO_NAMES[language.script]}") else "fonts-noto-core"


def _on_this_machine(name: str) -> bool:
    """Noto's files are named after the family, then `-Regular` or, in variable fonts, `[wght]`."""
    return any(next(place.expanduser().rglob(f"{name}[-[]*.[ot]t[fc]"), None) for place in PLACES)
