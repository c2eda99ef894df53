"""Rejection of subtitles in another script than the stated language's."""

from __future__ import annotations

import pytest

from jobs.pipeline.errors import OtherLanguageSubtitles
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.script_detection import check_script

TEXTS = {
    "fa": "مردم دنیا به زبان‌های بسیاری حرف می‌زنند.",
    "ar": "أهلا وسهلا بكم جميعا",
    "he": "שלום לכולם וברוכים הבאים",
    "en": "The people of the world speak many languages.",
    "es": "Mañana será otro día, ¿verdad?",
    "vi": "Mọi người đều có thể hiểu được.",
    "ru": "Все люди говорят на разных языках.",
    "el": "Όλοι οι άνθρωποι μιλούν.",
    "zh": "世界上的人说很多语言。",
    "ja": "世界の人々は多くの言語を話します。",
    "ko": "세계 사람들은 많은 언어를 말합니다.",
    "hi": "दुनिया के लोग कई भाषाएँ बोलते हैं।",
    "th": "ผู้คนทั่วโลกพูดได้หลายภาษา",
}


@pytest.mark.parametrize("code", TEXTS)
def test_a_text_in_its_own_language(code: str) -> None:
    check_script(language(code), [TEXTS[code]], "given.srt")


@pytest.mark.parametrize(
    ("said", "is_in"),
    [("fa", "en"), ("en", "fa"), ("fa", "he"), ("he", "ar"), ("ru", "en"), ("zh", "ko"), ("el", "ru"), ("th", "hi")],
)
def test_a_text_in_another_script(said: str, is_in: str) -> None:
    with pytest.raises(OtherLanguageSubtitles) as caught:
        check_script(language(said), [TEXTS[is_in]], "given.srt")
    assert "given.srt" in str(caught.value)
    assert language(said).name in str(caught.value)


@pytest.mark.parametrize(
    "texts",
    [
        ["سلام John Smith از OpenStreetMap و Wikipedia آمد"],
        ["۱۲۳", "♪ ♪", "…"],
        [],
        ["Chapter One", "فصل اول: آغاز یک سفر بلند"],
    ],
    ids=["names", "no letters", "nothing", "a foreign line"],
)
def test_foreign_words_are_no_foreign_language(texts: list[str]) -> None:
    check_script(language("fa"), texts, "given.srt")


def test_a_script_that_is_not_known_is_not_judged() -> None:
    check_script(language("ka"), [TEXTS["en"]], "given.srt")
