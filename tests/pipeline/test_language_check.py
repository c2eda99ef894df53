"""Comparison of a text with the language that it is said to be in.

Texts in many languages are those of the catalogues that come with Django.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import django
import pytest

from jobs.pipeline.text.language_check import _LISTS, is_in
from tests.pipeline.with_subtitles import ENGLISH, GERMAN, PERSIAN

CATALOGUES = Path(django.__file__).parent
NEAR = {("da", "no"), ("no", "da"), ("no", "sv"), ("bg", "ru"), ("uk", "ru"), ("ru", "bg")}
"""Languages with so many words in common that a wrong label between them may not be noticed."""
OTHERS = ("hr", "sk", "sl", "lt", "lv", "et", "eu", "sq", "vi", "az", "el", "he", "ko", "ka")
"""Languages without a list of words."""


@cache
def texts(code: str) -> Sequence[str]:
    """Sentences of a language, without markup and names of parameters."""
    found = []
    for file in sorted(CATALOGUES.glob(f"**/locale/{'nb' if code == 'no' else code}/LC_MESSAGES/django.po")):
        for told in re.findall(r'^msgstr(?:\[0\])? ((?:".*"\n)+)', file.read_text(), re.MULTILINE):
            whole = "".join(re.findall(r'"(.*)"', told))
            plain = re.sub(r"%\(\w+\)s|%s|\\n|\\\"|<[^>]+>|\{\w+\}|[A-Z][\w-]+: .*", " ", whole)
            found += [plain] if len(plain.split()) > 4 else []
    return found[:80]


@pytest.mark.parametrize("code", sorted(_LISTS.keys() - {"en"}))
def test_a_text_in_its_own_language(code: str) -> None:
    assert is_in(code, texts(code)) in {"yes", "unknown"}


@pytest.mark.parametrize("code", sorted(_LISTS.keys() - {"en"}))
def test_a_text_with_a_wrong_label(code: str) -> None:
    wrong = [other for other in _LISTS if other != code and is_in(other, texts(code)) == "yes"]
    assert [other for other in wrong if (code, other) not in NEAR] == []
    assert is_in("en", texts(code)) == "no"


@pytest.mark.parametrize("code", OTHERS)
def test_a_language_without_a_list(code: str) -> None:
    assert is_in(code, texts(code)) != "no"


@pytest.mark.parametrize("code", ["hr", "sk", "sl", "lt", "lv", "et", "eu", "sq", "vi", "az"])
def test_a_language_without_a_list_that_is_labelled_as_english(code: str) -> None:
    assert is_in("en", texts(code)) == "no"


@pytest.mark.parametrize(
    ("lines", "code", "verdict"),
    [
        (ENGLISH, "en", "yes"),
        (ENGLISH, "en-GB", "yes"),
        (ENGLISH, "de", "no"),
        (ENGLISH, "fa", "no"),
        (GERMAN, "de", "yes"),
        (GERMAN, "en", "no"),
        (PERSIAN, "fa", "yes"),
        (PERSIAN, "ar", "no"),
        (PERSIAN, "en", "no"),
        (ENGLISH[:2], "en", "unknown"),  # too short
        (("Ich bin hier.",), "en", "unknown"),
        (("世界の人々は多くの言語を話します。",), "ja", "yes"),
        (("世界の人々は多くの言語を話します。",), "en", "no"),
        ((), "en", "unknown"),
    ],
)
def test_subtitles(lines: Sequence[str], code: str, verdict: str) -> None:
    assert is_in(code, lines) == verdict
