"""Template tags and filters of this project."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from django import template
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import Storage, storages
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from jobs.i18n import formats

register = template.Library()

_MARKUP_OR_NUMBER = re.compile(r"&[^;\s]+;|<[^>]*>|\d+")


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it has the meaning."""
    sprite = static("vendor/web/lucide.svg")
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>', sprite, name)


@register.simple_tag
def module_map() -> SafeString:
    """The import map of the page's modules as JSON.

    It maps the address by which modules import each other to the served one, which may have a hash in its name.
    """
    return _module_map(storages["staticfiles"])


@lru_cache(maxsize=1)
def _module_map(storage: Storage) -> SafeString:
    """The map of the collected scripts in `web/`, or of those that the finders know where none were collected."""
    collected = getattr(storage, "hashed_files", None)
    names = collected or {name for finder in get_finders() for name, _ in finder.list([])}
    scripts = sorted(name for name in names if name.startswith("web/") and name.endswith(".js"))
    addresses = {f"{settings.STATIC_URL}{name}": storage.url(name) for name in scripts}
    return mark_safe(json.dumps({"imports": addresses}).replace("<", "\\u003c"))  # noqa: S308


@register.filter
def digits(text: str) -> SafeString:
    """Escape a text unless it is safe HTML, and replace the digits outside markup by those of the page's language."""
    html = _MARKUP_OR_NUMBER.sub(lambda found: _localised(found[0]), conditional_escape(text))
    return mark_safe(html)  # noqa: S308


def _localised(piece: str) -> str:
    return piece if piece[0] in "&<" else formats.digits(piece)
