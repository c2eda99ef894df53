"""Processes and process groups as the kernel tells of them: enough to end a group and to know that it is empty.

A pid comes again, a pid with its start time since the boot does not. Zombies have ended; somebody has yet to hear it.
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
"""Seconds between two looks at a dying group; killing takes 10 to 300 ms (a process dies as slowly as it is large)."""


_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent() -> None:
    """Have the kernel end this process when the thread that forked it ends, however that ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_adopting = 0
_adoption = threading.Lock()


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Within, grandchildren whose parents end become our children, so that `bury` can take them out of the table.

    Where the first process of a container does not do that, they would stay for ever. It is switched off again, for
    whatever ends at other times is not ours to wait for.
    """
    _change_adoption(1)
    try:
        yield
    finally:
        _change_adoption(-1)


def _change_adoption(step: int) -> None:
    global _adopting  # of the whole process, as the switch of the kernel is
    with _adoption:
        _adopting += step
        _prctl(_PR_SET_CHILD_SUBREAPER, int(_adopting > 0))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def bury(group: int) -> None:
    """Take our children in `group`, all of whom are dying, out of the table."""
    deadline = time.monotonic() + 1.0  # a dead process whose threads are still ending cannot be waited for yet
    with suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if not os.waitpid(-group, os.WNOHANG)[0]:
                time.sleep(_POLL_INTERVAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """`started` is in clock ticks after the boot."""

    pid: int
    group: int
    started: int
    alive: bool


@cache
def boot_id() -> str:
    """Another one after each start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def look(pid: int) -> Process | None:
    """The process, or None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(b")")[2].decode().split()  # the name before it may hold anything, half a letter too
    return Process(pid=pid, group=int(fields[2]), started=int(fields[19]), alive=fields[0] not in "ZX")


def is_alive(pid: int, started: int) -> bool:
    """Whether this very process still runs."""
    found = look(pid)
    return found is not None and found.alive and found.started == started


def members(group: int) -> list[Process]:
    """Those of the group that still run."""
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 - names only
    return [process for process in found if process and process.group == group and process.alive]


def end_group(group: int, patience: float = 30.0) -> bool:
    """SIGKILL the group and wait until nobody of it runs. False when somebody still does after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        if not members(group):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_INTERVAL)


def end_recorded_group(group: int, started: int, patience: float = 30.0) -> bool:
    """End the group whose leader started at `started`, and nobody else. Whether it is empty now.

    A leader with another start time leads another group of the same number: ours is long gone. Where the leader is
    gone the number is still ours while anybody is in the group, for the kernel gives no pid that a group bears.
    """
    leader = look(group)
    if leader and leader.started != started:
        return True
    return end_group(group, patience)
