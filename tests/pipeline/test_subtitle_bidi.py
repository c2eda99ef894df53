"""Places of direction marks. ‹ is LRM, › is RLM; the frames show their effect."""

from __future__ import annotations

import pytest

from jobs.pipeline.text.bidi import direct, strip_marks


def marked(*lines: str) -> list[str]:
    return [line.replace("\u200e", "‹").replace("\u200f", "›") for line in direct(lines, "rtl")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سلام دنیا!", "›سلام دنیا!"),
        ("من یک معلم TESOL هستم.", "›من یک معلم TESOL هستم."),
        ("Google خوب است", "›Google خوب است"),
        ("قیمت $99.99 است", "›قیمت ‹$99.99 است"),
        ("حدود 50% بود", "›حدود ‹50%‹ بود"),
        ("فقط 2020 و 12:30 و 1,000.50", "›فقط 2020 و 12:30 و 1,000.50"),
        ("صفحهٔ 10-20 را", "›صفحهٔ ‹10-20 را"),
        ("زبان C++ و C# و .NET", "›زبان C++‹ و C#‹ و ‹.NET"),
        ("از U.S.A. آمد", "›از U.S.A.‹ آمد"),
        ("تابع f(x) است", "›تابع f(x)‹ است"),
        ("در https://example.com/a?b=1/ ببین", "›در https://example.com/a?b=1/‹ ببین"),
        ("به @ali بگو", "›به ‹@ali بگو"),
        ("آن NASA! گفت", "›آن NASA! گفت"),
    ],
)
def test_latin_words_prices_and_addresses(text: str, expected: str) -> None:
    assert marked(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("حدود ۵۰٪ بود", "›حدود ۵۰›٪ بود"),
        ("با Java ۵۰٪ بود", "›با Java ›۵۰›٪ بود"),
        ("۱۰-۲۰ نفر", "›۱۰›-۲۰ نفر"),
        ("شمارهٔ ۰۲۱-۱۲۳۴۵۶۷۸ است", "›شمارهٔ ‹۰۲۱-۱۲۳۴۵۶۷۸‹ است"),
        ("در ۲۰۲۰-۰۵-۰۱ بود", "›در ‹۲۰۲۰-۰۵-۰۱‹ بود"),
        ("با +98 21 1234 تماس", "›با ‹+98 21 1234‹ تماس"),
        ("۱ ۰۰۰ ۰۰۰ نفر", "›‹۱ ۰۰۰ ۰۰۰‹ نفر"),
        ("فقط $۵ بود", "›فقط ‹$۵‹ بود"),
        ("دما -۵ بود", "›دما ‹-۵‹ بود"),
        ("-۵ نفر بودند", "›-۵ نفر بودند"),
        ("در iPhone ۱۵ بود", "›در iPhone ۱۵ بود"),
        ("از Python. ۳ نفر", "›از Python. ›۳ نفر"),
        ("مع ٥٠٪ خصم", "›مع ٥٠›٪ خصم"),
    ],
)
def test_eastern_numbers(text: str, expected: str) -> None:
    assert marked(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("معلم (TESOL) است", "›معلم (TESOL) است"),
        ("زبان Python (Java) است", "›زبان Python (Java)‹ است"),
        ("(Python) Java خوب است", "›(Python)› Java خوب است"),
        ("Python (نسخهٔ ۳) Go را", "›Python ›(نسخهٔ ۳)› Go را"),
        ('«Go» "Java" [C] را', '›«Go»› "Java"› [C] را'),
        ("Python، Java و", "›Python،› Java و"),
        ("یک ) بسته و ( باز", "›یک ) بسته و ( باز"),
    ],
)
def test_brackets_and_lists(text: str, expected: str) -> None:
    assert marked(text) == [expected]


def test_hebrew_dash_before_a_number_is_no_minus() -> None:
    assert marked("מ-10 עד 20") == ["›מ-10 עד 20"]


def test_a_line_without_any_letter_of_the_language_is_one_latin_stretch() -> None:
    assert marked("Hello, world!") == ["›‹Hello, world!‹"]


def test_a_latin_line_of_a_persian_subtitle_ends_as_its_sentence_does() -> None:
    assert marked("من معلم", "TESOL.") == ["›من معلم", "›TESOL."]


def test_every_right_to_left_line_begins_with_the_mark() -> None:
    assert all(line.startswith("›") for line in marked("الف", "B", "5", "$", "(", "ت"))


def test_left_to_right_lines_are_marked_where_they_hold_the_other_kind() -> None:
    assert direct(["سلام means hello.", "Yes."], "ltr") == ["\u200eسلام means hello.", "Yes."]


def test_marks_that_somebody_put_in_go() -> None:
    assert strip_marks("\u202bسلام\u202c \u2066Go\u2069\u200e\u061c") == "سلام Go"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("او «Hello world!» گفت", "›او «Hello world!‹» گفت"),
        ("او (Who is he?) گفت", "›او (Who is he?‹) گفت"),
        ('او "Stop it." گفت', '›او "Stop it.‹" گفت'),
        ("او “Wow…” گفت", "›او “Wow…‹” گفت"),
        ("او «…and all» گفت", "›او «‹…and all» گفت"),
        ("فیلم «2 Fast!» بود", "›فیلم «‹2 Fast!‹» بود"),
        ("«Stop!» «Go!» گفت", "›«Stop!‹»› «Go!‹» گفت"),
        ("در «C++ (2nd ed.)!» بود", "›در «C++‹ (2nd ed.)‹!‹» بود"),
        ("در «Hello» بود", "›در «Hello» بود"),
        ("در «سلام (hi!)» بود", "›در «سلام (hi!‹)» بود"),
        ("در («سلام!») و (۱۲!) بود", "›در («سلام!») و (۱۲!) بود"),
        ("او گفت «Where are you?", "›او گفت «Where are you?‹"),
        ("my friend?» گفت", "›my friend?‹» گفت"),
        ("a) نخست :)", "›a) نخست :)"),
    ],
)
def test_signs_at_the_ends_of_a_latin_phrase_in_brackets(text: str, expected: str) -> None:
    assert marked(text) == [expected]
