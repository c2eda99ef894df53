"""The systemd unit: its lines are commands that work."""

from __future__ import annotations

import shlex
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.databases import Databases, on_database
from tests.jobs.stack import ROOT, Stack
from tests.waiting import until

HOME = "/opt/zirnevis"


@pytest.fixture(scope="module")
def service() -> RawConfigParser:
    """The settings of the unit; the last of repeated ones."""
    found = RawConfigParser(strict=False)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read(ROOT / "deploy" / "zirnevis.service")
    return found


def test_it_ends_everything(service: RawConfigParser) -> None:
    """Stopping ends supervisord first, then kills the rest of the control group."""
    assert service["Service"]["KillMode"] == "mixed"
    assert service["Service"]["Restart"] == "always"


@pytest.mark.soak
def test_what_it_starts_runs(
    service: RawConfigParser, databases: Databases, tmp_path: Path, django_db_blocker: DjangoDbBlocker, settings: Any
) -> None:
    command = service["Service"]["ExecStart"].replace(HOME, str(ROOT))
    variables = dict(part.split("=", 1) for part in shlex.split(service["Service"]["Environment"]))
    assert set(variables) == {"BIN", "LISTEN", "PORT", "RUN_DIR"}
    with django_db_blocker.unblock(), databases.fresh("postgresql", tmp_path) as url, on_database(url):
        stack = Stack(url, tmp_path, command=tuple(shlex.split(command)))
        settings.MEDIA_ROOT = stack.media
        with stack.running():
            assert until(lambda: stack.answer("/sign-in/")) == 200
