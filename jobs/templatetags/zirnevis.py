"""Small pieces that templates repeat."""

from __future__ import annotations

import re

from django import template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from jobs.i18n import formats

register = template.Library()

_MARKUP_OR_NUMBER = re.compile(r"&[^;\s]+;|<[^>]*>|\d+")


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, said to nobody: the words beside it say what it means."""
    sprite = static("vendor/web/lucide.svg")
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>', sprite, name)


@register.filter
def digits(text: str) -> SafeString:
    """What Django says in a form, with the digits of the page's language. It is HTML already, or made such."""
    html = _MARKUP_OR_NUMBER.sub(lambda found: _shown(found[0]), conditional_escape(text))
    return mark_safe(html)  # noqa: S308


def _shown(piece: str) -> str:
    return piece if piece[0] in "&<" else formats.digits(piece)
