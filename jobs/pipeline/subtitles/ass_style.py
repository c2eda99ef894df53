"""How a style looks in ASS: its measures on a picture of any size and shape."""

from __future__ import annotations

from dataclasses import replace

from pysubs2 import Alignment, Color, SSAStyle

from jobs.pipeline.subtitles.fonts import font
from jobs.pipeline.subtitles.style import Style
from jobs.pipeline.text.display_width import cells_a_character
from jobs.pipeline.text.languages import Language

_SCALE = {"small": 0.8, "medium": 1.0, "large": 1.25}
_CHARACTER = 0.5
"""The mean width of a character in em. Measured in the bundled fonts, bold: Persian and Arabic 0.44, Hebrew 0.49,
English and Spanish 0.51, Russian 0.57; a full-width character is 1 em, and limits count it as one of 16 or 13."""
_EM = 0.68 * (16 / 9) / (42 * _CHARACTER)
"""The size of letters, as a share of the picture's smaller side: 42 characters fill 68 % of a 16:9 picture (BBC)."""
_SAFE = 0.9
"""The share of width and height inside which text stays readable on every screen (title safe area, SMPTE ST 2046-1)."""
_SECOND = 0.75
"""The second language of a pair, in the size of the first."""

_WHITE, _GREY, _BLACK = Color(255, 255, 255), Color(224, 224, 224), Color(0, 0, 0)
_VEIL = Color(0, 0, 0, 72)
"""Black that lets 28 % through (ASS counts transparency): white letters on it keep a contrast of 9:1 before white."""

_ONE_BOX = 4
"""libass's border style of one box around all lines, as wide as Shadow beyond them. Style 3 of others draws a box for
each line, and their overlaps show. A player without style 4 draws letters with a shadow."""
_OUTLINED = 1


def em(style: Style, size: tuple[int, int], *, second: bool = False) -> float:
    """The size of the letters in pixels on a picture of `size` = (width, height)."""
    return min(size) * _EM * _SCALE[style.size] * (_SECOND if second else 1.0)


def fitting_cells(style: Style, size: tuple[int, int], *, second: bool = False) -> int:
    """The longest line that fits into a picture of `size`, in cells (see `characters`): half an em each."""
    return int(size[0] * _SAFE / (em(style, size, second=second) * _CHARACTER))


def narrowed(language: Language, cells: int) -> Language:
    """`language` with lines of at most `cells`; itself where that changes nothing."""
    if language.line_length * cells_a_character(language) <= cells:
        return language
    return replace(language, line_length=cells // cells_a_character(language))


def ass_style(language: Language, style: Style, size: tuple[int, int], *, second: bool = False) -> SSAStyle:
    """The ASS style for text in `language` on a picture of `size`, whose pixels are the units of the script."""
    letters, face = em(style, size, second=second), font(language)
    boxed = style.look == "box"
    return SSAStyle(
        fontname=face.family,
        fontsize=round(letters * face.height, 1),
        primarycolor=_GREY if second else _WHITE,
        outlinecolor=_BLACK,
        backcolor=_VEIL,
        bold=not boxed,
        borderstyle=_ONE_BOX if boxed else _OUTLINED,
        outline=0.0 if boxed else round(letters * 0.08, 1),
        shadow=round(letters * 0.2, 1) if boxed else 0.0,
        alignment=Alignment.BOTTOM_CENTER if style.position == "bottom" else Alignment.TOP_CENTER,
        marginl=round(size[0] * (1 - _SAFE) / 2),
        marginr=round(size[0] * (1 - _SAFE) / 2),
        marginv=round(size[1] * (1 - _SAFE) / 2),
        encoding=-1,  # libass: find each line's direction; else every line runs from left to right
    )
