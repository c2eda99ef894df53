"""The WebSocket of an open page: renews its presence lease and sends it changes.

The server sends JSON: `hello` (the whole state), then `job`, `cues`, `brief`, `gone` and, every 15 s, `alive`. The page
sends `hidden` and `visible`, nothing else. The close code matters: CLOSED means that the person closed the page, WITHIN
that they went to another page of the site; after any other code the lease simply runs out.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import Http404
from django.utils.translation import get_supported_language_variant

from jobs import presence
from jobs.web.live import page_close
from jobs.web.live.broadcaster import broadcaster
from jobs.web.live.messages import Page
from jobs.web.live.page_close import Close
from jobs.web.permissions import job_for

CLOSED, WITHIN = 4000, 4001
"""Close codes that a page sends."""

REFUSED, INVALID_MESSAGE = 4404, 4400
"""Close codes that the server sends: no such page or job for this person; a message of unknown form."""

MAX_MESSAGE_BYTES = 4096
"""The longest message that a page may send, in bytes."""


class PageConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One socket. `page` is None until it is admitted."""

    page: Page | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the socket, then stop renewing its page however it ended."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.page:
                broadcaster.remove(self.page)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the handler of the message's type.

        The inherited method also closes old database connections each time; the handlers here do that where needed.
        """
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        """Admit the page, or close with REFUSED."""
        if not self.scope["user"].is_authenticated:
            await self.close()
            return
        await self.accept()  # close codes reach accepted sockets only
        page = self._requested_page()
        if page is None or not await _admitted(self.scope["user"], page):
            await self.close(REFUSED)
            return
        self.page = page
        broadcaster.add(page)

    def _requested_page(self) -> Page | None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        try:
            job_id = uuid.UUID(query["job"][0]) if "job" in query else None
        except ValueError:
            return None
        return Page(
            page_id=self.scope["url_route"]["kwargs"]["page_id"],
            owner_id=self.scope["user"].pk,
            language=_language(query.get("language", [""])[0]),
            job_id=job_id,
            channel=self.channel_name,
            known=_cue_number(query.get("cues", [""])[0]),
        )

    async def push(self, message: dict[str, Any]) -> None:
        """Send a message of the broadcaster to the page."""
        await self.send(text_data=message["text"])

    async def receive(self, text_data: str | None = None, **_: Any) -> None:
        """Handle `hidden` and `visible`; close with INVALID_MESSAGE on anything else."""
        match _message_type(text_data):
            case "hidden" if self.page:
                self.page.hidden = True
                await database_sync_to_async(presence.hide)(self.page.page_id)
            case "visible" if self.page:
                self.page.hidden = False
                await database_sync_to_async(presence.show)(self.page.page_id)
            case _:
                await self.close(INVALID_MESSAGE)

    async def disconnect(self, code: int) -> None:
        """Remove the page; record a close when `code` says that the person left it."""
        if self.page is None:
            return
        broadcaster.remove(self.page)
        if code in {CLOSED, WITHIN}:
            within = code == WITHIN
            written = page_close.record_close(
                Close(page_id=self.page.page_id, owner_id=self.page.owner_id, within=within)
            )
            await asyncio.shield(asyncio.wrap_future(written))  # shielded: daphne cancels this after 10 s


@database_sync_to_async  # type: ignore[untyped-decorator]
def _admitted(user: Any, page: Page) -> bool:
    """Whether the page is an open one of `user` and they may see its job; if so, its lease is renewed."""
    try:
        if page.job_id:
            job_for(user, page.job_id)
    except Http404:
        return False
    if not presence.is_open(page.page_id, page.owner_id):
        return False
    presence.connect(page.page_id)
    return True


def _cue_number(asked: str) -> int:
    """The number of the last cue that the page has; 0 for none and for invalid text."""
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0


def _language(asked: str) -> str:
    try:
        return get_supported_language_variant(asked)
    except LookupError:
        return settings.LANGUAGE_CODE


def _message_type(text: str | None) -> str:
    """The `type` of a JSON message; empty when it is invalid."""
    try:
        message = json.loads(text) if text and len(text) <= MAX_MESSAGE_BYTES else None
    except (ValueError, RecursionError):
        return ""
    kind = message.get("type") if isinstance(message, dict) else None
    return kind if isinstance(kind, str) else ""
