"""A real web server, on a database and in a directory of a test's own."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from tests.databases import process_environment
from tests.jobs.stack import BIN, ROOT, until
from tests.postgres import free_port


@dataclass
class Server:
    """`more` are settings, as in `.env`."""

    url: str
    media: Path
    more: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process, "started"
        return self._process.pid

    def start(self) -> None:
        """Back when it answers."""
        command = [str(BIN / "daphne"), "--verbosity", "0", "-b", "127.0.0.1", "-p", str(self.port)]
        places = {"MEDIA_ROOT": str(self.media), "LIMIT_RUNNING": "0"}
        found = process_environment(self.url, **places, **self.more)
        # A warning of whitenoise's, where static files were not collected, must not end it.
        environment = {name: value for name, value in found.items() if name != "PYTHONWARNINGS"}
        with (self.media / "daphne.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command, "translator.asgi:application"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._answers, 30, 0.02, lambda: (self.media / "daphne.log").read_text()[-3000:])

    def _answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self.ask("OPTIONS", "/uploads/").status == 204
        return False

    def kill(self) -> None:
        """As nobody would."""
        assert self._process, "started"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    @contextmanager
    def running(self) -> Iterator[Server]:
        (self.media / "jobs").mkdir(parents=True, exist_ok=True)
        try:
            self.start()
            yield self
        finally:
            if self._process:
                self.kill()

    @contextmanager
    def connect(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`headers` with an underscore for each hyphen."""
        with self.connect() as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def peak(self) -> int:
        """The most bytes of memory that it ever had."""
        line = next(line for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if "VmHWM" in line)
        return int(line.split()[1]) << 10

    def files(self) -> list[Path]:
        """Those that it has open."""
        opened = Path(f"/proc/{self.pid}/fd").iterdir()
        return [place.readlink() for place in opened if place.is_symlink()]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    data: bytes


TOKEN = "a" * 32
"""Of CSRF: cookie and header have to be the same."""


def cookies(user: User) -> dict[str, str]:
    """Those of a browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return {"csrftoken": TOKEN, "sessionid": client.cookies["sessionid"].value}


def headers(user: User) -> dict[str, str]:
    """What our pages send with each piece."""
    jar = "; ".join(f"{name}={value}" for name, value in cookies(user).items())
    return {"Cookie": jar, "X_CSRFToken": TOKEN, "Tus_Resumable": "1.0.0"}


def size_of(path: Path) -> int:
    with suppress(FileNotFoundError):
        return os.stat(path).st_size  # noqa: PTH116
    return 0
