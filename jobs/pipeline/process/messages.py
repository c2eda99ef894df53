"""What a supervisor and the child that works for it say to each other: JSON lines, each naming its attempt.

To the child: one Run with a task, then, for a translation, Cues as they are recognised and End. From the child:
Progress, Note, Used (an engine), Window, Translated, and at last Done or Failed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.errors import ErrorRecord
from jobs.pipeline.media.description import Media
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.protocols import Brief, Mode, Usage
from jobs.pipeline.subtitles.segmentation import Cue
from jobs.pipeline.subtitles.style import Form, Style

T = TypeVar("T")

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""NUL as JSON has it; after an odd number of backslashes it is plain text."""

LINE_BYTES = 8 << 20
"""The longest line that is listened to: a window of speech, or all cues of ten hours, are far below."""


class _Struct(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Told apart by `type`."""


# Tasks: all that one stage needs


class FetchTask(_Struct, frozen=True):
    """`name` is what the person calls an uploaded file. `listen`: its sound will be needed."""

    source: str
    limits: Limits
    link: LinkOptions
    name: str = ""
    listen: bool = True


class RecogniseTask(_Struct, frozen=True):
    """`start`, `heard`, `spoken` and `first_id` are where an earlier attempt came to (see `transcribe`)."""

    audio: Path
    name: str
    engine: str
    options: dict[str, Any]
    spoken: str | None
    start: float
    offset: float
    heard: bool
    first_id: int


class TranslateTask(_Struct, frozen=True):
    """`engine` is None where source and target are one language. The cues come in messages of their own."""

    engine: str | None
    options: dict[str, Any]
    brief: Brief


class SubtitleTask(_Struct, frozen=True):
    """`forms` are file names, such as fa.srt, with the texts they show."""

    cues: tuple[Cue, ...]
    spoken: str
    target: str
    forms: dict[str, Form]
    style: Style
    size: tuple[int, int]


class RenderTask(_Struct, frozen=True):
    source: Path
    media: Media
    subtitles: Path
    mode: Mode
    language: str


Task = FetchTask | RecogniseTask | TranslateTask | SubtitleTask | RenderTask

# To the child


class Run(_Struct, frozen=True):
    """Work on `task` in the directory `room`, which is there and empty."""

    attempt: str
    room: Path
    task: Task


class Cues(_Struct, frozen=True):
    """More cues to translate, in order. `done` are those of them that have been answered before."""

    attempt: str
    cues: tuple[Cue, ...]
    done: dict[int, str]


class End(_Struct, frozen=True):
    """There are no more cues to come."""

    attempt: str


Order = Run | Cues | End


# From the child


class Progress(_Struct, frozen=True):
    attempt: str
    share: float


class Note(_Struct, frozen=True):
    """Something worth knowing that is no error: a notes.NoteCode with the parameters of its sentence."""

    attempt: str
    code: str
    params: dict[str, str]


class Window(_Struct, frozen=True):
    """The cues of a stretch of sound that ends at `end`. `heard`: whether any stretch so far held words."""

    attempt: str
    end: float
    language: str
    heard: bool
    cues: tuple[Cue, ...]


class Translated(_Struct, frozen=True):
    attempt: str
    cues: tuple[Cue, ...]
    usage: Usage


class Done(_Struct, frozen=True):
    """`files` maps kinds to names in the room; `outcome` is what later stages need."""

    attempt: str
    files: dict[str, str]
    outcome: dict[str, Any]


class Failed(_Struct, frozen=True):
    attempt: str
    error: ErrorRecord


Report = Progress | Note | Window | Translated | Done | Failed


def plain(thing: Any) -> Any:
    """A dataclass, or whatever holds some, as JSON has it."""
    return msgspec.to_builtins(thing, enc_hook=_encode)


def shaped(kind: type[T], thing: Any) -> T:
    """`thing`, as `plain` made it, in its shape again. Raises msgspec.ValidationError."""
    return msgspec.convert(thing, kind, dec_hook=_decode)


def encode(message: Order | Report) -> bytes:
    """One line."""
    return _ENCODER.encode(message) + b"\n"


def decode_order(line: bytes) -> Order:
    """Raises msgspec.MsgspecError."""
    order: Order = _ORDERS.decode(line)
    return order


def decode_report(line: bytes) -> Report:
    """Raises msgspec.MsgspecError for whatever is no message, and for what is none of ours.

    NUL, for which PostgreSQL has no room in a text, becomes the replacement character.
    """
    if rb"\u0000" in line:
        line = _NUL.sub(rb"\1\\ufffd", line)
    report: Report = _REPORTS.decode(line)
    return report


def _encode(thing: Any) -> Any:
    if isinstance(thing, Path):
        return str(thing)
    raise NotImplementedError(type(thing))


def _decode(kind: type, thing: Any) -> Any:
    if kind is Path:
        return Path(thing)
    raise NotImplementedError(kind)


_ENCODER = msgspec.json.Encoder(enc_hook=_encode)
_ORDERS = msgspec.json.Decoder(Order, dec_hook=_decode)
_REPORTS = msgspec.json.Decoder(Report, dec_hook=_decode)
