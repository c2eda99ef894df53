"""Fonts by language."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageFont

from jobs.pipeline.subtitles import fonts
from jobs.pipeline.subtitles.fonts import FONTS, font, missing_font
from jobs.pipeline.text.languages import language

ALPHABETS = {
    "fa": "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیءئؤأۀة۰۱۲۳۴۵۶۷۸۹،؛؟٪٫٬«»",
    "ar": "أإآاىيكةءؤئًٌٍَُِّْ٠١٢٣٤٥٦٧٨٩",
    "ur": "ٹڈڑںےہھ",
    "he": "אבגדהוזחטיכךלמםנןסעפףצץקרשת״׳",
    "en": "ABCabc0123456789$€£%“”’–—…",
    "es": "áéíóúñü¿¡",
    "pl": "ąćęłńóśźż",
    "tr": "ğışİçö",
    "vi": "ắằẳẵặđơưỹ",
    "ru": "АБВГДЕЁЖЗабвгдеёжз",
    "uk": "ґєії",
    "el": "αβγδεζηθάέή",
    "hi": "अआइईउऊकखगघ",
}


@pytest.mark.parametrize("code", ALPHABETS)
@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_a_bundled_font_has_the_letters(code: str, weight: str) -> None:
    family = font(language(code)).family.replace(" ", "")
    face = ImageFont.truetype(FONTS / f"{family}-{weight}.ttf", 40)
    lacking = bytes(face.getmask("\uffff"))
    assert font(language(code)).bundled
    assert [letter for letter in ALPHABETS[code] if bytes(face.getmask(letter)) == lacking] == []


@pytest.mark.parametrize(("code", "digits"), [("fa", "0123456789ABCxyz$%"), ("he", "0123456789ABCxyz$%")])
def test_right_to_left_fonts_have_latin_too(code: str, digits: str) -> None:
    face = ImageFont.truetype(FONTS / f"{font(language(code)).family}-Regular.ttf", 40)
    assert all(face.getbbox(sign)[2] for sign in digits)


@pytest.mark.parametrize("family", ["Vazirmatn", "Heebo", "NotoSans"])
def test_names_and_heights_are_those_in_the_files(family: str) -> None:
    """ASS counts a font size in ascent and descent; libass takes both from the file."""
    face = ImageFont.truetype(FONTS / f"{family}-Regular.ttf", 2048)
    known = font(language({"Vazirmatn": "fa", "Heebo": "he", "NotoSans": "en"}[family]))
    assert face.getname() == (known.family, "Regular")
    assert known.height == pytest.approx(sum(face.getmetrics()) / 2048, rel=0.12)


@pytest.mark.parametrize(
    ("code", "family", "package"),
    [
        ("ja", "Noto Sans CJK JP", "fonts-noto-cjk"),
        ("zh", "Noto Sans CJK SC", "fonts-noto-cjk"),
        ("zh-Hant", "Noto Sans CJK TC", "fonts-noto-cjk"),
        ("ko", "Noto Sans CJK KR", "fonts-noto-cjk"),
        ("th", "Noto Sans Thai", "fonts-noto-core"),
        ("ka", "Noto Sans Georgian", "fonts-noto-core"),
    ],
)
def test_a_font_that_is_not_bundled_is_named_with_its_package(
    code: str, family: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "PLACES", ())
    assert font(language(code)).family == family
    assert missing_font(language(code)) == package


def test_a_font_on_this_machine_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "PLACES", (tmp_path,))
    (tmp_path / "noto").mkdir()
    (tmp_path / "noto" / "NotoSansCJK-Regular.ttc").touch()
    (tmp_path / "noto" / "NotoSansThai[wdth,wght].ttf").touch()
    (tmp_path / "noto" / "NotoSansLaoLooped-Regular.ttf").touch()
    found = {code: missing_font(language(code)) for code in ("ja", "th", "lo")}
    assert found == {"ja": None, "th": None, "lo": "fonts-noto-core"}


@pytest.mark.parametrize("code", ["fa", "ar", "he", "es", "ru", "hi"])
def test_bundled_fonts_are_never_missing(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "PLACES", ())
    assert missing_font(language(code)) is None
