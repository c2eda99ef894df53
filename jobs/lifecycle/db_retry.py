"""Repetition of database calls while the database is unavailable: it restarts, or a connection breaks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db import Error as AnyDatabaseError

from jobs.pipeline import errors
from jobs.pipeline.filenames import shortened

log = logging.getLogger(__name__)

RETRY_TIMEOUT = 12.0
"""Seconds for which a call is repeated. Shorter than `processes.STALE`, after which a worker counts as dead."""

_PAUSE = 0.3
"""Seconds between two calls."""

_AWAY = (OperationalError, InterfaceError)

P = ParamSpec("P")
T = TypeVar("T")


def call_with_retry(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `act`, and repeat it for RETRY_TIMEOUT seconds while the database is unavailable; `act` must be idempotent.

    Raises the last OperationalError or InterfaceError, and every other exception at once.
    """
    try:
        return act(*args, **kwargs)
    except _AWAY:
        _reconnect()
    from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed  # only where it is needed

    attempts = Retrying(
        retry=retry_if_exception_type(_AWAY),
        stop=stop_after_delay(RETRY_TIMEOUT),
        wait=wait_fixed(_PAUSE),
        before_sleep=lambda _state: _reconnect(),
        reraise=True,
    )
    return attempts(act, *args, **kwargs)


def with_retry(act: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function or method so that each call is a `call_with_retry`."""

    @wraps(act)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        return call_with_retry(act, *args, **kwargs)

    return repeated


def _reconnect() -> None:
    log.warning("The database does not respond; retrying")
    with suppress(DatabaseError, InterfaceError):
        connection.close()


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
"""Parts of the messages of SQLite and PostgreSQL, and the error of ours for each."""


def database_error(error: AnyDatabaseError) -> errors.DatabaseTrouble:
    """The database's own error as one of ours, with a sentence that says what to do."""
    said = str(error)
    kind = next((kind for words, kind in _REFUSALS if words in said), errors.DatabaseTrouble)
    if "connection failed" in said:  # also where PostgreSQL says that the database or the user does not exist
        kind = errors.DatabaseTrouble
    reason = " ".join(said.split()) or type(error).__name__
    return kind(detail=said.strip(), reason=shortened(reason, 200))
