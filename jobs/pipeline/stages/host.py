"""Main loop of the child process that runs stages: it reads commands and writes reports, one line each.

The child ends at the end of its input. A child for speech is kept for further commands, with its model loaded.
"""

from __future__ import annotations

import logging
import os
import queue
import tempfile
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from jobs.pipeline import errors
from jobs.pipeline.media.atomic_files import refusal
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process.messages import (
    Briefed,
    Call,
    Called,
    Command,
    Cues,
    Done,
    Existing,
    Failed,
    Leave,
    NewBrief,
    Note,
    Progress,
    Report,
    Run,
    Step,
    Translated,
    Window,
    decode_command,
    encode,
)
from jobs.pipeline.protocols import CallEnd, Document, Passage, Usage
from jobs.pipeline.stage import StepName
from jobs.pipeline.stages.context import EngineFactory, StageContext
from jobs.pipeline.stages.dispatch import run_task
from jobs.pipeline.subtitles.cue import Cue

log = logging.getLogger(__name__)


def serve(inbox: IO[bytes], outbox: IO[bytes], engines: EngineFactory) -> None:
    """Run the commands from `inbox` (see process.messages) until it ends; reports go to `outbox`."""
    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    briefs: dict[str, NewBrief] = {}
    threading.Thread(target=_listen, args=(inbox, commands, briefs), daemon=True).start()
    while command := commands.get():
        if isinstance(command, Run):  # skips Cues and End of a command that has already failed
            _run(command, _Channel(commands, outbox, command.attempt, briefs=briefs), engines)


def _listen(inbox: IO[bytes], commands: queue.SimpleQueue[Command | None], briefs: dict[str, NewBrief]) -> None:
    """Put commands into the queue; of the briefs of an attempt the last one is kept, to be looked up in between."""
    try:
        for line in inbox:
            command = decode_command(line)
            if isinstance(command, NewBrief):
                briefs[command.attempt] = command
            else:
                commands.put(command)
    finally:
        commands.put(None)  # also after a line that cannot be decoded


@dataclass(frozen=True, slots=True)
class _Channel:
    """Both directions of one attempt: it is the Reporter of `run_task`, and yields the cues to translate.

    `early` are commands that came while a Leave was awaited.
    """

    commands: queue.SimpleQueue[Command | None]
    outbox: IO[bytes]
    attempt: str
    early: deque[Command | None] = field(default_factory=deque)
    briefs: dict[str, NewBrief] = field(default_factory=dict)

    def send(self, report: Report) -> None:
        self.outbox.write(encode(report))
        self.outbox.flush()

    def progress(self, share: float) -> None:
        self.send(Progress(self.attempt, share))

    def step(self, name: StepName | None) -> None:
        self.send(Step(self.attempt, name))

    def note(self, code: NoteCode, **params: str) -> None:
        self.send(Note(self.attempt, code, params))

    def existing(self, language: str, cues: tuple[Cue, ...]) -> None:
        self.send(Existing(self.attempt, language, cues))

    def window(
        self, *, end: float, language: str, heard: bool, cues: tuple[Cue, ...], passages: tuple[Passage, ...] = ()
    ) -> None:
        self.send(Window(self.attempt, end, language, heard, cues, passages))

    def briefed(self, document: Document, upto: int, usage: Usage, *, whole: bool) -> None:
        self.send(Briefed(self.attempt, document, upto, whole, usage))

    def translated(self, cues: tuple[Cue, ...], usage: Usage, revision: int = 0) -> None:
        self.send(Translated(self.attempt, cues, usage, revision))

    def brief(self) -> tuple[int, Document | None]:
        new = self.briefs.get(self.attempt)
        return (new.revision, new.document) if new else (0, None)

    def call(self, expected: Usage) -> None:
        self.send(Call(self.attempt, expected))
        while command := self.commands.get():
            if isinstance(command, Leave) and command.attempt == self.attempt:
                if command.error:
                    raise errors.from_record(command.error)
                return
            self.early.append(command)
        self.commands.put(None)
        raise errors.PipelineError(detail="The supervisor ended before it gave leave for a call.")

    def called(self, used: Usage, way: CallEnd) -> None:
        self.send(Called(self.attempt, used, way))

    def cues(self) -> Iterator[tuple[tuple[Cue, ...], dict[int, str]]]:
        while command := self._next():
            if command.attempt != self.attempt:
                continue
            if not isinstance(command, Cues):
                return
            yield command.cues, command.done
        self.commands.put(None)  # so that `serve` ends as well

    def _next(self) -> Command | None:
        return self.early.popleft() if self.early else self.commands.get()


def _run(command: Run, channel: _Channel, engines: EngineFactory) -> None:
    _put_temporary_files_in(command.attempt_dir)
    try:
        context = StageContext(
            attempt_dir=command.attempt_dir, engines=engines, report=channel, cues=channel.cues, brief=channel.brief
        )
        result = run_task(command.task, context)
    except errors.PipelineError as error:
        channel.send(Failed(command.attempt, error.record()))
    except OSError as error:
        channel.send(Failed(command.attempt, refusal(error, command.attempt_dir).record()))
    except Exception:
        details = traceback.format_exc()
        log.exception("Stage failed with an unexpected error")
        channel.send(Failed(command.attempt, errors.PipelineError(detail=details[-4000:]).record()))
    else:
        channel.send(Done(command.attempt, result.files, result.outcome))


def _put_temporary_files_in(directory: Path) -> None:
    """Set the directory of temporary files, so that they are deleted with the attempt."""
    tempfile.tempdir = os.environ["TMPDIR"] = str(directory)
