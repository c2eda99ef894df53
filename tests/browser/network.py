"""A network that can fail."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

from tests.postgres import free_port

REQUESTS = (b"GET ", b"POST ", b"HEAD ", b"DELETE ")


class Network:
    """A proxy between browser and server: requests pass at once, responses after `slow` seconds.

    While `cut` is set, nothing passes and nothing is closed;
    while `refuses` is set it ends connections. `sent` counts the
    bytes of uploads. Those beyond `budget` are held until the budget grows, which sets `held`; other requests pass.
    `changes` maps texts in responses to replacements of the same length.
    """

    def __init__(self, port: int) -> None:
        self.port, self.target = free_port(), port
        self.cut, self.refuses, self.slow = threading.Event(), False, 0.0
        self.sent, self.budget, self.held = 0, float("inf"), threading.Event()
        self.changes: dict[bytes, bytes] = {}
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self.over.is_set():
                here, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(here,), daemon=True).start()

    def _connect(self, here: socket.socket) -> None:
        with here, suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as there:
            line = _Line(self, here, there)
            while not self.over.is_set() and not self.refuses and line.goes_on():
                self.over.wait(0.1 if self.cut.is_set() else 0)

    def end(self) -> None:
        self.over.set()
        self._listener.close()


class _Line:
    """One connection."""

    def __init__(self, network: Network, here: socket.socket, there: socket.socket) -> None:
        self._network, self._here, self._there = network, here, there
        self._wait = network.slow
        self._uploads, self._waiting = False, b""

    def goes_on(self) -> bool:
        """Whether both sides are there still, when something passed, or nothing for a moment."""
        if self._network.cut.is_set():
            return True
        ready, _, _ = select.select([self._there] if self._waiting else [self._here, self._there], [], [], 0.05)
        alive = (self._there not in ready or self._down()) and (self._here not in ready or self._up())
        self._pass_on()
        return alive

    def _down(self) -> bool:
        data = self._there.recv(65536)
        self._network.over.wait(self._wait)
        self._wait = 0.0
        for was, now in self._network.changes.items():
            data = data.replace(was, now)
        self._here.sendall(data)
        return bool(data)

    def _up(self) -> bool:
        data = self._waiting = self._here.recv(65536)
        self._uploads = data.startswith(b"PATCH ") or (self._uploads and not data.startswith(REQUESTS))
        self._network.sent += len(data) if self._uploads else 0
        return bool(data)

    def _pass_on(self) -> None:
        if self._waiting and self._uploads and self._network.sent > self._network.budget:
            self._network.held.set()
        elif self._waiting:
            self._there.sendall(self._waiting)
            self._waiting = b""
