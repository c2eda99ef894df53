"""The meter of a language model: each call has leave before it is made, and nothing that is paid for is asked again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from jobs.engines.llm.model import Answer, LanguageModel
from jobs.engines.llm.remote import RequestFailed
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.errors import CapReached, ServiceDown, ServiceSlow
from jobs.pipeline.protocols import Line, Metered, Translation, Usage
from tests.engines.fake_llm_server import FakeServer, Said, good
from tests.engines.llm_doubles import PERSIAN, Asleep, MemoryModel, Purse, openai_model, some_lines

COUNTED = Usage(input_tokens=10, output_tokens=5)


def metered(
    model: LanguageModel, purse: Purse, lines: Sequence[Line], done: Mapping[int, str] | None = None, size: int = 2
) -> tuple[dict[int, Translation], CapReached | None]:
    """The answers until the end, or until the cap."""
    translator = LlmTranslator(model, name="test", batch_lines=size, sleep=Asleep())
    assert isinstance(translator, Metered)
    translator.meter = purse
    answers: dict[int, Translation] = {}
    try:
        for batch in translator.translate(lines, PERSIAN, done or {}):
            answers |= {answer.id: answer for answer in batch.translations}
    except CapReached as reached:
        return answers, reached
    return answers, None


def test_at_the_cap_nothing_more_is_asked_and_what_is_answered_is_kept() -> None:
    model, purse = MemoryModel(), Purse(calls=2)
    answers, reached = metered(model, purse, some_lines(6))
    assert reached
    assert len(model.questions) == 2
    assert sorted(answers) == [1, 2, 3, 4]
    assert all(answer.text and not answer.flags for answer in answers.values())


def test_after_the_cap_only_the_rest_is_asked() -> None:
    model = MemoryModel()
    first, _ = metered(model, Purse(calls=2), some_lines(6))
    second, reached = metered(model, Purse(), some_lines(6), {number: one.text for number, one in first.items()})
    assert reached is None
    assert [sorted(map(int, asked["translate"])) for asked in model.asked] == [[1, 2], [3, 4], [5, 6]]
    assert sorted(first | second) == [1, 2, 3, 4, 5, 6]


def test_a_cap_within_a_batch_keeps_the_texts_and_the_flags_that_were_paid_for() -> None:
    """Line 1 is translated at once; line 2 is given up after all questions; line 3 has been asked for once."""

    def only_the_first(asked: dict[str, Any]) -> dict[str, str]:
        return {number: "سلام بر همه" for number in asked["translate"] if number == "1"}

    found: dict[int, list[int]] = {}
    for calls in (1, 2, 3, 4):
        model = MemoryModel(only_the_first)
        answers, _ = metered(model, Purse(calls=calls), some_lines(3), size=3)
        assert len(model.questions) == calls
        assert answers[1].text
        assert all(answer.flags == ("untranslated",) for number, answer in answers.items() if number != 1)
        found[calls] = sorted(answers)
    assert found == {1: [1], 2: [1], 3: [1, 2], 4: [1, 2, 3]}


def test_what_is_paid_for_is_kept_before_more_is_asked() -> None:
    """The first answer lacks line 2, which is asked for again; then line 3 is to be shortened."""

    def reply(asked: dict[str, Any]) -> dict[str, str]:
        if "shorten" in asked:
            return dict.fromkeys(asked["shorten"], "خیلی بلند است")
        texts = {"1": "سلام", "2": "خوبی؟", "3": "این یکی خیلی خیلی خیلی خیلی خیلی خیلی خیلی بلند است"}
        several = len(asked["translate"]) > 1
        return {number: texts[number] for number in asked["translate"] if not (several and number == "2")}

    purse = Purse()
    answers, _ = metered(MemoryModel(reply), purse, some_lines(3), size=3)
    assert purse.kept == [[1, 3], [1, 2, 3]]
    assert answers[3].text == "خیلی بلند است"


def test_each_attempt_is_a_call_and_one_that_failed_costs_nothing() -> None:
    troubles = [ServiceDown(engine="The double"), ServiceDown(engine="The double")]

    def reply(asked: dict[str, Any]) -> dict[str, str]:
        if troubles:
            raise RequestFailed(troubles.pop(), again=True)
        return dict.fromkeys(asked["translate"], "سلام")

    purse = Purse()
    metered(MemoryModel(reply), purse, some_lines(1))
    assert purse.ended == [(Usage(), "failed"), (Usage(), "failed"), (COUNTED, "counted")]


def test_an_answer_that_came_too_late_counts_as_expected() -> None:
    """The service may have made it, and charges for it."""
    late = [ServiceSlow(engine="The double")]

    def reply(asked: dict[str, Any]) -> dict[str, str]:
        if late:
            raise RequestFailed(late.pop(), again=True)
        return dict.fromkeys(asked["translate"], "سلام")

    purse = Purse()
    metered(MemoryModel(reply), purse, some_lines(1))
    assert purse.ended == [(purse.expected[0], "estimated"), (COUNTED, "counted")]
    assert purse.expected[0].input_tokens > 500
    assert purse.expected[0].output_tokens > 0


def test_retries_stop_at_the_cap() -> None:
    def reply(_: dict[str, Any]) -> Answer:
        raise RequestFailed(ServiceDown(engine="The double"), again=True)

    model = MemoryModel(reply)
    _, reached = metered(model, Purse(calls=3), some_lines(1))
    assert reached
    assert len(model.questions) == 3


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0}, {"prompt_tokens": "much"}])
def test_a_server_that_does_not_count_is_estimated(usage: Any) -> None:
    def silent(asked: Any) -> Said:
        message = {"choices": [{"message": {"content": good(asked).text}}]}
        return Said(raw=json.dumps(message | ({"usage": usage} if usage else {})))

    purse = Purse()
    with FakeServer() as server:
        server.behave(silent)
        answers, _ = metered(openai_model(server.url), purse, some_lines(2))
    assert all(answer.text for answer in answers.values())
    [(used, way)] = purse.ended
    assert way == "estimated"
    assert used.input_tokens > 500
    assert 5 < used.output_tokens < 100
