"""Database calls that are repeated while the database is away: it restarts, or a connection breaks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

log = logging.getLogger(__name__)

RETRY_TIMEOUT = 12.0
"""Seconds for which a call is repeated: less than the silence after which a worker is taken for dead."""

_PAUSE = 0.3
"""Seconds between two calls."""

P = ParamSpec("P")
T = TypeVar("T")


def call_with_retry(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `act`, and again while the database is away, for RETRY_TIMEOUT seconds. It must do no harm when it is called
    twice. Raises the last OperationalError or InterfaceError, and everything else at once.
    """
    attempts = Retrying(
        retry=retry_if_exception_type((OperationalError, InterfaceError)),
        stop=stop_after_delay(RETRY_TIMEOUT),
        wait=wait_fixed(_PAUSE),
        before_sleep=_reconnect,
        reraise=True,
    )
    return attempts(act, *args, **kwargs)


def with_retry(act: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function or method so that each call is a `call_with_retry`."""

    @wraps(act)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        return call_with_retry(act, *args, **kwargs)

    return repeated


def _reconnect(_state: RetryCallState) -> None:
    log.warning("The database does not respond; retrying")
    with suppress(DatabaseError, InterfaceError):
        connection.close()
