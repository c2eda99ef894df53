"""The addresses of sockets, for pages of our own hosts and people who are signed in."""

from __future__ import annotations

import uuid

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from jobs.web.live.consumer import PageConsumer

_addresses = [path("ws/page/<uuid:page_id>/", PageConsumer.as_asgi())]
sockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(_addresses)))


def socket_of(page_id: uuid.UUID) -> str:
    """Where an open page connects to."""
    return f"/ws/page/{page_id}/"
