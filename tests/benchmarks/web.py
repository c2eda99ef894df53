"""400 MB up by tus-js-client and down with seeking, through one daphne, on both databases: how much memory it needs,
and how long others wait for an answer meanwhile. The reference is how long they wait when nobody else is there.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.rows import Row, at, spread
from tests.benchmarks.site import KINDS, site
from tests.postgres import NoPostgres
from tests.web import large

LATE = 100.0
"""Milliseconds, p95 of other requests."""


def measure(*, quick: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        try:
            large.require_client()
        except large.NoClient as missing:
            logging.warning("web is not measured: %s", missing)
            return []
        film = large.film(Path(directory) / "film.mp4", 64 << 20 if quick else large.SIZE)
        return [row for kind in KINDS for row in _on(kind, film)]


def _on(kind: str, film: Path) -> Iterator[Row]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(stack.enter_context(site(kind)).running())
        except NoPostgres:
            return
        found = server.measure("tests.benchmarks.web_child", server.port, film)
        size = film.stat().st_size >> 20
        yield from _rows(kind, found, size)
        name, most = f"memory of daphne, {size} MB up and down, {kind}", server.peak() / 2**20
        yield Row(name=name, value=most, unit="MB", limit=large.MOST >> 20, note="the most it ever had")


def _rows(kind: str, found: dict[str, Any], size: int) -> Iterator[Row]:
    idle = spread(sorted(found["idle"]["waits"]))
    for what in ("upload", "download"):
        waits = sorted(found[what]["waits"])
        yield Row(
            name=f"other requests beside a {size} MB {what} (p95), {kind}",
            value=at(waits, 0.95),
            unit="ms",
            limit=LATE,
            note=f"{spread(waits)}; alone: {idle}; the {what} took {found[what]['seconds']:.1f} s",
            detail={"waits": waits, "idle": found["idle"]["waits"]},
        )
