"""A Zirnevis of its own to measure: a database, a directory for files, and the environment of its processes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import run_child
from tests.postgres import free_port, throwaway
from tests.web.daphne import Daphne

KINDS = ("sqlite", "postgresql")
_PASSED_ON = {"PATH", "HOME", "LANG"}


@dataclass
class Site(Daphne):
    """A database and a directory to measure on; `running()` starts its web server."""

    variables: Mapping[str, str]
    directory: Path
    port: int = field(default_factory=free_port)

    @property
    def environment(self) -> Mapping[str, str]:
        return self.variables

    @property
    def log(self) -> Path:
        return self.directory / "daphne.log"

    def run(self, *command: object) -> str:
        """The output of `python COMMAND…` on this database."""
        assigned = [f"{name}={value}" for name, value in self.environment.items()]
        return run_child(["env", "-i", *assigned, sys.executable, *map(str, command)])[1]

    def measure(self, module: str, *arguments: object) -> dict[str, Any]:
        """The JSON output of one of our modules on this database."""
        found: dict[str, Any] = json.loads(self.run("-m", module, *arguments))
        return found


@contextmanager
def site(kind: str, **settings: str) -> Iterator[Site]:
    """Make a Site with `settings` as in `.env`, without any settings of this machine. Raises NoPostgres."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        media = directory / "media"
        (media / "jobs").mkdir(parents=True)
        variables = {
            **{name: value for name, value in os.environ.items() if name in _PASSED_ON},
            **{"ENV_FILE": "", "SECRET_KEY": "bench", "LOG_LEVEL": "WARNING"},
            **{"MEDIA_ROOT": str(media), "STATIC_ROOT": str(media)},
            **{"DATABASE_URL": stack.enter_context(_database(kind, directory))},
            **settings,
        }
        found = Site(variables, directory)
        found.run("manage.py", "migrate", "--verbosity", "0")
        yield found


@contextmanager
def _database(kind: str, directory: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'db.sqlite3'}"
        return
    with throwaway() as server:
        yield server.create("bench")
