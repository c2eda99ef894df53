"""Time of this process and of programs it starts: wall time, and CPU time, which a busy machine disturbs less."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
"""Material and results; made when first needed, kept for the next run, ignored by git."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The wall time and the CPU time of all cores of one run, in seconds."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Sample:
    """Run `work` in this process; the CPU time of programs that it waits for counts, too."""
    wall, cpu = time.monotonic(), _cpu()
    work()
    return Sample(wall=time.monotonic() - wall, cpu=_cpu() - cpu)


def _cpu() -> float:
    whose = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in whose)


def run_child(command: Sequence[str | Path]) -> tuple[Sample, str]:
    """Run `command` in the project's directory; returns its times and its standard output.

    The CPU time includes all processes it waited for. Raises RuntimeError with the end of its stderr if it fails.
    """
    wall = time.monotonic()
    with tempfile.TemporaryFile() as stderr:
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        assert child.stdout
        said = child.stdout.read().decode()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        if child.returncode:
            stderr.seek(0)
            raise RuntimeError(f"{command} failed: {stderr.read().decode()[-2000:]}")
    return Sample(wall=time.monotonic() - wall, cpu=used.ru_utime + used.ru_stime), said


def alternate(runs: int, *sides: Callable[[], Sample]) -> list[list[Sample]]:
    """The samples of each side, run in turns (A, B, A, B, …) so that a change of the machine's load meets them all."""
    rounds = [[side() for side in sides] for _ in range(runs)]
    return [list(samples) for samples in zip(*rounds, strict=True)]


def middle(samples: Sequence[Sample]) -> Sample:
    """Median wall time and median CPU time, each on its own."""
    return Sample(wall=median(sample.wall for sample in samples), cpu=median(sample.cpu for sample in samples))
