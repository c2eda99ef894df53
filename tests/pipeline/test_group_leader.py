"""The group leader: no process of the group outlives the supervisor or the child."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs.pipeline.process import group_leader, groups
from tests.waiting import PATIENCE, until

NONE = {"cpu": None, "file_size": None, "open_files": None, "nice": 0}
FAMILY = """
import ctypes, os, signal, subprocess, sys, time
subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; sleep 1000 & sleep 1000"])
subprocess.Popen([sys.executable, "-S", "-c", "import ctypes; print(flush=True); ctypes.PyDLL(None).sleep(3600)"])
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print(flush=True)
"""
HOLDING = FAMILY + "ctypes.PyDLL(None).sleep(3600)"
WAITING = FAMILY + "time.sleep(1000)"
SUPERVISOR = """
import os, subprocess, sys
theirs, ours = os.pipe()
leader = subprocess.Popen(
    [sys.executable, "-I", "-S", sys.argv[1], str(theirs), *sys.argv[2:]], pass_fds=[theirs], start_new_session=True
)
os.write(ours, b"!")
print(leader.pid, flush=True)
leader.wait()
"""


@dataclass
class Led:
    """A group leader with a child whose standard output is read here."""

    process: subprocess.Popen[str]
    lifeline: int
    ended: bool = field(default=False)

    @property
    def group(self) -> int:
        return self.process.pid

    def begin(self) -> None:
        os.write(self.lifeline, b"!")

    def let_go(self) -> None:
        if not self.ended:
            self.ended = True
            os.close(self.lifeline)

    def line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def words(self) -> list[str]:
        return self.line().split()


Lead = Callable[..., Led]


@pytest.fixture
def lead() -> Iterator[Lead]:
    led: list[Led] = []

    def start(*command: str, pass_fds: tuple[int, ...] = (), **limits: int) -> Led:
        theirs, ours = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", group_leader.__file__, str(theirs), json.dumps(NONE | limits), *command],
            pass_fds=(theirs, *pass_fds),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(theirs)
        led.append(Led(process, ours))
        return led[-1]

    with groups.adopting_orphans():
        yield start
        for each in led:
            each.let_go()
            groups.end_group(each.group)
            with each.process:
                pass
            groups.reap(each.group)


def python(script: str) -> list[str]:
    return [sys.executable, "-S", "-c", script]


def goes(group: int) -> None:
    """Wait until the group, which would run for an hour, is empty."""
    until(lambda: not groups.members(group), every=0.001)


def test_the_child_begins_after_a_byte(lead: Lead) -> None:
    led = lead(*python("print('here')"))
    time.sleep(0.2)
    assert [process.pid for process in groups.members(led.group)] == [led.group]
    led.begin()
    assert led.line() == "here\n"


def test_without_a_supervisor_it_never_begins(lead: Lead, tmp_path: Path) -> None:
    led = lead("/bin/touch", str(tmp_path / "begun"))
    led.let_go()
    assert led.process.wait(PATIENCE) == 0
    assert not (tmp_path / "begun").exists()
    assert not groups.members(led.group)


@pytest.mark.parametrize("script", [WAITING, HOLDING], ids=["ignores signals", "holds its interpreter"])
def test_the_end_of_the_lifeline_ends_the_whole_group(lead: Lead, script: str) -> None:
    led = lead(*python(script))
    led.begin()
    assert led.line() + led.line() == "\n\n"
    assert len(groups.members(led.group)) >= 5
    led.let_go()
    goes(led.group)
    assert led.process.wait(PATIENCE) == -signal.SIGKILL


def test_more_bytes_mean_nothing(lead: Lead) -> None:
    led = lead(*python("import time; time.sleep(0.3); print('whole')"))
    led.begin()
    for _ in range(3):
        led.begin()
    assert led.line() == "whole\n"


def test_what_a_child_leaves_behind_ends_with_it(lead: Lead) -> None:
    led = lead(*python("import subprocess; subprocess.Popen(['sleep', '1000']); print('left one')"))
    led.begin()
    assert led.line() == "left one\n"
    led.process.wait(PATIENCE)
    goes(led.group)


def test_a_program_that_is_not_there(lead: Lead, capfd: pytest.CaptureFixture[str]) -> None:
    led = lead("/no/such/program")
    led.begin()
    assert led.process.wait(PATIENCE) == 1
    assert "/no/such/program" in capfd.readouterr().err


def below(script: str) -> list[str]:
    """A grandchild of the leader that runs `script`."""
    return python(f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {script!r}])")


def test_limits_hold_for_grandchildren(lead: Lead) -> None:
    script = (
        "import os, resource as r;"
        "print(os.nice(0), *(r.getrlimit(k)[i] for k in (r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_CORE)"
        " for i in (0, 1)))"
    )
    led = lead(*below(script), cpu=7, file_size=12345, open_files=99, nice=3)
    led.begin()
    assert led.words() == [str(os.nice(0) + 3), "7", "12", "12345", "12345", "99", "99", "0", "0"]


def test_too_much_cpu_ends_a_grandchild(lead: Lead) -> None:
    script = (
        "import subprocess, sys; print(subprocess.run([sys.executable, '-S', '-c', 'while True: pass']).returncode)"
    )
    led = lead(*python(script), cpu=1)
    led.begin()
    assert int(led.line()) == -signal.SIGXCPU, "which is not what a killer sends"


def test_a_grandchild_writes_no_larger_file(lead: Lead, tmp_path: Path) -> None:
    led = lead("/bin/sh", "-c", f"head -c 100000 /dev/zero > {tmp_path / 'large'}; echo over", file_size=4096)
    led.begin()
    assert led.line() == "over\n"
    assert (tmp_path / "large").stat().st_size == 4096


def test_a_grandchild_opens_no_more_files(lead: Lead) -> None:
    script = "import os\ntry:\n  [os.dup(0) for _ in range(99)]\nexcept OSError as e:\n  print(e.errno)"
    led = lead(*below(script), open_files=20)
    led.begin()
    assert led.line() == "24\n"


def test_limits_are_never_raised(lead: Lead) -> None:
    led = lead(*python("import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE)[1])"), open_files=1 << 40)
    led.begin()
    assert int(led.line()) < 1 << 40


def test_the_lifeline_is_for_the_leader_alone(lead: Lead) -> None:
    """A child that held the lifeline could write to it."""
    led = lead(*python("import os; print(*sorted(os.listdir('/proc/self/fd'))[:-1])"))
    led.begin()
    assert led.words() == ["0", "1", "2"]


def test_pipes_end_with_the_child(lead: Lead) -> None:
    """The leader, which ends a moment later, holds no descriptor of the child."""
    theirs, ours = os.pipe()
    led = lead(*python("import time; time.sleep(1000)"), pass_fds=(ours,))
    os.close(ours)
    led.begin()
    until(lambda: len(groups.members(led.group)) == 2)
    (child,) = (process.pid for process in groups.members(led.group) if process.pid != led.group)
    os.kill(child, signal.SIGSTOP)  # it cannot close its own
    pipe = Path(f"/proc/self/fd/{theirs}").readlink()
    until(lambda: pipe not in [link.readlink() for link in Path(f"/proc/{led.group}/fd").iterdir()])
    os.close(theirs)


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_a_killed_supervisor_takes_the_group_along(rounds: int) -> None:
    for _ in range(rounds):
        _killed_supervisor()


def _killed_supervisor() -> None:
    command = [sys.executable, "-S", "-c", SUPERVISOR, group_leader.__file__, json.dumps(NONE), *python(HOLDING)]
    with (
        groups.adopting_orphans(),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor,
    ):
        assert supervisor.stdout
        group = int(supervisor.stdout.readline())
        assert supervisor.stdout.readline() + supervisor.stdout.readline() == "\n\n"
        supervisor.kill()
        goes(group)
        supervisor.wait()
        groups.reap(group)
