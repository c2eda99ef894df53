"""Conversion of a style to ASS, with its measures for a picture of any size and shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pysubs2 import Alignment, Color, SSAStyle

from jobs.pipeline.subtitles.fonts import font
from jobs.pipeline.subtitles.style import Style
from jobs.pipeline.text.display_width import cells_a_character
from jobs.pipeline.text.languages import Language

_SCALE = {"small": 0.8, "medium": 1.0, "large": 1.25}
_CHARACTER = 0.5
"""Mean width of a character in em. Measured in the bundled fonts, bold: Persian and Arabic 0.44, Hebrew 0.49, English
and Spanish 0.51, Russian 0.57; a full-width character is 1 em, and limits count it as one of 16 or 13."""
_EM = 0.68 * (16 / 9) / (42 * _CHARACTER)
"""Font size as a share of the picture's smaller side: 42 characters fill 68 % of the width of a 16:9 picture (BBC)."""
_SAFE = 0.9
"""Share of width and height that every screen shows (title safe area, SMPTE ST 2046-1)."""
PORTRAIT_MARGIN = 20
"""Percent of the height of a tall picture that stay free below its subtitles. There the apps that show such videos
have the account, the title and buttons; Meta's guide for stories keeps 20 % free below and 14 % above."""
_ABOVE = 0.7
"""The part of this that stays free above subtitles at the top."""
_TALL = 1.5
"""Height to width of the pictures that such apps show over the whole screen: 9:16 and 2:3, not 4:5."""
_SECOND = 0.75
"""Font size of the second language, as a share of the first."""

_WHITE, _GREY, _BLACK = Color(255, 255, 255), Color(224, 224, 224), Color(0, 0, 0)
_SPEAKERS = (
    _WHITE,
    Color(255, 255, 0),
    Color(0, 255, 255),
    Color(0, 255, 0),
    Color(255, 176, 208),
    Color(255, 176, 96),
    Color(192, 192, 255),
    Color(208, 255, 160),
)
"""Colours of speakers: white, yellow, cyan and green, which the BBC's subtitle guidelines use, then others as light."""
_VEIL = Color(0, 0, 0, 72)
"""Black with 28 % transparency: white letters on it have a contrast of 9:1 even over a white picture."""

_ONE_BOX = 4
"""libass's border style of one box around all lines, wider by Shadow. The usual style 3 draws a box per line with
visible overlaps. A player without style 4 draws letters with a shadow."""
_OUTLINED = 1


def em(style: Style, size: tuple[int, int], *, second: bool = False) -> float:
    """Font size in pixels on a picture of `size` = (width, height); `second` for the second language."""
    return min(size) * _EM * _SCALE[style.size] * (_SECOND if second else 1.0)


def fitting_cells(style: Style, size: tuple[int, int], *, second: bool = False) -> int:
    """Longest line that fits into a picture of `size`, in cells (see `display_width`) of half an em each."""
    return int(size[0] * _SAFE / (em(style, size, second=second) * _CHARACTER))


def narrowed(language: Language, cells: int) -> Language:
    """Return `language` with lines of at most `cells` cells."""
    if language.line_length * cells_a_character(language) <= cells:
        return language
    return replace(language, line_length=cells // cells_a_character(language))


def speaker_colours(speakers: Iterable[str]) -> dict[str, str]:
    """The ASS tag with the colour of each speaker, in order of appearance; the first is white."""
    names = list(dict.fromkeys(name for name in speakers if name))
    colours = [_SPEAKERS[at % len(_SPEAKERS)] for at in range(len(names))]
    return {name: f"{{\\1c&H{one.b:02X}{one.g:02X}{one.r:02X}&}}" for name, one in zip(names, colours, strict=True)}


def ass_style(
    language: Language,
    style: Style,
    size: tuple[int, int],
    *,
    second: bool = False,
    portrait_margin: int = PORTRAIT_MARGIN,
) -> SSAStyle:
    """Build the ASS style for text in `language` on a picture of `size` = (width, height) in pixels.

    `portrait_margin`: percent of the height below the subtitles of a tall picture, if more than in others.
    """
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
        marginv=round(size[1] * _margin(style, size, portrait_margin)),
        encoding=-1,  # libass: detect the direction of each line, instead of left to right for all
    )


def _margin(style: Style, size: tuple[int, int], portrait_margin: int) -> float:
    """The space between the subtitles and the edge of the picture, as a share of its height."""
    usual = (1 - _SAFE) / 2
    if size[1] < _TALL * size[0]:
        return usual
    return max(usual, portrait_margin / 100 * (_ABOVE if style.position == "top" else 1.0))
