"""Browsers and networks that die, sleep, hide and come back: who seems to be absent, and who is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from jobs.models import Job, PageLease
from tests.browser.people import (
    GRACE,
    HIDDEN,
    LEASE,
    ORDINARY,
    Network,
    Person,
    Site,
    close,
    connected,
    goes_on,
    is_cancelled,
    live,
    page_id,
    warned,
)
from tests.jobs import stack as real
from tests.jobs.stack import Stack, until
from tests.postgres import free_port

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]


@pytest.fixture
def network(site: Site) -> Iterator[Network]:
    found = Network(site.stack.port)
    yield found
    found.end()


@pytest.fixture
def far(shirin: Person, network: Network) -> Person:
    """Shirin, behind a network that can be cut."""
    shirin.address = f"http://127.0.0.1:{network.port}"
    return shirin


def time_passes(person: Person, seconds: float) -> None:
    """For the leases of this person's pages: as if nobody had renewed them for so long."""
    for lease in PageLease.objects.filter(owner=person.user):
        PageLease.objects.filter(pk=lease.pk).update(expires=lease.expires - timedelta(seconds=seconds))


def lease_of(page: Page) -> PageLease:
    return PageLease.objects.get(pk=page_id(page))


def keep(job: Job) -> None:
    """So slow a machine makes the job last; what it does does not matter here."""


@pytest.mark.soak
def test_the_browser_is_killed(site: Site, shirin: Person) -> None:
    """That is silence: the job goes on until the lease is over."""
    person = Person(shirin.user, site, shirin.context)
    with sync_playwright_of_its_own() as found:
        person.context = found.new_context()
        person.__post_init__()
        job, page = person.watching()
        known = page_id(page)
        kill_browser()
    assert not PageLease.objects.get(pk=known).closed
    goes_on(job, GRACE + 2)
    time_passes(shirin, LEASE)
    is_cancelled(job, 5)


class sync_playwright_of_its_own:
    """A browser that is killed: not the one that all tests share."""

    def __enter__(self) -> Browser:
        before = set(chromiums())
        self._browser = running[0].launch(**ORDINARY)
        pids[:] = sorted(set(chromiums()) - before)
        return self._browser

    def __exit__(self, *_: Any) -> None:
        self._browser.close()


running: list[Any] = []
pids: list[int] = []


@pytest.fixture(autouse=True)
def _running(browser: Browser) -> None:
    running[:] = [browser.browser_type]


def chromiums() -> list[int]:
    return [pid for pid in real.pids() if "chromium" in real.command(pid).split(" ")[0]]


def kill_browser() -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_the_network_is_cut_and_comes_back(far: Person, network: Network) -> None:
    """For longer than a socket needs to notice. The page asks for another one, and shows what it missed."""
    job, page = far.watching()
    network.cut.set()
    goes_on(job, 4)
    before = Job.objects.get(pk=job.pk).version
    network.cut.clear()
    live(page, f"state.job?.version > {before - 1} && state.connected", 60)
    assert not lease_of(page).closed
    goes_on(job, 1)


@pytest.mark.soak
def test_the_network_is_cut_for_good(far: Person, network: Network) -> None:
    """The server notices the dead socket after 50 s; the lease has begun anew shortly before that."""
    job, page = far.watching()
    kept = Job.objects.filter(pk=job.pk)
    network.cut.set()
    known = page_id(page)
    until(lambda: PageLease.objects.get(pk=known).expires < timezone.now() + timedelta(seconds=LEASE - 12), 90, 0.5)
    if kept.get().status != "completed":
        time_passes(far, LEASE)
        is_cancelled(job, 5)


@pytest.mark.soak
def test_a_reload_that_is_answered_late(far: Person, network: Network) -> None:
    """The old page stays until the answer is there; its end comes long after the beginning of the new one."""
    job, page = far.watching()
    network.slow = 12.0
    old = page_id(page)
    page.reload(timeout=60_000)
    network.slow = 0.0
    assert PageLease.objects.get(pk=old).closed
    connected(page)
    goes_on(job, GRACE + 1.5)


@pytest.mark.soak
def test_a_page_that_is_frozen(shirin: Person) -> None:
    job, page = shirin.watching()
    session = shirin.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    goes_on(job, GRACE + 10)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    connected(page)
    goes_on(job, 1)


