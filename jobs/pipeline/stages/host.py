"""The child process in which stages run: orders come in, reports go out, one line each (see `messages`).

It ends when there are no more orders. A child for speech stays between orders, with its model loaded.
"""

from __future__ import annotations

import logging
import os
import queue
import tempfile
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jobs.pipeline import errors
from jobs.pipeline.media.atomic_files import refusal
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process.messages import (
    Cues,
    Done,
    Failed,
    Note,
    Order,
    Progress,
    Report,
    Run,
    Translated,
    Window,
    decode_order,
    encode,
)
from jobs.pipeline.protocols import Usage
from jobs.pipeline.stages.dispatch import Bench, Engines, work
from jobs.pipeline.subtitles.segmentation import Cue

log = logging.getLogger(__name__)


def serve(inbox: IO[bytes], outbox: IO[bytes], engines: Engines) -> None:
    """Work on orders until there are no more."""
    orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inbox, orders), daemon=True).start()
    while order := orders.get():
        if isinstance(order, Run):  # Cues and End of an order that failed meanwhile are nobody's
            _run(order, _Mail(orders, outbox, order.attempt), engines)


def _listen(inbox: IO[bytes], orders: queue.SimpleQueue[Order | None]) -> None:
    try:
        for line in inbox:
            orders.put(decode_order(line))
    finally:
        orders.put(None)  # after an order that is none, too


@dataclass(frozen=True, slots=True)
class _Mail:
    """Both ways of one attempt. It is the Reporter of `work`."""

    orders: queue.SimpleQueue[Order | None]
    outbox: IO[bytes]
    attempt: str

    def send(self, report: Report) -> None:
        self.outbox.write(encode(report))
        self.outbox.flush()

    def progress(self, share: float) -> None:
        self.send(Progress(self.attempt, share))

    def note(self, code: NoteCode, **params: str) -> None:
        self.send(Note(self.attempt, code, params))

    def window(self, *, end: float, language: str, heard: bool, cues: tuple[Cue, ...]) -> None:
        self.send(Window(self.attempt, end, language, heard, cues))

    def translated(self, cues: tuple[Cue, ...], usage: Usage) -> None:
        self.send(Translated(self.attempt, cues, usage))

    def cues(self) -> Iterator[tuple[tuple[Cue, ...], dict[int, str]]]:
        while order := self.orders.get():
            if order.attempt != self.attempt:
                continue
            if not isinstance(order, Cues):
                return
            yield order.cues, order.done
        self.orders.put(None)  # for `serve`


def _run(order: Run, mail: _Mail, engines: Engines) -> None:
    _keep_temporary_files_in(order.room)
    try:
        bench = Bench(room=order.room, engines=engines, report=mail, cues=mail.cues)
        made = work(order.task, bench)
    except errors.PipelineError as error:
        mail.send(Failed(order.attempt, error.record()))
    except OSError as error:
        mail.send(Failed(order.attempt, refusal(error, order.room).record()))
    except Exception:
        said = traceback.format_exc()
        log.exception("Stage failed with an unexpected error")
        mail.send(Failed(order.attempt, errors.PipelineError(detail=said[-4000:]).record()))
    else:
        mail.send(Done(order.attempt, made.files, made.outcome))


def _keep_temporary_files_in(room: Path) -> None:
    """So that what is left of them goes with the room."""
    tempfile.tempdir = os.environ["TMPDIR"] = str(room)
