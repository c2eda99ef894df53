"""Process groups, read from /proc, and their end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.pipeline.process import groups
from tests.waiting import PATIENCE, until

STUBBORN = "trap '' TERM INT HUP; sleep 1000 & sleep 1000 & echo; sleep 1000"
LEADERLESS = "sleep 1000 & echo; exit"

HALF_A_LETTER = "مترجمویدئوها"
"""Its first 15 bytes, which are what the kernel keeps of a name, end within a letter."""

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a shell script that leads a group of its own, and waits for its first line."""
    made: list[subprocess.Popen[str]] = []

    def start(script: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
        made.append(process)
        assert process.stdout
        process.stdout.readline()
        return process

    yield start
    for process in made:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with process:
            pass


def started(process: subprocess.Popen[str]) -> int:
    found = groups.look(process.pid)
    assert found
    return found.started


def test_look(start: Start) -> None:
    process = start("echo; sleep 1000")
    found = groups.look(process.pid)
    assert found
    assert (found.pid, found.group, found.alive) == (process.pid, process.pid, True)
    ticks = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")
    assert 0 <= ticks - found.started < PATIENCE * os.sysconf("SC_CLK_TCK")
    assert groups.is_alive(found.pid, found.started)
    assert not groups.is_alive(found.pid, found.started + 1)


def test_a_name_may_hold_anything() -> None:
    script = "import ctypes; ctypes.CDLL(None).prctl(15, b') R 1 (', 0, 0, 0); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        found = groups.look(process.pid)
        process.kill()
    assert found
    assert found.group == process.pid


def test_a_zombie_has_ended(start: Start) -> None:
    process = start("echo; exit")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    found = groups.look(process.pid)
    assert found
    assert not found.alive
    assert not groups.members(process.pid)
    process.wait()
    assert groups.look(process.pid) is None


def test_end_group(start: Start) -> None:
    process = start(STUBBORN)
    assert len(groups.members(process.pid)) >= 3
    assert groups.end_group(process.pid)
    assert not groups.members(process.pid)
    assert groups.end_group(process.pid)


def test_a_group_that_does_not_die(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(STUBBORN)
    with monkeypatch.context() as powerless:
        powerless.setattr(os, "killpg", lambda group, number: None)
        assert not groups.end_group(process.pid, timeout=0.05)


def test_a_recorded_group(start: Start) -> None:
    process = start(STUBBORN)
    assert groups.end_recorded_group(process.pid, started(process))
    assert not groups.members(process.pid)


def test_a_reused_number_is_somebody_else(start: Start) -> None:
    process = start(STUBBORN)
    assert groups.end_recorded_group(process.pid, started(process) - 1)
    assert len(groups.members(process.pid)) >= 3


def test_a_recorded_group_without_its_leader(start: Start) -> None:
    process = start("echo; exit")
    at = started(process)
    process.wait()
    assert groups.end_recorded_group(process.pid, at)
    process = start(LEADERLESS)
    process.wait()
    assert groups.members(process.pid)
    assert groups.end_recorded_group(process.pid, at)
    assert not groups.members(process.pid)


def test_nobody_stays_in_the_table(start: Start) -> None:
    with groups.adopting_orphans():
        process = start("sh -c 'sleep 1000 & sleep 1000 & wait' & echo; sleep 1000")
        until(lambda: len(groups.members(process.pid)) >= 4)
        below = [member.pid for member in groups.members(process.pid)]
        assert groups.end_group(process.pid)
        process.wait()
        groups.reap(process.pid)
    assert [pid for pid in below if groups.look(pid)] == []


def test_the_boot_id_stays() -> None:
    assert groups.boot_id() == groups.boot_id()
    assert len(groups.boot_id()) == 36


def test_a_process_with_any_name(tmp_path: Path) -> None:
    """Processes of others with unusual names do not prevent the end of a group."""
    program = tmp_path / HALF_A_LETTER
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "3600"], start_new_session=True) as process:
        try:
            while len(name := Path(f"/proc/{process.pid}/comm").read_bytes().rstrip(b"\n")) < 15:
                time.sleep(0.001)  # it gets its name a moment after it began
            with pytest.raises(UnicodeDecodeError):
                name.decode()
            assert [member.pid for member in groups.members(process.pid)] == [process.pid]
        finally:
            process.kill()
