"""Two speakers in one cue, where one cue each would be gone before it is read."""

from __future__ import annotations

from dataclasses import replace

from jobs.pipeline.protocols import Word
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.dialogue import with_dialogues
from jobs.pipeline.subtitles.segmentation import segment
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.line_breaking import wrap

EN = language("en")


def cue(start: float, end: float, source: str, speaker: str, **fields: object) -> Cue:
    return Cue(id=7, start=start, end=end, source=source, speaker=speaker, **fields)  # type: ignore[arg-type]


def joined(*cues: Cue) -> list[tuple[str, str]]:
    return [(one.source, one.speaker) for one in with_dialogues(cues, EN)]


QUESTION, ANSWER = cue(1.0, 1.5, "Ready?", "S1"), cue(1.6, 3.0, "Yes, let us go.", "S2")


def test_a_quick_exchange_shares_a_cue_with_dashes() -> None:
    (one,) = with_dialogues([QUESTION, ANSWER], EN, first_id=4)
    assert (one.id, one.start, one.end) == (4, 1.0, 3.0)
    assert (one.source, one.speaker) == ("- Ready?\n- Yes, let us go.", "S1 S2")
    assert wrap(one.source, EN) == one.source


def test_cues_that_can_be_read_stay_of_one_speaker() -> None:
    assert len(joined(cue(1.0, 2.0, "Ready?", "S1"), cue(2.1, 3.0, "Yes.", "S2"))) == 2


def test_what_is_one_speaker_or_nobody_stays() -> None:
    assert len(joined(QUESTION, cue(1.6, 2.0, "Go.", "S1"))) == 2
    assert len(joined(cue(1.0, 1.5, "Ready?", ""), cue(1.6, 2.0, "Go.", ""))) == 2
    assert len(joined(cue(1.0, 1.5, "Ready?", "S1"), cue(1.6, 2.0, "Go.", ""))) == 2


def test_speakers_of_two_languages_stay_apart() -> None:
    assert len(joined(replace(QUESTION, language="en"), replace(ANSWER, language="de"))) == 2
    assert len(joined(replace(QUESTION, language="en"), replace(ANSWER, language="en"))) == 1


def test_a_pause_a_long_line_and_seven_seconds_part() -> None:
    assert len(joined(QUESTION, cue(2.1, 4.0, "Yes.", "S2"))) == 2
    assert len(joined(QUESTION, cue(1.6, 4.0, "Yes, let us go there together tomorrow, all of us.", "S2"))) == 2
    assert len(joined(QUESTION, cue(1.6, 8.5, "Yes, let us go.", "S2"))) == 2


def test_three_in_a_row_are_one_pair_and_one_alone() -> None:
    third = cue(3.1, 3.5, "Good.", "S1")
    assert [speaker for _, speaker in joined(QUESTION, ANSWER, third)] == ["S1 S2", "S1"]


def test_numbers_are_consecutive_and_flags_of_both_are_kept() -> None:
    cues = with_dialogues([QUESTION, cue(1.6, 3.0, "Yes.", "S2", flags=("unsure",)), cue(5, 7, "So.", "S1")], EN)
    assert [one.id for one in cues] == [1, 2]
    assert cues[0].flags == ("unsure",)


def test_words_of_a_quick_exchange() -> None:
    """As the transcribe stage makes them: no word is lost, and the answer can be read."""
    said = (("Is", "S1"), ("it", "S1"), ("you?", "S1"), ("Yes.", "S2"), ("Then", "S1"), ("come", "S1"), ("in.", "S1"))
    words = [
        Word(text=text, start=1 + at * 0.3, end=1.25 + at * 0.3, speaker=who) for at, (text, who) in enumerate(said)
    ]
    cues = with_dialogues(segment(words, EN), EN)
    assert [one.source for one in cues] == ["- Is it you?\n- Yes.", "Then come in."]
