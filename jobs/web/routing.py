"""WebSocket routes, for pages served from ALLOWED_HOSTS; sessions give the signed-in user."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.urls import path, re_path

from jobs.web.live.consumer import PageConsumer

log = logging.getLogger(__name__)


class _LoggedOrigins(OriginValidator):  # type: ignore[misc]
    """Refuses WebSockets from pages of other hosts, with a line in the log."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        valid = bool(super().valid_origin(parsed_origin))
        if not valid:
            origin = parsed_origin.geturl()[:200] if parsed_origin else ""
            log.warning("A socket was refused: its page is of another host, %r", origin)
        return valid


async def _unknown_address(scope: Any, receive: Any, send: Any) -> None:
    """Close a WebSocket with an unknown path, with a line in the log."""
    log.warning("A socket was refused: its address is unknown, %r", scope["path"][:200])
    await receive()
    await send({"type": "websocket.close"})


_addresses = [
    path("ws/page/<uuid:page_id>/", AuthMiddlewareStack(PageConsumer.as_asgi())),
    re_path("", _unknown_address),  # type: ignore[arg-type]  # an ASGI application, which URLRouter accepts
]
_hosts = settings.ALLOWED_HOSTS or (["localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
sockets = _LoggedOrigins(URLRouter(_addresses), _hosts)


def socket_path(page_id: uuid.UUID) -> str:
    """The path of the WebSocket of an open page."""
    return f"/ws/page/{page_id}/"
