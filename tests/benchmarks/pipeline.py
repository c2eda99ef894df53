"""The whole way of one video: `manage.py translate` against `reference.py`, each in a process of its own.

The script decodes with PocketSphinx as its wheel offers it. Our engine does more, to hear better: it measures the voice
first (a second pass over all speech) and decodes more of the silence around each sentence. So there are two ratios: to
the script as it is, and to what it would take with our engine, which tells what everything around the engines costs.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.material import speech, video
from tests.benchmarks.measure import BUILD, Sample, run_child
from tests.benchmarks.rows import Row, ratio

STEPS = ("sound", "speech", "text", "files", "video")
REFERENCE = Path(__file__).with_name("reference.py")


def measure(*, quick: bool) -> list[Row]:
    seconds = 33 if quick else 600
    source = video(seconds)
    theirs, steps = _reference(source)
    ours, stages = _ours(source)
    engine = _engine(seconds)
    same = Sample(
        wall=theirs.wall - steps["speech"].wall + engine.wall, cpu=theirs.cpu - steps["speech"].cpu + engine.cpu
    )
    length = f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"
    script = {name: step.wall for name, step in steps.items()}
    return [
        ratio(f"whole pipeline on {length}, to a script on our engines", [ours], [same], limit=1.05, kind="at most"),
        ratio(f"whole pipeline on {length}, to a script on bare ones", [ours], [theirs], limit=1.05, kind="at most"),
        _row("  recognising alone: our engine", engine.wall, f"CPU {engine.cpu:.1f} s"),
        _row("  recognising alone: script", script["speech"], f"CPU {steps['speech'].cpu:.1f} s"),
        _row("  ours: transcription, with taking out the sound", stages["transcribe"]),
        _row("  ours: burning, with the poster", stages["render"]),
        _row("  script: burning", script["video"]),
        _row("  ours: all the rest", ours.wall - stages["transcribe"] - stages["render"]),
        _row("  script: all the rest", theirs.wall - sum(script[name] for name in ("sound", "speech", "video"))),
    ]


def _ours(source: Path) -> tuple[Sample, dict[str, float]]:
    """The command as it is typed, and the seconds of each stage as its report has them."""
    output = _empty(BUILD / "ours")
    engines = ("--transcriber", "pocketsphinx", "--translator", "apertium")
    command = (sys.executable, "manage.py", "translate", source, "--to", "es", "--from", "en", *engines)
    sample, _ = run_child(["env", "ENV_FILE=", "SECRET_KEY=bench", *command, "--output", output])
    (report,) = output.glob("*.report.json")
    seconds: dict[str, float] = json.loads(report.read_text(encoding="utf-8"))["seconds"]
    return sample, seconds


def _reference(source: Path) -> tuple[Sample, dict[str, Sample]]:
    """The script, and each of its steps: wall time, and CPU time of the script itself, without what it started."""
    began = time.monotonic()
    sample, said = run_child([sys.executable, REFERENCE, source, _empty(BUILD / "reference")])
    clock = [(began, 0.0), *((float(wall), float(cpu)) for wall, cpu in map(str.split, said.splitlines()))]
    steps = [Sample(wall=after[0] - before[0], cpu=after[1] - before[1]) for before, after in pairwise(clock)]
    return sample, dict(zip(STEPS, steps, strict=True))


def _engine(seconds: int) -> Sample:
    _, said = run_child([sys.executable, "-m", "tests.benchmarks.engine", speech(seconds)])
    wall, cpu = map(float, said.split())
    return Sample(wall=wall, cpu=cpu)


def _empty(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _row(name: str, seconds: float, note: str = "") -> Row:
    return Row(name=name, value=seconds, unit="s", note=note)
