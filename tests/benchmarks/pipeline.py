"""The translation of one video: `manage.py translate` against `reference.py`, each in a process of its own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.benchmarks.material import video
from tests.benchmarks.measure import BUILD, Sample, run_child
from tests.benchmarks.rows import Row, ratio


def measure(*, quick: bool) -> list[Row]:
    seconds = 33 if quick else 600
    source = video(seconds)
    theirs, _ = run_child([sys.executable, "-m", "tests.benchmarks.reference", source, _empty(BUILD / "reference")])
    ours, stages = _ours(source)
    length = f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"
    rest = ours.wall - stages["transcribe"] - stages["render"]
    return [
        ratio(f"whole pipeline on {length}, to a script", [ours], [theirs], limit=1.05, kind="at most"),
        Row(name="  transcription, with taking out the sound", value=stages["transcribe"], unit="s"),
        Row(name="  burning, with the poster", value=stages["render"], unit="s"),
        Row(name="  all the rest", value=rest, unit="s"),
    ]


def _ours(source: Path) -> tuple[Sample, dict[str, float]]:
    """Run the command; returns its times and the seconds of each stage from its report."""
    output = _empty(BUILD / "ours")
    engines = ("--transcriber", "pocketsphinx", "--translator", "apertium")
    command = (sys.executable, "manage.py", "translate", source, "--to", "es", "--from", "en", *engines)
    rows = _empty(BUILD / "rows")
    places = (f"DATABASE_URL=sqlite:///{rows / 'db.sqlite3'}", f"MEDIA_ROOT={rows}")
    alone = ("env", "ENV_FILE=", "SECRET_KEY=bench", *places)
    run_child([*alone, sys.executable, "manage.py", "migrate", "--verbosity", "0"])
    sample, _ = run_child([*alone, *command, "--output", output])
    (report,) = output.glob("*.report.json")
    seconds: dict[str, float] = json.loads(report.read_text(encoding="utf-8"))["seconds"]
    return sample, seconds


def _empty(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory
