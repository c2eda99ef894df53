"""Languages with the data that subtitles need: name, direction, script, line length, reading speed.

Names, directions and scripts are from CLDR. Numbers are from the Netflix timed text guides: 42 characters per line for
alphabets, 16 for Chinese and Korean, 13 for Japanese; 17 characters per second by default, 20 for English and Arabic, 9
for Chinese, 12 for Korean, 4 for Japanese. Persian has no guide of its own and uses 42 and 17 for now.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

Direction = Literal["ltr", "rtl"]

_LINE_LENGTH = {"zh": 16, "yue": 16, "ko": 16, "ja": 13}
_READING_SPEED = {"en": 20.0, "ar": 20.0, "zh": 9.0, "yue": 9.0, "ko": 12.0, "ja": 4.0}


_RELATED = (
    *({"es", "pt", "gl", "ca", "ast", "oc"}, {"da", "nb", "nn", "no", "sv"}, {"hr", "bs", "sr", "sl", "sh", "cnr"}),
    *({"cs", "sk"}, {"ru", "uk", "be", "bg", "mk"}, {"id", "ms"}, {"hi", "mr", "ne"}, {"fa", "prs"}, {"af", "nl"}),
    *({"tr", "az", "tk"}, {"it", "scn", "co"}, {"zh", "yue"}),
)
"""Languages so close that whole sentences may be alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language. `name` is English; `line_length` is in characters, `reading_speed` in characters per second."""

    code: str
    name: str
    direction: Direction
    script: str
    line_length: int
    reading_speed: float


@cache
def language(code_or_name: str) -> Language:
    """The language of a code (`fa`, `pt-BR`) or an English or Persian name (`Persian`). Raises UnknownLanguage."""
    from jobs.pipeline.text import cldr

    locale = cldr.locale(code_or_name)
    return Language(
        code="-".join([locale.language, *code_or_name.strip().replace("_", "-").split("-")[1:]]),
        name=locale.english_name or locale.language,
        direction="rtl" if locale.text_direction == "rtl" else "ltr",
        script=cldr.script(locale),
        line_length=_LINE_LENGTH.get(locale.language, 42),
        reading_speed=_READING_SPEED.get(locale.language, 17.0),
    )


def are_related(one: str, other: str) -> bool:
    """Tell whether whole sentences may be alike in two languages, given by their codes."""
    codes = {code.split("-")[0] for code in (one, other)}
    return len(codes) == 1 or any(codes <= group for group in _RELATED)
