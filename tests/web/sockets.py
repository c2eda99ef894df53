"""Sockets of pages, as a browser holds them, against the real application in this process."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from jobs import presence
from jobs.intake.options import JobOptions
from jobs.models import Job
from jobs.web.live.broadcaster import broadcaster
from jobs.web.routing import socket_path, sockets
from tests.jobs import rows
from tests.waiting import PATIENCE

T = TypeVar("T")


class Refused(Exception):
    """The server would have nothing of it; `args[0]` is the code."""


class Sockets:
    """Opens sockets; an event loop of its own runs them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._open: list[Socket] = []

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(3 * PATIENCE)

    def open(self, user: User | None, page_id: uuid.UUID | None = None, **query: Any) -> Socket:
        """A page of `user` connects; `page_id`: not with a new lease, but with this one. Raises Refused."""
        page_id = page_id or presence.open_page(user.pk if user else 0)
        headers = [(b"origin", b"http://127.0.0.1:8000"), (b"cookie", cookies(user))]
        return self.knock(socket_path(page_id), headers, page_id, **query)

    def knock(self, path: str, headers: list[tuple[bytes, bytes]], page_id: Any = None, **query: Any) -> Socket:
        asked = "&".join(f"{name}={getattr(value, 'pk', value)}" for name, value in query.items())
        communicator = WebsocketCommunicator(sockets, f"{path}?{asked}", headers=headers)
        accepted, code = self.do(communicator.connect(timeout=PATIENCE))
        if not accepted:
            self.do(communicator.disconnect(timeout=PATIENCE))
            raise Refused(code)
        self._open.append(socket := Socket(self, communicator, page_id))
        return socket

    @contextmanager
    def running(self) -> Iterator[Sockets]:
        thread = threading.Thread(target=self.loop.run_forever, name="loop of the sockets")
        thread.start()
        self.do(sync_to_async(_forget_connection)())
        try:
            yield self
        finally:
            for socket in self._open:
                socket.vanish()
            broadcaster.join()
            self.do(sync_to_async(_forget_connection)())
            self.loop.call_soon_threadsafe(self.loop.stop)
            thread.join()
            self.loop.close()


class Socket:
    def __init__(self, among: Sockets, communicator: WebsocketCommunicator, page_id: uuid.UUID) -> None:
        self._among, self._communicator, self.page_id = among, communicator, page_id

    def next(self, patience: float = PATIENCE) -> dict[str, Any]:
        """The next message. Raises Refused when the socket is closed."""
        said = self._among.do(self._communicator.receive_output(timeout=patience))
        if said["type"] == "websocket.close":
            raise Refused(said.get("code"))
        found: dict[str, Any] = json.loads(said["text"])
        return found

    def hear(self, kind: str, patience: float = PATIENCE, **wanted: Any) -> dict[str, Any]:
        """The next message of this kind whose job has the values `wanted`; earlier messages are skipped."""
        deadline = time.monotonic() + patience
        while True:
            said = self.next(max(0.01, deadline - time.monotonic()))
            if said["type"] == kind and wanted.items() <= {**said, **(said.get("job") or {})}.items():
                return said

    def silent(self, seconds: float) -> bool:
        return bool(self._among.do(self._communicator.receive_nothing(timeout=seconds)))

    def say(self, text: str | bytes) -> None:
        if isinstance(text, bytes):
            self._among.do(self._communicator.send_to(bytes_data=text))
        else:
            self._among.do(self._communicator.send_to(text_data=text))

    def close(self, code: int) -> None:
        """The browser closes it; back when the server has done what it does then."""
        if not self._communicator.future.done():
            self._among.do(self._communicator.disconnect(code, timeout=PATIENCE))

    def vanish(self) -> None:
        """Without a word, as it is when the network or the browser dies and the server notices it."""
        self.close(1006)


def _forget_connection() -> None:
    """The thread in which sockets ask the database stays, each test has another database."""
    connections["default"].close()
    del connections["default"]


def cookies(user: User | None) -> bytes:
    client = Client()
    if user:
        client.force_login(user)
    return b"; ".join(f"{name}={morsel.value}".encode() for name, morsel in client.cookies.items())


def job(of: User, **fields: Any) -> Job:
    """A job that a person has created."""
    return rows.job(of, options=JobOptions(target="fa").as_json(), **fields)


def numbers(said: dict[str, Any]) -> list[int]:
    return [cue["number"] for cue in said["cues"]]


def gone(job: Job) -> None:
    """Delete the row, as `forget` does, whatever its state."""
    Job.objects.filter(pk=job.pk).delete()
