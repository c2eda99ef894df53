"""Leader of the process group of one child, started as `group_leader.py LIFELINE LIMITS COMMAND...`.

LIFELINE is the descriptor of a pipe whose other end only the supervisor holds. A byte in it starts the command. Its end
means that the supervisor has ended, also by SIGKILL: then the leader kills the whole group by SIGKILL at once. That
must not wait for an engine that holds the GIL for seconds, so the leader is a process of its own and imports little.
The group is killed as well when the child ends, so that no process it started outlives it.

LIMITS is JSON for all processes of the group: CPU seconds (`cpu`), bytes of a file (`file_size`), open files
(`open_files`), each null for no limit, and niceness (`nice`).
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys

_GRACE = 5
"""Seconds of CPU between SIGXCPU, which a process may handle, and SIGKILL."""


def main(lifeline: int, limits: str, command: list[str]) -> None:
    """Wait for the start byte, run `command` within `limits`, and kill the group when it or the supervisor ends."""
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
            # SIGXCPU comes first, so that the exit status shows the cause; SIGKILL follows if it is ignored.
            grace = _GRACE if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
            resource.setrlimit(kind, (most, most + grace))


def _inherited(lifeline: int) -> list[int]:
    """The open descriptors that only the child uses."""
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
