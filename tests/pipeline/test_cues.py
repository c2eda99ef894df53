"""Segmentation: cuts, times, and irregular input from recognisers."""

from __future__ import annotations

import math
import re
import time
from itertools import pairwise

import pytest

from jobs.pipeline.protocols import Word
from jobs.pipeline.subtitles.cue import Cue, budget
from jobs.pipeline.subtitles.segmentation import GAP, LINGER, MAX_SECONDS, MIN_SECONDS, UNSURE_BELOW, segment
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.line_breaking import wrap
from tests.pipeline.spoken import spoken

EN, FA, JA, ZH, TH = (language(code) for code in ("en", "fa", "ja", "zh", "th"))

SPEECH = (
    "Welcome, and thank you for watching. The people of the world speak many languages. Dr. Smith went to the old "
    "house near the river because Peter Jones had told him that nobody would ever find the money there, and when he "
    "came back the next morning, everybody was gone."
)


def sources(words: list[Word], code: str = "en") -> list[str]:
    return [cue.source for cue in segment(words, language(code))]


def word(text: str, start: float, end: float, speaker: str = "") -> Word:
    return Word(text=text, start=start, end=end, speaker=speaker)


# Where to cut


def test_sentences_and_clauses_part_cues() -> None:
    assert sources(spoken(SPEECH)) == [
        "Welcome, and thank you for watching.",
        "The people of the world speak many languages.",
        "Dr. Smith went to the old house near the river because Peter Jones",
        "had told him that nobody would ever find",
        "the money there, and when he came back the next morning,",
        "everybody was gone.",
    ]


def test_without_punctuation_phrases_and_full_lines_part_them() -> None:
    bare = re.sub(r"[.,]", "", SPEECH).lower()
    cues = sources(spoken(bare))
    assert " ".join(cues) == bare
    assert cues[2:] == [
        "near the river because peter jones had told him that nobody would ever find",
        "the money there and when he came back the next morning everybody was gone",
    ]


def test_without_punctuation_pauses_are_sentences() -> None:
    first, second = spoken("the first sentence is here"), spoken("and this is another one", start=4.0)
    assert sources(first + second) == ["the first sentence is here", "and this is another one"]


def test_persian() -> None:
    text = "خوش آمدید، و ممنون که تماشا می‌کنید. اگر این صفحه را ببندید، همه‌چیز متوقف می‌شود."
    assert sources(spoken(text), "fa") == [
        "خوش آمدید، و ممنون که تماشا می‌کنید.",
        "اگر این صفحه را ببندید، همه‌چیز متوقف می‌شود.",
    ]


def test_short_answers_of_one_speaker_share_a_cue() -> None:
    words = [word("Yes.", 1.0, 1.2), word("I", 1.25, 1.3), word("know.", 1.3, 1.6)]
    assert sources(words) == ["Yes. I know."]


def test_another_speaker_always_parts() -> None:
    words = [word("Ready?", 1.0, 1.4, "A"), word("Yes.", 1.5, 1.7, "B"), word("Go.", 1.8, 2.0, "B")]
    assert [(cue.source, cue.speaker) for cue in segment(words, EN)] == [("Ready?", "A"), ("Yes. Go.", "B")]


def test_a_word_of_nobody_belongs_to_who_spoke_before() -> None:
    words = [word("I", 1.0, 1.1, "A"), word("am", 1.1, 1.3), word("here.", 1.3, 2.0, "A")]
    assert [(cue.source, cue.speaker) for cue in segment(words, EN)] == [("I am here.", "A")]


def test_a_long_silence_always_parts() -> None:
    assert sources([word("well", 1.0, 1.3), word("maybe", 3.0, 3.4)]) == ["well", "maybe"]


def test_article_and_noun_are_never_parted() -> None:
    text = "we saw " + "the house and a garden or my brother near this river with the very old Peter Smith " * 12
    cues = sources(spoken(text))
    bound = {"the", "a", "my", "this", "very", "Peter", "near", "with", "and", "or"}
    assert len(cues) > 8
    assert [cue.split()[-1] for cue in cues if cue.split()[-1] in bound] == []


def lines(text: str, code: str = "en") -> list[list[str]]:
    own = language(code)
    return [wrap(cue, own).split("\n") for cue in sources(spoken(text), code)]


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        (
            "Perhaps the children that came from that village can be told such stories as you and I have never heard.",
            [
                ["Perhaps the children that came", "from that village can be told such stories"],
                ["as you and I have never heard."],
            ],
        ),
        (
            "We gave it back to them because both of the men which had been there before us should have asked you.",
            [
                ["We gave it back to them", "because both of the men"],
                ["which had been there before us", "should have asked you."],
            ],
        ),
        (
            "They took it away from her when she put out the light and gave up all that she had ever wanted to do.",
            [
                ["They took it away from her", "when she put out the light and gave up all"],
                ["that she had ever wanted to do."],
            ],
        ),
    ],
)
def test_cues_are_chosen_with_their_line_breaks(text: str, cues: list[list[str]]) -> None:
    assert lines(text) == cues


