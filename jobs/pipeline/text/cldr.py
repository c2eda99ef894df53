"""Data of CLDR about languages and scripts, through babel.

Only this module imports babel, and functions import it when they need it, because most processes never do.
"""

from __future__ import annotations

import re
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from jobs.pipeline.errors import UnknownLanguage

_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_NO_LANGUAGE = {"und", "root", "mul", "zxx"}
_NAMED_IN = ("en", "fa", "ar", "de", "es", "fr")
"""Languages in whose words the titles of tracks are often written."""
_OTHER_NAMES = {
    "farsi": "fa",
    "iw": "he",
    "mandarin": "zh",
    "cantonese": "yue",
    "jw": "jv",
    "nb": "no",
    "norwegian bokmål": "no",
}


def locale(code_or_name: str) -> Locale:
    """The locale of a code (`fa`, `pt-BR`) or an English or Persian name (`Persian`). Raises UnknownLanguage."""
    wanted = code_or_name.strip()
    code = _OTHER_NAMES.get(wanted.lower()) or _names().get(wanted.lower()) or wanted
    if not _CODE.fullmatch(code):  # babel accepts anything after “.” or “@”
        raise UnknownLanguage(language=code_or_name)
    try:
        found = Locale.parse(code, sep="_" if "_" in code else "-")
    except (ValueError, UnknownLocaleError):
        raise UnknownLanguage(language=code_or_name) from None
    if code.lower() in _NO_LANGUAGE:
        raise UnknownLanguage(language=code_or_name)
    return found


def script(of: Locale) -> str:
    """The ISO 15924 code of a locale's script, by CLDR's likely subtags if it names none."""
    likely = get_global("likely_subtags").get(of.language, "")
    return of.script or next((part for part in likely.split("_") if len(part) == 4), "Latn")


def script_name(code: str) -> str:
    """The English name of a script by its ISO 15924 code; "" for an unknown one."""
    name: str = Locale("en").scripts.get(code, "")
    return name


@cache
def names_of(code: str) -> frozenset[str]:
    """The names of a language in itself and in the languages of `_NAMED_IN`, casefolded; empty for an unknown code."""
    try:
        locales = {code, *_NAMED_IN}
        names = {Locale.parse(each).languages.get(code, "").casefold() for each in locales}
    except (ValueError, UnknownLocaleError):
        return frozenset()
    return frozenset(names - {""})


def long_codes(short: str) -> list[str]:
    """The three-letter codes of the language `short`, members before their macrolanguage (pes, then fas)."""
    aliases = get_global("language_aliases").items()
    return [long for long, known in aliases if known == short and len(long) == 3]


@cache
def _names() -> dict[str, str]:
    """English and Persian names to codes, the shorter code if a name has two."""
    found: dict[str, str] = {}
    for names in (Locale("fa").languages, Locale("en").languages):
        found |= {names[code].lower(): code for code in sorted(names, key=lambda code: (-len(code), code))}
    return found
