"""Hearing that a job changed: PostgreSQL tells us at once, elsewhere we look again after a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from jobs.lifecycle.changes_postgres import Listener

LOOK = 0.25
"""Seconds between two looks where nobody tells us."""

LOOK_ANYWAY = 2.0
"""Seconds between two looks where somebody does: a word can be lost with its connection."""


class Wakeups:
    """What can be heard of the jobs of this database."""

    def __init__(self) -> None:
        self._listener: Listener | None = None

    def descriptor(self) -> int | None:
        """What to watch; None where nobody tells us anything."""
        if connection.vendor != "postgresql":
            return None
        if self._listener is None:
            from jobs.lifecycle.changes_postgres import Listener

            self._listener = Listener()
        return self._listener.descriptor()

    def jobs(self) -> set[str]:
        """The ids of the jobs that changed since the last call."""
        return self._listener.jobs() if self._listener else set()

    def close(self) -> None:
        if self._listener:
            self._listener.close()
