"""What a person asks for, as it is kept with the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.pipeline.process.messages import plain, shaped
from jobs.pipeline.protocols import Formality, Mode
from jobs.pipeline.subtitles.style import Style


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """`target` and `spoken` are codes; `spoken` is None where the language is to be told. `brought`: the words come
    from subtitles of the person, in `spoken`. Engines are names or `auto`.
    """

    target: str
    spoken: str | None = None
    brought: bool = False
    style: Style = Style()
    bilingual: bool = False
    mode: Mode = "burn"
    formality: Formality = "auto"
    glossary: tuple[tuple[str, str], ...] = ()
    topic: str = ""
    transcriber: str = "auto"
    translator: str = "auto"
    cookies: Path | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(self)
        return found


def order_of(stored: dict[str, Any]) -> Order:
    """The order that `as_json` gave."""
    return shaped(Order, stored)
