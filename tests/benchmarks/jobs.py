"""Jobs on the whole stack, on both databases: how long cancelling, dying, starting and handing over take, and what the
stack weighs when nothing runs. Everything is real: supervisord, daphne, three clusters, the reaper.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from jobs.pipeline.process import groups
from tests.benchmarks.measure import ROOT
from tests.benchmarks.rows import Row, at, spread
from tests.benchmarks.site import KINDS, Site, site
from tests.postgres import NoPostgres

CANCEL = {"sqlite": 350.0, "postgresql": 50.0}
"""Milliseconds, p95; 100 more a GB resident, which ffmpeg on these clips does not have."""


def measure(*, quick: bool) -> list[Row]:
    return [row for kind in KINDS for row in _on(kind, rounds=4 if quick else 20)]


def _on(kind: str, rounds: int) -> Iterator[Row]:
    with ExitStack() as stack:
        unlimited = {"LIMIT_QUEUED": "0", "LIMIT_RUNNING": "0", "LIMIT_STORED_MEGABYTES": "0"}
        try:
            found = stack.enter_context(site(kind, **unlimited))
        except NoPostgres:
            return
        leader = stack.enter_context(_running(found))
        yield from _rows(kind, found.measure("tests.benchmarks.jobs_child", rounds))
        yield _weight(kind, leader)


def _rows(kind: str, found: dict[str, list[float]]) -> Iterator[Row]:
    def row(name: str, key: str, limit: float | None = None, *, share: float = 0.95, note: str = "") -> Row:
        samples = sorted(found[key])
        value, told = at(samples, share), spread(samples) + note
        return Row(name=f"{name}, {kind}", value=value, unit="ms", limit=limit, note=told, detail={key: samples})

    bare = f"; bare SIGKILL of the same ffmpeg: p50 {median(found['bare']):.0f} ms"
    yield row("cancel to group dead (p95)", "cancel", CANCEL[kind], note=bare)
    yield row("cancel to files gone and cancelled (p95)", "cancelled")
    yield row("worker killed to group dead (p95)", "death", 100.0, note=bare)
    yield row("enqueue to start (p50)", "start", 150.0, share=0.5)
    yield row("hand-over between stages (p50)", "handover", 150.0, share=0.5)
    yield row("overhead a stage (p50)", "overhead", share=0.5, note="; over the same work in one process that is warm")


@contextmanager
def _running(found: Site) -> Iterator[int]:
    """Run the stack; yields the pid of supervisord."""
    runs = found.directory / "run"
    runs.mkdir()
    places = {"BIN": str(Path(sys.executable).parent), "LISTEN": "127.0.0.1", "PORT": str(found.port)}
    command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", "deploy/supervisord.conf"]
    with (found.directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**found.environment, **places, "RUN_DIR": str(runs)},
            stdout=log,
            stderr=log,
        )
    try:
        time.sleep(8)  # until everything is up and nothing but idle
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _weight(kind: str, leader: int) -> Row:
    """The proportional set size of supervisord and everything below it."""
    time.sleep(5)
    shares = {pid: _proportional(pid) for pid in _below(leader)}
    note = f"proportional set size of {len(shares)} processes"
    return Row(name=f"the whole stack, idle, {kind}", value=sum(shares.values()), unit="MB", limit=600, note=note)


def _below(leader: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found = [leader]
    for pid in found:
        found += parents.get(pid, [])
    return [pid for pid in found if groups.look(pid)]


def _proportional(pid: int) -> float:
    try:
        lines: Any = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
