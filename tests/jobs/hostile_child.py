"""A child that misbehaves on purpose: `hostile_child.py BEHAVIOUR ORDERS REPORTS`, for `python -m jobs.engines`.

It imports nothing of ours: it starts at once and says whatever it likes. A behaviour is a function of that name.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

BLOCK = 1 << 16
MEDIA = {"name": "v.mp4", "container": "mov", "duration": 1.0, "size": 5, "video": None}


class Pipes:
    """The pipes of the child. `attempt` and `room` are those of the last command."""

    def __init__(self, orders: int, reports: int) -> None:
        self.orders, self.reports = os.fdopen(orders, "rb"), reports
        self.attempt, self.room = "", Path()

    def listen(self) -> dict[str, Any]:
        order: dict[str, Any] = json.loads(self.orders.readline() or sys.exit())
        self.attempt, self.room = order["attempt"], Path(order.get("attempt_dir", "."))
        return order

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.reports, data) :]

    def say(self, kind: str, **fields: Any) -> None:
        self.write(json.dumps({"type": kind, "attempt": self.attempt, **fields}).encode() + b"\n")

    def done(self, files: dict[str, str] | None = None, **outcome: Any) -> None:
        self.say("done", files=files or {}, outcome=outcome or {"media": MEDIA, "title": "A title"})


def forever() -> NoReturn:
    while True:
        time.sleep(60)


def with_a_family() -> None:
    """Start a child and a grandchild that ignore every signal they can."""
    script = "trap '' TERM INT HUP; sleep 1000 & sleep 1000"
    subprocess.Popen(["sh", "-c", script])


# What is said


def loading(pipes: Pipes) -> None:
    """Load a model for a second and a half, then work as long."""
    pipes.listen()
    pipes.say("step", name="load_speech")
    time.sleep(1.5)
    pipes.say("step", name=None)
    time.sleep(1.5)
    pipes.done()


def good(pipes: Pipes) -> None:
    pipes.listen()
    (pipes.room / "left over").write_text("x")
    (pipes.room / "source.mp4").write_text("video")
    pipes.say("progress", share=0.5)
    pipes.done({"source": "source.mp4"})
    forever()


def warm(pipes: Pipes) -> None:
    """Run command after command and report the pid; the name in the task selects an error."""
    while order := pipes.listen():
        pipes.say("note", code=str(os.getpid()), params={})
        if order["task"].get("name") == "failing":
            pipes.say("failed", error={"code": "NoSpeech", "params": {"name": "x"}, "detail": ""})
        elif order["task"].get("name") == "slow":
            forever()
        elif order["task"].get("name") == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            pipes.done({}, spoken="en")


def garbage(pipes: Pipes) -> None:
    with_a_family()
    pipes.listen()
    pipes.write(os.urandom(1000) + b"\n")
    forever()


def no_object(pipes: Pipes) -> None:
    pipes.listen()
    pipes.write(b"[1, 2, 3]\n")
    forever()


def wrong_types(pipes: Pipes) -> None:
    pipes.listen()
    pipes.say("progress", share="half")
    forever()


def unknown_step(pipes: Pipes) -> None:
    pipes.listen()
    pipes.say("step", name="x" * 5000)
    forever()


def wrong_kind(pipes: Pipes) -> None:
    """Send a report that does not belong to this stage."""
    pipes.listen()
    pipes.say("translated", cues=[], usage={"input_tokens": 1, "output_tokens": 1})
    forever()


def unknown_error(pipes: Pipes) -> None:
    """Send an error with parameters that its sentence does not have."""
    pipes.listen()
    pipes.say("failed", error={"code": "NoSuchFile", "params": {"nonsense": 1}, "detail": "said so"})
    forever()


def no_outcome(pipes: Pipes) -> None:
    pipes.listen()
    pipes.done({}, nothing="of use")
    forever()


def nul(pipes: Pipes) -> None:
    """Send NUL, which PostgreSQL cannot store, in every field."""
    pipes.listen()
    pipes.say("note", code="a\0note", params={"and\0so": "on\0"})
    pipes.say("failed", error={"code": "MediaFailed", "params": {"name": "v\0.mp4"}, "detail": "a\\0 tail\0"})
    forever()


def nul_on_stderr(pipes: Pipes) -> None:
    pipes.listen()
    os.write(2, b"binary \0 and \xff\xfe rubbish\n")
    sys.exit(1)


def nothing_and_ends(pipes: Pipes) -> None:
    with_a_family()
    pipes.listen()
    os.write(2, b"I have nothing to say.\n")


def ends_unread(pipes: Pipes) -> None:
    """End before reading any command."""


def half_a_line(pipes: Pipes) -> None:
    pipes.listen()
    pipes.write(b'{"type": "done", "attempt": "')


def nothing(pipes: Pipes) -> None:
    with_a_family()
    pipes.listen()
    (pipes.room / "begun").write_bytes(b"x" * 1000)
    forever()


def deaf(pipes: Pipes) -> None:
    forever()


def closes_orders(pipes: Pipes) -> None:
    pipes.orders.close()
    forever()


def closes_reports(pipes: Pipes) -> None:
    pipes.listen()
    os.close(pipes.reports)
    forever()


def closes_stderr(pipes: Pipes) -> None:
    pipes.listen()
    os.close(1)
    os.close(2)
    time.sleep(0.3)
    pipes.done()
    forever()


def flood(pipes: Pipes) -> None:
    """Send 100 MB without a line break."""
    pipes.listen()
    for _ in range(100 << 20 >> 16):
        pipes.write(b"x" * BLOCK)
    forever()


def flood_of_lines(pipes: Pipes) -> None:
    """Send reports without end."""
    pipes.listen()
    line = json.dumps({"type": "progress", "attempt": pipes.attempt, "share": 0.1}).encode() + b"\n"
    while True:
        pipes.write(line * 1000)


def flood_of_complaints(pipes: Pipes) -> None:
    """Write 100 MB to stderr, with a message at its end."""
    pipes.listen()
    for at in range(100 << 20 >> 16):
        os.write(2, b"complaint %8d\n" % at + b"x" * (BLOCK - 32) + b"\n")
    os.write(2, b"the last word\n")


def another_attempt(pipes: Pipes) -> None:
    pipes.listen()
    mine, pipes.attempt = pipes.attempt, "00000000-0000-0000-0000-000000000000"
    pipes.say("progress", share=0.9)
    pipes.say("note", code="not mine", params={})
    pipes.say("failed", error={"code": "NoSpeech", "params": {"name": "x"}, "detail": ""})
    pipes.done({"video": "nowhere.mp4"})
    pipes.attempt = mine
    pipes.done()
    forever()


# What it names


def no_such_file(pipes: Pipes) -> None:
    _name(pipes, "nowhere.mp4")


def elsewhere(pipes: Pipes) -> None:
    (pipes.room.parent / "precious").write_text("not yours") if pipes.listen() else None
    pipes.done({"source": "../precious"})
    forever()


def a_link(pipes: Pipes) -> None:
    pipes.listen()
    (pipes.room / "source.mp4").symlink_to("/etc/passwd")
    pipes.done({"source": "source.mp4"})
    forever()


def absolute(pipes: Pipes) -> None:
    _name(pipes, "/etc/passwd")


def a_directory(pipes: Pipes) -> None:
    _name(pipes, ".")


def a_parent(pipes: Pipes) -> None:
    _name(pipes, "..")


def no_name(pipes: Pipes) -> None:
    _name(pipes, "")


def a_nul(pipes: Pipes) -> None:
    _name(pipes, "a\0b")


def _name(pipes: Pipes, name: str) -> None:
    pipes.listen()
    pipes.done({"source": name})
    forever()


# How it ends, or does not


def killed(pipes: Pipes) -> None:
    with_a_family()
    pipes.listen()
    (pipes.room / "begun").write_text("x")
    os.write(2, b"a word before I die\n")
    os.kill(os.getpid(), signal.SIGKILL)


def kills_its_leader(pipes: Pipes) -> None:
    with_a_family()
    pipes.listen()
    os.kill(os.getpgrp(), signal.SIGKILL)
    forever()


def holds(pipes: Pipes) -> None:
    """Hold the interpreter for an hour: no signal handler and no other thread runs meanwhile."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    pipes.listen()
    (pipes.room / "begun").write_text("x")
    ctypes.PyDLL(None).sleep(3600)
    pipes.done()
    forever()


