"""The channel layer: carries messages to the open pages within one web server process."""

from __future__ import annotations

import time
from typing import Any

from channels.layers import InMemoryChannelLayer

CLEANUP_INTERVAL = 1.0
"""Seconds between two searches for expired messages."""


class PageChannelLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """An in-memory layer that removes expired messages once in CLEANUP_INTERVAL.

    The inherited one searches all channels whenever one of them receives a message, which takes quadratic time when
    a message goes to each of a thousand pages.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._cleaned = 0.0

    def _clean_expired(self) -> None:
        if time.monotonic() - self._cleaned > CLEANUP_INTERVAL:
            self._cleaned = time.monotonic()
            super()._clean_expired()
