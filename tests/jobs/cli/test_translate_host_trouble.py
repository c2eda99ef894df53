"""Errors of the database and of the operating system during a translation: exit code 1, and one sentence."""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jobs.lifecycle import db_retry
from jobs.models import Job
from jobs.pipeline import errors
from jobs.worker import in_process
from jobs.worker.supervisor import Supervisor
from tests.databases import process_environment
from tests.engines.fake_llm_server import closed_port
from tests.jobs.command import Ran, command_line, files_in, said, translate
from tests.jobs.conftest import mounted
from tests.pipeline.clips import Clips

OnDatabase = Callable[[str], AbstractContextManager[None]]

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def order(clips: Clips, persian: Path, output: Path) -> tuple[object, ...]:
    """The arguments of a small job that any machine can run."""
    return (clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--no-video", "--output", output)


def one_sentence(ran: Ran, kind: type[errors.PipelineError], output: Path) -> None:
    assert said(kind, ran.err), ran.err
    assert ran.code == 1
    assert "Traceback" not in ran.err + ran.out
    assert not output.exists()


def run(order: tuple[object, ...], url: str, media_root: Path, **more: Any) -> Ran:
    """Run the command in a process of its own. `more` are arguments of `subprocess.run`."""
    variables = {"MEDIA_ROOT": str(media_root), **more.pop("variables", {})}
    done = subprocess.run(
        command_line(*order),
        env=process_environment(url, **variables),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "check": False, "timeout": 120, **more},
    )
    return Ran(code=done.returncode, out=done.stdout or "", err=done.stderr)


# The system


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    for place in mounted(tmp_path / "full", "size=4k"):
        (place / "filler").write_bytes(bytes(4096))
        yield place


