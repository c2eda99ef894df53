"""The language of each stretch of speech."""

from __future__ import annotations

import pytest

from jobs.pipeline.speech.language_runs import language_runs, settled


def sure(*languages: str, share: float = 0.95) -> list[dict[str, float]]:
    return [{language: share, "la": 0.02} for language in languages]


@pytest.mark.parametrize("languages", [["en"], ["en", "en", "de", "de"], ["fa", "en", "fa"], ["de", "en", "fa", "de"]])
def test_sentences_keep_their_languages(languages: list[str]) -> None:
    assert language_runs(sure(*languages), [4.0] * len(languages)) == languages


def test_a_short_word_in_another_language_changes_nothing() -> None:
    assert language_runs(sure("fa", "en", "fa"), [4.0, 0.8, 4.0]) == ["fa"] * 3


def test_what_is_unlikely_follows_its_neighbours() -> None:
    likely = [{"en": 0.9}, {"cy": 0.3, "en": 0.2}, {"en": 0.9}]

    assert language_runs(likely, [4.0, 4.0, 4.0]) == ["en"] * 3


def test_the_language_before_decides_where_nothing_is_likely() -> None:
    assert language_runs([{"la": 0.1}], [5.0], expected="fa") == ["fa"]
    assert language_runs([{"la": 0.1}], [5.0]) == [""]


def test_the_language_before_does_not_hold_against_a_sentence_in_another() -> None:
    assert language_runs(sure("de", "de"), [4.0, 4.0], expected="en") == ["de", "de"]


def test_where_none_is_likely_the_likeliest_of_all_is_taken() -> None:
    """Unclear speech is better recognised in the likeliest language than not at all."""
    likely = [{"es": 0.3, "tl": 0.28}, {"tl": 0.4, "es": 0.3}, {"es": 0.3}]

    assert language_runs(likely, [3.0] * 3) == ["es"] * 3


def test_nothing_is_nothing() -> None:
    assert language_runs([], []) == []
    assert language_runs([], [], expected="en") == []


def test_a_stretch_that_tells_no_language_follows_its_neighbours() -> None:
    unclear, clear = {"mi": 0.5, "es": 0.2}, {"de": 0.95}
    pairs: list[dict[str, float]] = [{"es": 0.96}, {"es": 0.6, "de": 0.4}, {"de": 0.9}]

    found = settled([unclear, unclear, clear, unclear], pairs)

    assert found[1]["es"] == pytest.approx(0.78)
    assert found[2] == clear
    assert language_runs(found, [3.0] * 4) == ["es", "es", "de", "de"]
    assert settled([unclear], []) == [unclear]


def test_the_first_stretch_alone_makes_no_language() -> None:
    """At the edge of a piece a recogniser sees languages that nobody speaks."""
    found = settled([{"fi": 0.91}, {"de": 0.3}, {"de": 0.3}], [{"de": 0.85}, {"de": 0.87}])

    assert language_runs(found, [3.0] * 3) == ["de"] * 3
