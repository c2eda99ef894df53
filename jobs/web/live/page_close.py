"""Records that a person closed a page.

`presence` cancels their jobs after the grace period; with a grace of 0 s they are cancelled here. A page reports its
close once, just before it is gone. Closes are therefore kept in memory, and a thread of this process writes them and
retries while the database is unreachable or locked.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.contrib import auth
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.http import HttpRequest

from jobs import lifecycle, presence
from jobs.models import Reason

log = logging.getLogger(__name__)

RETRY_INTERVAL = 0.5
"""Seconds between two attempts to write a close while the database does not respond."""

MAX_UNVERIFIED = 10_000
"""The most closes kept in memory whose sender has not been checked against the page's owner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Close:
    """The close of a page. Its sender is given by `owner_id` or, before the database was asked, by `session_key`.

    `within`: the person went to another page of the site.
    """

    page_id: uuid.UUID
    owner_id: int | None = None
    session_key: str = ""
    within: bool = False


def record_close(close: Close) -> Future[None]:
    """Record a close in the background; the future completes when it is written. Repeating it changes nothing."""
    return _writer.add(close)


class _CloseWriter:
    """A thread that writes closes in order and ends when all are written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Close, Future[None]]] = []
        self._running = False

    def add(self, close: Close) -> Future[None]:
        """Queue a close; the future completes when it is written or dropped."""
        written: Future[None] = Future()
        with self._lock:
            if close.owner_id is None and len(self._waiting) >= MAX_UNVERIFIED:
                written.set_result(None)
                return written
            self._waiting.append((close, written))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, daemon=True, name="closes").start()
        return written

    def _run(self) -> None:
        late = 0
        while waiting := self._next():
            close, written = waiting
            if not self._try(close):
                late += not late
                time.sleep(RETRY_INTERVAL)
                continue
            late += bool(late)
            with self._lock:
                self._waiting.pop(0)
            written.set_result(None)
        if late:
            log.warning("Page closes written that had waited for the database: %s", late - 1)

    def _next(self) -> tuple[Close, Future[None]] | None:
        with self._lock:
            if self._waiting:
                return self._waiting[0]
            connection.close()
            self._running = False
            return None

    def _try(self, close: Close) -> bool:
        """Write a close; return False when it has to be retried. Unexpected errors are logged and not retried."""
        try:
            _write(close)
        except DatabaseTrouble:
            log.warning("Page close not written yet: the database does not respond, retrying")
            with suppress(DatabaseTrouble):
                connection.close()
            return False
        except Exception:
            log.exception("The close of a page could not be recorded")
        return True


_writer = _CloseWriter()


def _write(close: Close) -> None:
    """Write a close in one transaction, so that a retry repeats all of it. Raises django.db.Error."""
    owner_id = close.owner_id if close.owner_id is not None else _owner_of(close.session_key)
    if owner_id is None or not presence.is_open(close.page_id, owner_id):
        return
    with transaction.atomic():
        news = presence.close(close.page_id, within=close.within)
        if news and presence.strict() and not close.within and not presence.stays(owner_id):
            for job_id in list(presence.at_stake(owner_id).values_list("pk", flat=True)):
                lifecycle.cancel(job_id, actor=lifecycle.PRESENCE, reason=Reason.PAGES_CLOSED)


def _owner_of(session_key: str) -> int | None:
    """The id of the user who is signed in with this session; None for an anonymous session."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    found: int | None = auth.get_user(request).pk
    return found
