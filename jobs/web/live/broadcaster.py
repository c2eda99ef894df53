"""Broadcasts changes of jobs to the open pages of this process.

One thread a process reads changes while a page is open: by LISTEN on PostgreSQL, by polling twice a second elsewhere.
A changed job is read once for all pages, and its message is built once for each person and language. Snapshots for new
pages come from the same thread, so that no change is lost between a snapshot and the changes after it. A page whose
channel was full gets a new snapshot. The same thread renews the presence leases of the pages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection

from jobs import presence
from jobs.lifecycle.changes import ChangeListener
from jobs.web.live.messages import ALIVE, Changes, MessageBuilder, Outbox, Page

log = logging.getLogger(__name__)

POLL_INTERVAL = 0.5
"""Seconds between two polls without LISTEN (SQLite, or a broken LISTEN connection)."""

POLL_INTERVAL_WITH_LISTEN = 2.0
"""Seconds between two polls beside LISTEN: notifications are lost when its connection breaks."""

_COALESCE_DELAY = 0.002
"""Seconds to wait after a notification, because several often come together."""

_RENEW_INTERVAL = 15.0
"""Seconds between two renewals of a lease and between two `alive` messages to a page. `live.js` relies on it."""

_RENEWALS_PER_LEASE = 12
"""The least number of renewals in the time of one lease; short leases shorten the interval."""

_ALIVE_BATCH = 25
"""The least number of pages that get `alive` in one round: sending it to a thousand at once would delay changes."""

_ALIVE_PAUSE = 0.05
"""Seconds between two batches of `alive` messages."""

_SEND_TIMEOUT = 30.0
"""Seconds for the event loop to put all messages of a round into the channels."""


class Broadcaster:
    """The open pages of this process and the thread that serves them; it runs while there is a page."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._fresh: dict[str, Page] = {}
        self._lock = threading.Lock()
        self._running = False
        self._thread: threading.Thread | None = None
        self._wake = _WakePipe()

    def add(self, page: Page) -> None:
        """Send this page a snapshot, then changes. Call it on the event loop of its socket."""
        with self._lock:
            self._pages[page.channel] = self._fresh[page.channel] = page
            if not self._running:
                loop = asyncio.get_running_loop()
                self._thread = threading.Thread(target=self._run, args=(loop,), daemon=True, name="broadcaster")
                self._running = True
                self._thread.start()
        self._wake.wake()

    def remove(self, page: Page) -> None:
        """Send this page nothing more."""
        with self._lock:
            self._pages.pop(page.channel, None)
            self._fresh.pop(page.channel, None)
        self._wake.wake()

    def join(self) -> None:
        """Wait until the thread has ended, which it does after the last page was removed."""
        if self._thread:
            self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        rounds = _Rounds(self._wake, lambda outbox: self._deliver(outbox, loop))
        while taken := self._take():
            pages, fresh = taken
            try:
                rounds.run(pages, fresh)
            except Exception as trouble:
                if isinstance(trouble, DatabaseTrouble):
                    log.warning("Page updates paused: the database does not respond")
                else:
                    log.exception("Page updates failed")
                rounds.reset()
                self._request_snapshots(pages)
                time.sleep(POLL_INTERVAL)
        rounds.reset()

    def _take(self) -> tuple[list[Page], list[Page]] | None:
        """All pages, and those that need a snapshot; None when no page is left and the thread has to end."""
        with self._lock:
            fresh, self._fresh = list(self._fresh.values()), {}
            self._running = bool(self._pages)
            return (list(self._pages.values()), fresh) if self._pages else None

    def _request_snapshots(self, pages: Iterable[Page]) -> None:
        """Give these pages a snapshot in the next round, because messages to them may be lost."""
        with self._lock:
            self._fresh |= {page.channel: page for page in pages if page.channel in self._pages}
            waiting = bool(self._fresh)
        if waiting:
            self._wake.wake()

    def _deliver(self, outbox: Outbox, loop: asyncio.AbstractEventLoop) -> None:
        """Put each message into the channel of its page, and wait until all are there."""
        if not outbox:
            return
        task = asyncio.run_coroutine_threadsafe(_send(outbox), loop)
        try:
            self._request_snapshots(task.result(_SEND_TIMEOUT))
        except FutureTimeout:
            log.warning("Page updates delayed: the web server is overloaded")
            self._request_snapshots(page for page, _ in outbox)


