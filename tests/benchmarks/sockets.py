"""A thousand open pages on one web server, on both databases: whether a message is lost, what a socket weighs, and how
long it takes from the progress that is written to the page that is told of it. The web server is a real daphne.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.benchmarks.rows import Row, at, spread
from tests.benchmarks.site import KINDS, site
from tests.postgres import NoPostgres

SHOWN = {"sqlite": 600.0, "postgresql": 50.0}
"""Milliseconds, p95."""


def measure(*, quick: bool) -> list[Row]:
    return [row for kind in KINDS for row in _on(kind, sockets=100 if quick else 1000, rounds=10 if quick else 60)]


def _on(kind: str, sockets: int, rounds: int) -> Iterator[Row]:
    with ExitStack() as stack:
        try:
            found = stack.enter_context(site(kind))
        except NoPostgres:
            return
        stack.enter_context(_many_files())
        server = stack.enter_context(found.running())
        told = server.measure("tests.benchmarks.sockets_child", server.port, server.pid, sockets, rounds)
        yield from _rows(kind, told, sockets)


def _rows(kind: str, found: dict[str, Any], sockets: int) -> Iterator[Row]:
    shown, after = (sorted(values) for values in zip(*found["shown"], strict=True))
    told = f"{spread(shown)}; from the commit on: {spread(after)}"
    name, detail = f"progress written to told, beside {sockets} sockets (p95), {kind}", {"shown": shown, "after": after}
    yield Row(name=name, value=at(shown, 0.95), unit="ms", limit=SHOWN[kind], note=told, detail=detail)
    late = f"{found['passed_over']} of them passed over for a later one"
    note = f"{found['messages']} were due, {late}; {sockets} snapshots came within {found['opened']:.1f} s"
    yield Row(name=f"messages lost by {sockets} sockets, {kind}", value=found["lost"], unit="", limit=0, note=note)
    note = f"daphne: {found['before']:.0f} MB with one socket, {found['after']:.0f} MB with {sockets}"
    weight = 1024 * (found["after"] - found["before"]) / sockets
    yield Row(name=f"memory of a socket, {kind}", value=weight, unit="kB", note=note)


@contextmanager
def _many_files() -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual[1], usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)
