"""The loop of the child: commands in, reports out."""

from __future__ import annotations

import errno
import io
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from jobs.engines.__main__ import Registered
from jobs.pipeline import errors
from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.process import messages as m
from jobs.pipeline.protocols import Batch, Brief, Hints, Line, Meter, Translation, Unmetered, Usage
from jobs.pipeline.stages.host import serve
from jobs.pipeline.subtitles.cue import Cue
from tests.engines.echo_translator import EchoTranslator
from tests.pipeline import sounds
from tests.pipeline.doubles import Listener, Parrot


class PaidEcho(EchoTranslator):
    """A translator that makes a call for each line, and keeps what it has before the next."""

    def __init__(self) -> None:
        self.meter: Meter = Unmetered()

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        kept: list[Translation] = []
        for line in lines:
            if line.id not in done:
                self.meter.keep(kept)
                self.meter.before_call(EXPECTED)
                self.meter.after_call(USED, "counted")
                kept.append(Translation(id=line.id, text=f"«{line.text}»"))
        yield Batch(translations=tuple(kept), usage=USED)


EXPECTED, USED = Usage(input_tokens=100, output_tokens=50), Usage(input_tokens=90, output_tokens=60)


@dataclass
class Doubles:
    """`asked` are the engines asked for; `error` is what asking for a translator gives; `paid`: that one has calls."""

    asked: list[str] = field(default_factory=list)
    error: BaseException | None = None
    paid: bool = False
    parrot: Parrot = field(default_factory=Parrot)

    def transcriber(self, name: str, options: dict[str, Any]) -> Parrot:
        self.asked.append(name)
        return self.parrot

    def translator(self, name: str, options: dict[str, Any]) -> EchoTranslator:
        self.asked.append(name)
        if self.error:
            raise self.error
        return PaidEcho() if self.paid else EchoTranslator()

    def diarizer(self, name: str, options: dict[str, Any]) -> Listener:
        self.asked.append(name)
        return Listener()


@pytest.fixture(autouse=True)
def own_temporary_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host sets it for its process."""
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())
    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return sounds.write_wav(tmp_path / "talk.wav", sounds.silence(0.2), sounds.voice(sounds.SAMPLE)[: 4 * 16_000])


def cue(number: int) -> Cue:
    return Cue(id=number, start=number * 2.0, end=number * 2 + 1.0, source=f"Line {number}.")


def recognise(talk: Path, attempt: str = "a1") -> m.Run:
    task = m.RecogniseTask(talk, "talk", "parrot", {}, Hints(language="en"), 0.0, 0.0, False, 1)
    return m.Run(attempt, talk.parent, task)


def translate(room: Path, attempt: str = "a1") -> m.Run:
    return m.Run(attempt, room, m.TranslateTask("echo", {}, Brief(source="en", target="fa")))


def said(*commands: m.Command, engines: Doubles | None = None) -> list[m.Report]:
    """All that a child answers to these commands, given at once."""
    inbox, outbox = io.BytesIO(b"".join(map(m.encode, commands))), io.BytesIO()
    serve(inbox, outbox, engines or Doubles())
    return [m.decode_report(line) for line in outbox.getvalue().splitlines()]


def failure(*reports: m.Report) -> errors.ErrorRecord:
    last = reports[-1]
    assert isinstance(last, m.Failed)
    return last.error


@contextmanager
def child(engines: Doubles) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A host in a thread, at the other ends of two pipes."""
    theirs_in, ours_in = os.pipe()
    ours_out, theirs_out = os.pipe()
    with (
        os.fdopen(theirs_in, "rb") as inbox,
        os.fdopen(theirs_out, "wb") as outbox,
        os.fdopen(ours_out, "rb") as reports,
    ):
        thread = threading.Thread(target=serve, args=(inbox, outbox, engines))
        thread.start()
        with os.fdopen(ours_in, "wb", buffering=0) as commands:
            yield commands, reports
        thread.join(10)
        assert not thread.is_alive()


