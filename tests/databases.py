"""Fresh databases of both kinds, for tests that run real processes against them."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import dj_database_url
import pytest
from _pytest.mark.structures import ParameterSet
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tests.postgres import Postgres, throwaway

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")


def mostly(kind: Kind) -> list[ParameterSet]:
    """Both kinds as parameters: by default only `kind`, in `make soak` the other one too."""
    return [pytest.param(each, marks=[] if each == kind else [pytest.mark.soak]) for each in KINDS]


# Marks of tests and modules that use the fixture `database`. Without one it is mostly SQLite.


def mostly_on(kind: Kind) -> pytest.MarkDecorator:
    """Run a test on `kind` by default and on the other database in `make soak` only."""
    return pytest.mark.parametrize("database_url", mostly(kind), indirect=True)


def only_on(kind: Kind) -> pytest.MarkDecorator:
    """Run a test on this kind of database only."""
    return pytest.mark.parametrize("database_url", [kind], indirect=True)


on_both = pytest.mark.parametrize("database_url", KINDS, indirect=True)
"""Run a test on both databases, which differ in locks, notifications, transactions and broken connections."""


_TEMPLATE = "migrated"
_OF_SQLITE = deepcopy(settings.DATABASES["default"])
"""The SQLite settings of translator.settings."""


def configured(url: str) -> dict[str, Any]:
    """The entry of DATABASES that translator.settings makes of `url`."""
    found: dict[str, Any] = dict(dj_database_url.parse(url))
    if found["ENGINE"] == _OF_SQLITE["ENGINE"]:
        found["OPTIONS"] = deepcopy(_OF_SQLITE["OPTIONS"])
    return found


def process_environment(url: str, **more: str) -> dict[str, str]:
    """The environment of a `manage.py` that works on the database `url`, without this machine's `.env`."""
    ours = {"DATABASE_URL": url, "ENV_FILE": "", "SECRET_KEY": "only-for-tests", "PYTHONWARNINGS": "error"}
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "translator.settings", **ours, **more}


@contextmanager
def on_database(url: str) -> Iterator[None]:
    """Within, Django code of this process works on the database `url`, in every thread. Each thread that used it has
    to close its connection; this one's is closed at the end. Under pytest use the fixture of the same name.
    """
    usual, usual_settings = connections["default"], connections.settings["default"]
    connections.settings["default"] = connections.configure_settings({"default": configured(url)})["default"]
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = usual_settings
        connections["default"] = usual


class Databases:
    """Hands out migrated databases, copies of one template of each kind that is made when it is first wanted."""

    def __init__(self, directory: Path, postgres: Callable[[], Postgres]) -> None:
        """`postgres` gives the running server; it is only called when it is needed. Processes that are given the same
        `directory` share its SQLite template: migrating takes some seconds.
        """
        self._directory, self._postgres = directory, postgres
        self._templates: set[Kind] = set()

    @contextmanager
    def fresh(self, kind: Kind, directory: Path) -> Iterator[str]:
        """The DATABASE_URL of a new database; an SQLite file is put into `directory`."""
        if kind not in self._templates:
            self._make_template(kind)
            self._templates.add(kind)
        if kind == "sqlite":
            yield f"sqlite:///{shutil.copy(self._directory / _TEMPLATE, directory / 'db.sqlite3')}"
            return
        postgres, name = self._postgres(), f"test_{uuid.uuid4().hex}"
        try:
            yield postgres.create(name, _TEMPLATE)
        finally:
            if not postgres.is_running():
                postgres.start()
            postgres.drop(name)

    def _make_template(self, kind: Kind) -> None:
        if kind == "postgresql":
            if not self._postgres().has(_TEMPLATE):
                _migrate(self._postgres().create(_TEMPLATE))
            return
        made, unfinished = self._directory / _TEMPLATE, self._directory / "unfinished"
        with _locked(self._directory):
            if not made.exists():
                _migrate(f"sqlite:///{unfinished}")
                unfinished.rename(made)


def saved_postgres(directory: Path) -> Path:
    """The files of a PostgreSQL server with the migrated template, for `throwaway`. They are made in `directory` by the
    first process that wants them: initialising and migrating take some seconds. Raises NoPostgres.
    """
    saved = directory / "postgres"
    with _locked(directory):
        if not saved.exists():
            with throwaway() as server:
                _migrate(server.create(_TEMPLATE))
                server.stop()
                server.save(saved)
    return saved


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time."""
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(url: str) -> None:
    with on_database(url):
        call_command("migrate", verbosity=0)
