"""A language model as the translator sees it: questions in, answers out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from jobs.engines.llm.prompt import Question
from jobs.pipeline.protocols import Usage

NO_USAGE = Usage()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A model's answer. `trouble` is "blocked" when the lines were refused, "cut" when the text ends early because it
    was too long or too slow, "broken" when the connection was.
    """

    text: str
    usage: Usage = NO_USAGE
    trouble: Literal["", "blocked", "cut", "broken"] = ""


class LanguageModel(Protocol):
    """A client of one model. `label` is its name in sentences for people."""

    label: str

    def ask(self, question: Question) -> Answer:
        """Send one question, without retries. Raises RequestFailed."""
        ...


Ask = Callable[[Question], Answer]
"""Sends one question, with retries, and counts its tokens. Raises RequestFailed, CapReached."""
