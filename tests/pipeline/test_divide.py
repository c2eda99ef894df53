"""Joining lines to sentences and splitting them again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.protocols import Line
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.sentence_split import LONGEST_SENTENCE, sentences, split_by_shares

ES, FA, ZH = language("es"), language("fa"), language("zh")


def line(number: int, *, ends: bool) -> Line:
    return Line(id=number, text="x", budget=10, ends_sentence=ends)


def test_runs_end_with_sentences() -> None:
    lines = [line(number, ends=number in {1, 4}) for number in range(1, 7)]
    assert [[one.id for one in run] for run in sentences(lines)] == [[1], [2, 3, 4], [5, 6]]


def test_a_sentence_without_end_is_cut() -> None:
    runs = list(sentences([line(number, ends=False) for number in range(30)]))
    assert [len(run) for run in runs] == [LONGEST_SENTENCE, LONGEST_SENTENCE, 30 - 2 * LONGEST_SENTENCE]


@pytest.mark.parametrize(
    ("text", "shares", "parts"),
    [
        ("uno dos tres cuatro", [10, 10], ["uno dos", "tres cuatro"]),
        ("uno dos tres cuatro", [1, 3], ["uno", "dos tres cuatro"]),
        ("Cuando llegó a casa, no había nadie", [10, 10], ["Cuando llegó a casa,", "no había nadie"]),
        ("Gracias", [5, 5, 5], ["Gracias", "Gracias", "Gracias"]),
        ("Buenos días", [5, 5, 5], ["Buenos", "días", "días"]),
        ("uno", [7], ["uno"]),
        ("", [1, 2], ["", ""]),
        ("uno dos", [0, 0], ["uno", "dos"]),
    ],
)
def test_dividing(text: str, shares: list[int], parts: list[str]) -> None:
    assert split_by_shares(text, shares, ES) == parts


def test_half_spaces_hold() -> None:
    assert split_by_shares("او می‌خواهد که برود", [1, 1], FA) == ["او می‌خواهد", "که برود"]


def test_scripts_without_spaces_are_divided_too() -> None:
    parts = split_by_shares("我今天早上去市场买了面包", [1, 1], ZH)
    assert "".join(parts) == "我今天早上去市场买了面包"
    assert all(parts)


@given(
    st.lists(st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=9), min_size=1, max_size=40),
    st.lists(st.integers(0, 90), min_size=1, max_size=LONGEST_SENTENCE),
)
def test_nothing_is_lost_and_nothing_is_empty(words: list[str], shares: list[int]) -> None:
    parts = split_by_shares(" ".join(words), shares, ES)
    assert len(parts) == len(shares)
    assert all(parts)
    if len(words) >= len(shares):
        assert " ".join(parts).split() == " ".join(words).split()
