"""Persian letters, digits and punctuation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.text.languages import language
from jobs.pipeline.text.persian import has_ezafe, is_conjugated, is_persian, tidy


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("من كتاب علي را خواندم", "من کتاب علی را خواندم"),
        ("على", "علی"),
        ("سلام, خوبی? بله; خوبم", "سلام، خوبی؟ بله؛ خوبم"),
        ("کتاب 12 صفحه دارد", "کتاب ۱۲ صفحه دارد"),
        ("سال ١٣٩٩", "سال ۱۳۹۹"),
        ("1,000,000 تومان", "۱٬۰۰۰٬۰۰۰ تومان"),
        ("شمارهٔ 1,2 و 3", "شمارهٔ ۱,۲ و ۳"),
        ("12-13 سالگی", "۱۲-۱۳ سالگی"),
        ("50% مردم", "۵۰% مردم"),
        ("مدل GPT-4 خوب است", "مدل GPT-4 خوب است"),
        ("یک iPhone 15 خریدم", "یک iPhone 15 خریدم"),
        ("نسخهٔ v2, که تازه است", "نسخهٔ v2، که تازه است"),
        ("ساعت 10:30 بود", "ساعت 10:30 بود"),
        ("قیمتش $99.99 است", "قیمتش $99.99 است"),
        ("به https://a.ir/x?y=1,2 برو, لطفا", "به https://a.ir/x?y=1,2 برو، لطفا"),
        ("گفت: “Hello, world” و رفت", "گفت: “Hello, world” و رفت"),
        ("معلم TESOL, هستم?", "معلم TESOL، هستم؟"),
        ("من معلم TESOL?", "من معلم TESOL؟"),
        ("می‌‌شود", "می‌شود"),
        ("می‌ شود، ‌کتاب‌", "می شود، کتاب"),
        ("Hello, are you 12?", "Hello, are you 12?"),
        ("12", "12"),
        ("", ""),
    ],
)
def test_tidying(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


@given(st.text(st.sampled_from("سیك یکA9b,;? ‌.:۱٢$/@"), max_size=30))
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize(
    ("code", "persian"), [("fa", True), ("fa-AF", True), ("ar", False), ("ur", False), ("en", False)]
)
def test_only_persian_is_persian(code: str, persian: bool) -> None:
    assert is_persian(language(code)) is persian


@pytest.mark.parametrize(
    ("word", "written"),
    [
        *(("خانهٔ", True), ("کتابِ", True), ("خانه‌ی", True), ("کتاب‌های", True), ("دریای", True), ("نیروی", True)),
        *(("بوی", True), ("وی", False), ("خانه‌ای", False), ("کتاب", False), ("می‌شوی", False), ("ای", False)),
    ],
)
def test_a_written_ezafe_is_seen(word: str, written: bool) -> None:
    assert has_ezafe(word) is written


@pytest.mark.parametrize(
    ("word", "verb"), [("می‌رود", True), ("نمی‌دانم", True), ("رفته‌اند", True), ("میکند", True), ("میدان", False)]
)
def test_verbs_are_seen_by_their_forms(word: str, verb: bool) -> None:
    assert is_conjugated(word) is verb
