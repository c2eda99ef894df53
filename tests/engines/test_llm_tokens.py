"""Estimates of tokens: within bounds of what a real tokenizer counts, and of what a job asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.engines.llm import prompt, tokens
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.protocols import Brief, Line, Usage
from tests.engines.llm_doubles import PERSIAN, Asleep, MemoryModel, good

COUNTED = {"en": 195, "fa": 184, "ar": 185, "de": 168, "es": 161, "fr": 176}
"""Tokens of tests/data/speech/made/*.txt by the tokenizer of Gemma 3 (vocabulary of 262,000)."""

PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@pytest.mark.parametrize("code", COUNTED)
def test_text_is_counted_about_as_a_real_tokenizer_does(code: str, data: Path) -> None:
    """On the expensive side, by less than a fifth."""
    text = (data / "speech" / "made" / f"{code}.txt").read_text()
    assert 1.0 <= tokens.count(text) / COUNTED[code] < 1.2


def test_rules_and_lines_are_counted_about_as_a_real_tokenizer_does() -> None:
    """The rules for Persian have 831 tokens by Gemma's tokenizer, those for Spanish 632."""
    for target, real in (("fa", 831), ("es", 632)):
        question = prompt.to_translate(
            [Line(id=1, text="Hello.", budget=9)], Brief(source="en", target=target), prompt.Surroundings()
        )
        assert 1.0 <= tokens.count(question.system) / real < 1.3


def test_no_text_has_no_tokens() -> None:
    assert tokens.count("") == 0
    assert tokens.of_text(0, 0, PERSIAN) == Usage()
    assert tokens.of_speech(0, PERSIAN) == Usage()


def test_persian_costs_more_than_spanish() -> None:
    hour = {target: tokens.of_speech(3600, Brief(source="en", target=target)) for target in ("fa", "es")}
    assert hour["fa"].output_tokens > 1.15 * hour["es"].output_tokens
    assert hour["fa"].input_tokens > hour["es"].input_tokens


def test_twice_as_much_costs_twice() -> None:
    one, two = (tokens.of_speech(seconds, PERSIAN) for seconds in (3600, 7200))
    assert two.output_tokens == pytest.approx(2 * one.output_tokens, rel=0.01)


def test_small_requests_repeat_the_rules() -> None:
    small, large = (tokens.of_text(600, 24_000, PERSIAN, lines) for lines in (5, 60))
    assert small.input_tokens > 4 * large.input_tokens
    assert small.output_tokens == pytest.approx(large.output_tokens, rel=0.1)


@pytest.mark.parametrize("size", [10, 60])
def test_the_estimate_is_near_what_a_job_asks(size: int) -> None:
    """Of a model that answers all at once: the estimate has a fifth more, for what others are asked again."""
    sentence = "And then she told the children about the old house near the river"
    lines = [Line(id=n, text=f"{sentence}, {n}.", budget=60) for n in range(1, 301)]
    model = MemoryModel(lambda asked: {number: told(number) for number in good(asked)})
    for _ in LlmTranslator(model, name="test", batch_lines=size, sleep=Asleep()).translate(lines, PERSIAN, {}):
        pass
    found = tokens.of_text(len(lines), sum(len(line.text) for line in lines), PERSIAN, size)
    asked = sum(tokens.count(one.system) + tokens.count(one.prompt) for one in model.questions)
    assert 1.0 < found.input_tokens / asked < 1.8
    answers = tokens.count(json.dumps({f"{line.id:03}": told(str(line.id)) for line in lines}, ensure_ascii=False))
    assert 1.0 < found.output_tokens / answers < 2.2


def told(number: str) -> str:
    """A Persian sentence for the English one."""
    return f"و بعد برای بچه‌ها از خانهٔ قدیمی کنار رودخانه گفت، {number.lstrip('0').translate(PERSIAN_DIGITS)}."
