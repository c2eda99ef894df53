"""Properties of segmentation: limits are kept for any speech, and no word is lost for any input."""

from __future__ import annotations

import math
from itertools import pairwise, zip_longest

from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.protocols import Word
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.segmentation import FRAME, GAP, LINGER, MAX_SECONDS, MIN_SECONDS, segment
from jobs.pipeline.text.display_width import cell_width, pieces
from jobs.pipeline.text.languages import Language, language
from jobs.pipeline.text.line_breaking import line_cells, wrap
from tests.examples import few

MILLISECOND = 0.0011

LETTERS = {
    "en": ["a", "the", "of", "house", "walking", "and", "then,", "Peter", "Smith", "end.", "3", "why?", "unbelievably"],
    "fa": ["و", "را", "از", "می‌شود", "کتاب", "سلام،", "دنیا.", "چرا؟", "TESOL", "۱۴۰۳", "زبان‌های"],
    "ja": ["今", "日", "は", "ので、", "ました。", "カメラ", "「公園」", "ー", "GPS"],
    "zh": ["我", "们", "今天", "的，", "天气。", "Google", "好"],
    "th": ["เรา", "ไป", "สวน", "กับ", "ครอบครัว", "ๆ", " มา"],
    "ko": ["오늘은", "날씨가", "정말", "좋다.", "우리는,"],
}
LANGUAGES = st.sampled_from(sorted(LETTERS)).map(language)


@st.composite
def speech(draw: st.DrawFn) -> tuple[Language, list[Word]]:
    """Words in order, none longer than a cue may last, with pauses and speakers."""
    chosen = draw(LANGUAGES)
    words, now = [], 0.0
    for _ in range(draw(st.integers(0, 60))):
        now += draw(st.sampled_from([0.0, 0.0, 0.02, 0.1, 0.3, 0.7, 2.0, 10.0]))
        end = now + draw(st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0]))
        speaker = draw(st.sampled_from(["A", "A", "A", "B"]))
        text = draw(st.sampled_from(LETTERS[chosen.code]))
        words.append(Word(text=text, start=now, end=end, speaker=speaker, confidence=draw(st.sampled_from([0.1, 0.9]))))
        now = end
    return chosen, words


@st.composite
def rubbish(draw: st.DrawFn) -> tuple[Language, list[Word]]:
    """Words with any text and any times."""
    chosen = draw(LANGUAGES)
    times = st.one_of(st.floats(-10, 100), st.sampled_from([0.0, 5.0, math.nan, math.inf, -math.inf]))
    texts = st.one_of(
        st.sampled_from(LETTERS[chosen.code]),
        st.text(max_size=12),
        st.sampled_from(["x" * 200, " . ", "\n", "\u00ad", "\u200c"]),
    )
    words = st.builds(
        Word, text=texts, start=times, end=times, confidence=st.floats(0, 1), speaker=st.sampled_from(["", "A", "B"])
    )
    return chosen, draw(st.lists(words, max_size=40))


def squeezed(text: str) -> str:
    return "".join(text.split())


def said(words: list[Word]) -> str:
    return squeezed("".join(word.text for word in words))


def first_and_last_words(cues: list[Cue], words: list[Word]) -> list[tuple[Cue, Word, Word]]:
    """Each cue with the words it begins and ends with, found by counting characters."""
    found, at, letters = [], 0, 0
    for cue in cues:
        first = words[at]
        letters += len(squeezed(cue.source))
        while at < len(words) and len(said(words[: at + 1])) < letters:
            at += 1
        found.append((cue, first, words[at]))
        if len(said(words[: at + 1])) == letters:
            at += 1
    return found


@few(20)
@given(case=speech())
def test_every_word_is_there_in_order(case: tuple[Language, list[Word]]) -> None:
    chosen, words = case
    assert squeezed("".join(cue.source for cue in segment(words, chosen))) == said(words)


@few(30)
@given(case=rubbish())
def test_nothing_is_lost_of_rubbish_and_times_are_still_times(case: tuple[Language, list[Word]]) -> None:
    chosen, words = case
    cues = segment(words, chosen)
    assert squeezed("".join(cue.source for cue in cues)) == said(words)
    assert all(math.isfinite(cue.end) and 0 <= cue.start < cue.end for cue in cues)
    assert all(before.end < after.start for before, after in pairwise(cues))


@few(20)
@given(case=speech())
def test_neighbours_keep_the_gap_and_cues_their_length(case: tuple[Language, list[Word]]) -> None:
    cues = segment(case[1], case[0])
    for before, after in pairwise(cues):
        assert after.start - before.end >= GAP - MILLISECOND
    for cue, after in zip_longest(cues, cues[1:]):
        assert cue.end - cue.start <= MAX_SECONDS + MILLISECOND
        room = after.start - GAP - cue.start if after else math.inf
        assert cue.end - cue.start >= min(MIN_SECONDS, room) - MILLISECOND


@few(20)
@given(case=speech())
def test_lines_fit_unless_one_word_does_not(case: tuple[Language, list[Word]]) -> None:
    chosen, words = case
    for cue in segment(words, chosen):
        lines = wrap(cue.source, chosen).split("\n")
        assert len(lines) <= 2
        assert max(map(cell_width, lines)) <= max(
            line_cells(chosen), *(cell_width(piece.text) for piece in pieces(cue.source, chosen))
        )


@few(15)
@given(
    case=speech().filter(
        lambda case: all(after.start - before.start >= 3 * FRAME for before, after in pairwise(case[1]))
    )
)
def test_cues_come_with_their_first_word_and_go_after_their_last(case: tuple[Language, list[Word]]) -> None:
    chosen, words = case
    for cue, first, last in first_and_last_words(segment(words, chosen), words):
        if cue.source.startswith(first.text.strip()):
            assert abs(cue.start - first.start) <= 3 * FRAME + MILLISECOND
        if cue.source.endswith(last.text.strip()):
            assert cue.end <= max(last.end + LINGER, cue.start + MIN_SECONDS) + MILLISECOND


@few(15)
@given(case=speech())
def test_one_speaker_a_cue(case: tuple[Language, list[Word]]) -> None:
    chosen, words = case
    for cue, first, last in first_and_last_words(segment(words, chosen), words):
        assert cue.speaker == first.speaker == last.speaker


@few(15)
@given(case=speech(), room=st.floats(0, 5))
def test_windows_never_touch(case: tuple[Language, list[Word]], room: float) -> None:
    chosen, words = case
    until = (words[-1].end if words else 0.0) + room
    for cue in segment(words, chosen, until=until):
        assert cue.end <= max(until - GAP, cue.start + FRAME) + MILLISECOND


@few(12)
@given(case=speech(), first_id=st.integers(1, 1000))
def test_ids_are_consecutive(case: tuple[Language, list[Word]], first_id: int) -> None:
    cues = segment(case[1], case[0], first_id=first_id)
    assert [cue.id for cue in cues] == list(range(first_id, first_id + len(cues)))
