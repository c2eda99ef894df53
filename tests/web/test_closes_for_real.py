"""A page says that it is closed while the database is away or locked: that is written later, and its jobs end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from jobs import presence
from jobs.models import Job, JobStatus, PageLease, Reason, Transition
from jobs.web.live.consumer import CLOSED
from tests.databases import mostly_on, process_environment
from tests.jobs import rows
from tests.postgres import Postgres
from tests.waiting import until
from tests.web.daphne import ROOT
from tests.web.server import TOKEN, Server, cookies
from tests.web.sockets import job
from tests.web.test_sockets_for_real import close, hear, opened

GRACE, LEASE = 2, 120
PATIENCE = 2
"""Daphne's, in seconds, with the application of a socket that has ended; usually it is 10."""
IMPATIENT = "took too long to shut down and was killed"
"""Words of the line that daphne logs when its patience has ended."""


@dataclass
class Site:
    """A web server and a reaper, without workers."""

    web: Server
    url: str
    reaper: subprocess.Popen[bytes]
    reaper_log: Path


@pytest.fixture
def site(database: str, media_root: Path) -> Iterator[Site]:
    more = {"TAB_CLOSE_GRACE": str(GRACE), "PAGE_LEASE": str(LEASE)}
    environment = process_environment(database, MEDIA_ROOT=str(media_root), **more)
    options = ("--application-close-timeout", str(PATIENCE))
    forgiven = people("forgiven")[0]
    with Server(database, media_root, more, options=options).running() as web, ExitStack() as stack:
        said = media_root / "reaper.log"
        log = stack.enter_context(said.open("wb"))
        reaper = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", sys.executable, "manage.py", "reap", "--loop"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            until(lambda: Job.objects.get(pk=forgiven.pk).grace_until > timezone.now() + timedelta(seconds=LEASE / 2))
            yield Site(web, database, reaper, said)  # it judges from now on
        finally:
            reaper.kill()
            reaper.wait()


@contextmanager
def away(site: Site, postgres: Callable[[], Postgres]) -> Iterator[None]:
    """Within, nothing can be written: PostgreSQL is stopped, until the reaper knows, too; SQLite is locked."""
    only_pages_count()
    if connection.vendor == "sqlite":
        holder = sqlite3.connect(site.url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
        holder.close()
        return
    connection.close()
    server = postgres()
    server.stop()
    try:
        yield
        until(lambda: "Sweep skipped" in site.reaper_log.read_text())
    finally:
        server.start()


@pytest.fixture
def gone(site: Site, request: pytest.FixtureRequest) -> Callable[[], object]:
    return lambda: away(site, lambda: request.getfixturevalue("postgres"))


def people(*names: str) -> list[Job]:
    """A job that waits, for each of these, with a grace of its own until `only_pages_count`."""
    return [job(rows.owner(name), grace_until=timezone.now() + timedelta(seconds=LEASE / 4)) for name in names]


def only_pages_count() -> None:
    Job.objects.update(grace_until=timezone.now())


def is_cancelled(of: Job) -> None:
    until(lambda: rows.status(of.pk) == JobStatus.CANCELLED, every=0.05, what=lambda: rows.status(of.pk))
    assert Transition.objects.get(job=of, to_status=JobStatus.CANCELLING).reason == Reason.PAGES_CLOSED


@mostly_on("sqlite")
def test_sockets_that_are_closed_meanwhile(site: Site, gone: Callable[[], ExitStack]) -> None:
    jobs, stays = people(*(f"person-{number}" for number in range(6))), people("stays")[0]
    with ExitStack() as stack:
        links = [stack.enter_context(opened(site.web, of)) for of in [*jobs, stays]]
        for link in links:
            hear(link)
        with gone():
            for link in links[:-1]:
                close(link, CLOSED)
            if connection.vendor == "sqlite":
                until(lambda: site.web.log.read_text().count(IMPATIENT) == len(jobs), what=site.web.log.read_text)
        for of in jobs:
            is_cancelled(of)
        assert rows.status(stays.pk) == JobStatus.QUEUED


@mostly_on("postgresql")
def test_beacons_that_come_meanwhile(site: Site, gone: Callable[[], ExitStack]) -> None:
    """From a page without a socket. Their sender is unknown while the database does not respond."""
    left, other = people("shirin", "omid")
    pages = {of: presence.open_page(of.owner_id) for of in (left, other)}
    senders = {of: cookies(of.owner) for of in (left, other)}
    with gone():
        beacon(site.web, left, pages[left], senders[left])
        beacon(site.web, other, pages[other], senders[left])  # of another user's page
    is_cancelled(left)
    assert rows.status(other.pk) == JobStatus.QUEUED
    assert not PageLease.objects.get(pk=pages[other]).closed


def beacon(web: Server, of: Job, page: uuid.UUID, sender: dict[str, str]) -> None:
    jar = "; ".join(f"{name}={value}" for name, value in sender.items())
    body = f"reason=close&page_id={page}&csrfmiddlewaretoken={TOKEN}"
    kind = {"Content_Type": "application/x-www-form-urlencoded"}
    web.ask("POST", f"/api/cancel/{of.pk}", body, Cookie=jar, **kind)


@pytest.mark.soak
def test_a_close_before_the_reaper_stood_still(site: Site, shirin: User) -> None:
    """It slept as the machine does, for longer than it may."""
    left, silent = people("shirin", "omid")
    presence.open_page(silent.owner_id)
    page = presence.open_page(shirin.pk)
    only_pages_count()
    os.kill(site.reaper.pid, signal.SIGSTOP)
    presence.close(page)
    time.sleep(presence.MAX_GAP_SECONDS + 1)
    os.kill(site.reaper.pid, signal.SIGCONT)
    is_cancelled(left)
    assert rows.status(silent.pk) == JobStatus.QUEUED


@pytest.mark.soak
def test_a_close_before_the_web_server_died(site: Site, shirin: User) -> None:
    left, silent = people("shirin", "omid")
    presence.open_page(silent.owner_id)
    page = presence.open_page(shirin.pk)
    only_pages_count()
    presence.close(page)
    site.web.kill()
    time.sleep(5)
    site.web.start()
    is_cancelled(left)
    assert rows.status(silent.pk) == JobStatus.QUEUED
