"""Asking again a database that went away for a moment: it restarts, a connection breaks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

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
