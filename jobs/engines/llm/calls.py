"""Calls of a language model: leave of the meter before each, retries, and the tokens that they use."""

from __future__ import annotations

from collections.abc import Callable

from jobs.engines.llm import tokens
from jobs.engines.llm.model import NO_USAGE, Answer, LanguageModel
from jobs.engines.llm.prompt import Question
from jobs.engines.llm.remote import RequestFailed, with_retries
from jobs.pipeline.errors import ServiceSlow
from jobs.pipeline.protocols import Brief, CallEnd, Meter, Usage


class Calls:
    """The calls of one translation. `sleep` waits the given seconds between attempts."""

    def __init__(self, model: LanguageModel, meter: Meter, brief: Brief, sleep: Callable[[float], None]) -> None:
        self._model, self._meter, self._brief, self._sleep = model, meter, brief, sleep
        self._usage = NO_USAGE

    def ask(self, question: Question) -> Answer:
        """Send a question, with retries. Raises RequestFailed, CapReached."""
        answer = with_retries(lambda: self._call(question), self._sleep)
        self._usage += answer.usage
        return answer

    def take_usage(self) -> Usage:
        """The tokens used since the last call of this, as the service counted them."""
        usage, self._usage = self._usage, NO_USAGE
        return usage

    def _call(self, question: Question) -> Answer:
        """Ask once, with leave of the meter."""
        expected = tokens.expected(question, self._brief)
        self._meter.before_call(expected)
        try:
            answer = self._model.ask(question)
        except RequestFailed as trouble:
            # Only an answer that came too late may have been made, and be charged for.
            late = isinstance(trouble.error, ServiceSlow)
            self._meter.after_call(expected if late else NO_USAGE, "estimated" if late else "failed")
            raise
        self._meter.after_call(*_used(question, answer))
        return answer


def _used(question: Question, answer: Answer) -> tuple[Usage, CallEnd]:
    """The tokens of a call: the service's count of input and output, each estimated where it is missing."""
    used = Usage(
        input_tokens=answer.usage.input_tokens or tokens.count(question.system) + tokens.count(question.prompt),
        output_tokens=answer.usage.output_tokens or tokens.count(answer.text),
    )
    return used, "counted" if used == answer.usage else "estimated"
