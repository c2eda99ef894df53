"""400 MB up and down, as clients do it: for tests of what must be so, and for benchmarks of how long it takes."""

from __future__ import annotations

import random
from pathlib import Path

SIZE = 400 << 20
MOST = 150 << 20
"""The most bytes of memory that the server may use."""


CLIENT = Path(__file__).resolve().parents[2] / "node_modules" / "tus-js-client"


class NoClient(Exception):
    """tus-js-client is missing in node_modules, where `make test` installs it"""


def film(path: Path, size: int = SIZE) -> Path:
    """Bytes that nothing can press together; no video."""
    source = random.Random(5)
    with path.open("wb") as file:
        for _ in range(size >> 20):
            file.write(source.randbytes(1 << 20))
    return path


def require_client() -> None:
    """Raises NoClient where the client that runs under node is not installed."""
    if not CLIENT.is_dir():
        raise NoClient(NoClient.__doc__)


def uploading(path: Path, address: str, cookie: str, token: str) -> list[str]:
    """The command that uploads `path` in pieces of 8 MiB."""
    return ["node", str(Path(__file__).with_name("large.js")), str(path), address, cookie, token]
