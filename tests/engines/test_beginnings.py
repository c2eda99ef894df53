"""The first words of the lines, copied beside their translations, show texts under wrong ids."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs.engines.llm import beginnings
from jobs.engines.llm.alignment import would_show
from jobs.engines.llm.model import Answer
from jobs.engines.llm.prompt import BEGINS, Question, Surroundings, to_translate
from jobs.engines.llm.shapes import beginnings_of, texts_of
from jobs.pipeline.protocols import Line
from tests.engines.llm_doubles import PERSIAN, MemoryModel, line, run, some_lines

LINES = [
    line(number, text)
    for number, text in enumerate(
        ["Then she closed the door.", "Nobody knew the reason.", "It was late that day.", "They all went home."],
        start=7,
    )
]
TEXTS = {7: "بعد در را بست.", 8: "کسی دلیلش را نمی‌دانست.", 9: "آن روز دیر بود.", 10: "همه به خانه رفتند."}
OWN = {one.id: " ".join(one.text.split()[:3]) for one in LINES}


def test_a_question_can_want_the_first_words() -> None:
    question = to_translate(LINES, PERSIAN, Surroundings(width=2), beginnings=True)
    assert question.ids == ("07_begins", "07", "08_begins", "08", "09_begins", "09", "10_begins", "10")
    assert "7_begins" in question.system
    plain = to_translate(LINES, PERSIAN, Surroundings(width=2))
    assert plain.ids == ("07", "08", "09", "10")
    assert BEGINS not in plain.system + plain.prompt


def test_first_words_are_no_texts() -> None:
    answer = json.dumps({f"{number}_begins": words for number, words in OWN.items()} | {"7": "بعد"})
    assert texts_of(answer, [7, 8, 9, 10]) == {7: "بعد"}
    assert beginnings_of(answer) == OWN


def test_first_words_before_a_cut_are_read() -> None:
    answer = '{"7_begins": "Then she closed", "7": "بعد در را بست.", "8_begins": "Nobody knew the", "8": "کسی'
    assert texts_of(answer, [7, 8]) == {7: TEXTS[7]}
    assert beginnings_of(answer) == {7: "Then she closed", 8: "Nobody knew the"}


@pytest.mark.parametrize(
    ("begun", "places"),
    [
        pytest.param(OWN, set(), id="all their own"),
        pytest.param(OWN | {8: "nobody knew, the"}, set(), id="other case and marks"),
        pytest.param(OWN | {8: "Nobody know the"}, set(), id="a letter off"),
        pytest.param(OWN | {9: "They all went", 10: "They all went"}, {8, 9}, id="merged"),
        pytest.param(OWN | {7: OWN[8], 8: OWN[7]}, {7, 8}, id="swapped"),
        pytest.param(OWN | {10: ""}, {9, 10}, id="one without"),
    ],
)
def test_lines_with_the_beginning_of_another_are_doubtful(begun: dict[int, str], places: set[int]) -> None:
    assert beginnings.doubtful(LINES, TEXTS, begun) == places


def test_a_missing_text_makes_the_line_before_it_doubtful() -> None:
    texts = {number: text for number, text in TEXTS.items() if number != 10}
    assert beginnings.doubtful(LINES, texts, OWN) == {9, 10}


def test_signs_have_no_beginning() -> None:
    lines = [line(1, "♪♪"), line(2, "Nobody knew.")]
    assert beginnings.are_given(lines, {1: "♪♪", 2: "کسی نمی‌دانست."}, {2: "Nobody knew."})
    assert beginnings.doubtful(lines, {1: "♪♪", 2: "کسی نمی‌دانست."}, {2: "Nobody knew."}) == set()


def test_an_answer_without_first_words_is_no_failure() -> None:
    assert not beginnings.are_given(LINES, TEXTS, {})
    assert not beginnings.are_given(LINES, TEXTS, {7: "Then she closed"})


# Where first words are wanted


def test_lines_of_one_length_would_not_show_moved_texts() -> None:
    assert not would_show([f"This is the line with the number {number}." for number in range(60)])


def test_lines_of_many_lengths_would_show_moved_texts() -> None:
    sources = ["word " * (1 + 7 * number % 12) + (".", "?", "!")[number % 3] for number in range(60)]
    assert would_show(sources)
    assert not would_show(sources[:20])


NAMES = {
    **{"Ali": "علی", "Sara": "سارا", "Hana": "هانا", "Omid": "امید", "Neda": "ندا", "Amir": "امیر"},
    **{"Leila": "لیلا", "Reza": "رضا", "Mina": "مینا", "Dara": "دارا", "Roya": "رویا", "Nima": "نیما"},
}


def in_persian(text: str) -> str:
    return f"{NAMES.get(text.split()[0], 'او')} شب به خانه رفت."


class Merging:
    """A model that merges the second and third of several lines and moves the rest up, once, and copies first words."""

    label = "The double"

    def __init__(self) -> None:
        self.questions: list[Question] = []

    def ask(self, question: Question) -> Answer:
        self.questions.append(question)
        lines: dict[str, str] = json.loads(question.prompt)["translate"]
        said = [(text, in_persian(text)) for text in lines.values()]
        if len(self.questions) == 1:
            said = [said[0], (said[1][0], f"{said[1][1]} {said[2][1]}"), *said[3:], ("It all ended", "همه‌چیز تمام شد.")]
        answer: dict[str, Any] = {}
        for key, (source, text) in zip(lines, said, strict=True):
            answer |= {f"{key}{BEGINS}": " ".join(source.split()[:3]), key: text}
        return Answer(text=json.dumps(answer, ensure_ascii=False))


def named_lines(count: int) -> list[Line]:
    """Lines of about one length that begin with different words."""
    return [line(number, f"{list(NAMES)[number % 12]} went home at night.", budget=0) for number in range(1, count + 1)]


def test_merged_lines_of_one_length_are_asked_for_again() -> None:
    """Lengths and marks tell nothing here: the model is asked for first words at once."""
    model = Merging()
    answers = run(model, named_lines(12), batch_lines=12)
    assert {number: one.text for number, one in answers.items()} == {
        one.id: in_persian(one.text) for one in named_lines(12)
    }
    assert [len(json.loads(each.prompt)["translate"]) for each in model.questions] == [12, 11]


@pytest.mark.parametrize("first_words", [True, False])
def test_a_setting_wants_first_words_of_all_lines(first_words: bool) -> None:
    marks = (".", "?", "!")
    sources = [f"{'word ' * (1 + 7 * number % 12)}{number}{marks[number % 3]}" for number in range(1, 61)]
    model = MemoryModel(lambda asked: {key: text.replace("word", "واژه") for key, text in asked["translate"].items()})
    run(model, [line(at, text, budget=0) for at, text in enumerate(sources, start=1)], first_words=first_words)
    assert any(name.endswith(BEGINS) for name in model.questions[0].ids) is first_words


def test_a_single_line_needs_no_first_words() -> None:
    model = Merging()
    model.questions.append(to_translate(some_lines(1), PERSIAN, Surroundings()))
    run(model, some_lines(1))
    assert model.questions[-1].ids == ("1",)
