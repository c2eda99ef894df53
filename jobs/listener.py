"""A connection of its own to PostgreSQL that listens for changes of jobs.

Imported only where there is a PostgreSQL: psycopg weighs 8 MB.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg
from django.db import connection

from jobs.lifecycle import CHANNEL

_PLAIN = {"dbname", "user", "password", "host", "port", "sslmode", "service", "passfile", "options"}
"""What a connection of Django's and a plain one have in common."""


class Listener:
    """It makes its connection anew when it broke."""

    def __init__(self) -> None:
        self._listening: psycopg.Connection[Any] | None = None

    def descriptor(self) -> int | None:
        """What to watch; None while there is no server."""
        if self._listening is None or self._listening.closed:
            with suppress(psycopg.Error):
                self._listening = _listen()
        return self._listening.fileno() if self._listening and not self._listening.closed else None

    def jobs(self) -> set[str]:
        """The ids of the jobs that changed since the last call."""
        if self._listening is None:
            return set()
        try:
            return {told.payload for told in self._listening.notifies(timeout=0)}
        except psycopg.Error:
            self.close()
            return set()

    def close(self) -> None:
        if self._listening:
            with suppress(psycopg.Error):
                self._listening.close()
        self._listening = None


def _listen() -> psycopg.Connection[Any]:
    known = {key: value for key, value in connection.get_connection_params().items() if key in _PLAIN}
    listening = psycopg.connect(**known, autocommit=True)
    listening.execute(f"LISTEN {CHANNEL}")
    return listening
