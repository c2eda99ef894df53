"""Tests of closing, refreshing and leaving pages, in a real browser."""

from __future__ import annotations

import http.server
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from jobs import presence
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import JobStatus, PageLease
from tests.browser.network import Network
from tests.browser.people import (
    LOOKS,
    Person,
    Site,
    close,
    connected,
    ended_by_absence,
    goes_on,
    is_cancelled,
    late,
    live,
    outlives_the_grace,
    page_id,
    status,
    told,
    warned,
)
from tests.jobs import stack as real
from tests.jobs.stack import kill
from tests.postgres import free_port
from tests.waiting import until


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Discard log messages."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another site."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


# The four scenarios


def test_the_tab_is_closed(shirin: Person, site: Site) -> None:
    job, page = shirin.at_work()
    close(page)
    assert shirin.asked == ["beforeunload"]
    goes_on(job, LOOKS)  # a page may follow, as after a reload
    assert late(is_cancelled(job), shirin.user) >= 0
    assert set(site.stack.group_leaders()) <= set(site.stack.warm())


def test_a_refresh(shirin: Person) -> None:
    job, page = shirin.at_work()
    old = page_id(page)
    shirin.leaves = False
    with pytest.raises(Exception, match=r"ERR_ABORTED|Timeout"):
        page.reload(timeout=1000)
    assert page_id(page) == old
    shirin.leaves = True
    page.reload()
    connected(page)
    assert shirin.asked == ["beforeunload"] * 2
    assert PageLease.objects.get(pk=old).closed
    # The farewell of the old page may come late, too.
    token = page.evaluate("document.body.dataset.csrf")
    told = {"reason": "close", "page_id": old, "csrfmiddlewaretoken": token}
    assert page.request.post(f"{shirin.address}/api/cancel/{job.pk}", form=told).status == 200
    outlives_the_grace(job)
    expect(page.locator("main")).to_have_attribute("data-job", str(job.pk))


def test_to_another_site(shirin: Person, elsewhere: str) -> None:
    job, page = shirin.watching()
    page.goto(elsewhere)
    assert shirin.asked == ["beforeunload"]
    is_cancelled(job)


def test_a_finished_job(shirin: Person, site: Site) -> None:
    page = shirin.open()
    job = submit.accept_file(
        shirin.user, site.clips["long.mp4"], JobOptions(target="fa", brought=True, mode="none"), subtitles=site.persian
    )
    page.goto(f"{shirin.address}/jobs/{job.pk}/")
    real.completed(job)
    live(page, "state.job?.status === 'completed' && !state.unfinished.length")
    page.mouse.click(2, 2)
    shirin.asked.clear()
    close(page)
    assert shirin.asked == []
    outlives_the_grace(job)
    assert status(job) == JobStatus.COMPLETED
    assert real.files_of(job) != []


# The first of them in the strict mode of the original


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
    until(lambda: listens(port))
    shirin.address = f"http://127.0.0.1:{port}"
    yield shirin
    server.kill()
    server.wait()


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


@pytest.mark.soak
def test_without_a_grace_a_refresh_ends_the_job(strict: Person) -> None:
    listing = strict.open()
    job = strict.upload()
    page = strict.open(f"/jobs/{job.pk}/")
    warned(page)
    left, listed = page_id(page), page_id(listing)
    page.click("a[href='/jobs/']")  # navigation within the site does not count as leaving
    page.wait_for_url("**/jobs/")
    connected(page)
    until(lambda: PageLease.objects.get(pk=left).closed)
    # Later this page alone keeps the job running: it is no longer young, and the one that was left no longer counts.
    earlier = timezone.now() - 2 * presence.HANDOVER
    PageLease.objects.filter(owner=strict.user).update(opened=earlier)
    PageLease.objects.filter(owner=strict.user, closed=True).update(expires=earlier)
    close(listing)
    until(lambda: PageLease.objects.get(pk=listed).closed)
    goes_on(job, 1)
    strict.asked.clear()
    page.mouse.click(2, 2)
    page.reload()
    assert strict.asked == ["beforeunload"]
    ended_by_absence(job)  # while the page after the refresh is open


# Pages of the site


@pytest.mark.soak
def test_within_the_site(shirin: Person) -> None:
    """Go to the list and back by links and the back button; a page from the cache is a new one."""
    job, page = shirin.watching()
    first = page_id(page)
    page.click("a[href='/jobs/']")
    page.wait_for_url("**/jobs/")
    connected(page)
    warned(page)
    page.click(f"[data-row='{job.pk}'] a[href*='{job.pk}'] >> nth=1")
    page.wait_for_url(f"**/jobs/{job.pk}/")
    connected(page)
    assert shirin.asked == []
    outlives_the_grace(job)
    page.go_back()
    page.wait_for_url("**/jobs/")
    connected(page)
    page.go_back()
    page.wait_for_url(f"**/jobs/{job.pk}/")
    connected(page)
    assert page_id(page) != first
    outlives_the_grace(job)
    close(page)
    is_cancelled(job)


@pytest.mark.soak
def test_back_from_another_site(far: Person, network: Network, elsewhere: str) -> None:
    """Out of the back/forward cache comes the page as it was, with a new id. Our pages ask not to be stored: Chromium
    heeds that for this cache, other browsers do not.
    """
    network.changes = {b"no-store": b"no-cache"}
    job, page = far.watching()
    first = page_id(page)
    page.evaluate("window.kept = true")
    page.goto(elsewhere)
    until(lambda: PageLease.objects.get(pk=first).closed)
    page.go_back(wait_until="commit")
    live(page, "state.connected")
    assert page.evaluate("window.kept"), "it was in the cache"
    assert page_id(page) != first
    outlives_the_grace(job)
    page.mouse.click(2, 2)
    close(page)
    is_cancelled(job)


@pytest.mark.soak
def test_two_tabs(shirin: Person) -> None:
    job, page = shirin.watching()
    other = shirin.open()
    warned(other)
    first = page_id(page)
    close(page)
    until(lambda: PageLease.objects.get(pk=first).closed)
    outlives_the_grace(job)
    close(other)
    is_cancelled(job)


@pytest.mark.soak
def test_the_web_server_dies(shirin: Person, site: Site) -> None:
    """Owners stay present; the page reconnects to the next server and shows changes."""
    job, page = shirin.watching()
    kill(site.web().pid)
    live(page, "!state.connected")
    told(page, job)
    outlives_the_grace(job)
