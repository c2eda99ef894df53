"""Writer of subtitle files: SRT, WebVTT and ASS, in the source language, the target language or both.

Text is shown as it is: anything that a format or its players would take for a tag, a time or the end of a cue is
escaped, or split by an invisible WORD JOINER in formats without escapes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pysubs2

from jobs.pipeline.media.ffmpeg import making
from jobs.pipeline.subtitles.ass_style import PORTRAIT_MARGIN, ass_style, em, fitting_cells, narrowed, speaker_colours
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.dialogue import speakers_of
from jobs.pipeline.subtitles.fallback import runs
from jobs.pipeline.subtitles.fonts import Font, font
from jobs.pipeline.subtitles.style import Form, Style
from jobs.pipeline.text.bidi import LRM, direct, strip_marks
from jobs.pipeline.text.display_width import Piece, cell_width, cells, pieces
from jobs.pipeline.text.languages import Direction, Language
from jobs.pipeline.text.line_breaking import break_evenly, unwrap, wrap

WORD_JOINER = "\u2060"
ARABIC_MARK = "\u061c"
"""ARABIC LETTER MARK: unlike other marks of direction it belongs to a script."""

_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile("[\u2060\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
"""Unpaired surrogates, as from broken JSON: UTF-8 cannot encode them."""
_BREAKS = re.compile(r"\\(?=[Nnh])")
"""Line breaks and hard spaces of ASS; pysubs2 and many players accept them in SRT and WebVTT too."""
_TIME = re.compile(r"(:\d{1,2})(?=[.,]\d)")
_DASHES = "-–—‐"
_NEVER = 100 * 3_600_000 - 1
_LATEST = {"ass": 10 * 3_600_000 - 10}
"""Milliseconds of the latest time that a format can state; 99 hours in the others."""
_SECOND_STYLE = "{\\rSecond}"
_TAG = re.compile(r"\{[^}]*\}")
_FIRST, _SECOND = "Default", "Second"


def write(
    cues: Iterable[Cue],
    path: Path,
    *,
    form: Form,
    source: Language,
    target: Language,
    style: Style = Style(),
    size: tuple[int, int] = (1280, 720),
    portrait_margin: int = PORTRAIT_MARGIN,
) -> None:
    """Write `cues` to `path`, in the format of its suffix (.srt, .vtt or .ass), atomically: the text of `as_text`.

    Raises DiskFull or Unwritable.
    """
    content = as_text(
        cues,
        path.suffix[1:].lower(),
        form=form,
        source=source,
        target=target,
        style=style,
        size=size,
        portrait_margin=portrait_margin,
    )
    with making(path) as part:
        part.write_text(content, encoding="utf-8", newline="\n")


def as_text(
    cues: Iterable[Cue],
    kind: str,
    *,
    form: Form,
    source: Language,
    target: Language,
    style: Style = Style(),
    size: tuple[int, int] = (1280, 720),
    portrait_margin: int = PORTRAIT_MARGIN,
) -> str:
    """The content of a subtitle file of the format `kind` (srt, vtt or ass).

    `form` chooses the texts: `bilingual` has the target's lines first and the source's below, smaller in ASS. Cues
    without text in that form are left out. `style`, `size`, the picture's (width, height), and `portrait_margin` (see
    `ass_style`) apply to ASS only: SRT and WebVTT have at most two lines per language, ASS more in a narrow picture.
    """
    languages = {"source": [source], "target": [target], "bilingual": [target, source]}[form]
    subs = pysubs2.SSAFile()
    subs.styles = {
        name: ass_style(language, style, size, second=name == _SECOND, portrait_margin=portrait_margin)
        for name, language in zip((_FIRST, _SECOND), languages, strict=False)
    }
    subs.info.update(PlayResX=str(size[0]), PlayResY=str(size[1]))
    max_cells = [fitting_cells(style, size, second=at > 0) if kind == "ass" else None for at in range(len(languages))]
    sizes = [em(style, size, second=at > 0) for at in range(len(languages))]
    shown = list(cues)
    coloured = kind == "ass" and style.colours == "speaker-colours"
    colours = speaker_colours(name for cue in shown for name in speakers_of(cue)) if coloured else {}
    for cue in shown:
        if text := _text(_wanted(cue, form), languages, max_cells, sizes, kind):
            text = _coloured(text, [colours[name] for name in speakers_of(cue)] if coloured else [])
            start, end = (min(round(time * 1000), _LATEST.get(kind, _NEVER)) for time in (cue.start, cue.end))
            subs.append(pysubs2.SSAEvent(start=start, end=end, text=text))
    content: str = subs.to_string(kind, **_OPTIONS[kind])
    return content


def _coloured(text: str, tags: Sequence[str]) -> str:
    """The text with the colour of its speaker; of two speakers, each line that begins with a dash has its own."""
    lines = text.split("\\N")
    own = (
        len(lines) if _SECOND_STYLE not in text else next(at for at, line in enumerate(lines) if _SECOND_STYLE in line)
    )
    second = next((at for at in range(1, own) if _begins_with_dash(lines[at])), None)
    if len(tags) == 2 and second is not None:
        lines[second] = tags[1] + lines[second]
    return "".join(tags[:1]) + "\\N".join(lines)


def _begins_with_dash(line: str) -> bool:
    """Whether a line of ASS begins with a dash, behind marks of direction and the tag of a font."""
    shown = strip_marks(_TAG.sub("", line)).lstrip()
    return bool(shown) and shown[0] in _DASHES


def _wanted(cue: Cue, form: Form) -> list[str]:
    return {"source": [cue.source], "target": [cue.target], "bilingual": [cue.target, cue.source]}[form]


def _text(texts: list[str], languages: list[Language], limits: list[int | None], sizes: list[float], kind: str) -> str:
    """The texts of one cue, escaped for the format, with an ASS line break between lines; empty without any text."""
    blocks = []
    for at, (text, language, max_cells) in enumerate(zip(texts, languages, limits, strict=True)):
        marked = _with_direction_marks(_lines(clean(text), language, max_cells), language.direction)
        lines = [_in_fonts(line, language, sizes[at]) if kind == "ass" else _ESCAPES[kind](line) for line in marked]
        tag = _SECOND_STYLE if lines and at and kind == "ass" else ""
        blocks.append(tag + "\\N".join(lines))
    return "\\N".join(filter(None, blocks))


def clean(text: str) -> str:
    """Remove direction marks and invisible characters; replace control characters and unpaired surrogates."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", _INVISIBLE.sub("", strip_marks(text)))).strip()


