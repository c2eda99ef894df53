"""The table of media that are badly made: each case is a test, which looks at frames and sounds.

To add a case, name the test here; its row is met when the test passes.
"""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.measure import ROOT
from tests.quality.engines import Session
from tests.quality.rows import Row

SECTION = "media"
CASES: dict[str, str] = {}
"""Case: the test that stands for it, as pytest names it."""


def measure(session: Session) -> list[Row]:
    """Run the test of each case."""
    return [_row(name, test) for name, test in CASES.items()]


def _row(name: str, test: str) -> Row:
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Row(section=SECTION, name=name, value=float(done.returncode == 0), target="right", met=done.returncode == 0)
