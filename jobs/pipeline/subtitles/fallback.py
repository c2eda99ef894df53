"""Fallback fonts: which bundled font draws the characters that the font of a language lacks.

libass looks for missing glyphs in the machine's fonts only, not in those that it is given, so the font is named in the
text. What belongs together (a word in Arabic letters, an emoji of several characters) is drawn by one font.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter

from jobs.pipeline.subtitles.fonts import FALLBACKS, FONTS, Font

_ARABIC = "[\u0610-\u061a\u0620-\u06ff\u0750-\u077f\u0870-\u08ff\ufb50-\ufdff\ufe70-\ufefc\u200c\u200d]"
_MARKS = "[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20f0\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_CLUSTER = re.compile(rf"{_ARABIC}+|[\U0001f1e6-\U0001f1ff]{{2}}|(?s:.){_MARKS}*(?:\u200d(?!\s)(?s:.){_MARKS}*)*")
"""Text that one font has to draw: a word in Arabic letters, a flag, or a character with its marks and those joined to
it."""
_EMOJI = re.compile("\ufe0f|[\U0001f000-\U0001faff]")
_RARE = re.compile("[\u0590-\u077f\u0900-\u097f\ufb1d-\ufdff\ufe70-\ufefc\U0001d100-\U0001d24f\U0001f000-\U0001faff]")
"""Letters of other bundled fonts, musical signs and emoji: fonts of Chinese, of Thai and so on have none of them."""
_EMOJI_FAMILY = "Noto Emoji"


def runs(text: str, font: Font) -> Iterator[tuple[Font | None, str]]:
    """Divide `text` where its font changes: a fallback and what it draws, or None and what `font` draws.

    None also stands for what no bundled font has; libass looks for it in the fonts of the machine.
    """
    if "\ufe0f" not in text and _has(font, frozenset(filter(_needs_glyph, text))):
        yield None, text
        return
    found = [(_fallback(cluster, font), cluster) for cluster in _CLUSTER.findall(text)]
    for at in range(1, len(found) - 1):  # a space between two words of a fallback belongs to them
        if not found[at][1].strip() and found[at - 1][0] == found[at + 1][0]:
            found[at] = found[at - 1][0], found[at][1]
    for fallback, group in groupby(found, key=itemgetter(0)):
        yield fallback, "".join(cluster for _, cluster in group)


def unbundled(text: str) -> set[str]:
    """The characters of `text` that need a glyph and that no bundled font has."""
    bundled = frozenset[str]().union(*map(coverage, FALLBACKS))
    return set(filter(_needs_glyph, set(text) - bundled))


@lru_cache(maxsize=65_536)
def _fallback(cluster: str, font: Font) -> Font | None:
    needed = frozenset(filter(_needs_glyph, cluster))
    is_emoji = "\ufe0f" in cluster and cluster[0] > "\u00ff"  # a digit with a frame is drawn as a digit
    if _has(font, needed) and not is_emoji:
        return None
    first = needed & {cluster[0]}
    whole = _first(cluster, needed)
    # Of what no font has whole, such as an unusual joined emoji, the first character decides.
    return whole or (None if _has(font, first) else _first(cluster, first))


def _first(cluster: str, needed: frozenset[str]) -> Font | None:
    """The first fallback that has all of the characters, one for emoji before the others."""
    emoji_first = bool(_EMOJI.search(cluster))
    ranked = sorted(FALLBACKS, key=lambda font: emoji_first and font.family != _EMOJI_FAMILY)
    return next((font for font in ranked if _has(font, needed)), None)


def _has(font: Font, characters: frozenset[str]) -> bool:
    """Whether a font has all of the characters. One that is not bundled is taken to have all but what is rare."""
    if font.bundled:
        return characters <= coverage(font)
    return not any(map(_RARE.match, characters))


@cache
def coverage(font: Font) -> frozenset[str]:
    """The characters that a bundled font has."""
    from fontTools.ttLib import TTFont  # only here, so that the start of a child is cheap

    with TTFont(FONTS / f"{font.family.replace(' ', '')}-Regular.ttf", lazy=True) as file:
        return frozenset(map(chr, file.getBestCmap()))


@cache
def _needs_glyph(character: str) -> bool:
    """Whether the character is drawn: spaces, marks of direction, joiners and variation selectors are not."""
    category = unicodedata.category(character)
    return not (category in {"Cf", "Cc", "Zs", "Zl", "Zp"} or "\ufe00" <= character <= "\ufe0f")
