"""Records that a person closed a page. The judge of `presence` does the rest, unless there is no grace: then the jobs
end here.

A close is said once, by a page that is gone a moment later. So it is kept in memory first, and a thread of this process
writes it, again and again while the database is away or locked.
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

PAUSE = 0.5
"""Seconds between two attempts to write while the database does not answer."""

MOST_UNVERIFIED = 10_000
"""How many closes are kept of which nobody knows yet whether that page is the sender's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Close:
    """What a page said last. Of who said it either `owner_id` is known, or the key of their session."""

    page_id: uuid.UUID
    owner_id: int | None = None
    session_key: str = ""
    within: bool = False


def closed(close: Close) -> Future[None]:
    """Record a close, however long that takes; the result comes when it is written. Doing it twice changes nothing."""
    return _writer.add(close)


class _Writer:
    """A thread that writes closes, in order; it ends when all are written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Close, Future[None]]] = []
        self._running = False

    def add(self, close: Close) -> Future[None]:
        written: Future[None] = Future()
        with self._lock:
            if close.owner_id is None and len(self._waiting) >= MOST_UNVERIFIED:
                written.set_result(None)
                return written
            self._waiting.append((close, written))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, daemon=True, name="closes").start()
        return written

    def _run(self) -> None:
        late = 0
        while there := self._next():
            close, written = there
            if not self._try(close):
                late += not late
                time.sleep(PAUSE)
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
        """Whether it is done with. A mistake of ours must not keep the closes behind it."""
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


_writer = _Writer()


def _write(close: Close) -> None:
    """All of it in one transaction, so that nothing is left out when it is repeated. Raises DatabaseTrouble."""
    owner_id = close.owner_id if close.owner_id is not None else _owner_of(close.session_key)
    if owner_id is None or not presence.is_open(close.page_id, owner_id):
        return
    with transaction.atomic():
        news = presence.close(close.page_id, within=close.within)
        if news and presence.strict() and not close.within and not presence.stays(owner_id):
            for job_id in list(presence.at_stake(owner_id).values_list("pk", flat=True)):
                lifecycle.cancel(job_id, actor=lifecycle.PRESENCE, reason=Reason.PAGES_CLOSED)


def _owner_of(session_key: str) -> int | None:
    """Who is signed in with this session."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    found: int | None = auth.get_user(request).pk
    return found
