"""A real web server, and questions to it. Nothing here is of Django's, so that benchmarks can use it, too."""

from __future__ import annotations

import http.client
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]


class Daphne(ABC):
    """On `port` of this machine, with `environment` and `options`; what it says is added to `log`."""

    port: int
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def environment(self) -> Mapping[str, str]: ...

    @property
    @abstractmethod
    def log(self) -> Path: ...

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process, "started"
        return self._process.pid

    def start(self) -> None:
        """Back when it answers."""
        daphne = str(ROOT / ".venv" / "bin" / "daphne")
        place = ("-b", "127.0.0.1", "-p", str(self.port))
        command = [daphne, "--verbosity", "0", *place, *self.options, "translator.asgi:application"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self.answers, what=lambda: self.log.read_text()[-3000:])

    def answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self.ask("OPTIONS", "/uploads/").status == 204
        return False

    def kill(self) -> None:
        """Kill the server by SIGKILL."""
        assert self._process, "started"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    @contextmanager
    def running(self) -> Iterator[Self]:
        try:
            self.start()
            yield self
        finally:
            if self._process:
                self.kill()

    @contextmanager
    def connect(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
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
        """The files that the server has open."""
        found = list[Path]()
        for place in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.append(place.readlink())
        return found


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    data: bytes
