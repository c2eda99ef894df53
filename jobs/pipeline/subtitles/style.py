"""Style of subtitles as users choose it: look, size, position and colours; and the texts that a file holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from jobs.pipeline.errors import BadStyle

Form = Literal["source", "target", "bilingual"]

FORMATS = ("srt", "vtt", "ass")
"""Suffixes of the formats in which subtitles are written. A new one also needs its escapes in `writer`, and a content
type in `jobs/web/views/downloads.py`.
"""
Look = Literal["box", "outline"]
Size = Literal["small", "medium", "large"]
Position = Literal["bottom", "top"]
Colours = Literal["one-colour", "speaker-colours"]

CHOICES: dict[str, tuple[str, ...]] = {
    "look": get_args(Look),
    "size": get_args(Size),
    "position": get_args(Position),
    "colours": get_args(Colours),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """The chosen style. It applies to ASS and burned subtitles; players use their own for SRT and WebVTT."""

    look: Look = "box"
    size: Size = "medium"
    position: Position = "bottom"
    colours: Colours = "one-colour"


def parse_style(text: str) -> Style:
    """Parse words in any order, such as `outline,large,top`; what is not named keeps its default.

    Raises BadStyle for an unknown word, or two different words of one kind.
    """
    chosen: dict[str, str] = {}
    for word in filter(None, text.lower().replace(",", " ").split()):
        kind = next((kind for kind, words in CHOICES.items() if word in words), "")
        if not kind or chosen.setdefault(kind, word) != word:
            raise BadStyle(style=text, choices="; ".join(", ".join(words) for words in CHOICES.values()))
    return replace(Style(), **chosen)  # type: ignore[arg-type]