def test_orders_one_after_the_other(talk: Path) -> None:
    engines = Doubles()
    reports = said(recognise(talk, "a1"), recognise(talk, "a2"), engines=engines)
    attempts = [report.attempt for report in reports]
    assert attempts == sorted(attempts)
    assert [type(report).__name__ for report in reports if report.attempt == "a2"][-2:] == ["Progress", "Done"]
    windows = [report for report in reports if isinstance(report, m.Window)]
    assert [window.attempt for window in windows] == ["a1", "a2"]
    assert windows[0].cues[0].source == "Polly wants a cracker"


def test_the_model_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.engines.pocketsphinx import spec as pocketsphinx
    from jobs.engines.spec import TranscriberSpec

    made: list[object] = []
    spec = pocketsphinx.ENGINE
    fields = {name: getattr(spec, name) for name in ("name", "label", "options", "readiness", "languages")}
    counting = TranscriberSpec(**fields, create=lambda options: made.append(options) or Parrot())  # type: ignore[func-returns-value]
    monkeypatch.setattr("jobs.engines.__main__.TRANSCRIBERS", (counting,))
    kept = Registered()
    assert kept.transcriber(spec.name, {}) is kept.transcriber(spec.name, {})
    assert len(made) == 1


def test_cues_come_in_lots(tmp_path: Path) -> None:
    with child(Doubles()) as (commands, reports):
        commands.write(m.encode(translate(tmp_path)))
        for number in (1, 2):
            commands.write(m.encode(m.Cues("a1", (cue(number),), {})))
            part = m.decode_report(reports.readline())
            assert isinstance(part, m.Translated)
            assert [(each.id, each.target) for each in part.cues] == [(number, f"[Line {number}.]")]
        commands.write(m.encode(m.Cues("a1", (cue(3),), {3: "known"})))
        commands.write(m.encode(m.End("a1")))
        assert m.decode_report(reports.readline()) == m.Done("a1", {}, {})


def test_messages_of_another_attempt_are_nobodys(tmp_path: Path, talk: Path) -> None:
    reports = said(
        m.Cues("a0", (cue(7),), {}),
        m.End("a0"),
        translate(tmp_path),
        m.Cues("a0", (cue(8),), {}),
        m.End("a0"),
        m.Cues("a1", (cue(1),), {}),
        m.End("a1"),
    )
    texts = [each.source for report in reports if isinstance(report, m.Translated) for each in report.cues]
    assert texts == ["Line 1."]
    assert isinstance(reports[-1], m.Done)


def test_it_ends_when_there_are_no_more_orders_in_the_middle(tmp_path: Path) -> None:
    said(translate(tmp_path), m.Cues("a1", (cue(1),), {}))


def test_it_ends_at_an_order_that_is_none(talk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    inbox, outbox = io.BytesIO(m.encode(recognise(talk)) + b"garbage\n"), io.BytesIO()
    serve(inbox, outbox, Doubles())
    assert isinstance(m.decode_report(outbox.getvalue().splitlines()[-1]), m.Done)


ERRORS = [
    errors.OutOfQuota(engine="echo", detail="429"),
    errors.NotReady(engine="echo", reason="no key.", remedy="set it."),
    errors.CannotTranslate(engine="echo", source="en", target="fa"),
    errors.MediaFailed(name="v", detail="tail"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_told_with_all_it_says(tmp_path: Path, error: errors.PipelineError) -> None:
    reports = said(translate(tmp_path), m.End("a1"), engines=Doubles(error=error))
    assert failure(*reports) == error.record()
    assert str(errors.from_record(failure(*reports))) == str(error)


def test_a_missing_file(tmp_path: Path) -> None:
    command = m.Run("a1", tmp_path, m.FetchTask(str(tmp_path / "none.mp4"), Limits(), LinkOptions()))
    assert failure(*said(command))["code"] == "NoSuchFile"


def test_what_nobody_foresaw_keeps_its_traceback(tmp_path: Path) -> None:
    reports = said(translate(tmp_path), m.End("a1"), engines=Doubles(error=ValueError("x" * 9000 + " a bug")))
    error = failure(*reports)
    assert error["code"] == "PipelineError"
    assert error["detail"].endswith("a bug\n")
    assert len(error["detail"]) <= 4000


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "DiskFull"), (errno.EDQUOT, "DiskFull"), (errno.EACCES, "Unwritable")]
)
def test_a_disk_that_refuses(tmp_path: Path, number: int, code: str) -> None:
    reports = said(translate(tmp_path), m.End("a1"), engines=Doubles(error=OSError(number, "no")))
    assert failure(*reports)["code"] == code


