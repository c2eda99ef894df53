"""Browsers and networks that die, sleep, hide and come back: who seems to be absent, and who is."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from jobs import lifecycle, presence
from jobs.models import PageLease
from jobs.web.live import consumer
from tests.browser.network import Network
from tests.browser.people import (
    GRACE,
    HIDDEN,
    LEASE,
    ORDINARY,
    Person,
    Site,
    close,
    connected,
    goes_on,
    hide,
    is_cancelled,
    live,
    outlives_the_grace,
    page_id,
    told,
    warned,
    web_server,
    window,
)
from tests.jobs import stack as real
from tests.jobs.stack import kill
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.soak


CUT = 56.0
"""Seconds without a network."""


def time_passes(person: Person, seconds: float) -> None:
    """Age the leases of this person's pages, as if they had not been renewed for so long."""
    for lease in PageLease.objects.filter(owner=person.user):
        PageLease.objects.filter(pk=lease.pk).update(expires=lease.expires - timedelta(seconds=seconds))


def rest(page: Page) -> float:
    """Seconds until its lease is over."""
    return (lease_of(page).expires - timezone.now()).total_seconds()


def lease_of(page: Page) -> PageLease:
    return PageLease.objects.get(pk=page_id(page))


@pytest.fixture
def doomed(browser: Browser) -> Iterator[tuple[Browser, list[int]]]:
    """A browser that may be killed, for it is not the one that all tests share; and its processes."""
    before = set(chromiums())
    found: Browser = browser.browser_type.launch(**ORDINARY)
    yield found, sorted(set(chromiums()) - before)
    found.close()


def chromiums() -> list[int]:
    return [pid for pid in real.pids() if "chrom" in real.command(pid).split(" ")[0]]


@pytest.mark.soak
def test_the_browser_is_killed(shirin: Person, doomed: tuple[Browser, list[int]]) -> None:
    """The job runs until the lease has expired."""
    found, processes = doomed
    person = Person(shirin.user, shirin.site, window(found))
    job, page = person.watching()
    known = page_id(page)
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    outlives_the_grace(job)
    assert not PageLease.objects.get(pk=known).closed
    time_passes(shirin, LEASE)
    is_cancelled(job)


@pytest.mark.soak
def test_the_network_is_cut_and_comes_back(far: Person, network: Network) -> None:
    """For longer than a socket needs to notice, 50 s; less than the lease. The page asks for another socket."""
    job, page = far.watching()
    network.cut.set()
    goes_on(job, CUT)
    network.cut.clear()
    told(page, job)
    assert not lease_of(page).closed
    goes_on(job, 1)


@pytest.mark.soak
def test_the_network_is_cut_for_good(far: Person, network: Network) -> None:
    """The server notices the dead socket after 50 s and renews the lease until then."""
    job, page = far.watching()
    known = page_id(page)
    network.cut.set()
    until(
        lambda: PageLease.objects.get(pk=known).expires < timezone.now() + timedelta(seconds=LEASE - 25),
        2 * PATIENCE,
        every=0.5,
    )
    time_passes(far, LEASE)
    is_cancelled(job)


@pytest.mark.soak
def test_a_reload_that_is_answered_late(far: Person, network: Network) -> None:
    """The old page stays until the answer is there; its end comes long after the beginning of the new one."""
    job, page = far.watching()
    network.slow = 12.0
    old = page_id(page)
    page.reload(timeout=60_000)
    network.slow = 0.0
    assert PageLease.objects.get(pk=old).closed
    live(page, "state.connected")
    outlives_the_grace(job)


@pytest.mark.soak
def test_a_page_that_is_frozen(shirin: Person) -> None:
    job, page = shirin.watching()
    session = shirin.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    goes_on(job, 12)
    outlives_the_grace(job)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    connected(page)
    goes_on(job, 1)