def loses_its_room(pipes: Pipes) -> None:
    """Wait until its directory is deleted."""
    pipes.listen()
    (pipes.room / "begun").write_text("x")
    while pipes.room.exists():
        time.sleep(0.01)
    pipes.done({"source": "begun"})
    forever()


def works_on(pipes: Pipes) -> None:
    """Report progress for three seconds."""
    pipes.listen()
    (pipes.room / "begun").write_text("x")
    for at in range(30):
        pipes.say("progress", share=at / 30)
        time.sleep(0.1)
    pipes.done({"source": "begun"})
    forever()


def lost(pipes: Pipes) -> None:
    """Send every kind of report when the file `go` exists."""
    pipes.listen()
    (pipes.room / "begun").write_text("x")
    while not (pipes.room.parent / "go").exists():
        time.sleep(0.005)
    pipes.say("progress", share=0.9)
    pipes.say("note", code="too late", params={})
    cue = {"id": 1, "start": 1.0, "end": 2.0, "source": "Too late.", "target": "", "speaker": "", "flags": []}
    pipes.say("window", end=9.0, language="en", heard=True, cues=[cue])
    pipes.done()
    forever()


if __name__ == "__main__":
    globals()[sys.argv[1]](Pipes(int(sys.argv[2]), int(sys.argv[3])))
