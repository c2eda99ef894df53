"""Times of words in WhisperX's segments, aligned or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from jobs.engines.whisperx.decoding import Decoded
from jobs.engines.whisperx.word_times import attended_words, words_of
from jobs.pipeline.protocols import Region
from jobs.pipeline.speech.pieces import Piece


def segment(text: str, start: float, end: float, words: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "avg_logprob": -0.105, "words": words}


def test_times_without_alignment_skip_the_pauses() -> None:
    words = words_of(segment(" one two three four", 0, 10), "en", [Region(start=1, end=2), Region(start=8, end=9)])

    assert [word.text for word in words] == ["one", "two", "three", "four"]
    assert words[0].start == 1
    assert words[1].end <= 2.01
    assert words[2].end >= 8
    assert words[3].end == 9


def test_times_without_known_speech_are_even() -> None:
    words = words_of(segment("ab cd", 2, 4), "en", [])

    assert [(word.start, word.end) for word in words] == [(2, 3), (3, 4)]


def test_confidence_is_the_mean_probability_of_a_token() -> None:
    assert words_of(segment("ab", 2, 4), "en", [])[0].confidence == pytest.approx(0.9, abs=0.001)


def test_speech_that_the_decoder_skipped_is_not_a_part_of_a_word() -> None:
    """The attention counts it to the word before it goes on; it has to be found again as speech without words."""
    heard = [("I", 0.1, 0.4), ("forgot", 0.4, 22.0), ("my", 22.0, 22.4), ("coat.", 22.4, 23.0)]
    words = [{"word": text, "start": start, "end": end} for text, start, end in heard]
    decoded = Decoded(tokens=[1], text="I forgot my coat.", logprob=-0.2, no_speech=0.0, compression=1.0, words=words)

    found = attended_words(decoded, Piece(spans=(Region(start=0, end=30),)), "en", [Region(start=0, end=24)])

    assert [word.text for word in found] == ["I", "forgot", "my", "coat."]
    assert (found[1].start, found[1].end) == (21.0, 22.0)

    decoded.words = [{"word": "I", "start": 0.1, "end": 0.4}, {"word": "forgot.", "start": 0.4, "end": 23.0}]
    decoded.text = "I forgot."
    last = attended_words(decoded, Piece(spans=(Region(start=0, end=30),)), "en", [Region(start=0, end=24)])[-1]
    assert (last.start, last.end) == (0.4, 1.4)


def test_scripts_without_spaces_are_divided_by_characters_but_not_latinwords_of() -> None:
    words = words_of(segment("你好 WhisperX 3吗", 0, 3), "zh", [])

    assert [word.text for word in words] == ["你", "好", "WhisperX", "3", "吗"]


def test_a_segment_without_text_gives_no_word() -> None:
    assert words_of(segment("  ", 0, 3), "en", []) == []


def timed(text: str, start: float) -> dict[str, Any]:
    return {"word": text, "start": start, "end": start + 0.2, "score": 0.5}


def test_aligned_words_have_their_own_times() -> None:
    words = words_of(segment(" Good morning.", 0, 9, [timed("Good", 3.1), timed("morning.", 4.2)]), "en", [])

    assert [(word.text, word.start) for word in words] == [("Good", 3.1), ("morning.", 4.2)]


def test_aligned_characters_becomewords_of() -> None:
    aligned = [timed(character, at) for at, character in enumerate("你AI好")]

    words = words_of(segment("你 AI 好", 0, 9, aligned), "zh", [])

    assert [(word.text, word.start, word.end) for word in words] == [("你", 0, 0.2), ("AI", 1, 2.2), ("好", 3, 3.2)]


@pytest.mark.parametrize("aligned", [[timed("Good", 3.1)], [timed("Good", 3.1), {"word": "morning."}]])
def test_half_aligned_segments_are_spread(aligned: list[dict[str, Any]]) -> None:
    words = words_of(segment(" Good morning.", 0, 9, aligned), "en", [])

    assert [word.text for word in words] == ["Good", "morning."]
    assert words[-1].end == 9
