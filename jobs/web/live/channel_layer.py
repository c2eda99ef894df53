"""The channel layer: changes of jobs reach the open pages of one web server process within it."""

from __future__ import annotations

import time
from typing import Any

from channels.layers import InMemoryChannelLayer

TIDY = 1.0
"""Seconds between two looks for messages that nobody took."""


class Layer(InMemoryChannelLayer):  # type: ignore[misc]
    """The inherited one goes through all channels each time one of them takes a message: a thousand pages make that a
    million looks for one word to each. Here they are tidied now and then.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._tidied = 0.0

    def _clean_expired(self) -> None:
        if time.monotonic() - self._tidied > TIDY:
            self._tidied = time.monotonic()
            super()._clean_expired()
