"""A thousand open pages on one web server, on both databases: whether a message is lost, what a socket weighs, and how
long it takes from the progress that is written to the page that is told of it. The web server is a real daphne.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.jobs import KINDS, at, database
from tests.benchmarks.measure import ROOT, run_child
from tests.benchmarks.rows import Row
from tests.postgres import NoPostgres, free_port

SHOWN = {"sqlite": 600.0, "postgresql": 50.0}
"""Milliseconds, p95."""


def measure(*, quick: bool) -> list[Row]:
    return [row for kind in KINDS for row in _on(kind, sockets=100 if quick else 1000, rounds=10 if quick else 60)]


def _on(kind: str, sockets: int, rounds: int) -> Iterator[Row]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            url = stack.enter_context(database(kind, directory))
        except NoPostgres:
            return
        environment = {
            **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
            **{"ENV_FILE": "", "SECRET_KEY": "bench", "DATABASE_URL": url, "MEDIA_ROOT": str(directory)},
            **{"LOG_LEVEL": "WARNING", "DEBUG": "1"},  # static files are not collected, and nobody asks for them
        }
        assigned = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        run_child([*assigned, sys.executable, "manage.py", "migrate", "--verbosity", "0"])
        stack.enter_context(_many_files())
        port, pid = stack.enter_context(_daphne(environment, directory))
        arguments = map(str, (port, pid, sockets, rounds))
        _, said = run_child([*assigned, sys.executable, "-m", "tests.benchmarks.sockets_child", *arguments])
        yield from _rows(kind, json.loads(said), sockets)


def _rows(kind: str, found: dict[str, Any], sockets: int) -> Iterator[Row]:
    shown = sorted(found["shown"])
    told = f"p50 {median(shown):.0f}, p95 {at(shown, 0.95):.0f}, max {shown[-1]:.0f} ms of {len(shown)}"
    name = f"progress written to told, beside {sockets} sockets (p95), {kind}"
    yield Row(name=name, value=at(shown, 0.95), unit="ms", limit=SHOWN[kind], note=told, detail={"shown": shown})
    late = f"{found['passed_over']} of them passed over for a later one"
    note = f"{found['messages']} were due, {late}; {sockets} snapshots came within {found['opened']:.1f} s"
    yield Row(name=f"messages lost by {sockets} sockets, {kind}", value=found["lost"], unit="", limit=0, note=note)
    note = f"daphne: {found['before']:.0f} MB with one socket, {found['after']:.0f} MB with {sockets}"
    weight = 1024 * (found["after"] - found["before"]) / sockets
    yield Row(name=f"memory of a socket, {kind}", value=weight, unit="kB", note=note)


@contextmanager
def _many_files() -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual[1], usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


@contextmanager
def _daphne(environment: dict[str, str], directory: Path) -> Iterator[tuple[int, int]]:
    """The web server alone: its port and its pid."""
    port = free_port()
    daphne = str(Path(sys.executable).parent / "daphne")
    command = [daphne, "--verbosity", "0", "-b", "127.0.0.1", "-p", str(port), "translator.asgi:application"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=5).close()
                break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
