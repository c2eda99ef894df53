"""The leader of the process group in which one child works: `shim.py LIFELINE LIMITS COMMAND...`, nothing else in it.

It waits on the lifeline, a pipe whose other end only the supervisor holds. A byte means: begin. The end of the pipe
means that the supervisor is gone, however it went: then the whole group dies by SIGKILL, at once. That must not wait
for an engine that holds its interpreter for seconds, so it is a process of its own, with no more in it than this.
The group dies, too, when the child ends: nothing that it started outlives it.

LIMITS is JSON: CPU seconds, bytes of a file, open files (null: as they are), and niceness, for everything in the group.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys

_GRACE = 5
"""Seconds of CPU between the signal that may be handled and the one that may not."""


def main(lifeline: int, limits: str, command: list[str]) -> None:
    os.set_inheritable(lifeline, False)
    if not os.read(lifeline, 1):
        return
    _limit(**json.loads(limits))
    child = os.posix_spawn(command[0], command, os.environ)
    for held in _inherited(lifeline):
        os.close(held)  # so that the pipes end with the child
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN | select.POLLHUP)
    poll.register(ended, select.POLLIN)
    while not any(number == ended or not os.read(lifeline, 1) for number, _ in poll.poll()):
        pass
    os.killpg(os.getpid(), signal.SIGKILL)


def _limit(*, cpu: int | None, file_size: int | None, open_files: int | None, nice: int) -> None:
    os.nice(nice)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    kinds = {resource.RLIMIT_CPU: cpu, resource.RLIMIT_FSIZE: file_size, resource.RLIMIT_NOFILE: open_files}
    for kind, most in kinds.items():
        if most is not None:
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            # Who used up its CPU gets SIGXCPU, which tells it from one that somebody killed; who ignores it, SIGKILL.
            grace = _GRACE if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
            resource.setrlimit(kind, (most, most + grace))


def _inherited(lifeline: int) -> list[int]:
    """The descriptors that are there for the child only."""
    kept = {0, 1, 2, lifeline}
    names = os.listdir("/proc/self/fd")  # noqa: PTH208 - pathlib takes longer to import than all the rest
    return [number for number in map(int, names) if number not in kept and _is_open(number)]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
