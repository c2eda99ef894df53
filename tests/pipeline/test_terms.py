"""The places of terms in texts, and the check of their translations."""

from __future__ import annotations

import pytest

from jobs.pipeline.protocols import Brief
from jobs.pipeline.text.terms import Violation, is_translated, misused, occurring, violations
from tests.engines.llm_doubles import line


@pytest.mark.parametrize(
    ("term", "text", "code", "there"),
    [
        ("Neural Net", "A neural net.", "en", True),
        ("net", "the internet", "en", False),
        ("cat", "Two cats, the cat's tail", "en", True),
        ("cat", "a category, to concatenate", "en", False),
        ("city", "the cities", "en", True),
        ("bake", "while baking, baked", "en", True),
        ("star", "a start", "en", False),
        ("car", "a card", "en", False),
        ("open source", "open-source software", "en", True),
        ("open source", "open the source", "en", False),
        ("C++", "in C++, say", "en", True),
        ("C", "in C++ and C#", "en", False),
        (".NET", "with .NET here", "en", True),
        (".NET", "the net", "en", False),
        ("R&D", "our R&D team", "en", True),
        ("O'Reilly", "by O’Reilly", "en", True),
        ("GPT-4", "GPT 4 is", "en", True),
        ("کتاب", "كتابها را", "fa", True),
        ("کتاب", "کتاب‌هایمان", "fa", True),
        ("کتاب", "کتابی خواندم", "fa", True),
        ("کار", "کارت بانکی", "fa", False),
        ("باز", "می‌بازد و می‌باز", "fa", False),
        ("شبکهٔ عصبی", "شبکه‌های عصبی", "fa", True),
        ("متن‌باز", "نرم‌افزارهای متن باز", "fa", True),
        ("هوش مصنوعی", "هوشِ مصنوعى", "fa", True),
        ("بيت ٤", "بیت ۴", "fa", True),
        ("page", "open contact_page.html or page@mail.org", "en", False),
        ("max_tokens", "set max_tokens to 5", "en", True),
        ("date", "Date/time", "en", True),
        ("Netz", "des Netzes, die Netze", "de", True),
        ("red", "las redes", "es", True),
        ("история", "в историю", "ru", True),
        ("كتاب", "والكتاب", "ar", True),
        ("模型", "这个模型很大", "zh", True),
        ("kitap", "kitaplarımızdan", "tr", True),
    ],
)
def test_where_a_term_occurs(term: str, text: str, code: str, there: bool) -> None:
    assert bool(occurring([(term, "x")], [text], code)) is there


def test_a_term_inside_a_longer_one_does_not_occur() -> None:
    glossary = [("source", "منبع"), ("open source", "متن‌باز")]
    assert occurring(glossary, ["Open source software"], "en") == [("open source", "متن‌باز")]
    assert occurring(glossary, ["Open source has a source"], "en") == glossary


def test_a_term_over_the_border_of_two_lines() -> None:
    assert occurring([("open source", "متن‌باز")], ["It is open", "source software."], "en")


@pytest.mark.parametrize(
    ("translation", "text", "code", "there"),
    [
        ("متن‌باز", "نرم‌افزارهای متن باز", "fa", True),
        ("متن‌باز", "نرم‌افزار متنباز", "fa", True),
        ("متن‌باز", "نرم‌افزار آزاد", "fa", False),
        ("شبکهٔ عصبی", "شبکه‌های عصبی عمیق", "fa", True),
        ("شبکهٔ عصبی", "شبكه عصبي", "fa", True),
        ("آب", "کتاب آبی", "fa", True),
        ("آب", "کتاب خوب", "fa", False),
        ("خانه", "خونه‌مون", "fa", False),
        ("red neuronal", "las redes neuronales", "es", True),
        ("red neuronal", "la red social", "es", False),
        ("Datenbank", "ein Datenbanksystem", "de", True),
        ("Passwort", "beide Passwörter", "de", True),
        ("нейронная сеть", "нейронную сеть", "ru", True),
        ("قاعدة بيانات", "في قاعدة البيانات", "ar", True),
        ("神经网络", "这是神经网络", "zh", True),
        ("the Hague", "in Hague", "en", False),
        ("Den Haag", "in Den Haags Straßen", "de", True),
    ],
)
def test_whether_a_translation_is_used(translation: str, text: str, code: str, there: bool) -> None:
    assert is_translated("term", translation, text, code) is there


@pytest.mark.parametrize(
    ("term", "text", "there"),
    [
        ("GitHub", "در GitHub بود", True),
        ("GitHub", "روی GitHub‌ها و GitHubهای", True),
        ("GitHub", "در گیت‌هاب", False),
        ("GitHub", "در github", False),
        ("iPhone", "two iPhones, the iPhone's", True),
        ("Go", "with Google", False),
        ("C++", "در C++ نوشت", True),
    ],
)
def test_a_term_that_is_to_stay(term: str, text: str, there: bool) -> None:
    assert is_translated(term, term, text, "fa") is there


GLOSSARY = (("whale", "نهنگ"), ("GPU", "GPU"))


def test_violations_are_named_with_their_line() -> None:
    sources = ["Whales sing.", "The GPU hums.", "A whale on a GPU.", "Nothing."]
    targets = ["نهنگ‌ها می‌خوانند.", "پردازنده زمزمه می‌کند.", "وال روی پردازنده.", "هیچ."]
    assert violations(GLOSSARY, sources, targets, [False] * 4, ("en", "fa")) == [
        Violation(place=1, term="GPU", translation="GPU"),
        Violation(place=2, term="whale", translation="نهنگ"),
        Violation(place=2, term="GPU", translation="GPU"),
    ]


def test_the_translation_may_stand_in_another_line_of_the_sentence() -> None:
    sources, targets = ["The whale that we saw", "was blue."], ["آنچه دیدیم", "نهنگی آبی بود."]
    assert not violations(GLOSSARY, sources, targets, [True, False], ("en", "fa"))
    assert violations(GLOSSARY, sources, targets, [False, False], ("en", "fa"))


def test_a_line_without_a_translation_is_not_checked() -> None:
    assert not violations(GLOSSARY, ["A whale."], [""], [False], ("en", "fa"))


def test_violations_by_the_id_of_their_line() -> None:
    brief = Brief(source="en", target="fa", glossary=GLOSSARY)
    found = misused([line(7, "A whale."), line(8, "A bird.")], {7: "یک وال.", 8: "پرنده."}, brief)
    assert {number: [one.term for one in wrong] for number, wrong in found.items()} == {7: ["whale"]}


def test_a_large_glossary_takes_little_time() -> None:
    """2,000 terms in 1,000 lines: counted as comparisons of words, which an index keeps few."""
    glossary = [(f"term{number}", "x") for number in range(2000)]
    texts = [f"Here is term{number} of many lines" for number in range(0, 2000, 2)]
    assert len(occurring(glossary, texts, "en")) == 1000
