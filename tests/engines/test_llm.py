"""The language-model translator with a model in memory: requests, answers, retries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from jobs.engines.llm.model import Answer
from jobs.engines.llm.remote import RequestFailed, RequestTooLarge
from jobs.engines.llm.resemblance import is_shortened
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.errors import OutOfQuota, ServiceError
from jobs.pipeline.protocols import Brief, Usage
from tests.engines.llm_doubles import PERSIAN, MemoryModel, good, line, run, some_lines


def asked_ids(model: MemoryModel) -> list[list[int]]:
    return [[int(number) for number in asked.get("translate") or asked["shorten"]] for asked in model.asked]


def test_every_line_is_asked_for_once() -> None:
    model = MemoryModel()
    answers = run(model, some_lines(7), batch_lines=3)
    assert asked_ids(model) == [[1, 2, 3], [4, 5, 6], [7]]
    assert [answers[number].text for number in (1, 7)] == ["می‌شود ۱", "می‌شود ۷"]


def test_a_batch_ends_with_a_sentence() -> None:
    lines = [line(number, ends=number in {2, 4, 9}) for number in range(1, 10)]
    model = MemoryModel()
    run(model, lines, batch_lines=5)
    assert asked_ids(model) == [[1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_batch_is_limited_in_size() -> None:
    model = MemoryModel()
    run(model, [line(number, "word " * 500, budget=0) for number in range(1, 5)])
    assert asked_ids(model) == [[1, 2], [3, 4]]


def test_times_are_never_sent() -> None:
    model = MemoryModel()
    run(model, some_lines(2))
    assert set(model.asked[0]) == {"translate", "limits", "context"} - {"context"}


def test_neighbours_are_sent_with_what_is_known_of_them() -> None:
    model = MemoryModel()
    run(model, some_lines(6), batch_lines=3)
    second = model.asked[1]
    assert second["context"]["1"] == ["This is the line with the number 1.", "می‌شود ۱"]
    assert model.asked[0]["context"] == {str(n): [f"This is the line with the number {n}."] for n in (4, 5, 6)}


def test_lines_done_before_are_context_and_not_asked_again() -> None:
    model = MemoryModel()
    answers = run(model, some_lines(3), done={1: "یک", 3: "سه"})
    assert list(answers) == [2]
    assert model.asked[0]["context"] == {
        "1": ["This is the line with the number 1.", "یک"],
        "3": ["This is the line with the number 3.", "سه"],
    }


def test_only_terms_that_occur_are_sent() -> None:
    model = MemoryModel()
    brief = Brief(source="en", target="fa", glossary=(("Line", "خط"), ("whale", "نهنگ")), topic="numbers")
    run(model, some_lines(1), brief)
    assert model.asked[0]["glossary"] == {"Line": "خط"}
    assert model.asked[0]["topic"] == "numbers"


def test_sentences_over_several_lines_are_marked() -> None:
    model = MemoryModel()
    run(model, [line(1, ends=False), line(2)])
    assert model.asked[0]["runs_on"] == ["1"]


def test_only_what_is_wanting_is_asked_for_again() -> None:
    def forgetful(asked: Mapping[str, Any]) -> dict[str, str]:
        return {number: text for number, text in good(asked).items() if number != "2" or len(asked["translate"]) == 1}

    model = MemoryModel(forgetful)
    answers = run(model, some_lines(3))
    assert asked_ids(model) == [[1, 2, 3], [2]]
    assert not any(answer.flags for answer in answers.values())


def test_a_hopeless_line_is_halved_out_and_flagged() -> None:
    def stubborn(asked: Mapping[str, Any]) -> dict[str, str]:
        return {number: "" if number == "3" else text for number, text in good(asked).items()}

    model = MemoryModel(stubborn)
    answers = run(model, some_lines(4))
    assert asked_ids(model) == [[1, 2, 3, 4], [3]]
    assert (answers[3].text, answers[3].flags) == ("", ("untranslated",))
    assert all(answers[number].text for number in (1, 2, 4))


def test_a_name_may_stay_when_the_model_insists() -> None:
    def keeping(asked: Mapping[str, Any]) -> dict[str, str]:
        return dict(asked["translate"])

    model = MemoryModel(keeping)
    answers = run(model, [line(1, "TESOL"), line(2, "https://example.org"), line(3, "Tell me more about it.")])
    assert [answers[number].text for number in (1, 2, 3)] == ["TESOL", "https://example.org", ""]
    assert answers[3].flags == ("untranslated",)
    assert asked_ids(model)[1] == [1, 2, 3]


def test_a_line_may_be_answered_alone_as_it_was_among_others() -> None:
    """The model leaves out the second line of two, so that the first is doubted; alone, it is answered the same."""
    model = MemoryModel(lambda asked: dict(list(good(asked).items())[:1]))
    answers = run(model, some_lines(2))
    assert [bool(answers[number].text) for number in (1, 2)] == [True, True]


def test_lines_that_an_answer_all_leaves_untranslated_are_no_names() -> None:
    """Titles such as these could be names; a model that repeats whole requests tells nothing of them."""
    spanish = {"Job Details": "Detalles de la tarea", "Output Tray": "Bandeja de salida", "TESOL": "TESOL"}

    def lazy(asked: Mapping[str, Any]) -> dict[str, str]:
        said: dict[str, str] = asked["translate"]
        return said if len(said) > 1 else {number: spanish[text] for number, text in said.items()}

    model = MemoryModel(lazy)
    lines = [line(number, text) for number, text in enumerate([*spanish, "Full Volume", "Recording Device"], start=1)]
    spanish |= {"Full Volume": "Volumen total", "Recording Device": "Dispositivo de grabación"}
    answers = run(model, lines, Brief(source="en", target="es"))
    assert [answers[one.id].text for one in lines] == [spanish[one.text] for one in lines]
    assert not any(answer.flags for answer in answers.values())


def test_a_number_that_stays_needs_no_second_ask() -> None:
    model = MemoryModel(lambda asked: dict(asked["translate"]))
    assert run(model, [line(1, "1984")])[1].text == "1984"
    assert len(model.questions) == 1


def test_one_text_for_two_neighbours_is_doubted_once() -> None:
    replies = [{"1": "این یک متن است", "2": "این یک متن است"}, {"1": "این یک متن است", "2": "و این یکی دیگر"}]
    model = MemoryModel(lambda asked: replies[len(model.questions) - 1])
    answers = run(model, some_lines(2))
    assert [answers[1].text, answers[2].text] == ["این یک متن است", "و این یکی دیگر"]


def test_only_lines_over_their_budget_are_condensed() -> None:
    def wordy(asked: Mapping[str, Any]) -> dict[str, str]:
        if "shorten" in asked:
            return {"2": "کوتاه"}
        return good(asked) | {"2": "این ترجمه برای خواندن در این زمان کوتاه بسیار دراز است"}

    model = MemoryModel(wordy)
    answers = run(model, some_lines(3))
    assert asked_ids(model) == [[1, 2, 3], [2]]
    assert model.asked[1]["limits"] == {"2": 40}
    assert (answers[2].text, answers[2].flags) == ("کوتاه", ())


@pytest.mark.parametrize(
    "shorter", ["", "This is English.", "این ترجمه از ترجمهٔ پیش از آن باز هم بسیار درازتر شده است"]
)
def test_a_bad_condensation_leaves_the_longer_text_flagged(shorter: str) -> None:
    long = "این ترجمه برای خواندن در این زمان بسیار دراز است"
    model = MemoryModel(lambda asked: {"1": shorter if "shorten" in asked else long})
    answer = run(model, some_lines(1))[1]
    assert (answer.text, answer.flags) == (long, ("too_long",))
    assert len(model.questions) == 2


def test_unreadable_answers_flag_lines_and_keep_the_job() -> None:
    """After the first batch the model talks nonsense: the other lines are flagged, with few questions."""
    model = MemoryModel(lambda asked: good(asked) if len(model.questions) == 1 else Answer(text="La la la."))
    answers = run(model, some_lines(120), batch_lines=40)
    assert sum(bool(one.text) for one in answers.values()) == 40
    assert all(one.text or one.flags == ("untranslated",) for one in answers.values())
    assert len(answers) == 120
    assert len(model.questions) < 20


def test_shorter_texts_under_the_ids_of_others_are_not_used() -> None:
    """The model merges two of the lines that it shortens, and moves the next one up."""
    long = {
        "1": "علی آن شب خیلی دیر و بسیار خسته به خانهٔ خودش برگشت",
        "2": "هیچ‌کس از آن جماعت نمی‌دانست که او کجا رفته بوده است",
        "3": "فردای آن روز همهٔ همسایه‌ها از پنجره‌ها نگاه می‌کردند",
    }
    short = {"1": "علی دیر برگشت", "2": "همسایه‌ها نگاه می‌کردند", "3": "تمام شد"}
    model = MemoryModel(lambda asked: short if "shorten" in asked else long)
    answers = run(model, some_lines(3))
    assert [answers[number].text for number in (1, 2, 3)] == [short["1"], long["2"], long["3"]]
    assert [answers[number].flags for number in (1, 2, 3)] == [(), ("too_long",), ("too_long",)]


def test_shorter_texts_without_spaces_are_compared_by_their_characters() -> None:
    own, other = "他昨天晚上很晚才回到自己的家里", "没有人知道他到底去了什么地方"
    assert is_shortened(own, "他很晚才回家", [other])
    assert not is_shortened(other, "他很晚才回家", [own])


def test_tokens_are_counted_with_those_of_bad_answers() -> None:
    model = MemoryModel(lambda asked: good(asked) if len(model.questions) > 1 else {})
    batches = list(LlmTranslator(model, name="test").translate(some_lines(2), PERSIAN, {}))
    assert sum((batch.usage for batch in batches), Usage()) == Usage(input_tokens=20, output_tokens=10)


def test_trouble_is_raised_after_what_was_done_was_handed_over() -> None:
    def failing(asked: Mapping[str, Any]) -> dict[str, str]:
        if len(model.questions) == 3:
            raise RequestFailed(OutOfQuota(engine="it"))
        return {number: text for number, text in good(asked).items() if number != "3"}

    model = MemoryModel(failing)
    batches = LlmTranslator(model, name="test", batch_lines=2).translate(some_lines(6), PERSIAN, {})
    assert [answer.id for answer in next(batches).translations] == [1, 2]
    assert [(answer.id, answer.text) for answer in next(batches).translations] == [(4, "می‌شود ۴")]
    with pytest.raises(OutOfQuota):
        next(batches)


def test_a_line_given_up_before_the_trouble_is_left_for_the_next_try() -> None:
    def failing(asked: Mapping[str, Any]) -> dict[str, str]:
        if list(asked["translate"]) == ["3"]:
            raise RequestFailed(OutOfQuota(engine="it"))
        return {number: text for number, text in good(asked).items() if number in {"2", "4"}}

    batches = LlmTranslator(MemoryModel(failing), name="test").translate(some_lines(4), PERSIAN, {})
    assert [answer.id for answer in next(batches).translations] == [2, 4]
    with pytest.raises(OutOfQuota):
        next(batches)


def test_too_large_a_request_is_halved() -> None:
    def narrow(asked: Mapping[str, Any]) -> dict[str, str]:
        if len(asked["translate"]) > 2:
            raise RequestTooLarge(ServiceError(engine="it"))
        return good(asked)

    model = MemoryModel(narrow)
    answers = run(model, some_lines(4))
    assert asked_ids(model) == [[1, 2, 3, 4], [1, 2], [3, 4]]
    assert all(answer.text for answer in answers.values())


def test_a_blocked_line_is_found_and_flagged_alone() -> None:
    def prudish(asked: Mapping[str, Any]) -> dict[str, str] | Answer:
        return Answer(text="", trouble="blocked") if "5" in asked["translate"] else good(asked)

    model = MemoryModel(prudish)
    answers = run(model, some_lines(8))
    assert not any("note" in asked for asked in model.asked), "nothing was wrong with how it answered"
    assert [number for number, answer in answers.items() if answer.flags] == [5]
    assert answers[5].flags == ("blocked",)


def test_a_model_that_cannot_do_the_language_ends_the_job() -> None:
    model = MemoryModel(lambda asked: dict(asked["translate"]))
    with pytest.raises(ServiceError):
        run(model, some_lines(100))
    assert len(model.questions) < 100


def test_what_an_unreadable_answer_said_can_be_written_down() -> None:
    model = MemoryModel(lambda _: Answer(text="no \ud83d"))
    with pytest.raises(ServiceError) as raised:
        run(model, some_lines(20), batch_lines=1)
    raised.value.detail.encode()


@pytest.mark.parametrize(
    "refusal", ["متأسفم، اما متنی در پیام شما نمی‌بینم. لطفاً متن را بفرستید.", "لطفاً متن کامل را بفرستید."]
)
def test_a_refusal_under_every_id_is_flagged_and_never_shown(refusal: str) -> None:
    lines = [line(number, text, budget=80) for number, text in enumerate(DIFFERENT, start=1)]
    model = MemoryModel(lambda asked: dict.fromkeys(asked["translate"], refusal))
    found = run(model, lines)

    assert {(one.text, one.flags) for one in found.values()} == {("", ("untranslated",))}


def test_a_remark_about_a_line_is_flagged() -> None:
    lines = [line(number, text, budget=80) for number, text in enumerate(DIFFERENT, start=1)]
    good = {"1": "سلام کرد و رفت.", "2": "بعد او در را بست.", "3": "[ترجمه‌ای ارائه نشد]", "4": "دیروقت بود."}
    model = MemoryModel(lambda asked: {number: good[number] for number in asked["translate"]})
    found = run(model, lines)

    assert {number: one.text for number, one in found.items() if one.text} == {
        1: good["1"],
        2: good["2"],
        4: good["4"],
    }
    assert found[3].flags == ("untranslated",)


DIFFERENT = ["He said hello and left.", "Then she closed the door.", "Nobody knew the reason.", "It was late."]
