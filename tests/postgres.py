"""A PostgreSQL of the tests' own: made in a temporary directory, gone with the process that asked for it.

The server is not a child of that process, so that tests may count their children. A keeper waits beside it on a pipe:
when the other end closes, however that comes about, it stops the server and deletes the directory.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import psycopg

TEMPORARY = Path(tempfile.gettempdir())
"""The value before tests change it: the server outlives each test."""

USER = "zirnevis"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "log_min_messages": "warning",
}
KEEPER = 'exec 3<&0; (cat <&3; "$@"; rm -rf "$0") &'
"""A shell that leaves its own child behind: the pipe is empty until its other end closes."""


class NoPostgres(Exception):
    """PostgreSQL is not installed: apt install postgresql"""


def binaries() -> Path:
    """The directory of the newest `initdb` and `pg_ctl`. Raises NoPostgres."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    found = debian[-1] if debian else Path(on_path).resolve() if on_path else None
    if found is None:
        raise NoPostgres(NoPostgres.__doc__)
    return found.parent


def free_port() -> int:
    """Below those that the system gives to clients, so that it stays free while the server is stopped."""
    for port in random.sample(range(20_000, 30_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("There is no free port.")


def other_user() -> pwd.struct_passwd | None:
    """The user who runs the server when the tests run as root, which PostgreSQL refuses; else None."""
    if os.geteuid():
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


@contextmanager
def throwaway(saved: Path | None = None) -> Iterator[Postgres]:
    """A new server, with the databases that `Postgres.save` wrote to `saved`, if that is given. Raises NoPostgres."""
    binaries()
    directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=TEMPORARY))
    if user := other_user():
        os.chown(directory, user.pw_uid, user.pw_gid)
    server = Postgres(directory, free_port())
    with server.kept():
        if saved:
            server.load(saved)
        else:
            server.initialise()
        server.start()
        yield server


class Postgres:
    """A running server. `restart` keeps its port and databases, and ends all connections."""

    def __init__(self, directory: Path, port: int) -> None:
        """`directory` has to belong to the user the server runs as."""
        self.directory, self.port = directory, port
        self._binaries = binaries()
        user = other_user()
        ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups") if user else ()
        self._as_user = ["setpriv", *ids] if user else []

    def url(self, name: str) -> str:
        """The DATABASE_URL of the database `name`."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.directory)}
        given = " ".join(f"-c {name}={value}" for name, value in options.items())
        self._control("start", "--log", str(self.directory / "log"), "--options", given)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """`fast` ends every session; `immediate` is a crash: the next start recovers from the log."""
        self._control("stop", "--mode", mode)

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        self.stop(mode)
        self.start()

    def is_running(self) -> bool:
        return subprocess.run(self._command("pg_ctl", "status", *self._data()), capture_output=True).returncode == 0

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database as a copy of `template`, which must have no connections; return its DATABASE_URL."""
        # Copying files is the quicker of the two ways; until PostgreSQL 15 it was the only one.
        strategy = "STRATEGY file_copy" if self._binaries.parent.name >= "15" else ""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')
        return self.url(name)

    def drop(self, name: str) -> None:
        """The database goes, and who is connected to it is thrown out."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def has(self, name: str) -> bool:
        """Whether there is a database of this name."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    def execute(self, statement: str) -> None:
        """One statement outside of any database of the tests."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def kept(self) -> Iterator[None]:
        """However the block ends, and should this process be killed in it: no server and no directory stay."""
        stop = self._command("pg_ctl", "stop", *self._data(), "--mode", "immediate")
        lifeline, ours = os.pipe()
        try:
            subprocess.run(
                ["sh", "-c", KEEPER, str(self.directory), *stop],
                stdin=lifeline,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
                check=True,
            )
            yield
        finally:
            os.close(lifeline)
            os.close(ours)
            while self.directory.exists():
                time.sleep(0.01)

    def initialise(self) -> None:
        """Make the cluster. Everybody on this machine may connect to it, without a password."""
        options = ("--no-sync", "--auth", "trust", "--username", USER, "--encoding", "UTF8", "--locale", "C.UTF-8")
        self._run("initdb", *self._data(), *options)

    def save(self, directory: Path) -> None:
        """Write the files of the stopped server to a new directory, which exists only when all of them are there."""
        unfinished = directory.with_suffix(".unfinished")
        subprocess.run(["cp", "-a", str(self.directory / "data"), str(unfinished)], check=True)
        unfinished.rename(directory)

    def load(self, directory: Path) -> None:
        """Copy what `save` wrote, in place of `initialise`."""
        subprocess.run(["cp", "-a", str(directory), str(self.directory / "data")], check=True)

    def _control(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, *self._data(), "--wait", "--timeout", "300", "--silent", *arguments)

    def _data(self) -> tuple[str, str]:
        return "--pgdata", str(self.directory / "data")

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [*self._as_user, str(self._binaries / program), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        """Raises RuntimeError with the output of the program and of the server."""
        with (self.directory / "output").open("w+b") as output:  # A pipe would stay open in the server.
            done = subprocess.run(
                self._command(program, *arguments),
                cwd=self.directory,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            said = [path.read_text() for name in ("output", "log") if (path := self.directory / name).exists()]
            raise RuntimeError(f"{program} {' '.join(arguments)} ended with {done.returncode}:\n{''.join(said)}")