@pytest.fixture(params=["full", *(pytest.param(each, marks=pytest.mark.soak) for each in ("small", "read-only"))])
def temporary(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A directory for temporary files with no room."""
    for place in mounted(tmp_path / "temporary", "size=4k"):
        if request.param == "full":
            (place / "filler").write_bytes(bytes(4096))
        if request.param == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        yield place


@sqlite
def test_no_room_for_temporary_files(
    clips: Clips, persian: Path, database_url: str, media_root: Path, output: Path, temporary: Path
) -> None:
    """The disk of the jobs has room: the command needs no other directory."""
    order = (clips["plain.mp4"], "--to", "fa", "--subtitles", persian, "--output", output)
    ran = run(order, database_url, media_root, variables={"TMPDIR": str(temporary)})
    assert ran.code == 0, ran.err
    assert {".mp4", ".srt"} <= {found.suffix for found in output.iterdir()}


@pytest.mark.soak
@sqlite
def test_too_few_open_files(order: tuple[object, ...], database_url: str, media_root: Path, output: Path) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (14, 14))

    ran = run(order, database_url, media_root, preexec_fn=few)
    assert any(said(kind, ran.err) for kind in errors.all_errors(errors.HostError)), ran.err
    assert ran.code == 1
    assert not output.exists()


@sqlite
def test_nowhere_to_write_to(order: tuple[object, ...], database_url: str, media_root: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = run((*order, "--json"), database_url, media_root, stdout=full)
    assert (ran.code, said(errors.DiskFull, ran.err)) == (1, True), ran.err


@pytest.mark.soak
@sqlite
def test_a_place_of_jobs_that_cannot_be_written(
    order: tuple[object, ...], database_url: str, output: Path, closed_disk: Path
) -> None:
    one_sentence(run(order, database_url, closed_disk), errors.Unwritable, output)


# The database


@contextmanager
def a_server_that_refuses(sentence: str) -> Iterator[int]:
    """The port of a fake PostgreSQL that refuses every connection."""
    fields = b"".join(
        code + text.encode() + b"\0" for code, text in ((b"S", "FATAL"), (b"C", "28P01"), (b"M", sentence))
    )
    answer = b"E" + (len(fields) + 5).to_bytes(4, "big") + fields + b"\0"

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                asked, _ = listener.accept()
            except OSError:
                return
            with asked:
                if asked.recv(8)[4:] == b"\x04\xd2\x16\x2f":  # shall we speak TLS?
                    asked.sendall(b"N")
                    asked.recv(1024)
                asked.sendall(answer)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_database_that_is_not_there(order: tuple[object, ...], output: Path, on_database: OnDatabase) -> None:
    port = closed_port().rpartition(":")[2]
    with on_database(f"postgres://zirnevis:secret-word@127.0.0.1:{port}/zirnevis"):
        ran = translate(*order)
    one_sentence(ran, errors.DatabaseTrouble, output)
    assert "refused" in ran.err
    assert "secret-word" not in ran.err


def test_a_wrong_password(order: tuple[object, ...], output: Path, on_database: OnDatabase) -> None:
    sentence = 'password authentication failed for user "zirnevis"'
    with (
        a_server_that_refuses(sentence) as port,
        on_database(f"postgres://zirnevis:secret-word@127.0.0.1:{port}/zirnevis"),
    ):
        ran = translate(*order)
    one_sentence(ran, errors.DatabaseTrouble, output)
    assert sentence in ran.err
    assert "secret-word" not in ran.err


@pytest.mark.parametrize(
    ("name", "kind"), [("none/db.sqlite3", errors.DatabaseMissing), ("empty.sqlite3", errors.DatabaseNotReady)]
)
def test_a_database_that_was_never_made(
    order: tuple[object, ...], output: Path, tmp_path: Path, on_database: OnDatabase, name: str, kind: Any
) -> None:
    with on_database(f"sqlite:///{tmp_path / name}"):
        one_sentence(translate(*order), kind, output)


def test_something_else_than_a_database(
    order: tuple[object, ...], output: Path, tmp_path: Path, on_database: OnDatabase
) -> None:
    (tmp_path / "text").write_text("This is a text and no database. " * 100)
    with on_database(f"sqlite:///{tmp_path / 'text'}"):
        one_sentence(translate(*order), errors.DatabaseTrouble, output)


@sqlite
def test_a_database_that_cannot_be_written(order: tuple[object, ...], output: Path, database: str) -> None:
    connection.settings_dict["OPTIONS"]["init_command"] += " PRAGMA query_only=1;"
    connection.close()
    one_sentence(translate(*order), errors.DatabaseReadOnly, output)


@sqlite
def test_a_database_that_stays_locked(
    order: tuple[object, ...], output: Path, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_retry, "RETRY_TIMEOUT", 0.5)
    connection.settings_dict["OPTIONS"]["timeout"] = 0.3
    connection.close()
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        one_sentence(translate(*order), errors.DatabaseBusy, output)


@sqlite
def test_a_database_that_becomes_full_meanwhile(
    order: tuple[object, ...], output: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the workers can no longer write to the database: the waiting command reports it."""
    monkeypatch.setattr(db_retry, "RETRY_TIMEOUT", 0.5)
    monkeypatch.setattr(in_process, "RETRY_TIMEOUT", 0.5)
    run_next = Supervisor.run_next

    def full(self: Supervisor, queue: str) -> bool:
        if not Job.objects.exists():
            return run_next(self, queue)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count=1")
            cursor.execute("CREATE TABLE IF NOT EXISTS more (filler)")
            cursor.execute("INSERT INTO more VALUES (zeroblob(10000000))")  # more than pages that became free
        return False

    monkeypatch.setattr(Supervisor, "run_next", full)
    one_sentence(translate(*order), errors.DatabaseFull, output)


@sqlite
def test_a_worker_that_breaks_off(
    order: tuple[object, ...], output: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Supervisor, "run_next", broken)
    one_sentence(translate(*order), errors.SystemRefused, output)


# More is told on demand


def test_what_is_behind_it(order: tuple[object, ...], output: Path, tmp_path: Path, on_database: OnDatabase) -> None:
    with on_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}"):
        ran = translate(*order, "-v", 3)
    assert ran.code == 1
    assert said(errors.DatabaseNotReady, ran.err.splitlines()[0])
    assert "no such table: jobs_job" in ran.err
    assert "Traceback" in ran.err


def test_for_scripts(order: tuple[object, ...], output: Path, tmp_path: Path, on_database: OnDatabase) -> None:
    with on_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}"):
        ran = translate(*order, "--json")
    assert json.loads(ran.out)["code"] == "DatabaseNotReady"
    assert files_in(output) == set()
