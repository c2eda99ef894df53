"""Fixtures of the tests of the web package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.jobs import rows
from tests.web.server import Server
from tests.web.sockets import Sockets


@pytest.fixture(autouse=True)
def media_root(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """An empty MEDIA_ROOT, and an empty STATIC_ROOT."""
    place = tmp_path_factory.mktemp("media")
    (place / "jobs").mkdir()
    settings.MEDIA_ROOT = place
    settings.STATIC_ROOT = tmp_path_factory.mktemp("static")  # WhiteNoise warns of one that is not there.
    return place


@pytest.fixture
def server(database: str, media_root: Path) -> Iterator[Server]:
    with Server(database, media_root).running() as found:
        yield found


@pytest.fixture
def sockets(database: str) -> Iterator[Sockets]:
    with Sockets().running() as found:
        yield found


@pytest.fixture
def shirin(database: str) -> User:
    return rows.owner("shirin")


@pytest.fixture
def omid(database: str) -> User:
    return rows.owner("omid")


@pytest.fixture
def staff(database: str) -> User:
    return User.objects.create(username="mina", is_staff=True)
