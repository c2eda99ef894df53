"""The one socket of an open page: it keeps its owner present and tells it what changes.

The page is told JSON: `hello` (the whole state), then `job`, `cues`, `brief`, `gone` and now and then `alive`. It says
that it is `hidden` or `visible` again, and nothing else. How it ends matters: with CLOSED the person closed the page,
with WITHIN they went to another one of the site; any other end is silence, which changes nothing for a lease.
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
from jobs.web.live.broadcaster import feed
from jobs.web.live.messages import Page
from jobs.web.live.page_close import Close
from jobs.web.permissions import job_for

CLOSED, WITHIN = 4000, 4001
"""Codes with which a page closes its socket."""

REFUSED, NONSENSE = 4404, 4400
"""Codes with which we do: no such page or job for this person; something that no page of ours says."""

LONGEST = 4096
"""Bytes of a message from a page."""


class PageConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    page: Page | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """However it ends, the page is no longer renewed."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.page:
                feed.leave(self.page)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As the inherited one, which looks after database connections each time: handlers here do that themselves."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        if not self.scope["user"].is_authenticated:
            await self.close()
            return
        await self.accept()  # who is refused before that is not told the code
        page = self._asked_for()
        if page is None or not await _admitted(self.scope["user"], page):
            await self.close(REFUSED)
            return
        self.page = page
        feed.join(page)

    def _asked_for(self) -> Page | None:
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
            known=_number(query.get("cues", [""])[0]),
        )

    async def tell(self, message: dict[str, Any]) -> None:
        """From the feed."""
        await self.send(text_data=message["text"])

    async def receive(self, text_data: str | None = None, **_: Any) -> None:
        match _understood(text_data):
            case "hidden" if self.page:
                self.page.hidden = True
                await database_sync_to_async(presence.hide)(self.page.page_id)
            case "visible" if self.page:
                self.page.hidden = False
                await database_sync_to_async(presence.show)(self.page.page_id)
            case _:
                await self.close(NONSENSE)

    async def disconnect(self, code: int) -> None:
        if self.page is None:
            return
        feed.leave(self.page)
        if code in {CLOSED, WITHIN}:
            within = code == WITHIN
            written = page_close.closed(Close(page_id=self.page.page_id, owner_id=self.page.owner_id, within=within))
            await asyncio.shield(asyncio.wrap_future(written))  # daphne gives it up after 10 s: it is written anyway


@database_sync_to_async  # type: ignore[untyped-decorator]
def _admitted(user: Any, page: Page) -> bool:
    """Whether it is an open page of this person, and its job one that they may see. Then they are present."""
    try:
        if page.job_id:
            job_for(user, page.job_id)
    except Http404:
        return False
    if not presence.is_open(page.page_id, page.owner_id):
        return False
    presence.renew([page.page_id])
    return True


def _number(asked: str) -> int:
    """The number of a cue; 0, of none, for nonsense."""
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0


def _language(asked: str) -> str:
    try:
        return get_supported_language_variant(asked)
    except LookupError:
        return settings.LANGUAGE_CODE


def _understood(text: str | None) -> str:
    """The type of what the page says; empty for nonsense."""
    try:
        said = json.loads(text) if text and len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return ""
    kind = said.get("type") if isinstance(said, dict) else None
    return kind if isinstance(kind, str) else ""
