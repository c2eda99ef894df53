"""A child and its group leader, as the supervisor controls them."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.errors import StageDied
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.process import groups
from jobs.pipeline.process.messages import Done, End, Failed, FetchTask, Progress, Report, Run
from jobs.worker import child as child_module
from jobs.worker.child import Child, ProcessLimits, WarmChild
from tests.jobs import hostile_child
from tests.pipeline.clips import Clips
from tests.waiting import PATIENCE, until

Make = Callable[..., Child]
OURS = Path("/proc/self/fd")


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """A factory of children with a given behaviour; by default real ones."""
    made: list[Child] = []

    def make(how: str = "", limits: ProcessLimits = ProcessLimits()) -> Child:  # noqa: B008 - frozen
        if how:
            command = [sys.executable, "-I", "-S", hostile_child.__file__, how]
            monkeypatch.setattr(child_module, "command", lambda *pipes: [*command, *map(str, pipes)])
        made.append(Child(limits))
        return made[-1]

    yield make
    for child in made:
        if groups.look(child.group):
            child.end()


def test_what_cannot_be_started_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(list(OURS.iterdir()))

    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refused)
    for _ in range(10):
        with pytest.raises(OSError, match="unavailable"):
            Child(ProcessLimits())
    assert len(list(OURS.iterdir())) == before


def test_the_warm_child_forgets_what_it_complained_about() -> None:
    """The warm child's stderr is cleared between jobs: it may contain file names of another owner."""
    warm = WarmChild()
    child = warm.take(ProcessLimits())
    child._error_lines.append(b"secret.mp4: invalid data")
    assert "secret" in child.last_errors()
    assert warm.take(ProcessLimits()) is child
    assert "secret" not in child.last_errors()
    warm.drop()


def order(room: Path, source: str = "/none.mp4") -> Run:
    return Run("a1", room, FetchTask(source, Limits(), LinkOptions()))


def listen(child: Child, patience: float = PATIENCE) -> list[Report]:
    """All reports of the child, up to its last one."""
    found: list[Report] = []
    deadline = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        selector.register(child.reports, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            child.push()
            if selector.select(0.05):
                found += child.read_reports()
            if found and isinstance(found[-1], Done | Failed):
                return found
    raise AssertionError(found)


def test_nothing_is_done_before_it_may_begin(make: Make, tmp_path: Path) -> None:
    child = make("good")
    child.send(order(tmp_path))
    time.sleep(0.2)
    assert [process.pid for process in groups.members(child.group)] == [child.group]
    assert groups.is_alive(child.group, child.started)
    child.begin()
    assert [type(report) for report in listen(child)] == [Progress, Done]
    assert (tmp_path / "source.mp4").exists()


def test_the_real_one_answers(make: Make, tmp_path: Path, clips: Clips) -> None:
    child = make()
    child.begin()
    child.send(order(tmp_path, str(clips["plain.mp4"])))
    last = listen(child)[-1]
    assert isinstance(last, Done)
    assert last.files == {"audio": "audio.wav"}
    child.send(order(tmp_path))
    last = listen(child)[-1]
    assert isinstance(last, Failed)
    assert last.error["code"] == "NoSuchFile"


def test_it_gets_none_of_our_secrets(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "secret")
    child = make("deaf")
    environment = until(Path(f"/proc/{child.group}/environ").read_bytes)  # empty for a moment after it was started
    assert b"PYTHONPATH" in environment
    assert b"secret" not in environment
    assert b"DATABASE" not in environment


def test_ffmpeg_inherits_neither_pipe_nor_lifeline(make: Make, tmp_path: Path, clips: Clips) -> None:
    """A real ffmpeg of a real child has neither pipe nor lifeline open."""
    child = make()
    ours = {os.fstat(number).st_ino for number in (child._commands, child.reports, child._lifeline)}
    child.begin()
    deadline, seen, orders = time.monotonic() + PATIENCE, 0, 0
    while not seen and time.monotonic() < deadline:
        if orders < 50:  # each starts several programs, which may be over before this process looks
            orders += 1
            (tmp_path / str(orders)).mkdir()
            child.send(order(tmp_path / str(orders), str(clips["long.mp4"])))
        for process in groups.members(child.group):
            seen += _holds_none(process.pid, ours)
    assert seen


def _holds_none(pid: int, pipes: set[int]) -> bool:
    """Whether it is an ffmpeg; one that holds a pipe fails the test."""
    place = Path(f"/proc/{pid}")
    try:
        if b"ffmpeg" not in (place / "cmdline").read_bytes().split(b"\0")[0]:
            return False
        held = {link.stat().st_ino for link in (place / "fd").iterdir()}
    except OSError:
        return False
    assert not held & pipes
    return True


def test_an_end_leaves_nothing(make: Make, tmp_path: Path) -> None:
    descriptors = set(OURS.iterdir())
    child = make("nothing")
    child.begin()
    child.send(order(tmp_path))
    until((tmp_path / "begun").exists)
    until(lambda: len(groups.members(child.group)) >= 4)
    group = [process.pid for process in groups.members(child.group)]
    child.end()
    assert [pid for pid in group if (found := groups.look(pid)) and found.alive] == []
    assert set(OURS.iterdir()) == descriptors


def test_a_dead_one_is_named_with_its_last_words(make: Make, tmp_path: Path) -> None:
    child = make("nothing_and_ends")
    child.begin()
    child.send(order(tmp_path))
    with pytest.raises(StageDied) as died:
        listen(child)
    assert died.value.detail == "I have nothing to say."


def test_what_it_does_not_take_waits(make: Make, tmp_path: Path) -> None:
    child = make("deaf")
    child.begin()
    child.send(Run("x" * 1_000_000, tmp_path, order(tmp_path).task))  # which the child never takes
    child.send(End("a1"))
    assert child.commands_to_push


def test_a_pipe_that_nobody_reads_is_given_up(make: Make, tmp_path: Path) -> None:
    child = make("closes_orders")
    child.begin()
    child.send(Run("x" * 1_000_000, tmp_path, order(tmp_path).task))
    until(lambda: _pushed(child))


def _pushed(child: Child) -> bool:
    child.push()
    return child.commands_to_push is None


def test_limits_reach_it(make: Make) -> None:
    child = make("deaf", ProcessLimits(cpu=77, file_size=88, open_files=66, nice=3))
    child.begin()
    until(lambda: len(groups.members(child.group)) == 2)
    (pid,) = (process.pid for process in groups.members(child.group) if process.pid != child.group)
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert [line.split()[-3:-1] for line in limits.splitlines() if line.startswith(("Max cpu", "Max file size"))] == [
        ["77", "82"],
        ["88", "88"],
    ]
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.nice(0) + 3


def test_the_warm_one_is_the_same_until_it_is_dropped(make: Make) -> None:
    make("warm")
    warm = WarmChild()
    first = warm.take(ProcessLimits())
    assert warm.take(ProcessLimits()) is first
    warm.drop()
    assert not groups.members(first.group)
    second = warm.take(ProcessLimits())
    assert second is not first
    groups.end_group(second.group)
    third = warm.take(ProcessLimits())
    assert third is not second
    warm.drop()
    warm.drop()
