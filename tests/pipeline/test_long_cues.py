"""Brought cues that do not fit two lines are divided in time, without loss."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.long_cues import divided
from jobs.pipeline.subtitles.segmentation import GAP
from jobs.pipeline.text.display_width import cell_width
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.line_breaking import line_cells, wrap

EN, FA, JA = (language(code) for code in ("en", "fa", "ja"))

LONG = (
    "When the last guests had left the house, she put out the light in the great hall, and went up the stairs "
    "to the small room in which her mother had slept."
)


def cue(text: str, start: float = 10.0, end: float = 20.0, number: int = 1) -> Cue:
    return Cue(id=number, start=start, end=end, source=text)


def test_a_long_cue_is_shown_in_parts_as_long_as_their_texts() -> None:
    cues, count = divided([cue(LONG)], EN)
    assert count == 1
    assert [wrap(part.source, EN).split("\n") for part in cues] == [
        ["When the last guests had left the house,", "she put out the light in the great hall,"],
        ["and went up the stairs to the small room", "in which her mother had slept."],
    ]
    assert (cues[0].start, cues[-1].end) == (10.0, 20.0)
    assert cues[1].start == pytest.approx(10.0 + 10.0 * len(cues[0].source) / (len(LONG) - 1), abs=0.001)
    assert cues[1].start - cues[0].end == pytest.approx(GAP, abs=0.002)


def test_what_fits_two_lines_is_left_as_it_is() -> None:
    kept = [cue("One\nand two\nand three short lines."), cue("- Yes?\n- No.", 21, 22, 2), cue("x" * 200, 23, 24, 3)]
    assert divided(kept, EN) == (kept, 0)


def test_three_speakers_are_shown_two_at_a_time() -> None:
    cues, count = divided([cue("- Who is there?\n- Me.\n- Come in.")], EN)
    assert [part.source for part in cues] == ["- Who is there?\n- Me.", "- Come in."]
    assert count == 1


def test_parts_are_numbered_among_the_others_in_the_order_of_their_times() -> None:
    cues, count = divided([cue(LONG, 10, 20), cue("Music", 12, 13, 2), cue("End.", 30, 31, 3)], EN)
    assert [one.id for one in cues] == [1, 2, 3, 4]
    assert [one.source[:4] for one in cues] == ["When", "Musi", "and ", "End."]
    assert count == 1


def test_flags_language_and_speaker_are_those_of_the_whole() -> None:
    whole = Cue(id=1, start=1, end=9, source=LONG, speaker="S1", flags=("unsure",), language="en")
    cues, _ = divided([whole], EN)
    assert {(part.speaker, part.flags, part.language) for part in cues} == {("S1", ("unsure",), "en")}


def test_scripts_without_spaces_are_divided_too() -> None:
    text = "料理はとてもおいしくて、値段もそれほど高くなかったので、また行きたいと思います。"
    cues, _ = divided([cue(text)], JA)
    assert "".join(part.source for part in cues) == text
    assert len(cues) == 2


CODES = st.sampled_from(["en", "fa"])
WORDS = st.sampled_from(["the", "house", "and", "walked,", "over.", "a", "Peter", "Smith", "extraordinarily", "x" * 60])


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(WORDS, min_size=1, max_size=120), seconds=st.floats(0.001, 60), code=st.sampled_from(["en", "fa"])
)
def test_nothing_is_lost_and_all_times_are_within_the_cue(words: list[str], seconds: float, code: str) -> None:
    own, text = language(code), " ".join(words)
    whole = cue(text, 5.0, round(5.0 + seconds, 3))
    parts, count = divided([whole], own)
    assert " ".join(part.source for part in parts) == text
    assert count == (len(parts) > 1)
    assert parts[0].start == whole.start
    assert parts[-1].end == whole.end
    assert all(part.start <= part.end for part in parts)
    assert all(before.end <= after.start for before, after in pairwise(parts))
    is_long_enough = count or seconds >= 0.25 * len(words)  # see test_a_cue_that_is_too_short_to_be_divided_stays_whole
    if is_long_enough and all(len(word) <= line_cells(own) for word in words):
        lines = [line for part in parts for line in wrap(part.source, own).split("\n")]
        assert max(map(cell_width, lines)) <= line_cells(own)


def test_the_sentences_of_two_speakers_stay_whole() -> None:
    one = "- Is the man that you saw at the station yesterday here now?"
    two = "- No, he has gone to the other side of town, I think, with her."
    cues, count = divided([cue(f"{one}\n{two}")], EN)
    assert ([part.source for part in cues], count) == ([one, two], 1)


def test_a_speaker_who_says_too_much_is_divided_alone() -> None:
    cues, _ = divided([cue("\n".join(["- " + "word " * 80] * 4), end=70.0)], EN)
    assert all(cell_width(part.source) <= 2 * line_cells(EN) for part in cues)
    assert sum(part.source.count("word") for part in cues) == 320


def test_a_cue_that_is_too_short_to_be_divided_stays_whole() -> None:
    assert divided([cue("word " * 400, end=10.01)], EN)[1] == 0
