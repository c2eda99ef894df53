"""Tests of uploads that are interrupted at the beginning, in the middle and near the end: they resume."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from jobs.models import Job, JobStatus
from jobs.storage import artifacts
from tests.browser.network import Network
from tests.browser.people import Person, Site, connected, live
from tests.jobs.stack import completed, kill
from tests.waiting import until

pytestmark = pytest.mark.soak

SIZE = 24_000_000
"""Bytes: two whole pieces and a part of a third."""


@pytest.fixture(scope="module")
def film(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of that size, most of which is padding."""
    video = site.clips["long.mp4"].read_bytes()
    padding = (SIZE - len(video)).to_bytes(4, "big") + b"free"
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes((video + padding).ljust(SIZE, b"\x5a"))
    return path


def begin(person: Person, film: Path) -> Page:
    """Choose the file and subtitles for it, and press the button. Back when its bytes begin to flow."""
    page = person.open("/")
    page.set_input_files("[data-file]", film)
    page.evaluate("document.querySelector('details.more').open = true")
    page.select_option("[name=to]", "fa")
    page.select_option("[name=mode]", "none")
    page.set_input_files("[name=subtitles]", person.site.persian)
    page.select_option("[name=subtitles_are]", "use")
    page.click("[data-submit]")
    expect(page.locator("[data-sending-page]")).to_be_visible()
    return page


def arrived(page: Page, film: Path) -> None:
    """Assert that the file arrived byte for byte and that the job completes on its own page."""
    page.wait_for_selector("main[data-job]")
    job = Job.objects.get(pk=page.url.split("/")[-2])
    until(lambda: Job.objects.get(pk=job.pk).status != JobStatus.UPLOADING)
    source = artifacts.path_of(job.pk, "source")
    assert source
    assert source.read_bytes() == film.read_bytes()
    completed(job)
    live(page, "state.job?.status === 'completed'")


def choose_again(page: Page, film: Path) -> None:
    """The page asks for the same file, and takes no other."""
    connected(page)
    page.set_input_files("[data-upload] [data-file]", __file__)
    expect(page.locator("[data-wrong-file]")).to_be_visible()
    page.set_input_files("[data-upload] [data-file]", film)


@pytest.mark.parametrize("share", [0, 0.37, 0.99])
@pytest.mark.parametrize("how", ["refresh", "network", "restart"])
def test_cut(far: Person, network: Network, film: Path, how: str, share: float) -> None:
    network.budget = share * SIZE
    page = begin(far, film)
    assert network.held.wait(30)
    match how:
        case "refresh":
            page.reload()
            network.budget = float("inf")
            choose_again(page, film)
        case "network":
            network.refuses = True
            expect(page.locator("[data-sending-page] [data-network]")).to_be_visible()
            network.budget, network.refuses = float("inf"), False
        case "restart":
            kill(far.site.web().pid)
            expect(page.locator("[data-sending-page] [data-network]")).to_be_visible()
            network.budget = float("inf")
    arrived(page, film)
    assert network.sent < SIZE + 2 * 9_000_000, "it went on, and did not begin again"


def test_two_at_once_when_the_server_is_restarted(far: Person, network: Network, film: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(film.read_bytes()[:-1] + b"!")
    network.budget = 0.9 * SIZE
    pages = {path: begin(far, path) for path in (film, other)}
    assert network.held.wait(30)
    kill(far.site.web().pid)
    network.budget = float("inf")
    for path, page in pages.items():
        arrived(page, path)
    assert Job.objects.filter(owner=far.user).count() == 2
