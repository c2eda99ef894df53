"""Protocols of engines, and the data types of their methods.

Times are seconds as floats. Text is Unicode in NFC. Languages are the codes of `text.languages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples per second of all audio inside the pipeline; the models of both speech engines need it."""


MIX, INVERTED = "mix", "inverted"
"""Ways of mixing channels: all of them, and all with those that are opposite in phase inverted. The third way is one
channel, by ffmpeg's name or its number.
"""

Samples: TypeAlias = "NDArray[np.float32]"
"""Mono audio at SAMPLE_RATE, between -1 and 1, shape (n,)."""

Progress = Callable[[float], None]
"""Callback with the share of the work that is done, 0 to 1, never decreasing."""

Formality = Literal["auto", "colloquial", "formal"]
"""Register of a translation; `auto` is the speaker's."""

Mode = Literal["burn", "soft", "none"]
"""Kind of the resulting video: subtitles drawn into the picture, as a track that can be switched off, or no video."""


def ignore_progress(share: float) -> None:
    """Do nothing: the default progress callback."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A stretch of sound, in seconds from the start of the samples: with speech, where a detector returns it."""

    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One spoken word. `confidence` is 0 to 1; `speaker` is empty if speakers are not distinguished, `language` if the
    engine did not detect it. `doubted`: it repeats the words before it, and may not have been said so often.
    """

    text: str
    start: float
    end: float
    confidence: float = 1.0
    speaker: str = ""
    language: str = ""
    doubted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A stretch of the video to be checked: `removed` text, which was taken for an invention of the recogniser,
    `unheard` speech without a word, or speech in an `other` language than the named one, whose code is the text. Times
    are seconds of the video.
    """

    kind: Literal["removed", "unheard", "other"]
    start: float
    end: float
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hints:
    """Facts about speech that are known before it is recognised.

    `language` is the one that the person named: speech is recognised in it, and words that sound like another language
    have that one's code. Without it the engine detects one for each stretch of speech, for which
    `expected`, the language of the speech before, is likely. `terms` are names and terms that may occur.
    """

    language: str = ""
    expected: str = ""
    terms: tuple[str, ...] = ()
    topic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The words of a stretch of audio between two silences, the unit of checkpoints. Times are those of the video.

    `language` is the one of most of its words. `removed` are words that were taken for inventions of the recogniser,
    `unheard` stretches of speech without a word. If the language was named, `other` are the words that sound like
    another one, with its code; among `words` they have the named one.
    """

    start: float
    end: float
    language: str
    words: tuple[Word, ...]
    removed: tuple[Word, ...] = ()
    unheard: tuple[Region, ...] = ()
    other: tuple[Word, ...] = ()


class Transcriber(Protocol):
    """A speech engine: audio to words."""

    name: str
    window_seconds: float
    """Longest stretch of audio in seconds that `recognise` should get at once, once the model is loaded."""

    piece_seconds: float
    """Seconds of speech that cost as much as fewer do, so that full pieces save work; 0 if every second costs."""

    def load(self) -> None:
        """Load the model, so that `recognise` begins at once. Raises EngineError."""
        ...

    def speech(self, samples: Samples) -> Sequence[Region]:
        """Detect the regions with speech in `samples`, in order, without overlaps."""
        ...

    def recognise(
        self, samples: Samples, regions: Sequence[Region], hints: Hints, progress: Progress
    ) -> Sequence[Word]:
        """Recognise the words of a stretch in order, with times from its start. `regions` are those that `speech` found
        in it; without any there are no words. Raises EngineError.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A stretch of one speaker's speech, in seconds from the start of the audio. Turns of two speakers may overlap."""

    start: float
    end: float
    speaker: str


