"""A SOCKS5 proxy on 127.0.0.1 (RFC 1928) that records its targets and connects every one of them to one address."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Self

_HOST_NAME, _CONNECT = 3, 1


class TinySocks:
    """Use as a context manager. `targets` are (host, port) as they were asked for; `beyond` is (host, port) to which
    each is connected in truth, so that names need not exist.
    """

    def __init__(self, beyond: tuple[str, int]) -> None:
        self.targets: list[tuple[str, int]] = []
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(self.targets, beyond))
        self._tcp.daemon_threads = True
        self._thread = threading.Thread(target=self._tcp.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._tcp.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.shutdown()
        self._thread.join()
        self._tcp.server_close()


def _handler(targets: list[tuple[str, int]], beyond: tuple[str, int]) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read(self.rfile.read(2)[1])  # the methods of authentication that the client knows
            self.connection.sendall(b"\x05\x00")  # none is needed
            _, command, _, kind = self.rfile.read(4)
            assert command == _CONNECT
            length = self.rfile.read(1)[0] if kind == _HOST_NAME else 4
            raw = self.rfile.read(length)
            host = raw.decode() if kind == _HOST_NAME else socket.inet_ntoa(raw)
            targets.append((host, int.from_bytes(self.rfile.read(2), "big")))
            self.connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
            with socket.create_connection(beyond) as other:
                answers = threading.Thread(target=_pass_on, args=(other, self.connection), daemon=True)
                answers.start()
                _pass_on(self.connection, other)
                answers.join()

    return Handler


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
