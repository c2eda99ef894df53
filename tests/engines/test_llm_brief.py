"""The brief pass over a transcript."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from jobs.engines.llm.brief_pass import MOST_TERMS, PART
from jobs.engines.llm.model import Answer
from jobs.engines.llm.remote import ContentFiltered, RequestFailed, RequestTooLarge
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.errors import CapReached, ServiceDown, ServiceError
from jobs.pipeline.protocols import Document, Line, Read, Reader, Usage
from tests.engines.llm_doubles import PERSIAN, Asleep, MemoryModel, Purse, line

SAID = [
    line(1, "Ada Lovelace wrote the first program."),
    line(2, "She called it an analytical engine."),
    line(3, "The engine was built by Babbage."),
]
NOTED = {
    "topic": "تاریخ برنامه‌نویسی",
    "register": "سخنرانی رسمی",
    "names": "Ada Lovelace = ایدا لاولیس\nBabbage = ببیج\nNapoleon = ناپلئون",
    "terms": "analytical engine = موتور تحلیلی",
}
WANTED = Document(
    topic="تاریخ برنامه‌نویسی",
    register="سخنرانی رسمی",
    names=(("Ada Lovelace", "ایدا لاولیس"), ("Babbage", "ببیج")),
    terms=(("analytical engine", "موتور تحلیلی"),),
)
NOTHING = Document()
Reply = Callable[[dict[str, Any]], Mapping[str, Any] | Answer]


def model_of(reply: Reply) -> MemoryModel:
    return MemoryModel(reply)


def reading(
    reply: Reply, lines: list[Line] = SAID, document: Document = NOTHING, upto: int = 0, **options: Any
) -> tuple[MemoryModel, list[Read]]:
    model = model_of(reply)
    translator = LlmTranslator(model, name="test", sleep=Asleep(), **options)
    assert isinstance(translator, Reader)
    return model, list(translator.read(lines, PERSIAN, document, upto))


def test_the_whole_transcript_is_read_in_one_question() -> None:
    model, (read,) = reading(lambda _: NOTED)
    assert read == Read(document=WANTED, upto=3, usage=Usage(input_tokens=10, output_tokens=5))
    assert model.asked[0]["transcript"] == [one.text for one in SAID]
    assert model.questions[0].ids == ("topic", "register", "names", "terms")
    assert "Persian" in model.questions[0].system


SHAPES: dict[str, Any] = {
    "lists of lines": {**NOTED, "names": NOTED["names"].split("\n"), "terms": ["- analytical engine → موتور تحلیلی"]},
    "objects": {
        **NOTED,
        "names": {"Ada Lovelace": "ایدا لاولیس", "Babbage": "ببیج"},
        "terms": [{"term": "analytical engine", "translation": "موتور تحلیلی"}],
    },
    "numbered": {
        **NOTED,
        "names": "1. Ada Lovelace: ایدا لاولیس\n2. Babbage: ببیج",
        "terms": "• analytical engine = موتور تحلیلی.",
    },
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_the_answer(name: str) -> None:
    assert reading(lambda _: SHAPES[name])[1][0].document == WANTED


@pytest.mark.parametrize(
    "text",
    [
        "```json\n{}\n```",
        '<think>{{"topic": "a draft"}}</think>{}',
        "Here it is: {} I hope that helps {{smile}}.",
    ],
)
def test_an_answer_with_text_around_it(text: str) -> None:
    said = text.replace("{}", json.dumps(NOTED)).replace("{{", "{").replace("}}", "}")
    assert reading(lambda _: Answer(text=said))[1][0].document == WANTED


def test_terms_of_the_glossary_and_known_ones_are_not_noted_again() -> None:
    brief = replace(PERSIAN, glossary=(("Babbage", "بابیج"),), topic="engines")
    model = model_of(lambda _: NOTED)
    known = Document(names=(("ada lovelace", "آدا لاولیس"),))
    (read,) = LlmTranslator(model, name="test").read(SAID, brief, known, 0)
    assert read.document.names == (("ada lovelace", "آدا لاولیس"),)
    assert model.asked[0]["glossary"] == {"Babbage": "بابیج"}
    assert model.asked[0]["topic"] == "engines"


def test_translations_in_another_script_are_left_out() -> None:
    said = {**NOTED, "names": "Ada Lovelace = Ада Лавлейс\nBabbage = Babbage", "terms": "engine = 引擎"}
    document = reading(lambda _: said)[1][0].document
    assert (document.names, document.terms) == ((("Babbage", "Babbage"),), ())


LONG = [line(number, f"Here begins sentence {number} " + "of many words " * 20) for number in range(1, 101)]


def test_a_long_transcript_is_read_in_parts_that_know_what_was_noted() -> None:
    def reply(asked: dict[str, Any]) -> Mapping[str, str]:
        first = asked["transcript"][0].split()[3]
        return {"topic": f"از {first}", "register": "", "names": "", "terms": f"sentence {first} = جمله {first}"}

    model, parts = reading(reply, LONG)
    assert len(parts) > 2
    assert all(sum(map(len, asked["transcript"])) < PART for asked in model.asked)
    assert [text for asked in model.asked for text in asked["transcript"]] == [one.text for one in LONG]
    assert "before" not in model.asked[0]
    assert model.asked[2]["before"]["topic"] == parts[1].document.topic
    assert list(model.asked[2]["before"]["terms"].items()) == list(parts[1].document.terms)
    assert len(parts[-1].document.terms) == len(parts)
    assert parts[-1].upto == 100


def test_an_interrupted_pass_goes_on_behind_the_last_part() -> None:
    _, whole = reading(lambda _: NOTED, LONG)
    model, rest = reading(lambda _: NOTED, LONG, whole[0].document, whole[0].upto)
    assert rest == whole[1:]
    assert model.asked[0]["transcript"][0] == LONG[whole[0].upto].text


def test_there_are_not_more_terms_than_anybody_reads() -> None:
    lines = [line(1, " ".join(f"word{number}" for number in range(400)))]
    many = "\n".join(f"word{number} = واژه {number}" for number in range(400))
    assert len(reading(lambda _: {**NOTED, "terms": many}, lines)[1][0].document.terms) == MOST_TERMS


def small_context(asked: dict[str, Any]) -> Mapping[str, Any]:
    if sum(map(len, asked["transcript"])) > 4_000:
        raise RequestTooLarge(ServiceError(engine="The double"))
    return NOTED


def cut_off(asked: dict[str, Any]) -> Mapping[str, Any] | Answer:
    too_long = sum(map(len, asked["transcript"])) > 4_000
    return Answer(text='{"topic": "Re', trouble="cut") if too_long else NOTED


@pytest.mark.parametrize("reply", [small_context, cut_off])
def test_a_small_context_gets_smaller_parts_for_the_rest(reply: Reply) -> None:
    model, parts = reading(reply, LONG)
    assert not any(part.left_out for part in parts)
    sizes = [sum(map(len, asked["transcript"])) for asked in model.asked]
    assert [size > 4_000 for size in sizes].count(True) == 2
    assert [
        text for asked in model.asked if sum(map(len, asked["transcript"])) <= 4_000 for text in asked["transcript"]
    ] == [one.text for one in LONG]


@pytest.mark.parametrize("text", ["I cannot do that.", "[1, 2]", '{"other": "keys"}', ""])
def test_a_part_that_cannot_be_read_is_asked_again_once_then_left_out(text: str) -> None:
    model, parts = reading(lambda _: Answer(text=text))
    assert len(model.questions) == 2
    assert (parts[0].left_out, parts[0].document, parts[-1].upto) == (True, Document(), 3)


def refused(_asked: dict[str, Any]) -> Mapping[str, Any]:
    raise ContentFiltered(ServiceError(engine="The double"))


@pytest.mark.parametrize("reply", [refused, lambda _: Answer(text="", trouble="blocked")])
def test_a_part_that_is_refused_is_left_out(reply: Reply) -> None:
    model, (part,) = reading(reply)
    assert (len(model.questions), part.left_out) == (1, True)


def test_at_the_cap_the_parts_before_it_are_kept() -> None:
    model = model_of(lambda _: NOTED)
    translator = LlmTranslator(model, name="test", sleep=Asleep())
    translator.meter = Purse(calls=1)
    parts = translator.read(LONG, PERSIAN, Document(), 0)
    assert not next(iter(parts)).left_out
    with pytest.raises(CapReached):
        next(iter(parts))
    assert len(model.questions) == 1


def test_when_the_service_fails_the_parts_before_it_are_kept() -> None:
    def reply(_asked: dict[str, Any]) -> Mapping[str, Any]:
        if len(model.questions) > 1:
            raise RequestFailed(ServiceDown(engine="The double"))
        return NOTED

    model = model_of(reply)
    parts = LlmTranslator(model, name="test", sleep=Asleep()).read(LONG, PERSIAN, Document(), 0)
    assert next(iter(parts)).document.topic == WANTED.topic
    with pytest.raises(ServiceDown):
        next(iter(parts))


def test_options_with_a_document() -> None:
    brief = replace(PERSIAN, glossary=(("Babbage", "بابیج"),), topic="engines")
    assert brief.with_document(None) is brief
    found = brief.with_document(WANTED)
    assert (found.topic, found.register) == (WANTED.topic, WANTED.register)
    assert found.glossary == brief.glossary
    assert found.suggested == (("Ada Lovelace", "ایدا لاولیس"), ("analytical engine", "موتور تحلیلی"))
    signed = brief.with_document(replace(WANTED, edited=True))
    assert (signed.glossary, signed.suggested) == ((*brief.glossary, *found.suggested), ())
