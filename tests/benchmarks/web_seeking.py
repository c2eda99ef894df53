"""`python -m tests.benchmarks.web_seeking ADDRESS COOKIE`: takes in a whole file as a player does in which somebody
seeks: from one place on, then the connection is dropped and it goes on from another.
"""

from __future__ import annotations

import random
import sys
import urllib.request
from itertools import pairwise

PLACES = 16


def read(address: str, cookie: str, first: int, most: int) -> int:
    """Read at most `most` bytes from `first` on; returns their number."""
    asked = urllib.request.Request(address, headers={"Cookie": cookie, "Range": f"bytes={first}-"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 206
        left = most
        while left and (piece := answer.read(min(left, 1 << 20))):
            left -= len(piece)
    return most - left


def size(address: str, cookie: str) -> int:
    asked = urllib.request.Request(address, headers={"Cookie": cookie, "Range": "bytes=0-0"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return int(answer.headers["Content-Range"].rpartition("/")[2])


def main(address: str, cookie: str) -> None:
    whole = size(address, cookie)
    bounds = [whole * number // PLACES for number in range(PLACES + 1)]
    parts = list(pairwise(bounds))
    random.Random(5).shuffle(parts)
    assert sum(read(address, cookie, first, last - first) for first, last in parts) == whole


if __name__ == "__main__":
    main(*sys.argv[1:])
