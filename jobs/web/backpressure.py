"""Backpressure for daphne: a response is sent no faster than the client reads it.

Daphne buffers in memory whatever it is given to send, so one slow client could make it hold a whole video. Twisted, on
which daphne is built, pauses producers that are registered with `Request.registerProducer`; this module registers one
for each streamed response.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.web.http import Request

Message = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


def with_backpressure(application: Application) -> Application:
    """Wrap an ASGI application so that its streamed responses wait for the client. Other servers ignore it."""

    async def call(scope: Any, receive: Any, send: Send) -> None:
        request = next(iter(getattr(send, "args", ())), None)  # daphne passes a `functools.partial` with the request
        if not isinstance(request, Request):
            await application(scope, receive, send)
            return
        producer = _PushProducer()
        sending = _PausingSend(request, send, producer)
        try:
            await application(scope, receive, sending)
        finally:
            sending.release()

    return call


class _PushProducer:
    """Twisted's `IPushProducer`: `ready` is set while more may be sent."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()

    def pauseProducing(self) -> None:  # noqa: N802
        """Make the next send wait."""
        self.ready.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        """Let sends continue."""
        self.ready.set()

    def stopProducing(self) -> None:  # noqa: N802
        """Let the response end: the client has disconnected, what is still sent is dropped."""
        self.ready.set()


class _PausingSend:
    """An ASGI `send` that waits between body parts until `producer` is ready."""

    def __init__(self, request: Any, send: Send, producer: _PushProducer) -> None:
        self._request, self._send, self._producer = request, send, producer
        self._registered = False

    async def __call__(self, message: Message) -> None:
        more = message["type"] == "http.response.body" and message.get("more_body", False)
        if more and not self._registered and self._request.channel is not None:
            self._request.registerProducer(self._producer, True)
            self._registered = True
        if not more and message["type"] == "http.response.body":
            self.release()
        await self._send(message)
        if more:
            await self._producer.ready.wait()

    def release(self) -> None:
        """Unregister the producer, which Twisted requires before a response ends."""
        if self._registered and self._request.channel is not None:
            self._request.unregisterProducer()
        self._registered = False
        self._producer.ready.set()


def limit_incoming_messages(max_bytes: int) -> None:
    """Make daphne refuse WebSocket messages of more than `max_bytes` from clients, without limiting what it sends.

    Its own setting, `maxMessagePayloadSize`, limits both directions, and the snapshot of a long video is larger.
    """
    send = WebSocketProtocol.sendMessage

    def send_unlimited(self: Any, *arguments: Any, **more: Any) -> None:
        self.maxMessagePayloadSize = 0
        try:
            send(self, *arguments, **more)
        finally:
            self.maxMessagePayloadSize = max_bytes

    WebSocketProtocol.maxMessagePayloadSize = max_bytes
    WebSocketProtocol.sendMessage = send_unlimited
