"""Errors as scripts read them."""

from __future__ import annotations

from django.http import JsonResponse


def problem(status: int, title: str) -> JsonResponse:
    """Problem JSON (RFC 9457). `title` is for people, in their language."""
    return JsonResponse({"status": status, "title": title}, status=status, content_type="application/problem+json")
