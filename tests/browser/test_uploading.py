"""Tests of uploads that are interrupted, and of files that change meanwhile: they resume or start again."""

from __future__ import annotations

import os
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
    expect(page.locator("[data-other-file]")).to_be_visible()
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


# Files that change


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    """A copy of the film that a test may change."""
    path = tmp_path / "IMG_0001.mp4"
    path.write_bytes(film.read_bytes())
    return path


def another_version(clip: Path, directory: str) -> Path:
    """A file of the same name with other bytes and another size, as a phone makes it from the same video."""
    path = clip.parent / directory / clip.name
    path.parent.mkdir()
    path.write_bytes(clip.read_bytes()[:-1000].replace(b"\x5a" * 8, b"\xa5" * 8))
    return path


def half_sent(far: Person, network: Network, clip: Path) -> Page:
    """The page of an upload of which the first piece has arrived; the second is held."""
    network.budget = 0.6 * SIZE
    page = begin(far, clip)
    assert network.held.wait(30)
    return page


def choose(page: Page, path: Path) -> None:
    page.locator("[data-choose] [data-file]").set_input_files(path)


def start_again(page: Page) -> None:
    before = page.url
    page.click("[data-start-again]")
    page.wait_for_url(lambda url: url != before)


def started_again(far: Person, old: Job) -> Job:
    """The job that has taken the place of `old`, with all its options; of the old one no file is left."""
    new = until(lambda: Job.objects.filter(owner=far.user).exclude(pk=old.pk).first())
    assert (new.options, new.target, new.keep_running) == (old.options, old.target, old.keep_running)
    assert new.cues.exists()
    until(lambda: Job.objects.get(pk=old.pk).status == JobStatus.CANCELLED)
    assert not artifacts.job_dir(old.pk).exists()
    return new


def test_another_version_after_a_reload(far: Person, network: Network, clip: Path) -> None:
    page = half_sent(far, network, clip)
    old = Job.objects.get(owner=far.user)
    page.reload()
    connected(page)
    network.budget = float("inf")
    other = another_version(clip, "anew")
    choose(page, other)
    expect(page.locator("[data-other-name]")).to_have_text(clip.name)
    start_again(page)
    arrived(page, other)
    new = started_again(far, old)
    assert page.url.endswith(f"/jobs/{new.pk}/")


def test_it_is_said_that_a_file_changed_and_the_same_bytes_go_on(far: Person, network: Network, clip: Path) -> None:
    page = half_sent(far, network, clip)
    with clip.open("ab") as file:
        file.write(b"x")
    expect(page.locator("[data-unreadable]")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-network]")).to_be_hidden()
    network.budget = float("inf")
    os.truncate(clip, SIZE)
    choose(page, clip)
    expect(page.locator("[data-unreadable]")).to_be_hidden()
    arrived(page, clip)
    assert network.sent < SIZE + 2 * 9_000_000, "it went on, and did not begin again"


def test_a_changed_file_starts_again(far: Person, network: Network, clip: Path) -> None:
    """The same size and both ends are the same; the bytes that were sent are not."""
    page = half_sent(far, network, clip)
    old = Job.objects.get(owner=far.user)
    with clip.open("r+b") as file:
        file.seek(4_000_000)
        file.write(b"changed")
    expect(page.locator("[data-unreadable]")).to_be_visible(timeout=60_000)
    network.budget = float("inf")
    choose(page, clip)
    expect(page.locator("[data-other-file]")).to_be_visible()
    start_again(page)
    arrived(page, clip)
    started_again(far, old)


def test_a_drive_that_comes_back(far: Person, network: Network, clip: Path) -> None:
    page = half_sent(far, network, clip)
    away = clip.with_name("away.mp4")
    clip.rename(away)
    expect(page.locator("[data-unreadable]")).to_be_visible(timeout=60_000)
    network.budget = float("inf")
    away.rename(clip)
    arrived(page, clip)


def test_a_renamed_file_goes_on(far: Person, network: Network, clip: Path) -> None:
    page = half_sent(far, network, clip)
    renamed = clip.rename(clip.with_name("holiday.mp4"))
    expect(page.locator("[data-unreadable]")).to_be_visible(timeout=60_000)
    network.budget = float("inf")
    choose(page, renamed)
    arrived(page, renamed)


def test_what_cannot_be_sent_is_said_and_leaves_the_upload_as_it_was(far: Person, network: Network, clip: Path) -> None:
    page = half_sent(far, network, clip)
    job = Job.objects.get(owner=far.user)
    page.reload()
    connected(page)
    network.budget = float("inf")
    empty = clip.with_name("empty.mp4")
    empty.touch()
    choose(page, empty)
    page.click("[data-start-again]")
    expect(page.locator("[data-choice-problem]")).to_have_text("Choose a video or audio file that is not empty.")
    assert Job.objects.get(owner=far.user).status == JobStatus.UPLOADING
    choose(page, clip)
    arrived(page, clip)
    assert Job.objects.get(owner=far.user).pk == job.pk


def test_the_page_belongs_to_the_job_that_started_again(far: Person, network: Network, clip: Path) -> None:
    """Its progress, its box and its button."""
    page = half_sent(far, network, clip)
    old = Job.objects.get(owner=far.user)
    page.reload()
    connected(page)
    network.sent = 0
    choose(page, another_version(clip, "anew"))
    start_again(page)
    new = started_again(far, old)
    live(page, f"state.job?.id === '{new.pk}'")
    page.check("[data-checked=keep_running]")
    until(lambda: Job.objects.get(pk=new.pk).keep_running)
    page.click("[data-cancel] button")
    expect(page.locator("main")).to_contain_text("by you")
    until(lambda: Job.objects.get(pk=new.pk).status == JobStatus.CANCELLED)


def test_a_file_that_is_gone_makes_no_job(far: Person, clip: Path) -> None:
    page = far.open("/")
    page.set_input_files("[data-file]", clip)
    page.select_option("[name=to]", "es")
    page.select_option("[name=spoken]", "en")
    clip.unlink()
    page.click("[data-submit]")
    expect(page.locator("[data-problem]")).to_contain_text("This file cannot be read.")
    assert not Job.objects.filter(owner=far.user).exists()
    expect(page.locator("[data-submit]")).to_be_enabled()
