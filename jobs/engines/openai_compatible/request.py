"""Bodies of requests to chat-completions servers, and their optional parts, which a server may refuse one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from jobs.engines.llm.prompt import Question, schema
from jobs.engines.llm.remote import AnswerFormat
from jobs.engines.openai_compatible.options import Options

_LIMIT = ("max_tokens", "max_completion_tokens", "in the completion", "completion tokens", "max_new_tokens")
"""Words that name the limit of output."""
_FORMAT = ("response_format", "json_schema", "json_object", "json schema", "structured output")
"""Words that name the demanded format."""
_BAD_SCHEMA = (
    "invalid schema",
    "schema is too",
    "schema too",
    "too many properties",
    "too many states",
    "failed to parse",
)
"""Words for a schema that the server knows how to use, but not this one: another batch has another schema."""

_STREAM = re.compile(r"\bstream(?:ing|ed)?\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """The optional parts of a request: the format of the answer, whether it is streamed, with the usage at its end,
    whether the temperature is set, and the name of the limit of output.
    """

    answer: AnswerFormat = AnswerFormat.SCHEMA
    streamed: bool = True
    counted: bool = True
    warm: bool = True
    limit: Literal["max_tokens", "max_completion_tokens", ""] = "max_tokens"

    @property
    def bare(self) -> Form:
        """The same format without any other optional part."""
        return Form(answer=self.answer, streamed=False, counted=False, warm=False, limit="")

    def without_refused(self, said: str) -> Form | None:
        """The form without the part that a server refuses, as its error `said` names it; None if it names none that is
        in use.
        """
        said = said.lower()
        if self.counted and "stream_options" in said:
            return replace(self, counted=False)
        if self.limit and any(mark in said for mark in _LIMIT):
            other = self.limit == "max_tokens" and "max_completion_tokens" in said and "too large" not in said
            return replace(self, limit="max_completion_tokens" if other else "")
        if self.warm and "temperature" in said:
            return replace(self, warm=False)
        if self.streamed and _STREAM.search(said):
            return replace(self, streamed=False, counted=False)
        if self.answer and any(mark in said for mark in _FORMAT) and not any(mark in said for mark in _BAD_SCHEMA):
            return replace(self, answer=AnswerFormat(self.answer - 1))
        return None

    def simpler(self, asked_first: Form) -> Form | None:
        """The next form to try after an error that names no part: lower formats, then the first format without other
        parts, then nothing optional at all. None after that.
        """
        if self.answer:
            lower = replace(self, answer=AnswerFormat(self.answer - 1))
            return lower if self != self.bare else replace(self, answer=AnswerFormat.PLAIN)
        return asked_first.bare if self != self.bare else None


def body_of(options: Options, question: Question, form: Form) -> dict[str, Any]:
    """The body of a request with the optional parts of `form`, as far as the options demand them."""
    body: dict[str, Any] = {
        "model": options.model,
        "messages": [{"role": "system", "content": question.system}, {"role": "user", "content": question.prompt}],
    }
    if form.answer is AnswerFormat.SCHEMA:
        wanted = {"name": "subtitles", "strict": True, "schema": schema(question.ids)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    elif form.answer is AnswerFormat.JSON:
        body["response_format"] = {"type": "json_object"}
    if form.warm and options.temperature >= 0:
        body["temperature"] = options.temperature
    if form.limit and options.answer_tokens > 0:
        body[form.limit] = options.answer_tokens
    if form.streamed and options.stream:
        body["stream"] = True
        if form.counted:
            body["stream_options"] = {"include_usage": True}
    return body
