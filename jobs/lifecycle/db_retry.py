"""Asking again a database that went away for a moment: it restarts, a connection breaks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db import Error as AnyDatabaseError

from jobs.pipeline import errors
from jobs.pipeline.filenames import shortened

log = logging.getLogger(__name__)

PATIENCE = 12.0
"""Seconds for which it is asked: less than the silence that counts as death."""

T = TypeVar("T")


def patiently(act: Callable[[], T]) -> T:
    """`act`, again where the database went away meanwhile; it must do no harm twice. Raises what it raises at last."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            log.warning("The database does not respond, retrying")
            with suppress(DatabaseError, InterfaceError):
                connection.close()
            time.sleep(0.3)


_REFUSALS: tuple[tuple[str, type[errors.DatabaseTrouble]], ...] = (
    ("is full", errors.DatabaseFull),
    ("No space left", errors.DatabaseFull),
    ("is locked", errors.DatabaseBusy),
    ("lock timeout", errors.DatabaseBusy),
    ("readonly database", errors.DatabaseReadOnly),
    ("read-only", errors.DatabaseReadOnly),
    ("permission denied", errors.DatabaseReadOnly),
    ("unable to open database file", errors.DatabaseMissing),
    ("no such table", errors.DatabaseNotReady),
    ("no such column", errors.DatabaseNotReady),
    ("does not exist", errors.DatabaseNotReady),
)
"""What SQLite and PostgreSQL say, and what that is called here."""


def database_error(error: AnyDatabaseError) -> errors.DatabaseTrouble:
    """The database's own error as one of ours, with a sentence that says what to do."""
    said = str(error)
    kind = next((kind for words, kind in _REFUSALS if words in said), errors.DatabaseTrouble)
    if "connection failed" in said:  # also where PostgreSQL says that the database or the user does not exist
        kind = errors.DatabaseTrouble
    reason = " ".join(said.split()) or type(error).__name__
    return kind(detail=said.strip(), reason=shortened(reason, 200))
