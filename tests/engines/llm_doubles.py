"""Helpers for tests of language models: lines, a model in memory, and both clients on a local server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.engines.gemini import spec as gemini
from jobs.engines.gemini.client import GeminiModel
from jobs.engines.llm.model import Answer, LanguageModel
from jobs.engines.llm.prompt import Question
from jobs.engines.llm.translator import LlmTranslator
from jobs.engines.openai_compatible import spec as openai_compatible
from jobs.engines.openai_compatible.client import OpenAiModel
from jobs.pipeline.errors import JobCapReached
from jobs.pipeline.protocols import Brief, CallEnd, Line, Translation, Usage
from tests.engines.fake_llm_server import KEY, Shape, translated
from tests.waiting import PATIENCE

PERSIAN = Brief(source="en", target="fa")


def line(number: int, text: str = "", *, budget: int = 40, ends: bool = True) -> Line:
    text = text or f"This is the line with the number {number}."
    return Line(id=number, text=text, budget=budget, ends_sentence=ends)


def some_lines(count: int) -> list[Line]:
    return [line(number) for number in range(1, count + 1)]


class MemoryModel:
    """Answers by `reply`, which takes the question's JSON and gives texts under ids, an Answer, or raises."""

    label = "The double"

    def __init__(self, reply: Callable[[dict[str, Any]], Mapping[str, str] | Answer] | None = None) -> None:
        self._reply = reply or good
        self.questions: list[Question] = []

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [json.loads(question.prompt) for question in self.questions]

    def ask(self, question: Question) -> Answer:
        self.questions.append(question)
        reply = self._reply(json.loads(question.prompt))
        if isinstance(reply, Answer):
            return reply
        return Answer(text=json.dumps(reply, ensure_ascii=False), usage=Usage(input_tokens=10, output_tokens=5))


def good(asked: Mapping[str, Any]) -> dict[str, str]:
    texts = asked.get("translate") or {number: pair[1] for number, pair in asked["shorten"].items()}
    return {number: translated(number, text) for number, text in texts.items()}


def gemini_model(url: str, **options: Any) -> GeminiModel:
    settings: dict[str, Any] = {"api_key": KEY, "endpoint": url, "timeout": PATIENCE} | options
    return GeminiModel(gemini.Options(**settings))


def openai_model(url: str, **options: Any) -> OpenAiModel:
    settings: dict[str, Any] = {
        "base_url": f"{url}/v1",
        "model": "small",
        "api_key": KEY,
        "timeout": PATIENCE,
    } | options
    return OpenAiModel(openai_compatible.Options(**settings))


def model_of(shape: Shape, url: str, **options: Any) -> LanguageModel:
    return gemini_model(url, **options) if shape == "gemini" else openai_model(url, **options)


class Asleep:
    """Stands for time.sleep: keeps the pauses and takes no time."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def run(
    model: LanguageModel,
    lines: Iterable[Line],
    brief: Brief = PERSIAN,
    done: Mapping[int, str] | None = None,
    **settings: Any,
) -> dict[int, Translation]:
    """All answers under their ids; an id answered twice fails."""
    translator = LlmTranslator(model, name="test", **({"sleep": Asleep()} | settings))
    answers: dict[int, Translation] = {}
    for batch in translator.translate(list(lines), brief, done or {}):
        for answer in batch.translations:
            assert answer.id not in answers
            answers[answer.id] = answer
    return answers


@dataclass
class Purse:
    """A meter that allows a number of calls, and takes down what it hears."""

    calls: int = 1000
    expected: list[Usage] = field(default_factory=list)
    ended: list[tuple[Usage, CallEnd]] = field(default_factory=list)
    kept: list[list[int]] = field(default_factory=list)

    def before_call(self, expected: Usage) -> None:
        assert len(self.expected) == len(self.ended), "each call ends before the next one"
        if len(self.expected) >= self.calls:
            raise JobCapReached(used="0.99 USD", limit="1.00 USD", needed="0.02 USD")
        self.expected.append(expected)

    def after_call(self, used: Usage, way: CallEnd) -> None:
        self.ended.append((used, way))

    def keep(self, translations: Sequence[Translation]) -> None:
        assert all(one.text for one in translations)
        self.kept.append([one.id for one in translations])
