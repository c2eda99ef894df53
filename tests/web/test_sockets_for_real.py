"""Tests of WebSockets with a real web server."""

from __future__ import annotations

import json
import os
import socket as network
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jobs import presence
from jobs.models import Cue, Job
from jobs.web.live.consumer import MAX_MESSAGE_BYTES
from jobs.web.routing import socket_path
from tests.jobs import rows
from tests.waiting import PATIENCE
from tests.web.server import Server, cookies
from tests.web.sockets import job

MANY = 3000
TEXT, CLOSE = 1, 8


def test_a_snapshot_may_be_long_and_what_a_page_says_may_not(server: Server) -> None:
    mine = job(rows.owner())
    text = "این جمله بلند است. " * 20
    Cue.objects.bulk_create(Cue(job=mine, number=n, start=n, end=n + 1, source=text) for n in range(MANY))
    with opened(server, mine) as link:
        kind, data = hear(link)
        assert kind == TEXT
        assert len(data) > 2 << 20
        assert len(json.loads(data)["cues"]) == MANY
        say(link, b" " * (MAX_MESSAGE_BYTES + 1))
        with pytest.raises(ConnectionError):
            list(iter(lambda: hear(link), None))


@contextmanager
def opened(server: Server, of: Job) -> Iterator[network.socket]:
    jar = f"sessionid={cookies(of.owner)['sessionid']}"
    lines = [
        f"GET {socket_path(presence.open_page(of.owner.pk))}?job={of.pk} HTTP/1.1",
        *(f"Host: 127.0.0.1:{server.port}", f"Origin: {server.base}", f"Cookie: {jar}"),
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""),
    ]
    with network.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as link:
        link.sendall("\r\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += link.recv(1)
        assert head.startswith(b"HTTP/1.1 101"), head
        yield link


def hear(link: network.socket) -> tuple[int, bytes]:
    """The next frame: its kind and its payload (RFC 6455, 5.2)."""
    first, length = exactly(link, 2)
    if length >= 126:
        length = int.from_bytes(exactly(link, 2 if length == 126 else 8))
    return first & 0x0F, exactly(link, length)


def exactly(link: network.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = link.recv(count - len(data))
        if not piece:
            raise ConnectionError("It ended.")
        data += piece
    return bytes(data)


def say(link: network.socket, text: bytes) -> None:
    """A text frame."""
    _frame(link, TEXT, text)


def close(link: network.socket, code: int) -> None:
    """Close the socket like a browser whose page calls `close`, without waiting for an answer."""
    _frame(link, CLOSE, code.to_bytes(2))


def _frame(link: network.socket, kind: int, data: bytes) -> None:
    """One of less than 64 KiB, masked as those of browsers."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[number % 4] for number, byte in enumerate(data))
    length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + len(data).to_bytes(2)
    link.sendall(bytes([0x80 | kind]) + length + mask + masked)