class Diarizer(Protocol):
    """A speaker engine: it tells who speaks when, whatever is said."""

    name: str

    def load(self) -> None:
        """Load the model, so that `diarize` begins at once. Raises EngineError."""
        ...

    def diarize(self, audio: Path, speakers: int | None, progress: Progress) -> Sequence[Turn]:
        """Find the turns in `audio` (WAV, 16 kHz, mono, 16 bit), in order of their starts; none without speech.

        `speakers` is their number, None to estimate it. The same audio gives the same turns, so that a stage that is
        repeated after a crash gives the same cues. Raises EngineError.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line to translate, the text of a cue. `budget`: characters that can be read in its time (0: no limit).

    `language` is the code of the line where it is another than the source of the brief; else it is empty.
    """

    id: int
    text: str
    budget: int
    ends_sentence: bool = True
    language: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The brief that people see and edit: facts about a whole transcript that a translator needs before the first line.

    `register` tells how people speak. `names` and `terms` are pairs of what is said and the suggested translation: the
    same where it is to stay. `edited`: a person wrote or changed it, so that its names and terms bind.
    """

    topic: str = ""
    register: str = ""
    names: tuple[tuple[str, str], ...] = ()
    terms: tuple[tuple[str, str], ...] = ()
    edited: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """Options of a translation, for all its lines.

    `glossary` has pairs of a source term and its translation, which is the term itself where that is to stay, `notes`
    pairs of a term and a remark; `suggested` are further terms, whose translations do not bind. `register` tells how
    people speak. `careful`: translations are criticised and revised, where the translator can do that.
    """

    source: str
    target: str
    formality: Formality = "auto"
    glossary: tuple[tuple[str, str], ...] = ()
    topic: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    suggested: tuple[tuple[str, str], ...] = ()
    register: str = ""
    careful: bool = False

    def with_document(self, document: Document | None) -> Brief:
        """The options with those of a document added. Terms of the glossary stand above those of the document."""
        if document is None:
            return self
        own = {term for term, _ in self.glossary}
        terms = tuple(pair for pair in (*document.names, *document.terms) if pair[0] not in own)
        return replace(
            self,
            topic=document.topic or self.topic,
            register=document.register,
            glossary=(*self.glossary, *terms) if document.edited else self.glossary,
            suggested=() if document.edited else terms,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Translation:
    """The translation of one line. An empty text has a flag with the reason (see FLAGS)."""

    id: int
    text: str
    flags: tuple[str, ...] = ()


FLAGS: Mapping[str, str] = {
    "untranslated": "the translator returned no usable answer for this line",
    "blocked": "the translation service refused this line",
    "too_long": "the translation is too long to be read while it is shown",
    "capped": "the token limit of an earlier version was reached before this line",
    "glossary": "a term of the glossary is not translated as the glossary says",
    "draft": "the careful revision of this line failed, so that its first draft stands",
    "unsure": "the speech was hard to understand here",
}
"""Flags of a cue, with their meaning for quality reports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens used by an engine."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens, output_tokens=self.output_tokens + other.output_tokens
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Some translated lines with the tokens used for them, the unit of checkpoints."""

    translations: tuple[Translation, ...]
    usage: Usage = Usage()


class Meter(Protocol):
    """Accounts for the calls of a translator that costs money, one call after another."""

    def before_call(self, expected: Usage) -> None:
        """Get leave for one call that will use about so many tokens. Raises CapReached: then it must not be made."""
        ...

    def after_call(self, used: Usage, way: CallEnd) -> None:
        """Report the tokens of the call for which leave was given."""
        ...

    def keep(self, translations: Sequence[Translation]) -> None:
        """Save texts that are paid for, before more is asked for: a process that is killed then loses one call only.
        The batch that is returned later contains them again.
        """
        ...


CallEnd = Literal["counted", "estimated", "failed"]
"""End of a call: its tokens were counted by the service, or estimated because it did not count; or it failed, and costs
nothing."""


class Unmetered:
    """The Meter that allows everything and remembers nothing."""

    def before_call(self, expected: Usage) -> None:
        """Allow it."""

    def after_call(self, used: Usage, way: CallEnd) -> None:
        """Do nothing."""

    def keep(self, translations: Sequence[Translation]) -> None:
        """Do nothing."""


@runtime_checkable
class Metered(Protocol):
    """A translator that costs money: it uses its `meter` for each call, and may be given another one."""

    meter: Meter


class Translator(Protocol):
    """A translation engine: lines to translated lines."""

    name: str

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        """Yield batches in which each id of `lines` that is not in `done` occurs exactly once.

        `done` maps ids that are already translated to their text, as context. Raises EngineError, CannotTranslate.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A part of a transcript that was read for a brief: the `document` so far, from all lines up to the id `upto`.

    `left_out`: this part could not be read. `usage`: the tokens of this part.
    """

    document: Document
    upto: int
    left_out: bool = False
    usage: Usage = Usage()


@runtime_checkable
class Reader(Protocol):
    """A translator that can read a whole transcript before it translates."""

    def read(self, lines: Sequence[Line], brief: Brief, document: Document, upto: int) -> Iterator[Read]:
        """Yield the document after each part of `lines`. A pass that was interrupted goes on with its `document`, after
        the line with the id `upto` (0: from the start). Raises EngineError, after all parts that were read.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """The readiness of an engine.

    If ready, `detail` names its model or languages. If not, `reason` is a sentence marked for the catalogue, `remedy` a
    command or a marked phrase, and `detail` a technical text.
    """

    ready: bool
    detail: str = ""
    reason: str = ""
    remedy: str = ""
