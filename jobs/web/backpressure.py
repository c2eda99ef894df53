"""What is sent waits for the client to take it.

Daphne accepts whatever it is given to send and keeps it in memory, so a slow client would bring a whole video into it.
Twisted, on which daphne is built, says when it has enough: `Request.registerProducer`. That is asked here.
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


def patient(application: Application) -> Application:
    """The same ASGI application, which sends no faster than the client takes. Under another server nothing changes."""

    async def call(scope: Any, receive: Any, send: Send) -> None:
        request = next(iter(getattr(send, "args", ())), None)  # daphne gives a partial of it
        if not isinstance(request, Request):
            await application(scope, receive, send)
            return
        valve = _Valve()
        sending = _Sending(request, send, valve)
        try:
            await application(scope, receive, sending)
        finally:
            sending.release()

    return call


class _Valve:
    """Open while more may be sent: a push producer, as Twisted calls it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    def pauseProducing(self) -> None:  # noqa: N802
        self.open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.open.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The client is gone: what is sent now goes nowhere."""
        self.open.set()


class _Sending:
    def __init__(self, request: Any, send: Send, valve: _Valve) -> None:
        self._request, self._send, self._valve = request, send, valve
        self._registered = False

    async def __call__(self, message: Message) -> None:
        more = message["type"] == "http.response.body" and message.get("more_body", False)
        if more and not self._registered and self._request.channel is not None:
            self._request.registerProducer(self._valve, True)
            self._registered = True
        if not more and message["type"] == "http.response.body":
            self.release()
        await self._send(message)
        if more:
            await self._valve.open.wait()

    def release(self) -> None:
        """Twisted wants it before the end of an answer."""
        if self._registered and self._request.channel is not None:
            self._request.unregisterProducer()
        self._registered = False
        self._valve.open.set()


def limit_what_pages_say(longest: int) -> None:
    """Daphne takes in no message from a page of more than `longest` bytes. By itself it would put its limit on what it
    sends as well; but a snapshot of a long video is as long as it is.
    """
    send = WebSocketProtocol.sendMessage

    def send_whole(self: Any, *arguments: Any, **more: Any) -> None:
        self.maxMessagePayloadSize = 0
        try:
            send(self, *arguments, **more)
        finally:
            self.maxMessagePayloadSize = longest

    WebSocketProtocol.maxMessagePayloadSize = longest
    WebSocketProtocol.sendMessage = send_whole