def test_an_order_after_one_that_failed(tmp_path: Path, talk: Path) -> None:
    broken = Doubles(error=errors.OutOfQuota(engine="x"))
    reports = said(translate(tmp_path), m.Cues("a1", (cue(1),), {}), m.End("a1"), recognise(talk, "a2"), engines=broken)
    assert [type(report).__name__ for report in reports if not isinstance(report, m.Progress)] == [
        "Failed",
        "Step",
        "Step",
        "Window",
        "Done",
    ]


def test_temporary_files_go_into_the_room(tmp_path: Path, talk: Path) -> None:
    said(recognise(talk))
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(tmp_path), str(tmp_path))


# Calls of paid services


def reports_of(commands: IO[bytes], reports: IO[bytes], until: type[m.Report]) -> list[m.Report]:
    """The reports up to the first of a kind."""
    found: list[m.Report] = []
    while not found or not isinstance(found[-1], until):
        found.append(m.decode_report(reports.readline()))
    return [each for each in found if not isinstance(each, m.Progress)]


def test_each_call_waits_for_leave_and_what_comes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    with child(Doubles(paid=True)) as (commands, reports):
        commands.write(m.encode(translate(tmp_path)) + m.encode(m.Cues("a1", (cue(1), cue(2)), {})))
        assert reports_of(commands, reports, m.Call)[-1] == m.Call("a1", EXPECTED)
        commands.write(m.encode(m.Cues("a1", (cue(3),), {})) + m.encode(m.End("a1")))
        commands.write(m.encode(m.Leave("of another attempt")) + m.encode(m.Leave("a1")))
        called, kept, second = reports_of(commands, reports, m.Call)[-3:]
        assert called == m.Called("a1", USED, "counted")
        assert isinstance(kept, m.Translated)
        assert [(each.id, each.target) for each in kept.cues] == [(1, "«Line 1.»")]
        assert kept.usage == Usage(), "what a call used is told by Called alone"
        assert second == m.Call("a1", EXPECTED)
        commands.write(m.encode(m.Leave("a1")))
        whole = next(each for each in reports_of(commands, reports, m.Call) if isinstance(each, m.Translated))
        assert [each.id for each in whole.cues] == [1, 2]
        assert whole.usage == Usage()
        commands.write(m.encode(m.Leave("a1")))
        assert isinstance(reports_of(commands, reports, m.Done)[-1], m.Done)


def test_a_refused_call_ends_the_stage_with_its_error(tmp_path: Path) -> None:
    error = errors.JobCapReached(used="1.00 USD", limit="1.00 USD", needed="0.01 USD").record()
    with child(Doubles(paid=True)) as (commands, reports):
        commands.write(m.encode(translate(tmp_path)) + m.encode(m.Cues("a1", (cue(1),), {})))
        reports_of(commands, reports, m.Call)
        commands.write(m.encode(m.Leave("a1", error)))
        assert failure(*reports_of(commands, reports, m.Failed)) == error


def test_a_supervisor_that_goes_while_leave_is_awaited(tmp_path: Path) -> None:
    with child(Doubles(paid=True)) as (commands, reports):
        commands.write(m.encode(translate(tmp_path)) + m.encode(m.Cues("a1", (cue(1),), {})))
        reports_of(commands, reports, m.Call)
