"""The speakers of words: turns of a diarizer and words with times that are exact to some tenths of a second."""

from __future__ import annotations

import pytest

from jobs.pipeline.errors import BadSpeakers
from jobs.pipeline.protocols import Turn, Word
from jobs.pipeline.speech.speakers import named_turns, parse_speakers, with_speakers
from jobs.pipeline.subtitles.segmentation import segment
from jobs.pipeline.text.languages import language


def turn(start: float, end: float, speaker: str) -> Turn:
    return Turn(start=start, end=end, speaker=speaker)


def said(text: str, start: float = 0.0, each: float = 0.4) -> list[Word]:
    """The words of a text, each 0.4 s long."""
    words = text.split()
    return [
        Word(text=word, start=start + at * each, end=start + (at + 1) * each - 0.02) for at, word in enumerate(words)
    ]


def speakers(words: list[Word], *turns: Turn) -> list[str]:
    return [word.speaker for word in with_speakers(words, turns)]


@pytest.mark.parametrize(("text", "value"), [("off", "off"), ("", "off"), (" Auto ", "auto"), ("2", 2), ("20", 20)])
def test_speakers_are_off_auto_or_a_number(text: str, value: object) -> None:
    assert parse_speakers(text) == value


@pytest.mark.parametrize("text", ["0", "21", "two", "-1", "1.5", "auto,2"])
def test_anything_else_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(BadSpeakers) as caught:
        parse_speakers(text)
    assert text in str(caught.value)
    assert "off, auto, or a number from 1 to 20" in str(caught.value)


def test_names_follow_the_order_of_appearance_and_times_the_clock_of_the_video() -> None:
    found = named_turns([turn(4, 5, "07"), turn(1, 3, "12"), turn(2.5, 3.5, "07")], offset=0.5)
    assert found == [turn(1.5, 3.5, "S1"), turn(3.0, 4.0, "S2"), turn(4.5, 5.5, "S2")]


def test_a_word_has_the_speaker_of_most_of_its_time() -> None:
    words = [Word(text="yes", start=0.9, end=1.5), Word(text="no", start=1.5, end=2.0)]
    assert speakers(words, turn(0, 1.1, "S1"), turn(1.1, 3, "S2")) == ["S2", "S2"]
    assert speakers(words, turn(0, 1.3, "S1"), turn(1.3, 3, "S2")) == ["S1", "S2"]


def test_between_turns_the_nearest_one_decides_and_far_from_all_none() -> None:
    words = [Word(text=text, start=start, end=start + 0.2) for text, start in (("a", 1.2), ("b", 1.9), ("c", 9.0))]
    assert speakers(words, turn(0, 1, "S1"), turn(2.3, 4, "S2")) == ["S1", "S2", ""]


def test_without_turns_words_stay_as_they_are() -> None:
    assert speakers(said("Nobody was told apart.")) == ["", "", "", ""]


@pytest.mark.parametrize("late", [-0.45, -0.3, 0.0, 0.3, 0.45])
def test_a_change_of_speakers_is_moved_to_the_end_of_the_sentence(late: float) -> None:
    words = said("Are you ready to go? Yes, I am ready now.")
    assert speakers(words, turn(0, 2.0 + late, "S1"), turn(2.0 + late, 5, "S2")) == ["S1"] * 5 + ["S2"] * 5


@pytest.mark.parametrize(("question", "answer"), [("آماده‌ای؟ بله", 1), ("准备好了吗？ 是", 1), ('"Ready?" Yes', 1)])
def test_sentences_end_in_every_script(question: str, answer: int) -> None:
    words = said(f"so then {question} I am", each=0.3)
    assert speakers(words, turn(0, 0.5, "S1"), turn(0.5, 3, "S2")) == ["S1"] * 3 + ["S2"] * 3


def test_an_interruption_in_the_middle_of_a_sentence_stays_where_it_is() -> None:
    words = said("I would have said that Stop right there we heard you")
    assert speakers(words, turn(0, 2.0, "S1"), turn(2.0, 6, "S2")) == ["S1"] * 5 + ["S2"] * 6


def test_a_change_is_not_moved_over_a_pause() -> None:
    words = [*said("It was good."), *said("And then", start=4.0), *said("we went home", start=6.0)]
    turns = turn(0, 1.2, "S1"), turn(4.0, 4.9, "S1"), turn(6.0, 8, "S2")
    assert speakers(words, *turns) == ["S1"] * 5 + ["S2"] * 3


def test_short_answers_in_between_keep_their_words() -> None:
    words = said("Is it here? Yes. Good. Then we go.")
    turns = turn(0, 1.2, "S1"), turn(1.2, 1.6, "S2"), turn(1.6, 4, "S1")
    assert speakers(words, *turns) == ["S1"] * 3 + ["S2"] + ["S1"] * 4


def test_cues_follow_the_speakers() -> None:
    words = with_speakers(said("Are you ready to go? Yes, I am ready now."), [turn(0, 1.7, "S1"), turn(1.7, 5, "S2")])
    cues = segment(words, language("en"))
    assert [(cue.speaker, cue.source) for cue in cues] == [
        ("S1", "Are you ready to go?"),
        ("S2", "Yes, I am ready now."),
    ]
