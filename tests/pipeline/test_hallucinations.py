"""Hallucinated words are removed, and spoken words are kept, also suspicious ones."""

from __future__ import annotations

import pytest

from jobs.pipeline.protocols import Region, Word
from jobs.pipeline.speech.hallucinations import judge
from jobs.pipeline.subtitles.segmentation import UNSURE_BELOW, segment
from jobs.pipeline.text.languages import language

SPEECH = [Region(start=0, end=60)]
NO_SPEECH = [Region(start=100, end=101)]


def words(text: str, *, start: float = 1.0, each: float = 0.3, confidence: float = 0.9) -> list[Word]:
    """The words of `text` one after the other, `each` seconds long."""
    return [
        Word(text=part, start=start + at * each, end=start + (at + 1) * each, confidence=confidence)
        for at, part in enumerate(text.split())
    ]


def text(kept: list[Word]) -> str:
    return " ".join(word.text for word in kept)


def spoken(said: list[Word], regions: list[Region]) -> list[Word]:
    kept, removed = judge(said, regions)
    assert len(kept) + len(removed) == len(said)
    return kept


def test_words_over_speech_stay_as_they_are() -> None:
    said = words("This city has many beautiful gardens.")

    assert spoken(said, SPEECH) == said


def test_no_words_are_no_words() -> None:
    assert spoken([], SPEECH) == []
    assert spoken([], []) == []


def test_unsure_words_without_speech_under_them_are_dropped() -> None:
    assert spoken(words("This city has many beautiful gardens.", confidence=0.4), NO_SPEECH) == []


def test_certain_words_stay_where_no_speech_was_detected() -> None:
    said = words("This city has many beautiful gardens.", confidence=0.8)

    assert spoken(said, NO_SPEECH) == said


def test_words_after_the_speech_has_ended_are_dropped() -> None:
    said = words("Open the window. You know. I", each=1.0, start=0.0, confidence=0.5)

    assert text(spoken(said, [Region(start=0, end=2.6)])) == "Open the window."


def test_a_little_error_in_times_costs_no_word() -> None:
    said = words("window", start=3.2)

    assert spoken(said, [Region(start=0, end=3)]) == said


def test_a_phrase_over_and_over_without_speech_is_dropped() -> None:
    assert spoken(words("Let us go. " * 12), NO_SPEECH) == []


def test_a_phrase_over_and_over_faster_than_anybody_speaks_is_said_once() -> None:
    said = words("Today we build. " + "I am here. " * 20 + "Open it now.", each=0.05)

    assert text(spoken(said, SPEECH)) == "Today we build. I am here. Open it now."


def test_a_phrase_over_and_over_slower_than_anybody_speaks_is_said_once() -> None:
    said = words("Go on. " * 6, each=4.0)

    assert text(spoken(said, SPEECH)) == "Go on."


def test_a_phrase_over_and_over_that_the_engine_doubts_is_said_once_and_unsure() -> None:
    kept = spoken(words("I am here. " * 5, confidence=0.2), SPEECH)

    assert text(kept) == "I am here."
    assert all(word.confidence < UNSURE_BELOW for word in kept)


def test_a_phrase_over_and_over_across_little_speech_is_dropped() -> None:
    assert spoken(words("la la " * 20), [Region(start=start, end=start + 0.2) for start in range(0, 14)]) == []


@pytest.mark.parametrize(
    ("said", "once"),
    [("1-2-" + "4-" * 100, "1-2-4-"), ("ha" * 9, "ha"), ("hmmmm", "hmmmm"), ("1,000,000", "1,000,000")],
)
def test_a_word_in_which_the_engine_is_stuck_is_said_once_and_unsure(said: str, once: str) -> None:
    (kept,), _ = judge(words(said), SPEECH)

    assert kept.text == once
    assert (kept.confidence < UNSURE_BELOW) == (kept.text != said)


@pytest.mark.parametrize(
    "said", ["No no no no, wait.", "very very very very good", "We will, we will, we will rock you."]
)
def test_what_is_really_repeated_stays(said: str) -> None:
    assert text(spoken(words(said), SPEECH)) == said


def test_the_repetitions_are_flagged() -> None:
    """Whoever says it means it; whether it was said so often is not certain."""
    kept = spoken(words("We will, we will, we will rock you."), SPEECH)

    assert [word.confidence < UNSURE_BELOW for word in kept] == [False, False, True, True, True, True, False, False]
    assert [word.doubted for word in kept] == [False, False, True, True, True, True, False, False]


@pytest.mark.parametrize(
    "said", ["در در در در در در را که من در راه جا گذاشتم", "he said it again, again, again, and left the house"]
)
def test_a_cue_with_repetitions_is_flagged_however_sure_its_other_words_are(said: str) -> None:
    cues = segment(spoken(words(said, confidence=0.99), SPEECH), language("fa" if said[0] > "z" else "en"))

    assert [cue.flags for cue in cues if "در در" in cue.source or "again" in cue.source] == [("unsure",)]


def test_the_parts_of_a_word_with_half_spaces_are_words() -> None:
    phrase = "می\u200cبینم که می\u200cروید و "
    kept = spoken(words(phrase * 2), SPEECH)

    assert [word.doubted for word in kept] == [False] * 4 + [True] * 4


def test_a_long_phrase_twice_is_suspicious() -> None:
    phrase = "he went down to the river again. "

    assert text(spoken(words(phrase * 2, each=0.05), SPEECH)) == phrase.strip()
    assert text(spoken(words(phrase * 2), SPEECH)) == (phrase * 2).strip()


def test_twice_is_not_over_and_over() -> None:
    said = words("bye bye", each=0.05)

    assert spoken(said, SPEECH) == said


STOCK = [
    "Thank you.",
    "Thanks for watching!",
    "Thank you for watching.",
    "Please subscribe to my channel.",
    "Subtitles by the Amara.org community",
    "Sous-titres réalisés par la communauté d'Amara.org",
    "Untertitel der Amara.org-Community",
    "¡Suscríbete al canal!",
    "Субтитры сделал кто-то",
    "İzlediğiniz için teşekkür ederim.",
    "زیرنویس از کسی",
    "ممنون از تماشای شما",
    "ترجمة نانسي قنقر",
    "תודה על הצפייה",
    "ご視聴ありがとうございました",
    "谢谢观看",
    "시청해주셔서 감사합니다.",
]


@pytest.mark.parametrize("phrase", STOCK)
def test_a_stock_phrase_over_silence_is_dropped(phrase: str) -> None:
    before = words("Now everybody can understand.", start=0)
    invented = words(phrase, start=5, each=1.0, confidence=0.5)

    assert spoken([*before, *invented], [Region(start=0, end=1.2), Region(start=5.2, end=5.4)]) == before


@pytest.mark.parametrize("phrase", STOCK)
def test_a_stock_phrase_that_is_said_stays(phrase: str) -> None:
    said = words(phrase)

    assert spoken(said, SPEECH) == said


def test_a_stock_phrase_stretched_over_music_is_dropped() -> None:
    assert spoken(words("Thanks for watching!", each=8.0), SPEECH) == []


@pytest.mark.parametrize("phrase", ["Thank you very much.", "با تشکر از همهٔ دوستان شروع می‌کنیم"])
def test_a_true_phrase_that_the_engine_doubts_stays_where_somebody_speaks(phrase: str) -> None:
    said = words(phrase, confidence=0.15)

    assert spoken(said, SPEECH) == said


def test_a_stock_phrase_inside_a_sentence_stays() -> None:
    said = words("He wrote thanks for watching on the wall", confidence=0.2)

    assert spoken(said, SPEECH) == said
