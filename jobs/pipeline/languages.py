"""The languages of the world as this project needs them: name, direction, script, length of a line, reading speed.

Names and directions come from CLDR through babel. Numbers come from the Netflix timed text guides: 42 characters a
line for alphabets, 16 for Chinese and Korean, 13 for Japanese; 17 characters a second by default, 20 for English and
Arabic, 9 Chinese, 12 Korean, 4 Japanese. Persian has no guide of its own and takes 42 and 17 provisionally.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from jobs.pipeline.errors import UnknownLanguage

Direction = Literal["ltr", "rtl"]

_LINE_LENGTH = {"zh": 16, "yue": 16, "ko": 16, "ja": 13}
_READING_SPEED = {"en": 20.0, "ar": 20.0, "zh": 9.0, "yue": 9.0, "ko": 12.0, "ja": 4.0}
_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_NO_LANGUAGE = {"und", "root", "mul", "zxx"}
_OTHER_NAMES = {
    "farsi": "fa",
    "iw": "he",
    "mandarin": "zh",
    "cantonese": "yue",
    "jw": "jv",
    "nb": "no",
    "norwegian bokmål": "no",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language. `line_length` is in characters, `reading_speed` in characters a second."""

    code: str
    name: str
    own_name: str
    direction: Direction
    script: str
    line_length: int
    reading_speed: float


@cache
def language(code_or_name: str) -> Language:
    """The language of a code (`fa`, `pt-BR`) or an English name (`Persian`). Raises UnknownLanguage."""
    locale = _locale(code_or_name)
    likely = get_global("likely_subtags").get(locale.language, "")
    return Language(
        code="-".join([locale.language, *code_or_name.strip().replace("_", "-").split("-")[1:]]),
        name=locale.english_name or locale.language,
        own_name=locale.get_display_name() or locale.language,
        direction="rtl" if locale.text_direction == "rtl" else "ltr",
        script=locale.script or next((part for part in likely.split("_") if len(part) == 4), "Latn"),
        line_length=_LINE_LENGTH.get(locale.language, 42),
        reading_speed=_READING_SPEED.get(locale.language, 17.0),
    )


def _locale(code_or_name: str) -> Locale:
    wanted = code_or_name.strip()
    code = _OTHER_NAMES.get(wanted.lower()) or _names().get(wanted.lower()) or wanted
    if not _CODE.fullmatch(code):  # babel lets anything follow a “.” or “@”
        raise UnknownLanguage(language=code_or_name)
    try:
        locale = Locale.parse(code, sep="_" if "_" in code else "-")
    except (ValueError, UnknownLocaleError):
        raise UnknownLanguage(language=code_or_name) from None
    if code.lower() in _NO_LANGUAGE:
        raise UnknownLanguage(language=code_or_name)
    return locale


@cache
def _names() -> dict[str, str]:
    """English names to codes. A name of two codes keeps the shorter one."""
    names = Locale("en").languages
    return {names[code].lower(): code for code in sorted(names, key=lambda code: (-len(code), code))}
