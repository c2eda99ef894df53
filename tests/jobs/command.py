"""Running `manage.py translate` in the tests: within this process, or as a person does."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command

from jobs.pipeline.errors import PipelineError

ROOT = Path(__file__).parents[2]

ENVIRONMENT = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONWARNINGS": "error"}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def translate(*arguments: object) -> Ran:
    """Run the command here. `arguments` are those of the command line."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("translate", *map(str, arguments), stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())


def command_line(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "translate", *map(str, arguments)]


def run(*arguments: object) -> Ran:
    """Run the command in a process of its own."""
    done = subprocess.run(command_line(*arguments), capture_output=True, text=True, env=ENVIRONMENT, check=False)
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def said(kind: type[PipelineError], text: str) -> bool:
    """Whether `text` is the sentence of this error, whatever it names, and nothing else."""
    pattern = re.sub(r"\\\{[a-z_]+\\\}", ".+", re.escape(kind.sentence))
    return re.fullmatch(pattern, text.removesuffix("\n"), re.DOTALL) is not None


def children(pid: int | None = None) -> list[int]:
    """The processes below this one, or below `pid`: children and theirs."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # It has just ended.
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, waiting = list[int](), [pid or os.getpid()]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def files_in(directory: Path) -> set[str]:
    """Everything below a directory, hidden files too."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}
