"""The comparison of heard words with said ones: numbers that were counted by hand."""

from __future__ import annotations

import pytest

from tests.quality.scoring import (
    Errors,
    character_errors,
    errors,
    looped_words,
    loops,
    matches,
    normalise,
    word_errors,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("it’s nine o'clock", ["its", "nine", "oclock"]),
        ("كتاب‌هاي من", ["کتاب", "های", "من"]),
        ("همهٔ", ["همه"]),
        ("ﻻ", ["لا"]),
        ("Straße", ["strasse"]),
        ("3.5 %", ["3", "5"]),
        ("… – «»", []),
    ],
)
def test_texts_are_compared_in_one_form(text: str, words: list[str]) -> None:
    assert normalise(text) == words


@pytest.mark.parametrize(
    ("said", "heard", "count"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a b c", "a b b c", 1),
        ("a b c", "", 3),
        ("", "a b", 2),
        ("a b c d", "b c d a", 2),
        ("one two three", "two three four five", 3),
    ],
)
def test_word_errors_are_the_least_changes(said: str, heard: str, count: int) -> None:
    assert word_errors(said, heard) == Errors(errors=count, length=len(said.split()))


def test_rates_are_shares_of_what_was_said_and_may_exceed_it() -> None:
    assert word_errors("a b", "x y z w").percent == 200.0
    assert character_errors("abcd", "abxd").percent == 25.0
    assert (errors("ab", "ab") + errors("ab", "")).percent == 50.0


def test_matches_pair_equal_and_changed_words() -> None:
    assert matches(["a", "b", "c"], ["a", "x", "c"]) == [(0, 0), (1, 1), (2, 2)]
    assert matches(["a", "b", "c"], ["b", "c"]) == [(1, 0), (2, 1)]
    assert matches(["a"], []) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("no no no", 0),
        ("in in in in in in", 5),
        ("so we go so we go", 0),
        ("so we go so we go so we go on", 6),
        ("and that is what I have said and that is what I have said", 7),
        ("a b a b a b a", 5),
        ("x y z", 0),
    ],
)
def test_later_turns_of_a_loop_are_counted(text: str, count: int) -> None:
    assert sum(loops(text.split())) == count


def test_a_loop_begins_after_its_first_turn() -> None:
    assert loops(["oh", "a", "b", "a", "b", "a", "b"]) == [False, False, False, True, True, True, True]


def test_a_repetition_that_was_said_is_no_loop() -> None:
    assert looped_words("ha ha ha ha ha", ["Ha ha ha ha ha!"]) == 0
    assert looped_words("ha", ["ha ha", "ha ha"]) == 3
