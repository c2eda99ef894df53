"""Text of subtitles without markup: tags, entities, drawings, and marks that stand for half-spaces."""

from __future__ import annotations

import html
import re
import unicodedata

from jobs.pipeline.subtitles.writer import clean

_OVERRIDES = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\\p(\d+|(?=\s*(?:\\|$)))")
_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:e-?\d+)?"
_BRACES = "\ufdd0", "\ufdd1"
"""Noncharacters in place of the braces that are text in ASS, as libass and the writer escape them."""
_SHAPE = re.compile(rf"^\s*m\s+{_NUMBER}\s+{_NUMBER}(?:\s+(?:[mnlbspc]\s*)?{_NUMBER}|\s+[mnlbspc])*\s*$")
"""A drawing by itself: “m”, then coordinates and other commands of ASS."""
_CODES = re.compile(r"\{[yYcCfFsSpPoO]:[^{}]*\}")
"""Control codes of MicroDVD."""
_BREAK = re.compile(r"<\s*br\s*/?\s*>", re.IGNORECASE)
_READING = re.compile(r"<rt(?:\.[^<>]*)?>([^<>]*)(?:</rt>)?", re.IGNORECASE)
_PARENTHESES = re.compile(r"<rp>[^<>]*</rp>", re.IGNORECASE)
_TAG = re.compile(
    r"""</?(?:
        (?:i|b|u|s|em|strong|big|small|center|sup|sub|ruby|rt|rp|span|p|div|pre|font|c|v|lang|html|body|sami|sync)
        (?:\.[^<>\s]*)?                             # classes
        (?:\s+[\w-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s<>"']+))*\s*/?
        | /a | a\s+href\s*=[^<>]*                   # a link
        | (?:v|lang)(?:\.[^<>\s]*)?\s[^<>]*         # the speaker, the language
        )>""",
    re.IGNORECASE | re.VERBOSE,
)
_CLOSING = re.compile(r"<\s*/\s*(?:i|b|u|font)\s*>", re.IGNORECASE)
_OPENING = re.compile(r"<\s+[ibu]\s*>", re.IGNORECASE)
_WORD_TIME = re.compile(r"<\d{1,5}:\d{2}(?::\d{2})?[.,]\d{1,3}>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,30});")
_LETTER = "[\u0620-\u06ef\u06fa-\u06ff]"
_HALF_SPACE = re.compile(f"(?<={_LETTER})[\u200e\u200f\u00ac\u200b\u00ad\u2060\ufeff\x1f\x9d]+(?={_LETTER})")
"""Marks between two Arabic letters that stand for the half-space in older Persian texts."""


def plain_text(text: str, *, is_ass: bool = False) -> str:
    """The lines of a text in NFC, without tags, entities, drawings and marks of direction (the writer adds its own),
    and without blank lines. What only looks like a tag stays. Empty if nothing is to be read.

    `is_ass`: line breaks are written as in ASS, and everything in braces is a command or a comment.
    """
    if is_ass:
        text = text.replace("\\{", _BRACES[0]).replace("\\}", _BRACES[1])
    shown = _without_drawings(text, is_ass=is_ass)
    if is_ass:
        shown = shown.replace(_BRACES[0], "{").replace(_BRACES[1], "}")
        shown = re.sub(r"\\[Nn]", "\n", shown).replace("\\h", " ")
    shown = _without_tags(shown)
    shown = _ENTITY.sub(lambda found: html.unescape(found[0]), shown)
    lines = (_clean_line(line) for line in shown.split("\n"))
    whole = unicodedata.normalize("NFC", "\n".join(line for line in lines if line))
    return "" if _SHAPE.match(whole.replace("\n", " ")) else whole


def _without_drawings(text: str, *, is_ass: bool) -> str:
    """The text without commands in braces, and without what is drawn between them."""
    shown, last, draws = list[str](), 0, False
    for block in _OVERRIDES.finditer(text):
        inner = block[0][1:-1].lstrip()
        if not is_ass and not inner.startswith("\\"):
            continue
        shown.append("" if draws else text[last : block.start()])
        for level in _DRAWING.findall(inner):
            draws = int(level or 0) > 0
        last = block.end()
    shown.append("" if draws else text[last:])
    whole = "".join(shown)
    return whole if is_ass else _CODES.sub("", whole)


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    text = _WORD_TIME.sub("", _BREAK.sub("\n", text))
    text = _READING.sub(r"(\1)", _PARENTHESES.sub("", text))
    if _CLOSING.search(text):  # "< i >" is a tag only with "< / i >", "a < b > c" is none
        text = _OPENING.sub("", _CLOSING.sub("", text))
    return _TAG.sub("", text)


def _clean_line(line: str) -> str:
    return re.sub(" {2,}", " ", clean(_HALF_SPACE.sub("\u200c", line))).strip(" \u00a0")
