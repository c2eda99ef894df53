"""A small SMTP server, which may also be silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import BinaryIO


class MailServer:
    """A mail server. `received`: e-mails; `callers`: number of connections. It sends nothing while `silent` is set."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self.received: list[EmailMessage] = []
        self.silent, self.callers = False, 0

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            yield self
        finally:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(caller,), daemon=True).start()

    def _talk(self, caller: socket.socket) -> None:
        self.callers += 1
        with caller, caller.makefile("rb") as lines, suppress(OSError):
            if self.silent:
                lines.readline()  # who gives up says so
                return
            caller.sendall(b"220 test\r\n")
            while line := lines.readline():
                match line.split()[0].upper():
                    case b"DATA":
                        caller.sendall(b"354 go on\r\n")
                        self.received.append(_email(lines))
                        caller.sendall(b"250 kept\r\n")
                    case b"QUIT":
                        caller.sendall(b"221 bye\r\n")
                        return
                    case _:
                        caller.sendall(b"250 well\r\n")


def _email(lines: BinaryIO) -> EmailMessage:
    written = b""
    while (line := lines.readline()) not in {b".\r\n", b""}:
        written += line.removeprefix(b".")
    return message_from_bytes(written, policy=policy.default)
