"""A separate connection to PostgreSQL that listens for changes of jobs.

Imported only on PostgreSQL: psycopg takes 8 MB.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

import psycopg
from django.db import connection

log = logging.getLogger(__name__)

_OF_DJANGO = {"cursor_factory", "context"}
"""Connection parameters that only Django's own connection needs."""

_PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each attempt to connect; the last value is for all later attempts."""


class Listener:
    """Listens on one channel and reconnects when the connection breaks."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._listening: psycopg.Connection[Any] | None = None
        self._failures, self._again = 0, 0.0

    def descriptor(self) -> int | None:
        """The descriptor to watch for notifications; None while there is no connection."""
        if (self._listening is None or self._listening.closed) and time.monotonic() >= self._again:
            self._connect()
        return self._listening.fileno() if self._listening and not self._listening.closed else None

    def _connect(self) -> None:
        try:
            self._listening = _listen(self._channel)
            self._failures = 0
        except psycopg.Error as error:
            if not self._failures:
                log.warning("LISTEN connection unavailable, falling back to polling: %s", error)
            self._failures = min(self._failures + 1, len(_PAUSES) - 1)
            self._again = time.monotonic() + _PAUSES[self._failures]

    def jobs(self) -> set[str]:
        """The ids of the jobs that changed since the last call."""
        if self._listening is None:
            return set()
        try:
            return {change.payload for change in self._listening.notifies(timeout=0)}
        except psycopg.Error:
            self.close()
            return set()

    def close(self) -> None:
        """Close the connection."""
        if self._listening:
            with suppress(psycopg.Error):
                self._listening.close()
        self._listening = None


def _listen(channel: str) -> psycopg.Connection[Any]:
    known = {key: value for key, value in connection.get_connection_params().items() if key not in _OF_DJANGO}
    listening = psycopg.connect(**known, autocommit=True)
    listening.execute(f"LISTEN {channel}")
    return listening