async def _send(outbox: Outbox) -> list[Page]:
    """Send the messages; return the pages whose channels were full."""
    layer, full = get_channel_layer(), []
    for page, text in outbox:
        try:
            await layer.send(page.channel, {"type": "push", "text": text})
        except ChannelFull:
            full.append(page)
    return full


class _Rounds:
    """The work of the thread, round by round. Times are those of `time.monotonic`."""

    def __init__(self, wake: _WakePipe, deliver: Callable[[Outbox], None]) -> None:
        self._wake, self._deliver = wake, deliver
        self._listener, self._changes, self._messages = ChangeListener(), Changes(), MessageBuilder()
        self._renewed = time.monotonic()
        self._polled = self._deletions_checked = 0.0
        self._alive_due: list[Page] = []

    def run(self, pages: Sequence[Page], fresh: Sequence[Page]) -> None:
        """Send snapshots to `fresh` pages, wait for changes and send them, then renew leases when due."""
        listening = self._listener.descriptor()  # LISTEN before the snapshots, so that no change after them is missed
        self._messages.forget_all_but(pages)
        self._deliver(self._messages.snapshots(fresh))
        changed = self._wait_for_changes(listening)
        self._deliver(self._messages.changes(self._changes.watched(pages, changed), pages))
        if time.monotonic() - self._deletions_checked > POLL_INTERVAL_WITH_LISTEN:
            self._deletions_checked = time.monotonic()
            self._deliver(self._messages.deletions(pages))
        self._renew(pages)
        self._send_alive()

    def _wait_for_changes(self, listening: int | None) -> set[str] | None:
        """The ids of jobs that notifications name; None when it is time to poll for all changes."""
        due = self._polled + (POLL_INTERVAL if listening is None else POLL_INTERVAL_WITH_LISTEN)
        seconds = min(due, self._renewed + _renew_interval()) - time.monotonic()
        woken = self._wake.wait(listening, max(0.0, min(seconds, _ALIVE_PAUSE) if self._alive_due else seconds))
        if woken and listening is not None:
            time.sleep(_COALESCE_DELAY)
        changed = self._listener.jobs()
        if time.monotonic() < due:
            return changed
        self._polled = time.monotonic()
        return None

    def _renew(self, pages: Sequence[Page]) -> None:
        """Renew the leases of all visible pages in one statement, when that is due."""
        if time.monotonic() - self._renewed < _renew_interval():
            return
        self._renewed = time.monotonic()
        presence.renew([page.page_id for page in pages if not page.hidden])
        self._alive_due = list(pages)

    def _send_alive(self) -> None:
        """Send `alive` to the next batch of pages: a page that gets none replaces its socket."""
        count = max(_ALIVE_BATCH, len(self._alive_due) // 20)
        batch, self._alive_due = self._alive_due[:count], self._alive_due[count:]
        self._deliver([(page, ALIVE) for page in batch])

    def reset(self) -> None:
        """Close both database connections, which may be broken; the next round opens new ones."""
        self._listener.close()
        with suppress(DatabaseTrouble):
            connection.close()


def _renew_interval() -> float:
    return min(_RENEW_INTERVAL, float(settings.PAGE_LEASE) / _RENEWALS_PER_LEASE)


class _WakePipe:
    """A pipe that wakes a thread which waits for descriptors."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def wake(self) -> None:
        """Wake the thread that waits, or the next one that does."""
        with suppress(BlockingIOError):
            os.write(self._write_end, b"!")

    def wait(self, other: int | None, seconds: float) -> bool:
        """Wait until `wake` is called, `other` can be read, or the time is over; return False in the last case."""
        either = select.poll()  # `select.select` refuses descriptors above 1023
        for descriptor in (self._read_end, other):
            if descriptor is not None:
                either.register(descriptor, select.POLLIN)
        ready = dict(either.poll(1000 * seconds))
        if self._read_end in ready:
            with suppress(BlockingIOError):
                os.read(self._read_end, 4096)
        return bool(ready)


broadcaster = Broadcaster()
