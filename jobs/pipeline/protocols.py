"""What an engine is to the pipeline: a few small methods, and the plain data that passes through them.

Times are seconds as floats. Text is Unicode in NFC. Languages are the codes of `languages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples a second of all audio inside the pipeline; both speech engines were trained on it."""


Samples: TypeAlias = "NDArray[np.float32]"
"""Mono audio at SAMPLE_RATE, between -1 and 1, shape (n,)."""

Progress = Callable[[float], None]
"""Called with the share of the work that is done, 0 to 1, never falling."""

Formality = Literal["auto", "colloquial", "formal"]
Mode = Literal["burn", "soft", "none"]
"""What becomes of the picture: subtitles drawn into it, a track that can be switched off, or no video at all."""


def ignore_progress(share: float) -> None:
    """The progress callback of those who do not look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One spoken word. `confidence` is 0 to 1; `speaker` is empty where speakers are not told apart."""

    text: str
    start: float
    end: float
    confidence: float = 1.0
    speaker: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A stretch of audio between two silences, recognised: the unit of checkpoints. Times are those of the video."""

    start: float
    end: float
    language: str
    words: tuple[Word, ...]


class Transcriber(Protocol):
    """Speech to words."""

    name: str
    window_seconds: float
    """The longest stretch of audio it likes at once."""

    def detect(self, samples: Samples) -> str:
        """The language spoken in `samples`. Raises CannotDetectLanguage."""
        ...

    def recognise(self, samples: Samples, language: str, progress: Progress) -> Sequence[Word]:
        """The words of one stretch in order, their times counted from its start. Silence gives none."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line to translate: the text of a cue. `budget` is the number of characters that can be read in its time."""

    id: int
    text: str
    budget: int
    ends_sentence: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """What every line of a job shares. `glossary` maps a source term to its fixed translation."""

    source: str
    target: str
    formality: Formality = "auto"
    glossary: tuple[tuple[str, str], ...] = ()
    topic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """The answer for one line. An empty text has a flag that says why (see FLAGS)."""

    id: int
    text: str
    flags: tuple[str, ...] = ()


FLAGS: Mapping[str, str] = {
    "untranslated": "the translator returned no usable answer for this line",
    "blocked": "the translation service refused this line",
    "too_long": "the translation is too long to be read while it is shown",
    "capped": "the token limit was reached before this line",
    "unsure": "the speech was hard to understand here",
}
"""Every flag a cue can carry, and what it means."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What an engine consumed."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens, output_tokens=self.output_tokens + other.output_tokens
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Some lines answered at once: the unit of checkpoints."""

    translations: tuple[Translation, ...]
    usage: Usage = Usage()


class Translator(Protocol):
    """Lines to lines. Over all batches each id of `lines` that is not in `done` is answered exactly once."""

    name: str

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        """`done` maps ids translated earlier to their text: context, not to be answered again."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """Whether an engine could work now. `detail` says with what; else `reason` says why not, `remedy` what helps, and
    `detail` is the technical text. A reason is a sentence marked for the catalogue, a remedy may be one or a command.
    """

    ready: bool
    detail: str = ""
    reason: str = ""
    remedy: str = ""
