"""The surroundings of a stage: its engines, the receiver of its reports, its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobs.pipeline.notes import NoteCode
from jobs.pipeline.protocols import CallEnd, Diarizer, Document, Passage, Transcriber, Translator, Usage
from jobs.pipeline.stage import StepName
from jobs.pipeline.subtitles.cue import Cue


class EngineFactory(Protocol):
    """Source of engines for a child. Its methods may take minutes and raise EngineError."""

    def transcriber(self, name: str, options: dict[str, Any]) -> Transcriber:
        """Return the transcriber `name` with these options."""
        ...

    def translator(self, name: str, options: dict[str, Any]) -> Translator:
        """Return the translator `name` with these options."""
        ...

    def diarizer(self, name: str, options: dict[str, Any]) -> Diarizer:
        """Return the diarizer `name` with these options."""
        ...


class Reporter(Protocol):
    """Receiver of a stage's reports, one method for each kind (see process.messages)."""

    def progress(self, share: float) -> None:
        """Report the share of the stage that is done, 0 to 1."""
        ...

    def step(self, name: StepName | None) -> None:
        """Report the step that begins, None at its end."""
        ...

    def note(self, code: NoteCode, **params: str) -> None:
        """Report a remark that is not an error."""
        ...

    def existing(self, language: str, cues: tuple[Cue, ...]) -> None:
        """Report cues of subtitles that are there already."""
        ...

    def window(
        self, *, end: float, language: str, heard: bool, cues: tuple[Cue, ...], passages: tuple[Passage, ...] = ()
    ) -> None:
        """Report the cues of an audio window that ends at `end` seconds, and its passages to be checked."""
        ...

    def briefed(self, document: Document, upto: int, usage: Usage, *, whole: bool) -> None:
        """Report the brief after a part of the transcript, up to the cue with the id `upto`, and the tokens of the
        part that were not reported by `called`; `whole`: the brief is complete.
        """
        ...

    def translated(self, cues: tuple[Cue, ...], usage: Usage, revision: int = 0) -> None:
        """Report translated or flagged cues, the tokens used for them that were not reported by `called`, and the
        revision of the brief they follow.
        """
        ...

    def call(self, expected: Usage) -> None:
        """Wait for leave to call a paid service. Raises CapReached."""
        ...

    def called(self, used: Usage, way: CallEnd) -> None:
        """Report how the call ended."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StageResult:
    """Result of a stage: names of its files in `attempt_dir` by kind, and data for later stages as types of JSON."""

    files: dict[str, str]
    outcome: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StageContext:
    """Surroundings of a task: its directory, its engines, the receiver of its reports, and the source of its cues.

    `cues` yields (cues to translate, texts by id of those already translated) until no more come. `brief` returns the
    newest document that was sent, with its revision; (0, None) if none was.
    """

    attempt_dir: Path
    engines: EngineFactory
    report: Reporter
    cues: Callable[[], Iterator[tuple[tuple[Cue, ...], dict[int, str]]]]
    brief: Callable[[], tuple[int, Document | None]] = lambda: (0, None)
