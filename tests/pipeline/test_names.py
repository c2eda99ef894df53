"""Names of results, from titles that people and sites chose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.filenames import result_name


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


@given(st.text(st.characters(), max_size=400) | st.text("./ \n\0aس😀\udcff", max_size=200))
def test_every_name_is_one_of_a_file(title: str) -> None:
    name = result_name(title)
    assert name
    assert name == name.strip()
    assert not name.startswith(".")
    assert "/" not in name
    assert not any(ord(letter) < 32 for letter in name)
    assert len(name.encode()) <= 180
