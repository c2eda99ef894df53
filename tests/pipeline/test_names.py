"""File names made of titles."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.filenames import ascii_title, result_name, shortened


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A film", "A film"),
        ("فیلم «سفر»", "فیلم «سفر»"),
        ("می‌روم", "می‌روم"),
        ('it\'s 5:30, "ok"?', 'it\'s 5:30, "ok"?'),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("a/b/../c", "a b .. c"),
        ("../../etc/passwd", "etc passwd"),
        (".hidden", "hidden"),
        ("..", "video"),
        ("", "video"),
        ("   ", "video"),
        ("-y", "-y"),
        ("half \udcff a character", "half a character"),
        ("v1.2.final", "v1.2.final"),
    ],
)
def test_a_name(title: str, name: str) -> None:
    assert result_name(title) == name


@pytest.mark.parametrize("letter", ["x", "س", "字", "😀"])
def test_a_long_title_leaves_room_for_what_is_added(letter: str) -> None:
    name = result_name(letter * 300)
    assert 170 < len(name.encode()) <= 180
    assert set(name) == {letter}


@pytest.mark.parametrize(
    ("cluster", "why"),
    [
        ("e\u0301", "a letter with a mark of its own"),
        ("مُ", "an Arabic letter with a vowel"),
        ("👩\u200d🚀", "people joined to one picture"),
        ("👍🏽", "a tone of skin"),
        ("❤\ufe0f", "a selector of its form"),
        ("🇮🇷", "a flag of two letters"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "a flag of tags"),
        ("각", "a syllable of three parts"),
        ("क्षि", "letters joined by a virama"),
    ],
)
@pytest.mark.parametrize("before", range(4))
def test_a_name_is_not_cut_within_what_readers_see_as_one(cluster: str, why: str, before: int) -> None:
    name = result_name("x" * before + cluster * 200)
    whole, rest = divmod(len(name) - before, len(cluster))
    assert rest == 0, why
    assert name == "x" * before + cluster * whole
    assert len(name.encode()) > 180 - len(cluster.encode())


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("word", ["می\u200cخواهم", "خانه\u200cهای", "a\u200db", "سلام\u200f"])
def test_a_name_that_is_cut_ends_with_a_word(word: str, before: int) -> None:
    words = result_name("x" * before + f" {word}" * 60).split(" ")
    assert set(words[-3:]) == {word.strip("\u200f"), word} or set(words[-3:]) == {word}
    assert not words[-1].endswith(("\u200c", "\u200d", "\u200f"))


@pytest.mark.parametrize("before", range(5))
def test_one_long_word_does_not_end_with_a_joiner(before: int) -> None:
    """Persian compounds may be as long as they like."""
    name = result_name("x" * before + "ن\u200c" * 100)
    assert name.endswith("ن")
    assert 170 < len(name.encode()) <= 180


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("فیلم\u200c", "فیلم"),
        ("\u200f\u202bفیلم\u202c", "فیلم"),
        ("\ufefffilm", "film"),
        ("evil\u202e4pm.exe", "evil4pm.exe"),
        ("\u200c\u200d\u200e", "video"),
        (".\u200e.x", "x"),
        ("a" + "\u0301" * 300, "video"),
    ],
)
def test_what_nobody_sees_is_not_at_the_ends_of_a_name(title: str, name: str) -> None:
    assert result_name(title) == name


def test_shortened_counts_what_it_is_told_to() -> None:
    assert shortened("می\u200cروم", 3) == "می"
    assert shortened("می\u200cروم", 7) == "می\u200cروم"
    assert shortened("نامه", 5, size=lambda text: len(text.encode())) == "نا"
    assert shortened("🇮🇷🇮🇷", 3) == "🇮🇷"
    assert shortened("", 3) == ""


@given(st.text(st.characters(), max_size=400) | st.text("./ \n\0aس😀\udcff", max_size=200))
def test_every_name_is_one_of_a_file(title: str) -> None:
    name = result_name(title)
    assert name
    assert name == name.strip()
    assert not name.startswith(".")
    assert "/" not in name
    assert not any(ord(letter) < 32 for letter in name)
    assert len(name.encode()) <= 180
    assert name[-1] not in "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert result_name(name) == name


# For programs that know only ASCII


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A film (2010), part 2", "A film (2010), part 2"),
        ("Über die Straße", "Uber die Strasse"),
        ("¿Qué pasó?", "Que paso"),
        ("Łódź – Đà Nẵng", "Lodz - Da Nang"),
        ("آموزش Python، قسمت ۳", "Python 3"),
        ("سفر به شیراز", "video"),
        ("گفت‌وگو ۱۲:۳۰", "video"),
        ("東京物語", "video"),
        ("Москва", "video"),
        ("‪‫🙂🙂", "video"),
        ("ﬁn de l’été", "fin de lete"),
        ('a "quoted" 50% \\ name', "a quoted 50 name"),
        (")) Film (1)", "Film (1)"),
    ],
)
def test_a_form_in_ascii(title: str, name: str) -> None:
    assert ascii_title(title) == name


@given(st.text(max_size=60))
def test_it_has_only_ascii_that_needs_no_care(title: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ()+,.=@_-]*|[(@].*", ascii_title(title))
    assert len(re.findall("[A-Za-z]", ascii_title(title))) >= 3