@pytest.mark.soak
def test_a_hidden_tab_is_not_closed(shirin: Person) -> None:
    job, page = shirin.watching()
    hide(page, hidden=True)
    goes_on(job, GRACE + 8)
    assert (lease_of(page).expires - timezone.now()).total_seconds() > LEASE - 8


def hide(page: Page, *, hidden: bool) -> None:
    """As the browser does it, whose window cannot be hidden here."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_hidden_page_on_a_phone(shirin: Person, browser: Browser) -> None:
    """It says so, for it may be frozen at any moment; and that it is back. After its end it says nothing."""
    shirin.context.close()
    shirin.context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    shirin.__post_init__()
    page = shirin.open()
    rest = lambda: (lease_of(page).expires - timezone.now()).total_seconds()  # noqa: E731
    PageLease.objects.filter(pk=page_id(page)).update(expires=timezone.now())
    hide(page, hidden=True)
    until(lambda: HIDDEN - 4 < rest() <= HIDDEN, 5)
    hide(page, hidden=False)
    until(lambda: rest() > LEASE - 5, 5)
    known = page_id(page)
    page.evaluate("""() => {
        window.dispatchEvent(new PageTransitionEvent("pagehide"));
        Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    until(lambda: PageLease.objects.get(pk=known).closed, 5)
    assert rest() <= GRACE


NO_SOCKETS = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 }), 10); }
  close() {}
  send() {}
};"""


def test_where_sockets_do_not_work(shirin: Person) -> None:
    """The page asks, shows what happens, warns, and keeps its owner present."""
    listing = shirin.open()
    job = shirin.job()
    shirin.context.add_init_script(NO_SOCKETS)
    page = shirin.context.new_page()
    page.goto(f"{shirin.address}/jobs/{job.pk}/")
    warned(page)
    live(page, "state.job?.percent >= 0 && !state.connected")
    close(listing)
    before = page.evaluate("import('web/live').then(({ state }) => state.job.version)")
    live(page, f"state.job?.version > {before}", 30)
    goes_on(job, GRACE + 1.5)
    PageLease.objects.filter(pk=page_id(page)).update(expires=timezone.now() + timedelta(seconds=19))
    until(lambda: lease_of(page).expires > timezone.now() + timedelta(seconds=30), 25, 0.2)


# The strict mode of the original


@pytest.fixture
def strict(site: Site, shirin: Person, tmp_path: Path) -> Iterator[Person]:
    """At another web server of the same site, which gives no grace."""
    port = free_port()
    command = [str(real.BIN / "daphne"), "--verbosity", "0", "-b", "127.0.0.1", "-p", str(port)]
    environment = {**site.stack.environment, "TAB_CLOSE_GRACE": "0"}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "translator.asgi:application"], env=environment, stdout=log, stderr=log, cwd=real.ROOT
        )
    until(lambda: Stack.answer(Port(port), "/sign-in/") == 200, 30)  # type: ignore[arg-type]
    shirin.address = f"http://127.0.0.1:{port}"
    yield shirin
    server.kill()
    server.wait()


class Port:
    def __init__(self, port: int) -> None:
        self.port = port


def test_without_a_grace_a_refresh_ends_the_job(strict: Person) -> None:
    listing = strict.open()
    job = strict.job()
    page = strict.open(f"/jobs/{job.pk}/")
    warned(page)
    page.click("a[href='/jobs/']")  # within the site is no leaving
    page.wait_for_url("**/jobs/")
    warned(page)
    close(listing)
    page.mouse.click(2, 2)
    page.reload()
    assert strict.asked
    is_cancelled(job, 3)


def test_nothing_is_left_to_chance() -> None:
    """The codes of closing are the same in the page and in the server."""
    from jobs.web import consumers

    script = (real.ROOT / "static" / "web" / "leaving.js").read_text() + (
        real.ROOT / "static" / "web" / "live.js"
    ).read_text()
    said = {name: int(value) for name, value in re.findall(r"^const (CLOSED|WITHIN|REFUSED) = (\d+)", script, re.M)}
    assert said == {"CLOSED": consumers.CLOSED, "WITHIN": consumers.WITHIN, "REFUSED": consumers.REFUSED}
