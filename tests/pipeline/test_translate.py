"""The translate stage: no cue is lost, for any answer of a translator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.errors import NothingTranslated, OutOfQuota
from jobs.pipeline.protocols import Batch, Brief, Line, Translation, Translator, Usage
from jobs.pipeline.stages.translate import Translated, is_captions, lines, translate
from jobs.pipeline.subtitles.cue import Cue, budget
from jobs.pipeline.text.languages import language
from tests.engines.echo_translator import EchoTranslator

FA = language("fa")
PERSIAN = Brief(source="en", target="fa")


def cue(
    number: int, text: str = "Some words.", *, start: float | None = None, seconds: float = 3.0, who: str = ""
) -> Cue:
    begin = number * 4.0 if start is None else start
    return Cue(id=number, start=begin, end=begin + seconds, source=text, speaker=who)


class Scripted:
    """Hands over the given batches and ends with the error, if there is one."""

    name = "scripted"

    def __init__(self, *batches: Sequence[Translation], error: Exception | None = None) -> None:
        self._batches = batches
        self._error = error

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        for batch in self._batches:
            yield Batch(translations=tuple(batch), usage=Usage(input_tokens=1))
        if self._error:
            raise self._error


def answer(number: int, text: str = "متن", *flags: str) -> Translation:
    return Translation(id=number, text=text, flags=flags)


def run(cues: Sequence[Cue], translator: Translator | None, brief: Brief = PERSIAN) -> list[Translated]:
    return list(translate(cues, translator, brief, target=language(brief.target)))


def by_id(given: Sequence[Translated]) -> dict[int, Cue]:
    cues = [cue for one in given for cue in one.cues]
    assert len({cue.id for cue in cues}) == len(cues)
    return {cue.id: cue for cue in cues}


def test_cues_come_batch_by_batch_with_what_they_took() -> None:
    given = run([cue(number) for number in range(1, 13)], EchoTranslator())
    assert [len(one.cues) for one in given] == [10, 2]
    assert given[0].usage == Usage(input_tokens=10, output_tokens=10)
    assert by_id(given)[12].target == "[Some words.]"
    assert by_id(given)[12].start == 48.0


def test_progress_rises_to_one() -> None:
    shares: list[float] = []
    list(translate([cue(n) for n in range(1, 31)], EchoTranslator(), PERSIAN, target=FA, progress=shares.append))
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(1 / 3)
    assert shares[-1] == 1.0


def test_what_is_done_is_left_alone() -> None:
    given = list(translate([cue(1), cue(2)], EchoTranslator(), PERSIAN, target=FA, done={1: "یک"}))
    assert list(by_id(given)) == [2]


def test_a_line_without_an_answer_is_flagged() -> None:
    given = by_id(run([cue(1), cue(2)], Scripted([answer(1)])))
    assert (given[2].target, given[2].flags) == ("", ("untranslated",))


def test_an_empty_answer_is_flagged() -> None:
    given = by_id(run([cue(1), cue(2)], Scripted([answer(1), answer(2, "  ")])))
    assert (given[2].target, given[2].flags) == ("", ("untranslated",))


def test_answers_nobody_asked_for_are_not_listened_to() -> None:
    given = by_id(run([cue(1)], Scripted([answer(1, "یک"), answer(1, "دو"), answer(9, "نه")], [answer(1, "سه")])))
    assert {number: cue.target for number, cue in given.items()} == {1: "یک"}


def test_flags_of_the_cue_stay() -> None:
    unsure = Cue(id=1, start=0, end=3, source="Words.", flags=("unsure",))
    given = by_id(run([unsure, cue(2)], Scripted([answer(1, "", "blocked"), answer(2)])))
    assert given[1].flags == ("unsure", "blocked")


def test_a_text_too_long_for_its_time_is_flagged_once() -> None:
    given = by_id(run([cue(1), cue(2)], Scripted([answer(1, "بسیار " * 20), answer(2, "بسیار " * 20, "too_long")])))
    assert given[1].flags == given[2].flags == ("too_long",)


def test_trouble_comes_after_what_was_done() -> None:
    failing = Scripted([answer(1)], error=OutOfQuota(engine="it"))
    given = translate([cue(1), cue(2)], failing, PERSIAN, target=FA)
    assert [cue.id for cue in next(given).cues] == [1]
    with pytest.raises(OutOfQuota):
        next(given)


def test_nothing_translated_is_a_failure() -> None:
    with pytest.raises(NothingTranslated, match="scripted"):
        run([cue(1), cue(2)], Scripted([answer(1, "", "blocked"), answer(2, "", "untranslated")]))


def test_a_cap_reached_at_once_is_none() -> None:
    assert by_id(run([cue(1)], Scripted([answer(1, "", "capped")])))[1].flags == ("capped",)


def test_no_cues_are_no_failure() -> None:
    assert by_id(run([], EchoTranslator())) == {}


@pytest.mark.parametrize(("source", "target"), [("fa", "fa"), ("en-US", "en-GB"), ("pt", "pt-BR")])
def test_one_language_means_captions(source: str, target: str) -> None:
    translator = EchoTranslator()
    given = run([cue(1, "متن"), cue(2, "متن")], translator, Brief(source=source, target=target))
    assert len(given) == 1
    assert [cue.target for cue in given[0].cues] == ["متن", "متن"]
    assert translator.calls == 0


def test_captions_need_no_translator() -> None:
    (given,) = run([cue(1)], None, Brief(source="fa", target="fa"))
    assert [cue.target for cue in given.cues] == [cue.source for cue in given.cues]


@pytest.mark.parametrize(("source", "target"), [("zh-Hans", "zh-Hant"), ("sr-Latn", "sr-Cyrl"), ("en", "fa")])
def test_another_script_is_another_language(source: str, target: str) -> None:
    assert not is_captions(Brief(source=source, target=target))


def test_lines_carry_no_times_but_a_budget() -> None:
    made = lines([cue(5, "One\n  two.", seconds=2.0)], FA)
    assert made == [Line(id=5, text="One two.", budget=34, ends_sentence=True)]
    assert made[0].budget == budget(cue(5, seconds=2.0), FA)


def test_sentences_end_with_punctuation_a_pause_or_another_speaker() -> None:
    cues = [
        cue(1, "This goes on", start=0, who="A"),
        cue(2, "and ends here.", start=3.1, who="A"),
        cue(3, "Then a pause", start=6.2, who="A"),
        cue(4, "and somebody", start=12, who="A"),
        cue(5, "interrupts", start=15.1, who="B"),
        cue(6, "at the end", start=18.2, who="B"),
    ]
    assert [line.ends_sentence for line in lines(cues, FA)] == [False, True, True, True, False, True]


def test_without_punctuation_short_pauses_are_sentences() -> None:
    cues = [cue(1, "no signs", start=0), cue(2, "at all", start=3.1), cue(3, "after a breath", start=6.6)]
    assert [line.ends_sentence for line in lines(cues, FA)] == [False, True, True]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["", " ", "متن", "x" * 200])), max_size=6), max_size=5
    )
)
def test_every_cue_ends_with_a_text_or_a_flag(script: list[list[tuple[int, str]]]) -> None:
    cues = [cue(number) for number in range(1, 9)]
    batches = [[answer(number, text) for number, text in batch] for batch in script]
    given: list[Translated] = []
    try:
        given.extend(translate(cues, Scripted(*batches), PERSIAN, target=FA))
    except NothingTranslated:
        first = {number: text for batch in reversed(script) for number, text in reversed(batch)}
        assert not any(text.strip() for number, text in first.items() if number <= 8)
        return
    ended = by_id(given)
    assert set(ended) == set(range(1, 9))
    assert all(one.target or one.flags for one in ended.values())
