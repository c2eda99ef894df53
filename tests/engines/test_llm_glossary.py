"""The glossary is checked in the answers of models: asked again once, then told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jobs.engines.llm.model import Answer
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.protocols import Brief
from jobs.pipeline.stages.translate import translate
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.text.languages import language
from tests.engines.llm_doubles import PERSIAN, MemoryModel, line, run

WHALES = replace(PERSIAN, glossary=(("whale", "نهنگ"), ("GPU", "GPU")))
LINES = [line(1, "We saw a whale there."), line(2, "Nothing happened after that."), line(3, "The GPU became hot.")]
GOOD = {"1": "آنجا نهنگی دیدیم.", "2": "بعد از آن اتفاقی نیفتاد.", "3": "GPU داغ شد."}
BAD = {**GOOD, "1": "آنجا یک وال دیدیم.", "3": "پردازنده داغ شد."}


def only(texts: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, str]:
    return {number: texts[number] for number in asked["translate"]}


def first_bad(asked: Mapping[str, Any]) -> dict[str, str]:
    return only(GOOD if "note" in asked else BAD, asked)


def test_lines_that_do_not_keep_to_the_glossary_are_asked_for_once_more() -> None:
    model = MemoryModel(first_bad)
    answers = run(model, LINES, WHALES)
    assert {number: one.text for number, one in answers.items()} == {int(key): text for key, text in GOOD.items()}
    assert [sorted(asked["translate"]) for asked in model.asked] == [["1", "2", "3"], ["1", "3"]]
    assert "glossary" in model.asked[1]["note"]


def test_a_model_that_insists_is_asked_once_more_only() -> None:
    model = MemoryModel(lambda asked: only(BAD, asked))
    answers = run(model, LINES, WHALES)
    assert answers[1].text == BAD["1"]
    assert len(model.questions) == 2


def test_good_answers_cost_no_question() -> None:
    model = MemoryModel(lambda asked: only(GOOD, asked))
    run(model, LINES, WHALES)
    assert len(model.questions) == 1


def test_a_worse_answer_does_not_replace_the_first() -> None:
    def worse(asked: Mapping[str, Any]) -> Mapping[str, str] | Answer:
        again = {"1": "We saw a whale there.", "3": ""}
        return only(again if "note" in asked else BAD, asked)

    answers = run(MemoryModel(worse), LINES, WHALES)
    assert {number: one.text for number, one in answers.items()} == {int(key): text for key, text in BAD.items()}


def test_second_answers_that_changed_places_are_not_taken() -> None:
    lines = [line(1, "We saw a whale near the harbour."), line(2, "The whale sang the whole night.")]
    first = {"1": "نزدیک بندر یک وال بزرگ دیدیم.", "2": "وال تمام شب آواز می‌خواند."}
    again = {"1": "نهنگ تمام شب آواز می‌خواند.", "2": "نزدیک بندر یک نهنگ بزرگ دیدیم."}
    answers = run(MemoryModel(lambda asked: only(again if "note" in asked else first, asked)), lines, WHALES)
    assert {str(number): one.text for number, one in answers.items()} == first


def test_a_second_answer_that_cannot_be_read_is_ignored() -> None:
    model = MemoryModel(lambda asked: Answer(text="No.") if "note" in asked else only(BAD, asked))
    assert run(model, LINES, WHALES)[1].text == BAD["1"]


def staged(model: MemoryModel, brief: Brief) -> dict[int, Cue]:
    cues = [Cue(id=one.id, start=one.id * 4.0, end=one.id * 4.0 + 3, source=one.text, target="") for one in LINES]
    translator = LlmTranslator(model, name="test")
    parts = translate(cues, translator, brief, target=language("fa"))
    return {cue.id: cue for part in parts for cue in part.cues}


def test_what_stays_wrong_is_flagged() -> None:
    found = staged(MemoryModel(lambda asked: only(BAD, asked)), WHALES)
    assert [found[number].flags for number in (1, 2, 3)] == [("glossary",), (), ("glossary",)]


def test_what_is_right_is_not_flagged() -> None:
    assert not any(cue.flags for cue in staged(MemoryModel(first_bad), WHALES).values())


def test_suggestions_do_not_bind() -> None:
    model = MemoryModel(lambda asked: only(BAD, asked))
    suggested = replace(PERSIAN, suggested=WHALES.glossary)
    assert not any(cue.flags for cue in staged(model, suggested).values())
    assert (len(model.questions), model.asked[0]["names"]) == (1, dict(WHALES.glossary))
