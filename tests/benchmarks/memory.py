"""Peak memory and CPU time of our own code, outside engines and ffmpeg, on an hour of speech and on less.

Ten minutes hold two whole windows, too few for the allocator to come to rest: flatness is told from twenty.
"""

from __future__ import annotations

import json
import sys
from statistics import median

from tests.benchmarks.material import speech
from tests.benchmarks.measure import BUILD, run_child
from tests.benchmarks.rows import Row

WINDOW = 300.0
"""Seconds: the longest window an engine of ours asks for."""


def measure(*, quick: bool) -> list[Row]:
    lengths, runs = ((10, 20), 1) if quick else ((10, 20, 60), 3)
    found = {minutes: _own_code(minutes, runs) for minutes in lengths}
    *shorter, long = lengths
    most, peaks = found[long], ", ".join(f"{found[minutes]['peak']:.0f} MB for {minutes} min" for minutes in shorter)
    cpu = ", ".join(f"{found[minutes]['cpu']:.1f} s for {minutes} min" for minutes in lengths[1:])
    return [
        Row(
            name=f"peak memory of our own code, {long} min of speech",
            value=most["peak"],
            unit="MB",
            limit=200,
            note=f"{most['imported']:.0f} MB of it after the imports; {peaks}; windows of {WINDOW:.0f} s; "
            f"medians of {runs}",
            detail={str(minutes): found[minutes] for minutes in lengths},
        ),
        Row(
            name=f"  {long} min to {shorter[-1]} min (flat in length)",
            value=most["peak"] / found[shorter[-1]]["peak"],
            unit="x",
            limit=1.1,
        ),
        Row(
            name=f"  CPU time of our own code, {lengths[0]} min of speech",
            value=found[lengths[0]]["cpu"],
            unit="s",
            note=f"{found[lengths[0]]['cpu'] / lengths[0] / 60:.2%} of real time; {cpu}",
        ),
    ]


def _own_code(minutes: int, runs: int) -> dict[str, float]:
    """The medians of several runs of `hour`."""
    command = (sys.executable, "-m", "tests.benchmarks.hour", speech(minutes * 60), str(WINDOW), BUILD)
    found = [json.loads(run_child(command)[1]) for _ in range(runs)]
    return {name: median(one[name] for one in found) for name in found[0]}
