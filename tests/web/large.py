"""400 MB up and down, as clients do it: for tests of what must be so, and for benchmarks of how long it takes."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

SIZE = 400 << 20
MOST = 150 << 20
"""Bytes of memory that the server may ever have meanwhile."""


class NoClient(Exception):
    """npm is not installed, or does not reach its registry"""


def film(path: Path, size: int = SIZE) -> Path:
    """Bytes that nothing can press together; no video."""
    source = random.Random(5)
    with path.open("wb") as file:
        for _ in range(size >> 20):
            file.write(source.randbytes(1 << 20))
    return path


def tus_client(place: Path) -> Path:
    """tus-js-client, put below `place` with what it needs under node. Raises NoClient."""
    command = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(place), "tus-js-client@4.3.1"]
    try:
        subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise NoClient(NoClient.__doc__) from None
    return place / "node_modules" / "tus-js-client"


def uploading(client: Path, path: Path, address: str, cookie: str, token: str) -> list[str]:
    """The command that uploads `path` in pieces of 8 MiB."""
    return ["node", str(Path(__file__).with_name("large.js")), str(client), str(path), address, cookie, token]
