"""Pages and answers of the site."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.health import look


@never_cache
@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """For those who watch over the site: database, clusters, reaper, web server, disk. 503 when one is amiss."""
    found = look()
    return JsonResponse(asdict(found), status=200 if found.ok else 503)
