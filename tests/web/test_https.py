"""Tests of `HTTPS=1` behind proxies with and without X-Forwarded-Proto: there is no redirect loop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from jobs.monitoring import doctor
from jobs.web import middleware
from tests.databases import mostly
from tests.web.server import Server

HOST = "zirnevis.example.org"
WRONG: dict[str, Mapping[str, str]] = {
    "http": {"X_Forwarded_Proto": "http"},
    "nothing at all": {},
    "capitals": {"X_Forwarded_Proto": "HTTPS"},
    "something else": {"X_Forwarded_Proto": "wss"},
    "its own protocol first": {"X_Forwarded_Proto": "http, https"},
    "a header of another kind": {"X_Forwarded_Ssl": "on", "CF_Visitor": '{"scheme":"https"}'},
}


class Behind(Server):
    """A server behind a proxy, for requests by https with the host HOST only."""

    def answers(self) -> bool:
        with suppress(OSError, HTTPException):
            return self.ask("OPTIONS", "/uploads/", Host=HOST, X_Forwarded_Proto="https").status == 204
        return False


def visit(server: Server, path: str, **headers: str) -> tuple[list[str], int, str]:
    """The addresses that a browser is sent to, one after the other, and the last answer. It comes by https each time,
    and the proxy says of it what `headers` say."""
    seen: list[str] = []
    for _ in range(6):
        found = server.ask("GET", path, Host=HOST, **headers)
        if found.status not in {301, 302, 307, 308}:
            return seen, found.status, found.data.decode()
        address = found.headers["Location"]
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        assert address not in seen, "round in a circle"
        seen.append(address)
    raise AssertionError(seen)


@pytest.mark.parametrize("database_url", mostly("sqlite"), indirect=True)
def test_nobody_is_sent_round_in_a_circle(database: str, media_root: Path) -> None:
    with Behind(database, media_root, {"HTTPS": "1", "ALLOWED_HOSTS": HOST}).running() as server:
        for path in ("/sign-in/", "/sign-in/?next=/jobs/%3Fq%3Da%26b", "/api/health"):
            for headers in WRONG.values():
                seen, status, text = visit(server, path, **headers)
                assert (len(seen), status) == (1, 400)
                assert seen[0] != f"https://{HOST}{path}"
                assert "X-Forwarded-Proto: https" in text
        log = server.log.read_text()
        assert "the proxy does not send “X-Forwarded-Proto: https”; it sends 'http'" in log
        assert "Traceback" not in log
        seen, status, _ = visit(server, "/api/health", X_Forwarded_Proto="https")
        assert (seen, status in {200, 503}) == ([], True)


@pytest.fixture
def https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = [HOST]


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-in/?next=/jobs/%3Fq%3Da%26b", "/%D9%81?%D9%81", "/api/health?"])
@pytest.mark.usefixtures("https")
@pytest.mark.django_db
def test_who_comes_by_http_is_sent_to_https(path: str) -> None:
    """And lands at the address that they asked for, by a proxy that tells the two apart."""
    client = Client(headers={"Host": HOST})
    first = client.get(path, headers={"X-Forwarded-Proto": "http"})
    assert first.status_code == 302
    assert first.headers["Location"].startswith(f"https://{HOST}/")
    marked = first.headers["Location"].removeprefix(f"https://{HOST}")
    second = client.get(marked, headers={"X-Forwarded-Proto": "https"})
    assert second.headers["Location"] == f"https://{HOST}{path.removesuffix('?')}"


@pytest.mark.usefixtures("https")
def test_the_page_is_in_the_language_of_the_visitor() -> None:
    client = Client(headers={"Host": HOST})
    page = client.get(f"/?{middleware.ASKED_FOR_HTTPS}", headers={"Accept-Language": "fa"})
    assert page.status_code == 400
    assert 'dir="rtl"' in page.content.decode()
    script = client.post(f"/api/pages?{middleware.ASKED_FOR_HTTPS}")
    assert (script.status_code, script.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.usefixtures("https")
def test_another_host_is_sent_nowhere() -> None:
    assert Client(headers={"Host": "evil.example"}).get("/").status_code == 400


def test_without_https_nothing_changes(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    assert client.get("/sign-in/", headers={"X-Forwarded-Proto": "http"}).status_code == 200


# The doctor


@pytest.mark.parametrize(
    ("status", "good", "said"),
    [
        (302, True, f"https://{HOST} answers"),
        (503, True, f"https://{HOST} answers"),
        (400, False, "must send “X-Forwarded-Proto: https”, and does not"),
        (None, False, "does not answer"),
    ],
)
def test_the_doctor_asks_as_a_visitor_would(
    settings: Any, monkeypatch: pytest.MonkeyPatch, status: int | None, good: bool, said: str
) -> None:
    settings.HTTPS, settings.ALLOWED_HOSTS = True, ["127.0.0.1", "localhost", ".example.org", HOST]
    asked: list[str] = []

    def answer(address: str) -> int | None:
        asked.append(address)
        return status

    monkeypatch.setattr(doctor, "_status_of", answer)
    (finding,) = doctor._https()
    assert asked == [f"https://{HOST}/api/health?{middleware.ASKED_FOR_HTTPS}"]
    assert finding.good == good
    assert said in finding.detail
    assert "docs/operations.md" in finding.remedy


def test_the_doctor_without_a_public_host(settings: Any) -> None:
    settings.HTTPS, settings.ALLOWED_HOSTS = True, ["*", "localhost"]
    (finding,) = doctor._https()
    assert "X-Forwarded-Proto: https" in finding.detail
    settings.HTTPS = False
    assert list(doctor._https()) == []


def test_an_address_that_does_not_answer() -> None:
    assert doctor._status_of("https://127.0.0.1:1/api/health") is None
