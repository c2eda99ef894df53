"""Tests of log lines that visitors can cause: one line each, without traceback, in limited number."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress

import pytest
from pytest_django import DjangoDbBlocker

from jobs.log_format import LINES_A_MINUTE, Bounded, FieldFormatter
from tests.databases import Databases, mostly
from tests.jobs import rows
from tests.web.server import Server, headers

FORM = f"Content-Type: application/x-www-form-urlencoded\r\nX-CSRFToken: {'a' * 32}\r\nCookie: csrftoken={'a' * 32}\r\n"
PARTS = FORM.replace("application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
SOCKET = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\n"
)
OURS = "Origin: http://127.0.0.1\r\n"
PAGE = "/ws/page/11111111-1111-1111-1111-111111111111/"


def request(path: str, more: str = "", body: bytes = b"", host: str = "127.0.0.1") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    start = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{more}"
    closing = "" if "Connection" in more else "Connection: close\r\n"
    return (start + closing + "\r\n").encode("latin-1") + body


def part(name: str) -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {name}\r\n\r\nx\r\n".encode()


BROKEN: dict[str, bytes] = {
    "a socket of an unknown address": request("/ws/nowhere/", SOCKET + OURS),
    "a socket of no page": request("/ws/page/not-a-uuid/", SOCKET + OURS),
    "a socket whose address writes lines": request("/ws/%00%0AINFO%20forged/", SOCKET + OURS),
    "a socket whose address is no text": request("/ws/%ff%fe/", SOCKET + OURS),
    "a socket of another host": request(PAGE, SOCKET + "Origin: http://evil.example\r\n"),
    "a socket of a broken origin": request(PAGE, SOCKET + "Origin: http://[::1\r\n"),
    "a socket without a key": request(PAGE, SOCKET.partition("Sec-WebSocket-Key")[0] + OURS),
    "a socket of another version": request(PAGE, SOCKET.replace("13", "99") + OURS),
    "another host": request("/", host="evil.example"),
    "a broken host": request("/", host='a b"c'),
    "a host that is no text": request("/", host="\xff.example"),
    "too many fields": request("/sign-in/", FORM, b"&".join(b"a%d=1" % number for number in range(1500))),
    "too much": request("/sign-in/", FORM, b"a=" + bytes(3_000_000)),
    "too many parts": request("/sign-in/", PARTS, part('name="a"') * 1200 + b"--x--\r\n"),
    "too many files": request("/sign-in/", PARTS, part('name="a"; filename="a"') * 200 + b"--x--\r\n"),
    "parts without a border": request("/sign-in/", PARTS.replace("; boundary=x", ""), b"hello"),
    "a redirect without end": request("/jobs/?" + "&".join(f"a{number}=1" for number in range(2500))),
    "NUL": request("/%00"),
    "no token": request("/api/pages", "", b"a=1"),
    "a path that is not ours": request("/", "Daphne-Root-Path: \xff\r\n"),
    "no header": request("/", "nocolon\r\n"),
    "nothing that we know": b"NONSENSE\r\n\r\n",
}


def send(server: Server, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection, suppress(OSError):
        connection.settimeout(20)
        connection.sendall(data)
        connection.recv(1024)


@pytest.fixture(scope="module", params=mostly("sqlite"))
def one_server(
    request: pytest.FixtureRequest,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Server]:
    """One for all tests of this file."""
    place = tmp_path_factory.mktemp("lines")
    (place / "media" / "jobs").mkdir(parents=True)
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            url = stack.enter_context(databases.fresh(request.param, place))
        yield stack.enter_context(Server(url, place / "media").running())


def test_a_broken_request_is_one_line_at_most(one_server: Server) -> None:
    lines: dict[str, list[str]] = {}
    for why, data in BROKEN.items():
        before = one_server.log.stat().st_size
        send(one_server, data)
        time.sleep(0.1)
        lines[why] = one_server.log.read_text()[before:].splitlines()
    assert {why: found for why, found in lines.items() if len(found) > 1} == {}
    assert "Traceback" not in one_server.log.read_text()
    assert all(len(line) < 500 for found in lines.values() for line in found)
    assert any("its address is unknown, '/ws/nowhere/'" in line for line in lines["a socket of an unknown address"])


def test_a_flood_fills_no_disk(one_server: Server) -> None:
    before = len(one_server.log.read_text().splitlines())
    for _ in range(2 * LINES_A_MINUTE):
        send(one_server, BROKEN["a socket of an unknown address"])
    time.sleep(0.1)
    assert len(one_server.log.read_text().splitlines()) - before <= LINES_A_MINUTE


def test_a_change_of_a_job_is_one_line(
    one_server: Server, on_database: Callable[[str], AbstractContextManager[None]]
) -> None:
    with on_database(one_server.url):
        job = rows.job(rows.owner("shirin"))
        more = {**headers(job.owner), "Content_Type": "application/x-www-form-urlencoded"}
    assert one_server.ask("POST", f"/api/cancel/{job.pk}", "reason=button", **more).status == 200
    lines = [line for line in one_server.log.read_text().splitlines() if "queued → cancelling" in line]
    assert len(lines) == 1
    assert f"job={job.pk}" in lines[0]
    assert " actor=shirin" in lines[0]


def record(name: str = "django.request", level: int = logging.WARNING, **more: object) -> logging.LogRecord:
    found = logging.LogRecord(name, level, __file__, 1, "It says %s", ("so\nand so",), None)
    vars(found).update(more)
    return found


def test_what_was_left_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("jobs.log_format.time.monotonic", lambda: now)
    bounded = Bounded()
    assert [bounded.filter(record()) for _ in range(LINES_A_MINUTE + 7)].count(True) == LINES_A_MINUTE
    assert bounded.filter(record(level=logging.ERROR)), "another level has a count of its own"
    assert all(bounded.filter(record("jobs.lifecycle")) for _ in range(1000)), "what jobs do is always told"
    now += 61
    later = record(status_code=400)
    assert bounded.filter(later)
    assert FieldFormatter().format(later).endswith("It says so and so (7 lines like it were left out)")


def test_our_own_errors_keep_their_traceback() -> None:
    try:
        raise ValueError("ours")
    except ValueError as error:
        trouble = (ValueError, error, error.__traceback__)
    assert "Traceback" in FieldFormatter().format(record(status_code=500, exc_info=trouble))
    assert "Traceback" not in FieldFormatter().format(record(status_code=400, exc_info=trouble))
    assert "Traceback" not in FieldFormatter().format(record("django.security.DisallowedHost", exc_info=trouble))
