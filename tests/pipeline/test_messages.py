"""Messages between supervisor and child: each is decoded as it was encoded, and anything else is rejected."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.streams import AudioStream, Media, VideoStream
from jobs.pipeline.process import messages as m
from jobs.pipeline.protocols import Brief, Document, Hints, Usage
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.style import Style

CUES = (
    Cue(id=1, start=0.5, end=1.25, source="Hello", target="سلام", speaker="A", flags=("unsure",)),
    Cue(id=2, start=2, end=3, source='“Two\n\\u0000 " lines”'),
)
VIDEO = VideoStream(
    index=0,
    codec="h264",
    width=4,
    height=2,
    fps=25.0,
    variable_rate=False,
    rotation=0,
    pixel_format="yuv420p",
    colour_range="tv",
)
SOUND = AudioStream(index=1, codec="aac", language="eng", sample_rate=44100)
MEDIA = Media(name="v.mp4", container="mov", duration=1.5, size=9, video=VIDEO, audio=(SOUND,))
LINK = LinkOptions(cookies=Path("/c"), proxy="socks5h://x:1", allow_loopback=("127.0.0.1:1",))

DOCUMENT = Document(topic="t", register="r", names=(("Reza", "رضا"),), terms=(("x", "x"),), edited=True)
HINTS = Hints(expected="en", terms=("Reza",), topic="x")
TASKS: list[m.Task] = [
    m.FetchTask("https://example.org/v", Limits(max_bytes=3), LINK, name="n", listen=False),
    m.RecogniseTask(
        Path("/a.wav"), "v", "parrot", {"size": 3, "on": True}, Hints(expected="en", terms=("Reza",)), 1.5, 0.2, True, 4
    ),
    m.TranslateTask(None, {}, Brief(source="en", target="fa", glossary=(("a", "b"),))),
    m.TranslateTask(
        "gemini",
        {},
        Brief(source="en", target="fa", notes=(("a", "b"),), suggested=(("c", "d"),), careful=True),
        document=DOCUMENT,
        revision=2,
        reading=m.Reading(DOCUMENT, 7),
    ),
    m.SubtitleTask(CUES, "en", "fa", {"fa.srt": "target", "en.srt": "source"}, Style(), (1280, 720), 20),
    m.RenderTask(Path("/v.mp4"), MEDIA, Path("/s.ass"), "burn", "fa"),
]
COMMANDS: list[m.Command] = [
    *(m.Run("a1", Path("/room"), task) for task in TASKS),
    m.Cues("a1", CUES, {1: "سلام", 2: ""}),
    m.End("a1"),
    m.NewBrief("a1", DOCUMENT, 3),
]
REPORTS: list[m.Report] = [
    m.Progress("a1", 0.25),
    m.Note("a1", "In {language}.", {"language": "Persian"}),
    m.Window("a1", 60.5, "en", True, CUES),
    m.Briefed("a1", DOCUMENT, 7, False, Usage(input_tokens=1)),
    m.Translated("a1", CUES, Usage(input_tokens=1, output_tokens=2)),
    m.Done("a1", {"video": "video.mp4"}, {"media": json.loads(json.dumps(m.to_builtins(MEDIA))), "none": None}),
    m.Failed("a1", {"code": "NoSpeech", "params": {"name": "v"}, "detail": "a\nb"}),
]


def name(message: object) -> str:
    task = getattr(message, "task", message)
    return type(task).__name__


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_commands(command: m.Command) -> None:
    line = m.encode(command)
    assert line.count(b"\n") == 1
    assert m.decode_command(line) == command


@pytest.mark.parametrize("report", REPORTS, ids=name)
def test_reports(report: m.Report) -> None:
    line = m.encode(report)
    assert line.count(b"\n") == 1
    assert m.decode_report(line) == report


def test_media_in_an_outcome_find_their_shape_again() -> None:
    assert m.from_builtins(Media, json.loads(json.dumps(m.to_builtins(MEDIA)))) == MEDIA
    with pytest.raises(msgspec.ValidationError):
        m.from_builtins(Media, {"name": "v"})


GARBAGE = [
    b"",
    b"\n",
    b"garbage",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b"{}",
    b'{"type": "shout", "attempt": "a"}',
    b'{"type": "progress", "attempt": "a"}',
    b'{"type": "progress", "attempt": "a", "share": "0.5"}',
    b'{"type": "progress", "attempt": "a", "share": NaN}',
    b'{"type": "progress", "attempt": 1, "share": 0.5}',
    b'{"type": "progress", "attempt": "a", "share": 0.5} {}',
    b'{"type": "note", "attempt": "a", "code": "\\ud800", "params": {}}',
    b'{"type": "note", "attempt": "a", "code": "\xff", "params": {}}',
    b'{"type": "window", "attempt": "a", "end": 1, "language": "en", "heard": true, "cues": [{"id": 1}]}',
    b'{"type": "done", "attempt": "a", "files": {"video": 1}, "outcome": {}}',
    b'{"type": "failed", "attempt": "a", "error": {"code": "x"}}',
    b"[" * 5000,
]


@pytest.mark.parametrize("line", GARBAGE)
def test_garbage_is_refused(line: bytes) -> None:
    for decode in (m.decode_report, m.decode_command):
        with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError, RecursionError)):
            decode(line)


def test_commands_are_no_reports() -> None:
    for command in COMMANDS:
        with pytest.raises(msgspec.MsgspecError):
            m.decode_report(m.encode(command))
    for report in REPORTS:
        with pytest.raises(msgspec.MsgspecError):
            m.decode_command(m.encode(report))


def test_nul_is_replaced() -> None:
    """PostgreSQL cannot keep it; what only looks like it stays."""
    said = m.Note("a1", "\0\0 \\\0 \\u0000 \\\\u0000", {"k\0": "\0"})
    heard = m.decode_report(m.encode(said))
    assert heard == m.Note("a1", "\ufffd\ufffd \\\ufffd \\u0000 \\\\u0000", {"k\ufffd": "\ufffd"})
