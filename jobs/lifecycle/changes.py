"""Change notification: listeners are woken by PostgreSQL's NOTIFY; on SQLite they poll."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from jobs.lifecycle.changes_postgres import Listener

CHANNEL = "zirnevis_jobs"
"""The PostgreSQL channel on which the id of each changed job is sent."""

POLL_INTERVAL = 0.25
"""Seconds between two polls on SQLite, which sends no notifications."""

POLL_INTERVAL_WITH_LISTEN = 2.0
"""Seconds between two polls beside LISTEN: a notification can be lost with its connection."""


def job_changed(job_id: uuid.UUID) -> None:
    """Wake the listeners of this job when the transaction commits. Does nothing on SQLite."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(job_id)])


class ChangeListener:
    """The ids of jobs that changed, on PostgreSQL; on SQLite always none."""

    def __init__(self) -> None:
        self._listener: Listener | None = None

    def descriptor(self) -> int | None:
        """The descriptor to watch for notifications; None on SQLite, or while there is no connection."""
        if connection.vendor != "postgresql":
            return None
        if self._listener is None:
            from jobs.lifecycle.changes_postgres import Listener

            self._listener = Listener(CHANNEL)
        return self._listener.descriptor()

    def jobs(self) -> set[str]:
        """The ids of the jobs that changed since the last call."""
        return self._listener.jobs() if self._listener else set()

    def close(self) -> None:
        """Close the connection."""
        if self._listener:
            self._listener.close()