# Cached, because the three formats of a video have the same lines in nearly every cue.


@lru_cache(maxsize=4096)
def _wrapped(text: str, language: Language) -> tuple[str, ...]:
    return tuple(line for line in wrap(text, language).split("\n") if line)


@lru_cache(maxsize=4096)
def _with_direction_marks(lines: tuple[str, ...], direction: Direction) -> tuple[str, ...]:
    return tuple(direct(lines, direction))


def _lines(text: str, language: Language, max_cells: int | None) -> tuple[str, ...]:
    """The lines of one text: two, or as many as needed if two are wider than `max_cells` cells."""
    if max_cells is None:
        return _wrapped(text, language)
    lines = _wrapped(text, narrowed(language, max_cells))
    if max(map(cell_width, lines), default=0) <= max_cells:
        return lines
    if all(line[0] in _DASHES for line in lines):
        return tuple(part for speaker in lines for part in _evened(speaker, language, max_cells))
    return tuple(_evened(unwrap(text, language), language, max_cells))


def _evened(text: str, language: Language, max_cells: int) -> list[str]:
    """`text` in as few lines as fit into `max_cells` cells, broken at the best places."""
    parts = [part for piece in pieces(text, language) for part in _fitting(piece, max_cells)]
    return break_evenly(parts, language, _filled_lines(parts, max_cells), max_cells)


def _fitting(piece: Piece, max_cells: int) -> Iterator[Piece]:
    """Split a piece that is wider than a line, because libass would not break it."""
    taken = begun = 0
    for at, size in enumerate(map(cells, piece.text)):
        if taken + size > max_cells and taken:
            yield Piece(text=piece.text[begun:at], space="" if begun else piece.space, inner=piece.inner)
            taken, begun = 0, at
        taken += size
    yield Piece(text=piece.text[begun:], space="" if begun else piece.space, inner=piece.inner)


def _filled_lines(parts: Sequence[Piece], max_cells: int) -> int:
    """The number of lines if each is filled as far as possible."""
    lines, taken = 1, cell_width(parts[0].text)
    for part in parts[1:]:
        size = cell_width(part.text)
        fits = taken + len(part.space) + size <= max_cells
        lines, taken = (lines, taken + len(part.space) + size) if fits else (lines + 1, size)
    return lines


def _in_fonts(line: str, language: Language, size: float) -> str:
    """A line of ASS with the names of fallback fonts before what the font of the language lacks; `size` of an em."""
    face = font(language)
    if "\u200d" in line or "\u20e3" in line:
        line = _with_script(line)
    return "".join(
        _ass(part) if fallback is None else _font_tag(fallback, size) + _ass(part) + _font_tag(face, size)
        for fallback, part in runs(line, face)
    )


def _with_script(line: str) -> str:
    """A line of ASS with a script, which libass needs to join emoji: where there is no letter, that of a mark."""
    return line if any(map(str.isalpha, line)) else f"{LRM}{line}{ARABIC_MARK}"


def _font_tag(face: Font, size: float) -> str:
    return f"{{\\fn{face.family}\\fs{round(size * face.height, 1)}}}"


def _ass(text: str) -> str:
    """Escape for ASS: libass shows `\\{` and `\\}` as braces; any other backslash is followed by a WORD JOINER."""
    return text.replace("\\", "\\" + WORD_JOINER).replace("{", "\\{").replace("}", "\\}")


def _srt(text: str) -> str:
    """Split tags by a WORD JOINER: SRT has no escapes, and players accept some HTML tags, and ASS tags in braces."""
    text = text.replace("<", "<" + WORD_JOINER).replace("{", "{" + WORD_JOINER).replace("-->", f"--{WORD_JOINER}>")
    return _without_breaks(text)


def _vtt(text: str) -> str:
    return _without_breaks(html.escape(text, quote=False))


def _without_breaks(text: str) -> str:
    return _TIME.sub(rf"\1{WORD_JOINER}", _BREAKS.sub(rf"\\{WORD_JOINER}", text))


_OPTIONS: dict[str, dict[str, Any]] = {
    "ass": {"header_notice": "Written by Zirnevis"},
    "srt": {"keep_ssa_tags": True},
    "vtt": {"keep_ssa_tags": True},
}
"""Options of pysubs2: without `keep_ssa_tags` it takes text in braces for tags and drops it."""

_ESCAPES: dict[str, Callable[[str], str]] = {"srt": _srt, "vtt": _vtt}
