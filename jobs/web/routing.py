"""WebSocket routes, for pages served from ALLOWED_HOSTS; sessions give the signed-in user."""

from __future__ import annotations

import uuid

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from jobs.web.live.consumer import PageConsumer

_addresses = [path("ws/page/<uuid:page_id>/", PageConsumer.as_asgi())]
sockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(_addresses)))


def socket_path(page_id: uuid.UUID) -> str:
    """The path of the WebSocket of an open page."""
    return f"/ws/page/{page_id}/"