@pytest.mark.soak
def test_a_frozen_page_of_a_job_that_is_kept(far: Person, network: Network) -> None:
    """The lease is aged by ten minutes. There is no dialog at the end."""
    job, page = far.watching()
    page.check("[name=keep_running]")
    live(page, "state.job?.keep_running && !state.unfinished.length")
    session = far.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    network.cut.set()
    time_passes(far, 600)
    outlives_the_grace(job)
    network.cut.clear()
    session.send("Page.setWebLifecycleState", {"state": "active"})
    told(page, job)
    page.mouse.click(2, 2)
    close(page)
    assert far.asked == []
    outlives_the_grace(job)


@pytest.mark.soak
def test_the_web_server_is_away_for_long(shirin: Person, site: Site) -> None:
    """The server is killed for two minutes: no owner is judged meanwhile, and pages get time to reconnect."""
    job, page = shirin.watching()
    kill(site.web().pid)
    web_server(site, "stop")
    live(page, "!state.connected")
    time.sleep(presence.MAX_WEB_SILENCE.total_seconds() + 1)  # owners are judged only after that
    time_passes(shirin, LEASE + 60)
    goes_on(job, 5)
    web_server(site, "start")
    told(page, job)
    assert not lease_of(page).closed
    outlives_the_grace(job)


@pytest.mark.soak
def test_a_hidden_tab_is_not_closed(shirin: Person) -> None:
    """Its socket stays open for minutes, so the lease is renewed as for a visible page."""
    job, page = shirin.watching()
    hide(page, hidden=True)
    goes_on(job, 10)
    assert rest(page) > LEASE / 2


@pytest.mark.soak
def test_a_hidden_page_on_a_phone(shirin: Person, browser: Browser) -> None:
    """It says so, for it may be frozen at any moment; and that it is back. After its end it says nothing."""
    shirin.context.close()
    shirin.context = window(browser, has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    shirin.__post_init__()
    page = shirin.open()
    PageLease.objects.filter(pk=page_id(page)).update(expires=timezone.now())
    hide(page, hidden=True)
    until(lambda: 0 < rest(page) <= HIDDEN)
    hide(page, hidden=False)
    until(lambda: rest(page) > LEASE / 2)
    known = page_id(page)
    page.evaluate("""() => {
        window.dispatchEvent(new PageTransitionEvent("pagehide"));
        Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    until(lambda: PageLease.objects.get(pk=known).closed)
    assert rest(page) <= GRACE


NO_SOCKETS = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 }), 10); }
  close() {}
  send() {}
};"""


@pytest.mark.soak
def test_where_sockets_do_not_work(shirin: Person) -> None:
    """The page asks, shows what happens, warns, and keeps its owner present."""
    listing = shirin.open()
    job = shirin.upload()
    shirin.context.add_init_script(NO_SOCKETS)
    page = shirin.context.new_page()
    page.goto(f"{shirin.address}/jobs/{job.pk}/")
    warned(page)
    live(page, "state.job?.percent >= 0 && !state.connected")
    close(listing)
    lifecycle.set_pinned(job.pk, True)
    live(page, "state.job?.pinned")
    outlives_the_grace(job)
    PageLease.objects.filter(pk=page_id(page)).update(expires=timezone.now() + timedelta(seconds=19))
    until(lambda: lease_of(page).expires > timezone.now() + timedelta(seconds=30), every=0.2)
    page.mouse.click(2, 2)
    close(page)  # the beacon alone tells of it
    is_cancelled(job)


def test_pages_and_servers_mean_the_same_codes() -> None:
    script = "".join((real.ROOT / "static" / "web" / name).read_text() for name in ("page-close.js", "live.js"))
    said = {name: int(value) for name, value in re.findall(r"^const (CLOSED|WITHIN|REFUSED) = (\d+)", script, re.M)}
    assert said == {"CLOSED": consumer.CLOSED, "WITHIN": consumer.WITHIN, "REFUSED": consumer.REFUSED}
