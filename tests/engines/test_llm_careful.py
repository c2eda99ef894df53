"""Careful mode: draft, criticism, revision; a draft is never lost, and never taken for a revised line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from jobs.engines.llm.answers import clean
from jobs.engines.llm.model import Answer
from jobs.engines.llm.remote import ContentFiltered, RequestFailed, RequestTooLarge
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.errors import CapReached, ServiceDown, ServiceError
from jobs.pipeline.protocols import Brief, Usage
from jobs.pipeline.text.languages import language
from tests.engines.fake_llm_server import translated
from tests.engines.llm_doubles import PERSIAN, Asleep, MemoryModel, Purse, good, line, run, some_lines
from tests.engines.test_alignment import pairs

CAREFUL = replace(PERSIAN, careful=True)
REMARK = "Too literal."
Reply = Callable[[Mapping[str, Any]], Mapping[str, str] | Answer]


def polished(number: str) -> str:
    return f"بازنویسی {translated(number, '')}"


def editor(
    faulty: Callable[[str], bool] = lambda number: int(number) % 2 == 0,
    *,
    checks: Reply | None = None,
    final: Reply | None = None,
) -> MemoryModel:
    """A model that drafts well, has a remark on every second line, and follows it."""

    def reply(asked: dict[str, Any]) -> Mapping[str, str] | Answer:
        if "check" in asked:
            return (checks or (lambda _: {number: REMARK if faulty(number) else "ok" for number in asked["check"]}))(
                asked
            )
        if "revise" in asked:
            return (final or (lambda _: {number: polished(number) for number in asked["revise"]}))(asked)
        return good(asked)

    return MemoryModel(reply)


def kinds(model: MemoryModel) -> list[str]:
    return [
        next(kind for kind in ("translate", "check", "revise", "shorten") if kind in asked) for asked in model.asked
    ]


def test_draft_criticism_and_revision() -> None:
    model = editor()
    answers = run(model, some_lines(6), CAREFUL)
    assert kinds(model) == ["translate", "check", "revise"]
    assert model.asked[1]["check"]["1"] == [some_lines(1)[0].text, translated("1", "")]
    assert model.asked[2]["revise"]["2"] == [some_lines(2)[1].text, translated("2", ""), REMARK]
    assert sorted(model.asked[2]["revise"]) == ["2", "4", "6"]
    assert {number: one.text for number, one in answers.items()} == {
        number: polished(str(number)) if number % 2 == 0 else translated(str(number), "") for number in range(1, 7)
    }
    assert not any(one.flags for one in answers.values())


def test_without_remarks_there_is_no_revision() -> None:
    model = editor(lambda _: False)
    answers = run(model, some_lines(4), CAREFUL)
    assert kinds(model) == ["translate", "check"]
    assert not any(one.flags for one in answers.values())


@pytest.mark.parametrize("said", ["OK.", "Okay", "Good!", "None", "n/a", "No problem.", "—"])
def test_ways_of_saying_that_nothing_is_wrong(said: str) -> None:
    model = editor(checks=lambda asked: dict.fromkeys(asked["check"], said))
    run(model, some_lines(3), CAREFUL)
    assert kinds(model) == ["translate", "check"]


def test_plain_mode_asks_once() -> None:
    model = editor()
    run(model, some_lines(6), PERSIAN)
    assert kinds(model) == ["translate"]


BROKEN: dict[str, Reply] = {
    "the source again": lambda asked: {number: one[0] for number, one in asked["revise"].items()},
    "nothing": lambda asked: dict.fromkeys(asked["revise"], ""),
    "one text for all": lambda asked: dict.fromkeys(asked["revise"], "متأسفم، نمی‌توانم کمک کنم."),
    "another script": lambda asked: dict.fromkeys(asked["revise"], "совсем другое письмо"),
    "far too long": lambda asked: {number: polished(number) * 20 for number in asked["revise"]},
    "longer than can be read": lambda asked: {number: polished(number) + " و باز هم" * 4 for number in asked["revise"]},
    "no JSON": lambda _: Answer(text="Sorry."),
    "blocked": lambda _: Answer(text="", trouble="blocked"),
    "other ids": lambda asked: {str(int(number) + 1): polished(number) for number in asked["revise"]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_revision_that_fails_the_checks_leaves_the_draft(name: str) -> None:
    answers = run(editor(final=BROKEN[name]), some_lines(6), CAREFUL)
    for number, one in answers.items():
        assert one.text == translated(str(number), "")
        assert one.flags == (("draft",) if number % 2 == 0 else ())


SPANISH = Brief(source="en", target="es", careful=True)


@pytest.mark.parametrize("brief", [CAREFUL, SPANISH], ids=["fa", "es"])
@pytest.mark.parametrize("every", [1, 2, 4], ids=["all", "every second", "every fourth"])
@pytest.mark.parametrize("fault", ["moved up", "swapped", "reversed"])
def test_revisions_under_the_ids_of_other_lines_are_not_taken(brief: Brief, every: int, fault: str) -> None:
    """With sentences that people translated; the revision changes a word of each."""
    target = language(brief.target)
    known = {source: clean(text, target) for source, text in pairs(brief.target) if len(source.split()) > 4}
    lines = [line(number, text, budget=400) for number, text in enumerate(list(known)[:60], start=1)]

    def final(asked: Mapping[str, Any]) -> dict[str, str]:
        ids, texts = list(asked["revise"]), [f"{one[1]} {one[1].split()[0]}" for one in asked["revise"].values()]
        if fault == "moved up":
            texts = [*texts[1:], texts[-1]]
        elif fault == "swapped":
            texts[2], texts[5] = texts[5], texts[2]
        else:
            texts.reverse()
        return dict(zip(ids, texts, strict=True))

    def reply(asked: dict[str, Any]) -> Mapping[str, str]:
        if "check" in asked:
            return {number: REMARK if int(number) % every == 0 else "ok" for number in asked["check"]}
        return final(asked) if "revise" in asked else {n: known[text] for n, text in asked["translate"].items()}

    answers = run(MemoryModel(reply), lines, brief)
    for one in lines:
        own = known[one.text].split()
        assert answers[one.id].text.split()[: len(own)] == own


def test_a_remark_is_no_translation() -> None:
    def reply(asked: dict[str, Any]) -> Mapping[str, str]:
        if "translate" in asked:
            return {number: f"Esta es la línea con el número {number}." for number in asked["translate"]}
        return dict.fromkeys(asked.get("check") or asked["revise"], REMARK)

    answers = run(MemoryModel(reply), [line(1)], SPANISH)
    assert (answers[1].text, answers[1].flags) == ("Esta es la línea con el número 1.", ("draft",))


def raising(error: RequestFailed) -> Reply:
    def reply(_asked: Mapping[str, Any]) -> Mapping[str, str]:
        raise error

    return reply


@pytest.mark.parametrize(
    "checks",
    [
        lambda _: Answer(text="I think they are all fine"),
        lambda _: Answer(text="", trouble="blocked"),
        raising(ContentFiltered(ServiceError(engine="The double"))),
        raising(RequestTooLarge(ServiceError(engine="The double"))),
        lambda _: Answer(text="", trouble="cut"),
    ],
)
def test_drafts_that_nobody_criticised_are_told(checks: Reply) -> None:
    answers = run(editor(checks=checks), some_lines(5), CAREFUL)
    assert {number: (one.text, one.flags) for number, one in answers.items()} == {
        number: (translated(str(number), ""), ("draft",)) for number in range(1, 6)
    }


def test_a_criticism_that_is_too_large_is_asked_in_halves() -> None:
    def checks(asked: Mapping[str, Any]) -> Mapping[str, str] | Answer:
        if len(asked["check"]) > 4:
            raise RequestTooLarge(ServiceError(engine="The double"))
        return dict.fromkeys(asked["check"], "ok")

    model = editor(checks=checks)
    answers = run(model, some_lines(8), CAREFUL)
    assert [len(asked["check"]) for asked in model.asked if "check" in asked] == [8, 4, 4]
    assert not any(one.flags for one in answers.values())


def test_a_model_that_cannot_criticise_is_not_asked_for_ever() -> None:
    model = editor(checks=lambda _: Answer(text="…"))
    answers = run(model, some_lines(50), CAREFUL, batch_lines=5)
    assert kinds(model).count("check") == 3
    assert kinds(model).count("translate") == 10
    assert all(one.flags == ("draft",) for one in answers.values())


def test_when_the_service_fails_the_drafts_are_kept_and_told() -> None:
    model = editor(checks=raising(RequestFailed(ServiceDown(engine="The double"))))
    batches = iter(LlmTranslator(model, name="test", sleep=Asleep()).translate(some_lines(3), CAREFUL, {}))
    batch = next(batches)
    with pytest.raises(ServiceDown):
        next(batches)
    assert [(one.text, one.flags) for one in batch.translations] == [
        (translated(str(number), ""), ("draft",)) for number in (1, 2, 3)
    ]


def test_at_the_cap_the_drafts_are_kept_and_told() -> None:
    translator = LlmTranslator(editor(), name="test", sleep=Asleep())
    translator.meter = purse = Purse(calls=1)
    found = translator.translate(some_lines(4), CAREFUL, {})
    assert {one.flags for one in next(found).translations} == {("draft",)}
    with pytest.raises(CapReached):
        next(found)
    assert purse.kept == [[1, 2, 3, 4]]


def test_the_tokens_of_all_three_steps_are_counted() -> None:
    translator = LlmTranslator(editor(), name="test", sleep=Asleep())
    (batch,) = translator.translate(some_lines(4), CAREFUL, {})
    assert batch.usage == Usage(input_tokens=30, output_tokens=15)


def test_a_line_that_was_refused_is_not_criticised() -> None:
    def reply(asked: dict[str, Any]) -> Mapping[str, str]:
        if "check" in asked:
            return dict.fromkeys(asked["check"], "ok")
        return {number: text for number, text in good(asked).items() if number != "2"}

    model = MemoryModel(reply)
    answers = run(model, [line(1), line(2), line(3)], CAREFUL)
    assert answers[2].flags == ("untranslated",)
    assert sorted(model.asked[-1]["check"]) == ["1", "3"]


@pytest.mark.parametrize("trouble", ["cut", "too large"])
def test_criticisms_that_are_too_much_cost_few_questions(trouble: str) -> None:
    def reply(asked: Mapping[str, Any]) -> Mapping[str, str] | Answer:
        if "check" not in asked:
            return good(asked)
        if trouble == "cut":
            return Answer(text="{", trouble="cut")
        raise RequestTooLarge(ServiceError(engine="The double"))

    model = MemoryModel(reply)
    answers = run(model, some_lines(120), CAREFUL)
    assert all(one.text and one.flags == ("draft",) for one in answers.values())
    assert len(model.questions) < 20


def test_a_size_that_worked_is_kept_for_later_batches() -> None:
    def reply(asked: Mapping[str, Any]) -> Mapping[str, str] | Answer:
        if "check" not in asked:
            return good(asked)
        return Answer(text="{", trouble="cut") if len(asked["check"]) > 20 else dict.fromkeys(asked["check"], "ok")

    model = MemoryModel(reply)
    answers = run(model, some_lines(120), CAREFUL)
    assert all(one.flags == () for one in answers.values())
    assert sum("check" in asked for asked in model.asked) <= 12
