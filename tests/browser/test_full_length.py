"""The waits of `test_absence` in full length, with the leases of a site that sets none of its own: fifteen minutes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from jobs.models import Job, JobStatus
from tests.browser.network import Network
from tests.browser.people import (
    Person,
    Site,
    close,
    ended_by_absence,
    goes_on,
    hide,
    late,
    live,
    served,
    status,
    told,
    web_server,
    window,
)
from tests.databases import Databases, on_database
from tests.jobs.stack import kill
from tests.pipeline.clips import Clips
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500)]

LEASE, GRACE = 180, 10


@pytest.fixture(scope="module")
def unhurried(
    clips: Clips, databases: Databases, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    with django_db_blocker.unblock(), served(databases, tmp_path_factory.mktemp("unhurried"), clips) as found:
        yield found


@pytest.fixture(autouse=True)
def media_root(unhurried: Site, settings: Any) -> Iterator[Path]:
    settings.MEDIA_ROOT = unhurried.stack.media
    assert (settings.PAGE_LEASE, settings.TAB_CLOSE_GRACE) == (LEASE, GRACE)
    with on_database(unhurried.stack.url):
        yield unhurried.stack.media


Meets = Callable[[str], tuple[Person, Network]]


@pytest.fixture
def meets(unhurried: Site, browser: Browser) -> Iterator[Meets]:
    """A new person with their own browser window and network."""
    with ExitStack() as context:

        def meet(name: str) -> tuple[Person, Network]:
            network = Network(unhurried.stack.port)
            context.callback(network.end)
            user = User.objects.create(username=f"{name}-{os.urandom(4).hex()}")
            person = Person(user, unhurried, window(browser), address=f"http://127.0.0.1:{network.port}")
            context.callback(person.go_away)
            return person, network

        yield meet


def frozen(person: Person, page: Page, *, on: bool) -> None:
    session = person.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen" if on else "active"})


def test_long_absences(meets: Meets, unhurried: Site) -> None:
    (briefly, her_network), (forever, his_network) = meets("shirin"), meets("farhad")
    (elsewhere, _), (asleep, slept_network) = meets("leila"), meets("majnun")

    tunnel, in_tunnel = briefly.watching()
    lost, _ = forever.watching()
    behind, hidden = elsewhere.watching()
    kept, sleeping = asleep.watching()
    sleeping.check("[name=keep_running]")
    live(sleeping, "state.job?.keep_running && !state.unfinished.length")

    frozen(asleep, sleeping, on=True)
    slept_network.cut.set()
    since = time.monotonic()
    hide(hidden, hidden=True)
    her_network.cut.set()
    his_network.cut.set()

    goes_on(tunnel, 100)
    assert status(lost) == JobStatus.UPLOADING, "a lost network cancels nobody before the lease is over"
    her_network.cut.clear()
    told(in_tunnel, tunnel)

    ended_by_absence(lost, LEASE + PATIENCE)
    assert time.monotonic() - since >= LEASE

    kill(unhurried.web().pid)
    web_server(unhurried, "stop")
    goes_on(tunnel, 120)
    web_server(unhurried, "start")
    told(in_tunnel, tunnel)
    told(hidden, behind)

    goes_on(behind, 600 - (time.monotonic() - since))
    slept_network.cut.clear()
    frozen(asleep, sleeping, on=False)
    told(sleeping, kept)
    sleeping.mouse.click(2, 2)
    close(sleeping)
    assert asleep.asked == []

    in_tunnel.mouse.click(2, 2)
    close(in_tunnel)
    assert late(ended_by_absence(tunnel), briefly.user) >= 0
    for job in (behind, kept):
        until(lambda job=job: Job.objects.filter(pk=job.pk, status=JobStatus.UPLOADING).exists())  # type: ignore[misc]
