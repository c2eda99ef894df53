"""A real web server, on a database and in a directory of a test's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.auth.models import User
from django.test import Client

from tests.databases import process_environment
from tests.postgres import free_port
from tests.web.daphne import Daphne


@dataclass
class Server(Daphne):
    """`more` are settings, as in `.env`."""

    url: str
    media: Path
    more: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    options: tuple[str, ...] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        found = process_environment(self.url, MEDIA_ROOT=str(self.media), LIMIT_RUNNING="0", **self.more)
        # A warning of whitenoise's, where static files were not collected, must not end it.
        return {name: value for name, value in found.items() if name != "PYTHONWARNINGS"}

    @property
    def log(self) -> Path:
        return self.media / "daphne.log"


TOKEN = "a" * 32
"""CSRF token; cookie and header must be equal."""


def cookies(user: User) -> dict[str, str]:
    """The cookies of a browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return {"csrftoken": TOKEN, "sessionid": client.cookies["sessionid"].value}


def headers(user: User) -> dict[str, str]:
    """The headers that pages send with each PATCH."""
    jar = "; ".join(f"{name}={value}" for name, value in cookies(user).items())
    return {"Cookie": jar, "X_CSRFToken": TOKEN, "Tus_Resumable": "1.0.0"}


def size_of(path: Path) -> int:
    with suppress(FileNotFoundError):
        return os.stat(path).st_size  # noqa: PTH116
    return 0
