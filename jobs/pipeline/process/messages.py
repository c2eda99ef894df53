"""Messages between a supervisor and its child process: JSON lines, each with the id of its attempt.

Commands, to the child: Run with a task, then, for a translation, Cues as they are recognised, End, NewBrief when the
brief has changed, and a Leave for each Call. Reports, from the child: Progress, Step, Note, Existing, Window, Briefed,
Translated, Call, Called, and at last Done or Failed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.errors import ErrorRecord
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.streams import Media
from jobs.pipeline.protocols import Brief, CallEnd, Document, Hints, Mode, Passage, Usage
from jobs.pipeline.stage import StepName
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.style import Form, Style

T = TypeVar("T")

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""NUL, escaped as in JSON; after an odd number of backslashes it is plain text."""

LINE_BYTES = 8 << 20
"""Longest line that is accepted, in bytes: a window of speech or all cues of ten hours are far below."""


class _Struct(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """A message, which names its class in the JSON field `type`."""


# Tasks: the input of one stage


class FetchTask(_Struct, frozen=True):
    """Fetch `source`, a path or a link. `name` is the user's name of an uploaded file; `listen`: extract the audio.

    `spoken` is the language code of the speech, if it is known; `audio_track` the number or the language of the audio
    track that the user chose; `words` says where the words come from (see `stages.words`); `target` is the language
    code of the result.
    """

    source: str
    limits: Limits
    link: LinkOptions
    name: str = ""
    listen: bool = True
    spoken: str = ""
    audio_track: str = ""
    words: str = "speech"
    target: str = ""


class DiarizeTask(_Struct, frozen=True):
    """Tell speakers apart before recognition: their number, None to estimate it."""

    engine: str
    options: dict[str, Any]
    speakers: int | None


class RecogniseTask(_Struct, frozen=True):
    """Transcribe `audio`. `start`, `heard`, `hints.expected` and `first_id` continue an earlier attempt (see
    `transcribe`).

    With `diarize`, words get speakers.
    """

    audio: Path
    name: str
    engine: str
    options: dict[str, Any]
    hints: Hints
    start: float
    offset: float
    heard: bool
    first_id: int
    diarize: DiarizeTask | None = None


class Reading(_Struct, frozen=True):
    """The beginning of a pass over the transcript: the document so far, and the id of the last cue that was read."""

    document: Document
    upto: int


class TranslateTask(_Struct, frozen=True):
    """Translate the cues that follow as Cues messages. `engine` is None if source and target are one language.

    With `reading`, the cues come twice: first the whole transcript, to be read for the brief, then to be translated
    with the document of a NewBrief. `document` is the brief that there is already, in its `revision`.
    """

    engine: str | None
    options: dict[str, Any]
    brief: Brief
    document: Document | None = None
    revision: int = 0
    reading: Reading | None = None


class SubtitleTask(_Struct, frozen=True):
    """Write subtitle files: `forms` maps file names such as fa.srt to their texts; `size` is (width, height), and
    `portrait_margin` the percent of the height that stay free below the subtitles of a tall picture. The texts are
    checked against the glossary of `brief`.
    """

    cues: tuple[Cue, ...]
    spoken: str
    target: str
    forms: dict[str, Form]
    style: Style
    size: tuple[int, int]
    portrait_margin: int
    brief: Brief | None = None


class RenderTask(_Struct, frozen=True):
    """Make the video with subtitles in `language`, burned in or as a track (`mode`).

    `late`: the seconds at which those begin that begin after its end.
    """

    source: Path
    media: Media
    subtitles: Path
    mode: Mode
    language: str
    late: tuple[float, ...] = ()


Task = FetchTask | RecogniseTask | TranslateTask | SubtitleTask | RenderTask

# To the child


class Run(_Struct, frozen=True):
    """Run `task` in the directory `attempt_dir`, which exists and is empty."""

    attempt: str
    attempt_dir: Path
    task: Task


class Cues(_Struct, frozen=True):
    """More cues to translate, in order. `done` maps ids of translated cues among them to their texts."""

    attempt: str
    cues: tuple[Cue, ...]
    done: dict[int, str]


class End(_Struct, frozen=True):
    """The end of the cues to translate."""

    attempt: str


class Leave(_Struct, frozen=True):
    """The answer to a Call: it may be made, unless there is an `error`, a CapReached."""

    attempt: str
    error: ErrorRecord | None = None


class NewBrief(_Struct, frozen=True):
    """The brief with which cues are translated from now on. `revision` rises with each change of it."""

    attempt: str
    document: Document
    revision: int


Command = Run | Cues | End | NewBrief | Leave


# From the child


class Progress(_Struct, frozen=True):
    """The share of the stage that is done, 0 to 1."""

    attempt: str
    share: float


class Step(_Struct, frozen=True):
    """The step that begins; None: it has ended, and work goes on that progress tells of."""

    attempt: str
    name: StepName | None


class Note(_Struct, frozen=True):
    """A remark that is not an error: a notes.NoteCode with the parameters of its sentence."""

    attempt: str
    code: str
    params: dict[str, str]


class Window(_Struct, frozen=True):
    """The cues of an audio window that ends at `end` seconds. `heard`: some window so far had words."""

    attempt: str
    end: float
    language: str
    heard: bool
    cues: tuple[Cue, ...]
    passages: tuple[Passage, ...] = ()


class Existing(_Struct, frozen=True):
    """Cues in `language` of subtitles that are there already. They come in order, in several messages."""

    attempt: str
    language: str
    cues: tuple[Cue, ...]


class Briefed(_Struct, frozen=True):
    """The brief after a part of the transcript, up to the cue with the id `upto`; `whole`: it is complete."""

    attempt: str
    document: Document
    upto: int
    whole: bool
    usage: Usage


NOT_FINAL = -1
"""In place of a revision."""


class Translated(_Struct, frozen=True):
    """Translated or flagged cues, the tokens used for them, and the revision of the brief that they follow; NOT_FINAL
    for texts that are only kept in case that the process ends, and may still change.
    """

    attempt: str
    cues: tuple[Cue, ...]
    usage: Usage
    revision: int = 0


class Call(_Struct, frozen=True):
    """A call of a paid service is about to be made, which will use about `expected` tokens. A Leave answers it."""

    attempt: str
    expected: Usage


class Called(_Struct, frozen=True):
    """The call has ended in this `way`, with so many tokens `used`."""

    attempt: str
    used: Usage
    way: CallEnd


class Done(_Struct, frozen=True):
    """The stage has ended well. `files` maps kinds to names in `attempt_dir`; `outcome` is data for later stages."""

    attempt: str
    files: dict[str, str]
    outcome: dict[str, Any]


class Failed(_Struct, frozen=True):
    """The stage has failed with `error`."""

    attempt: str
    error: ErrorRecord


Report = Progress | Step | Note | Existing | Window | Briefed | Translated | Call | Called | Done | Failed


def to_builtins(thing: Any) -> Any:
    """Convert a value with dataclasses in it to the types of JSON."""
    return msgspec.to_builtins(thing, enc_hook=_encode)


def from_builtins(kind: type[T], thing: Any) -> T:
    """Convert the result of `to_builtins` back to `kind`. Raises msgspec.ValidationError."""
    return msgspec.convert(thing, kind, dec_hook=_decode)


def encode(message: Command | Report) -> bytes:
    """Encode a message as one JSON line, newline included."""
    return _ENCODER.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    """Decode a line for the child. Raises msgspec.MsgspecError."""
    command: Command = _COMMANDS.decode(line)
    return command


def decode_report(line: bytes) -> Report:
    """Decode a line from the child. Raises msgspec.MsgspecError for anything that is not a report.

    NUL, which PostgreSQL cannot store in a text, becomes the replacement character.
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
_COMMANDS = msgspec.json.Decoder(Command, dec_hook=_decode)
_REPORTS = msgspec.json.Decoder(Report, dec_hook=_decode)
