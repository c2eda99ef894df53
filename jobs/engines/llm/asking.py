"""Types of the steps beside the translation itself, which ask a model by a function that counts its tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jobs.engines.llm.prompt import Question


class Said(Protocol):
    """An answer of a model (see translator.Answer)."""

    @property
    def text(self) -> str:
        """The text of the answer."""
        ...

    @property
    def trouble(self) -> str:
        """The reason for which the answer is not whole: "blocked" or "cut"; else empty."""
        ...


Ask = Callable[[Question], Said]
"""Sends one question. Raises RequestFailed."""
