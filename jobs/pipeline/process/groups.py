"""Process groups on Linux, read from /proc: killing a group and verifying that it is empty.

A pid may be reused; a pid with its start time identifies one process until the next boot. Zombies count as ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_POLL_INTERVAL = 0.002
"""Seconds between two checks of a killed group: ending takes 10 to 300 ms, longer for processes with more memory."""

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that forked it ends (prctl PR_SET_PDEATHSIG)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_adopting = 0
_adoption = threading.Lock()


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Make grandchildren whose parents end children of this process, within the context, so that `reap` works on them.

    In a container whose first process does not reap, they would stay as zombies. It is switched off afterwards, because
    other orphans are not this process's to reap.
    """
    _change_adoption(1)
    try:
        yield
    finally:
        _change_adoption(-1)


def _change_adoption(step: int) -> None:
    global _adopting  # one counter per process, because the kernel's switch is one per process
    with _adoption:
        _adopting += step
        _prctl(_PR_SET_CHILD_SUBREAPER, int(_adopting > 0))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def reap(group: int) -> None:
    """Reap this process's children in `group`, all of which have been killed, for at most a second."""
    deadline = time.monotonic() + 1.0  # a process cannot be reaped while its threads are still ending
    with suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if not os.waitpid(-group, os.WNOHANG)[0]:
                time.sleep(_POLL_INTERVAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process as read from /proc. `started` is in clock ticks since boot."""

    pid: int
    group: int
    started: int
    alive: bool


@cache
def boot_id() -> str:
    """The kernel's id of the current boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def look(pid: int) -> Process | None:
    """Read the process `pid` from /proc; None when it does not exist."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(b")")[2].decode().split()  # the name before it may hold any bytes
    return Process(pid=pid, group=int(fields[2]), started=int(fields[19]), alive=fields[0] not in "ZX")


def is_alive(pid: int, started: int) -> bool:
    """Tell whether the process with this pid and start time is running."""
    found = look(pid)
    return found is not None and found.alive and found.started == started


def members(group: int) -> list[Process]:
    """The running processes of the group."""
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - names only
    return [process for process in found if process and process.group == group and process.alive]


def end_group(group: int, timeout: float = 30.0) -> bool:
    """Kill the group by SIGKILL and wait until it is empty. Returns False if it is not after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        if not members(group):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_INTERVAL)


def end_recorded_group(group: int, started: int, timeout: float = 30.0) -> bool:
    """Kill the group whose leader started at `started`, and no other. Returns whether it is empty.

    A leader with another start time leads another group with a reused number: the recorded one has ended. If the leader
    has ended but not its group, the number still means this group, because the kernel does not reuse such a pid.
    """
    leader = look(group)
    if leader and leader.started != started:
        return True
    return end_group(group, timeout)