def test_words_in_capitals_are_no_name() -> None:
    cues = lines("AND THEN THE NEW YORK CITY POLICE SAID THAT NOBODY HAD SEEN THE CAR SINCE LAST NIGHT")
    assert cues == [["AND THEN THE NEW YORK CITY POLICE SAID", "THAT NOBODY HAD SEEN THE CAR"], ["SINCE LAST NIGHT"]]


def test_adjectives_of_one_noun_are_no_clauses() -> None:
    text = "In the doorway she saw a tall, dark, silent man with a hat."
    cues = lines(text)
    assert [line for cue in cues for line in cue if line.endswith(("tall,", "dark,"))] == []


@pytest.mark.parametrize("text", ["Well, we did what we could for all of them.", "Helen! It was the band!"])
def test_no_word_has_a_cue_alone_beside_another(text: str) -> None:
    assert [cue for cue in sources(spoken(text)) if len(cue.split()) == 1] == []


def test_persian_words_that_follow_their_own_never_begin_a_line() -> None:
    text = (
        "اعضای شورای شهر نقشهٔ تازهٔ خیابان‌های قدیمی را هم دیدند و گفتند که دریای شمال و نیروی باد می‌تواند خانه‌ی "
        "مردم این روستای کوچک را هم روشن کند و هزینهٔ برق همهٔ آن‌ها را نیز کم کرده است"
    )
    cues = lines(text, "fa")
    broken = [line.split() for cue in cues for line in cue]
    assert len(broken) > 3
    assert {"را", "هم", "نیز", "است"}.isdisjoint(line[0] for line in broken)
    assert {"که", "و", "هم", "این"}.isdisjoint(line[-1] for line in broken)
    assert [line[-1] for line in broken if line[-1].endswith(("\u0654", "های", "ای", "وی", "\u200cی"))] == []


# When to show


def test_a_cue_comes_with_its_first_word_and_stays_half_a_second_after_its_last() -> None:
    (cue,) = segment([word("Hello", 1.0, 1.5), word("there.", 1.5, 2.5)], EN)
    assert (cue.start, cue.end) == (1.0, 2.5 + LINGER)


def test_neighbours_are_two_frames_apart() -> None:
    cues = segment(spoken(SPEECH, rate=17), EN)
    gaps = [round(after.start - before.end, 3) for before, after in pairwise(cues)]
    assert min(gaps) == round(GAP, 3)


def test_a_single_short_word_stays_for_the_least_time() -> None:
    (cue,) = segment([word("Yes.", 1.0, 1.1)], EN)
    assert cue.end - cue.start == pytest.approx(MIN_SECONDS, abs=0.001)


def test_slow_speech_is_shown_to_its_last_word() -> None:
    words = [word(f"slow{at}", at * 2.0, at * 2.0 + 1.9) for at in range(20)]
    assert all(cue.end >= 1.9 + 2.0 * int(cue.source.split("slow")[-1]) for cue in segment(words, EN))


def test_a_word_that_lasts_too_long_is_shown_seven_seconds() -> None:
    (cue,) = segment([word("Goooal", 1.0, 60.0)], EN)
    assert cue.end - cue.start == MAX_SECONDS


def test_no_cue_outlasts_its_window() -> None:
    (cue,) = segment([word("Hello", 1.0, 2.0), word("there.", 2.0, 3.0)], EN, until=3.1)
    assert cue.end == pytest.approx(3.1 - GAP, abs=0.001)


def test_ids_count_from_the_first_one() -> None:
    assert [cue.id for cue in segment(spoken(SPEECH), EN, first_id=41)] == [41, 42, 43, 44, 45, 46]


# Confidence


@pytest.mark.parametrize(("confidence", "flags"), [(0.2, ("unsure",)), (UNSURE_BELOW, ()), (0.9, ())])
def test_low_confidence_is_flagged(confidence: float, flags: tuple[str, ...]) -> None:
    (cue,) = segment(spoken("What was that?", confidence=confidence), EN)
    assert cue.flags == flags


# What recognisers give


def test_no_word_gives_no_cue() -> None:
    assert segment([], EN) == []
    assert segment([word(" ", 1.0, 2.0), word("", 2.0, 3.0)], EN) == []


