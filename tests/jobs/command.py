"""Running `manage.py translate` in the tests: within this process, or as a person does."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from jobs.pipeline.errors import PipelineError

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """The environment of a command in its own process, with the database and the directory of this test."""
    ours = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONWARNINGS": "error"}
    places = {
        "TEST_DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "TEST_MEDIA_ROOT": str(settings.MEDIA_ROOT),
    }
    return {**os.environ, **ours, **places, **more}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def translate(*arguments: object) -> Ran:
    """Run `translate` in this process. `arguments` are those of the command line."""
    return _called("translate", *arguments)


def diagnose(*arguments: object) -> Ran:
    """Run `doctor` in this process."""
    return _called("doctor", *arguments)


def _called(name: str, *arguments: object) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(name, *map(str, arguments), stdout=out, stderr=err, no_color=True)
    except SystemExit as end:
        code = int(end.code or 0)
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())


def command_line(*arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "translate", *map(str, arguments)]


def run(*arguments: object) -> Ran:
    """Run the command in a process of its own."""
    done = subprocess.run(command_line(*arguments), capture_output=True, text=True, env=environment(), check=False)
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def said(kind: type[PipelineError], text: str) -> bool:
    """Whether `text` is exactly the sentence of this error, with any parameters."""
    pattern = re.sub(r"\\\{[a-z_]+\\\}", ".+", re.escape(kind.sentence))
    return re.fullmatch(pattern, text.removesuffix("\n"), re.DOTALL) is not None


def children(pid: int | None = None) -> list[int]:
    """The processes below this one, or below `pid`: children and theirs."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has just ended.
        if state != "Z":  # ended, and its parent has yet to hear it
            parents.setdefault(int(parent), []).append(int(stat.parent.name))
    found, waiting = list[int](), [pid or os.getpid()]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def files_in(directory: Path) -> set[str]:
    """Everything below a directory, hidden files too, but the id of the disk."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.name != "installation.id"}
