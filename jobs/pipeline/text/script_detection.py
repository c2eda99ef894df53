"""Detection of a text's script, to reject subtitles that are not in the stated language."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

from jobs.pipeline.errors import OtherLanguageSubtitles
from jobs.pipeline.text.languages import Language

_WORDS = {
    "Arab": "ARABIC",
    "Hebr": "HEBREW",
    "Latn": "LATIN",
    "Cyrl": "CYRILLIC",
    "Grek": "GREEK",
    "Hans": "CJK",
    "Hant": "CJK",
    "Jpan": "CJK HIRAGANA KATAKANA",
    "Kore": "HANGUL",
    "Deva": "DEVANAGARI",
    "Thai": "THAI",
}
"""Scripts that the first word of a character's Unicode name identifies. Others are not checked."""


def check_script(expected: Language, texts: Iterable[str], name: str) -> None:
    """Raise OtherLanguageSubtitles if less than 10 % of the letters in `texts` are in the script of `expected`."""
    wanted = set(_WORDS.get(expected.script, "").split())
    found = Counter(_script(letter) for text in texts for letter in text if letter.isalpha())
    if wanted and found and sum(found[script] for script in wanted) < 0.1 * found.total():
        raise OtherLanguageSubtitles(name=name, language=expected.name)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0].split("-")[0]