def test_words_without_times_of_their_own_share_the_time_to_the_next() -> None:
    words = [word(text, 5.0, 5.0) for text in SPEECH.split()] + [word("End.", 60.0, 61.0)]
    cues = segment(words, EN)
    assert " ".join(cue.source for cue in cues) == SPEECH + " End."
    assert all(cue.end - cue.start > 1 for cue in cues)
    assert cues[0].start == 5.0
    assert cues[-1].start == 60.0


def test_missing_times() -> None:
    words = [word("one", 1.0, 1.5), word("two", math.nan, math.nan), word("three", 2.0, math.inf)]
    (cue,) = segment(words, EN)
    assert (cue.source, cue.start) == ("one two three", 1.0)


def test_inverted_and_overlapping_times() -> None:
    words = [word("one", 1.0, 3.0), word("two", 2.0, 1.0), word("three", 1.5, 2.5)]
    (cue,) = segment(words, EN)
    assert (cue.source, cue.start, cue.end) == ("one two three", 1.0, 3.0)


def test_an_end_before_its_start_is_no_silence() -> None:
    assert sources([word("one", 1.0, 1.5), word("two", 1.8, 0.2), word("three", 2.0, 2.5)]) == ["one two three"]


def test_words_that_cannot_be_seen() -> None:
    words = [word("\u00ad", 1.0, 1.0, "A"), word("so", 1.0, 1.0, "B"), word("\u200c", 1.0, 1.0, "A")]
    assert "so" in sources(words)


def test_a_very_long_word_is_kept_whole() -> None:
    words = [word("so", 1.0, 1.2), word("x" * 200, 1.2, 4.0), word("indeed", 4.0, 4.5)]
    assert "x" * 200 in " ".join(sources(words)).split()


def test_several_words_in_one_are_divided() -> None:
    (whole,) = [word(SPEECH, 0.0, 18.0)]
    cues = segment([whole], EN)
    assert " ".join(cue.source for cue in cues) == SPEECH
    assert len(cues) == 6


def test_punctuation_that_comes_apart_joins_the_word_before_it() -> None:
    words = [word("Hello", 1.0, 1.4), word(",", 1.4, 1.4), word("you", 1.5, 1.8), word("!", 1.8, 1.9)]
    assert sources(words) == ["Hello, you!"]


# Scripts without spaces


def test_japanese_characters_are_joined_and_cut_after_marks() -> None:
    text = "今日は天気がとても良いので、公園に行って散歩をしました。明日も来ます。"
    words = [word(letter, 1 + at * 0.3, 1.3 + at * 0.3) for at, letter in enumerate(text)]
    assert sources(words, "ja") == ["今日は天気がとても良いので、公園に行って", "散歩をしました。", "明日も来ます。"]


def test_latin_words_in_chinese_keep_their_space() -> None:
    words = [word(text, 1 + at, 2 + at) for at, text in enumerate(["我用", "Google", "Maps", "找路。"])]
    assert sources(words, "zh") == ["我用Google Maps找路。"]


def test_thai_words_are_joined_and_its_own_spaces_stay() -> None:
    words = [word("วันนี้", 1.0, 1.5), word("อากาศ", 1.5, 2.0), word(" เรา", 2.0, 2.5)]
    assert sources(words, "th") == ["วันนี้อากาศ เรา"]


@pytest.mark.parametrize("chosen", [JA, ZH, TH], ids=lambda chosen: chosen.code)
def test_a_long_run_without_spaces_is_divided(chosen: object) -> None:
    letters = {JA: "日本語", ZH: "中文字", TH: "เรามา"}[chosen] * 40  # type: ignore[index]
    cues = segment([word(letters, 0.0, 60.0)], chosen)  # type: ignore[arg-type]
    assert "".join(cue.source for cue in cues) == letters
    assert all(wrap(cue.source, chosen).count("\n") <= 1 for cue in cues)  # type: ignore[arg-type]
    assert all(cue.end - cue.start <= MAX_SECONDS + 0.001 for cue in cues)


# Time and room


def test_ten_thousand_words_without_punctuation_take_well_under_a_second() -> None:
    words = spoken("and so it goes on for ever with words that follow each other slowly " * 715)[:10_000]
    before = time.process_time()
    cues = segment(words, EN)
    # A quarter of a second of CPU where it was written, minutes if it were quadratic.
    assert time.process_time() - before < 5
    assert sum(len(cue.source.split()) for cue in cues) == 10_000


@pytest.mark.parametrize(
    ("seconds", "code", "characters"),
    [(1.0, "en", 20), (2.0, "fa", 34), (7.0, "en", 75), (2.0, "ja", 8), (7.0, "zh", 28), (0.01, "ja", 1)],
)
def test_a_budget_is_what_can_be_read_and_fits_two_lines(seconds: float, code: str, characters: int) -> None:
    assert budget(Cue(id=1, start=1.0, end=1.0 + seconds, source=""), language(code)) == characters
