"""The template context of every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from jobs import presence


def page(request: HttpRequest) -> dict[str, Any]:
    """Return `page_id`, `sign_up` and `mail_works`.

    `page_id` names a presence lease for this page of a signed-in person; it is empty for others. The lease is created
    when a template first uses it.
    """
    return {
        "page_id": SimpleLazyObject(lambda: _page_id(request)),
        "sign_up": settings.SIGN_UP,
        "mail_works": bool(settings.EMAIL_HOST),
    }


def _page_id(request: HttpRequest) -> str:
    # An error page that answers the request for an icon or another subresource needs no lease.
    is_document = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return str(presence.open_page(request.user.pk)) if is_document and request.user.is_authenticated else ""
