"""What every page of the site knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from jobs import presence


def page(request: HttpRequest) -> dict[str, Any]:
    """`page_id`: a lease for this page of a signed-in person, minted when a template asks for it, empty for others."""
    return {
        "page_id": SimpleLazyObject(lambda: _page_id(request)),
        "sign_up": settings.SIGN_UP,
        "mail_works": bool(settings.EMAIL_HOST),
    }


def _page_id(request: HttpRequest) -> str:
    """A response that answers where an icon was asked for, and there is none, is no open page."""
    shown = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return str(presence.open_page(request.user.pk)) if shown and request.user.is_authenticated else ""
