"""The child processes in which stages run, as the supervisor controls them.

A child runs in a process group of its own, led by a process (`process.group_leader`) that kills the whole group when
the supervisor dies: it waits on a lifeline, a pipe whose other end only the supervisor holds. The child starts on
`begin`, after its group was recorded. No process of a group is left when `end` returns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass

import msgspec
from django.conf import settings

from jobs.pipeline.errors import StageDied
from jobs.pipeline.process import group_leader, groups
from jobs.pipeline.process.messages import LINE_BYTES, Command, Report, decode_report, encode

_BLOCK = 1 << 16
_TAIL = 8000
"""Bytes of stderr that are kept for the error page, from its end."""
_LINES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLimits:
    """Limits of each process of a group: CPU seconds, bytes of a written file, open files (None: any), and niceness."""

    cpu: int | None = None
    file_size: int | None = None
    open_files: int | None = None
    nice: int = 5


def command(commands: int, reports: int) -> list[str]:
    """The command line of the child; `commands` and `reports` are descriptors, the child's ends of the pipes."""
    return [sys.executable, "-m", "jobs.engines", str(commands), str(reports)]


class GroupStillRunning(Exception):
    """Raised when a process of the group runs on after SIGKILL: its stage has not ended."""


class Child:
    """A group leader with its child. Raises OSError when it cannot be started."""

    def __init__(self, limits: ProcessLimits) -> None:
        with ExitStack() as theirs, ExitStack() as ours:
            theirs_in, self._commands = _pipe(theirs, ours)
            self.reports, theirs_out = _pipe(ours, theirs)
            self.errors, theirs_err = _pipe(ours, theirs)
            theirs_life, self._lifeline = _pipe(theirs, ours)
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    group_leader.__file__,
                    str(theirs_life),
                    json.dumps(asdict(limits)),
                    *command(theirs_in, theirs_out),
                ],
                stdin=subprocess.DEVNULL,
                stdout=theirs_err,
                stderr=theirs_err,
                env={**settings.CHILD_ENVIRONMENT, "PYTHONPATH": str(settings.BASE_DIR), "PYTHONUNBUFFERED": "1"},
                pass_fds=(theirs_in, theirs_out, theirs_life),
                start_new_session=True,
            )
            ours.pop_all()  # these ends stay open until `end`
        for end in (self._commands, self.reports, self.errors):
            os.set_blocking(end, False)
        self.group = self._process.pid
        leader = groups.look(self.group)
        self.started = leader.started if leader else 0
        self._waiting = bytearray()
        self._line = bytearray()
        self._error_lines: deque[bytes] = deque(maxlen=_LINES)

    @property
    def alive(self) -> bool:
        """Whether the group leader runs."""
        return self._process.poll() is None

    def begin(self) -> None:
        """Start the child. Call it after its group was recorded."""
        with suppress(BrokenPipeError):
            os.write(self._lifeline, b"!")

    # Commands to the child

    def send(self, message: Command) -> None:
        """Send a command without blocking: bytes that do not fit into the pipe wait for `push`."""
        self._waiting += encode(message)
        self.push()

    def push(self) -> None:
        """Write waiting bytes as far as the pipe has room."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self._commands, self._waiting[:_BLOCK])]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._waiting.clear()  # the child has closed its end: a watched pipe would be writable for ever

    @property
    def commands_to_push(self) -> int | None:
        """The descriptor to watch for room while bytes wait; None when none wait."""
        return self._commands if self._waiting else None

    # Reports and errors of the child

    def read_reports(self) -> Iterator[Report]:
        """The reports that have arrived. Raises StageDied when the child has ended, or sent an invalid report."""
        for _ in range(16):  # a child that floods the pipe must not block the supervisor's loop
            try:
                block = os.read(self.reports, _BLOCK)
            except BlockingIOError:
                return
            if not block:
                raise StageDied(detail=self.last_errors())
            *lines, rest = (bytes(self._line) + block).split(b"\n") if b"\n" in block else (self._line + block,)
            self._line = bytearray(rest)
            if len(self._line) > LINE_BYTES:
                raise StageDied(detail=f"The stage process sent a line of more than {LINE_BYTES} bytes.")
            yield from map(_report, lines)

    def read_errors(self) -> bool:
        """Read its stderr and keep the last lines. False at the end of the stream."""
        try:
            block = os.read(self.errors, _BLOCK)
        except BlockingIOError:
            return True
        self._error_lines.extend(line[:400] for line in block.splitlines()[-_LINES:])
        return bool(block)

    def last_errors(self) -> str:
        """The last lines of its stderr, at most `_TAIL` characters."""
        self.read_errors()
        said = b"\n".join(self._error_lines).decode(errors="replace")[-_TAIL:]
        return said.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL cannot store NUL

    def clear_errors(self) -> None:
        """Discard its stderr so far: it belongs to the job of another owner."""
        self.read_errors()
        self._error_lines.clear()

    # Its end

    def end(self) -> None:
        """Kill the group with SIGKILL; returns when none of it runs. Raises GroupStillRunning when that fails."""
        with groups.adopting_orphans():
            gone = groups.end_group(self.group)
            for end in (self._lifeline, self._commands, self.reports, self.errors):
                with suppress(OSError):
                    os.close(end)
            if not gone:
                raise GroupStillRunning(f"Process group {self.group} is still running after SIGKILL.")
            self._process.wait()
            groups.reap(self.group)


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """Open a pipe; each end is closed by the stack of its side."""
    ends = os.pipe()
    for whose, end in zip((reader, writer), ends, strict=True):
        whose.callback(os.close, end)
    return ends


def _report(line: bytes) -> Report:
    try:
        return decode_report(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise StageDied(detail=f"The stage process sent an invalid message: {line[:200]!r}") from None


class WarmChild:
    """The child of a speech worker, which is kept between stages with its model loaded, until a stage is stopped."""

    def __init__(self) -> None:
        self._child: Child | None = None

    def take(self, limits: ProcessLimits) -> Child:
        """The kept child if it is alive, or else a new one."""
        if self._child and not self._child.alive:
            self.drop()
        if self._child is None:
            self._child = Child(limits)
        self._child.clear_errors()
        return self._child

    def drop(self) -> None:
        """End the kept child: its stage was stopped, or it is broken."""
        if child := self._child:
            self._child = None
            child.end()
