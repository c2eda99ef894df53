"""What changes of jobs, told to the open pages of this process.

One thread a process reads: it hears of changes on PostgreSQL, looks twice a second elsewhere, and runs while a page is
open. A changed job is read once, whoever watches it, and what is said of it is made once for each person and language.
Whole snapshots for new pages come from the same thread, so that nothing falls between a snapshot and the changes after
it. A page that could not take in what it was told gets a snapshot, too. The same thread renews the leases of pages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection

from jobs import presence
from jobs.lifecycle.changes import ChangeListener
from jobs.web.live.messages import ALIVE, Changes, Page, Said, Teller

log = logging.getLogger(__name__)

POLL_INTERVAL = 0.5
"""Seconds between two looks where nobody tells us."""

POLL_INTERVAL_WITH_LISTEN = 2.0
"""Seconds between two looks where somebody does: a word can be lost with its connection."""

REST = 0.002
"""Seconds to wait for more when a change is heard of: several often come together."""

_INTERVAL = 15.0
"""Seconds between two renewals of a lease, and two signs of life to each page; `live.js` counts on that."""

_RENEWALS = 12
"""How often, at least, a lease is renewed before it would run out."""

_SOME = 25
"""How many pages, at least, are told at a time that the server is alive: news need not wait until a thousand are."""

_BREATH = 0.05
"""Seconds between some and the next ones."""

_PATIENCE = 30.0
"""Seconds for the event loop to take over what is to be sent."""


class Feed:
    """Pages join and leave on the event loop; the thread lives as long as one is there."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._fresh: dict[str, Page] = {}
        self._lock = threading.Lock()
        self._running = False
        self._thread: threading.Thread | None = None
        self._bell = _Bell()

    def join(self, page: Page) -> None:
        """Tell this page of changes from now on, after a whole snapshot. Call it on the event loop of its socket."""
        with self._lock:
            self._pages[page.channel] = self._fresh[page.channel] = page
            if not self._running:
                loop = asyncio.get_running_loop()
                self._thread = threading.Thread(target=self._run, args=(loop,), daemon=True, name="feed")
                self._running = True
                self._thread.start()
        self._bell.ring()

    def leave(self, page: Page) -> None:
        with self._lock:
            self._pages.pop(page.channel, None)
            self._fresh.pop(page.channel, None)
        self._bell.ring()

    def settled(self) -> None:
        """Wait until the thread has ended, which it does when the last page has left."""
        if self._thread:
            self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        reader = _Reader(self._bell, lambda said: self._deliver(said, loop))
        while there := self._take():
            pages, fresh = there
            try:
                reader.round(pages, fresh)
            except Exception as trouble:
                if isinstance(trouble, DatabaseTrouble):
                    log.warning("Page updates paused: the database does not respond")
                else:
                    log.exception("Page updates failed")
                reader.start_over()
                self._again(pages)
                time.sleep(POLL_INTERVAL)
        reader.start_over()

    def _take(self) -> tuple[list[Page], list[Page]] | None:
        """All pages, and those that need a snapshot. When there is none, this thread has ended."""
        with self._lock:
            fresh, self._fresh = list(self._fresh.values()), {}
            self._running = bool(self._pages)
            return (list(self._pages.values()), fresh) if self._pages else None

    def _again(self, pages: Iterable[Page]) -> None:
        """What these pages were to be told may be lost: each gets a snapshot."""
        with self._lock:
            self._fresh |= {page.channel: page for page in pages if page.channel in self._pages}
            waiting = bool(self._fresh)
        if waiting:
            self._bell.ring()

    def _deliver(self, said: Said, loop: asyncio.AbstractEventLoop) -> None:
        """To the channel of each page. Only when all is delivered more is read."""
        if not said:
            return
        task = asyncio.run_coroutine_threadsafe(_send(said), loop)
        try:
            self._again(task.result(_PATIENCE))
        except TookTooLong:
            log.warning("Page updates delayed: the web server is overloaded")
            self._again(page for page, _ in said)


async def _send(said: Said) -> list[Page]:
    """The pages that took nothing in, for what they were told before still waits there."""
    layer, full = get_channel_layer(), []
    for page, text in said:
        try:
            await layer.send(page.channel, {"type": "tell", "text": text})
        except ChannelFull:
            full.append(page)
    return full


class _Reader:
    """The work of the thread, round by round."""

    def __init__(self, bell: _Bell, deliver: Callable[[Said], None]) -> None:
        self._bell, self._deliver = bell, deliver
        self._wakeups, self._changes, self._teller = ChangeListener(), Changes(), Teller()
        self._renewed = time.monotonic()
        self._looked = self._missed = 0.0
        self._untold: list[Page] = []

    def round(self, pages: Sequence[Page], fresh: Sequence[Page]) -> None:
        """Snapshots for fresh pages, then changes, then leases; it waits until one of these has to be done."""
        listening = self._wakeups.descriptor()  # first: what changes after a snapshot has to be heard
        self._teller.forget_all_but(pages)
        self._deliver(self._teller.greetings(fresh))
        heard = self._hear(listening)
        self._deliver(self._teller.changes(self._changes.of(pages, heard), pages))
        if time.monotonic() - self._missed > POLL_INTERVAL_WITH_LISTEN:
            self._missed = time.monotonic()
            self._deliver(self._teller.deletions(pages))
        self._renew(pages)
        self._reassure()

    def _hear(self, listening: int | None) -> set[str] | None:
        """The ids of jobs that changed; None when it is time to look oneself, which finds them all."""
        due = self._looked + (POLL_INTERVAL if listening is None else POLL_INTERVAL_WITH_LISTEN)
        seconds = min(due, self._renewed + _interval()) - time.monotonic()
        rung = self._bell.wait(listening, max(0.0, min(seconds, _BREATH) if self._untold else seconds))
        if rung and listening is not None:
            time.sleep(REST)
        heard = self._wakeups.jobs()
        if time.monotonic() < due:
            return heard
        self._looked = time.monotonic()
        return None

    def _renew(self, pages: Sequence[Page]) -> None:
        """One statement for all pages."""
        if time.monotonic() - self._renewed < _interval():
            return
        self._renewed = time.monotonic()
        presence.renew([page.page_id for page in pages if not page.hidden])
        self._untold = list(pages)

    def _reassure(self) -> None:
        """Each page is told that its lease is renewed: silence is how it knows that its socket is of no use."""
        count = max(_SOME, len(self._untold) // 20)
        some, self._untold = self._untold[:count], self._untold[count:]
        self._deliver([(page, ALIVE) for page in some])

    def start_over(self) -> None:
        """Connections may be broken."""
        self._wakeups.close()
        with suppress(DatabaseTrouble):
            connection.close()


def _interval() -> float:
    return min(_INTERVAL, float(settings.PAGE_LEASE) / _RENEWALS)


class _Bell:
    """Wakes a thread that waits for descriptors."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._in, b"!")

    def wait(self, other: int | None, seconds: float) -> bool:
        """Until it rings, `other` can be read, or that time is over. Whether something came."""
        either = select.poll()  # descriptors beyond 1024 are beyond `select`
        for descriptor in (self._out, other):
            if descriptor is not None:
                either.register(descriptor, select.POLLIN)
        ready = dict(either.poll(1000 * seconds))
        if self._out in ready:
            with suppress(BlockingIOError):
                os.read(self._out, 4096)
        return bool(ready)


feed = Feed()
