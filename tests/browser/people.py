"""People at their browsers, and what they see and do."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import FINAL, UNFINISHED, Job, JobStatus, PageLease, Process, Transition
from jobs.pipeline.stage import Stage
from jobs.storage import deletion
from tests.databases import Databases, on_database
from tests.jobs import stack as real
from tests.jobs.stack import Stack, story
from tests.pipeline.clips import Clips
from tests.waiting import PATIENCE, until

LEASE, GRACE, HIDDEN = 120, 60, 40
"""Seconds, long enough for any machine; tests do not wait for their end, see `grace_passes`."""

LOOKS = 2.0
"""Seconds in which an absent owner's job would end: eight looks."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ORDINARY: dict[str, Any] = {
    "executable_path": CHROMIUM,
    "args": ["--no-sandbox"],
    "ignore_default_args": ["--disable-back-forward-cache"],  # people have it
}


@dataclass
class Site:
    stack: Stack
    clips: Clips
    persian: Path
    english: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.stack.port}"

    def web(self) -> Process:
        """The web server that runs now."""
        return until(lambda: next(iter(real.fresh_workers(Process.WEB)), None))


def web_server(site: Site, what: str) -> None:
    """“stop” or “start” it for good."""
    command = [str(real.BIN / "supervisorctl"), "-c", "deploy/supervisord.conf", what, "zirnevis:web"]
    subprocess.run(command, cwd=real.ROOT, env=site.stack.environment, check=True, capture_output=True)


@contextmanager
def served(databases: Databases, directory: Path, clips: Clips, **settings: str) -> Iterator[Site]:
    """A whole site in `directory`, with these settings; this process works on its database."""
    with ExitStack() as context:
        patch = context.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop
        url = context.enter_context(databases.fresh("sqlite", directory))
        context.enter_context(on_database(url))
        stack = Stack(url, directory, {**settings, "STATIC_ROOT": str(directory / "static")})
        collect = [str(real.BIN / "python"), "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, cwd=real.ROOT, env=stack.environment, check=True)
        context.enter_context(stack.running())
        yield Site(stack, clips, *real.subtitles(directory))


expect.set_options(timeout=1000 * PATIENCE)


def window(browser: Browser, **options: Any) -> BrowserContext:
    """A window of its own, which waits as long for what is asked as a slow machine needs."""
    found = browser.new_context(**options)
    found.set_default_timeout(1000 * PATIENCE)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: make .venv/system-test")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(**ORDINARY)
        yield found
        found.close()


@dataclass
class Person:
    """`asked` are the questions of the browser; `leaves` is the answer to each."""

    user: User
    site: Site
    context: BrowserContext
    leaves: bool = True
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def __post_init__(self) -> None:
        self.address = self.address or self.site.address
        client = Client()
        client.force_login(self.user)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "127.0.0.1", "path": "/"}
        self.context.add_cookies([cookie])  # type: ignore[list-item]

    def open(self, path: str = "/jobs/") -> Page:
        """Open a tab and click in it: browsers ask before closing only after that."""
        page = self.context.new_page()
        page.on("dialog", self._answer)
        page.goto(self.address + path)
        page.mouse.click(2, 2)
        connected(page)
        return page

    def _answer(self, dialog: Dialog) -> None:
        self.asked.append(dialog.type)
        if self.leaves:
            dialog.accept()
        else:
            dialog.dismiss()

    def job(self, **fields: Any) -> Job:
        """Persian subtitles to be burned into a long video: it would run for a while."""
        order = JobOptions(target="fa", brought=True)
        path = self.site.clips["long.mp4"]
        return submit.accept_file(self.user, path, order, subtitles=self.site.persian, **fields)

    def upload(self) -> Job:
        """A job that waits for its file and so does not end."""
        order = JobOptions(target="fa", brought=True)
        return submit.accept_upload(self.user, "talk.mp4", 1_000_000, order, subtitles=self.site.persian)

    def at_work(self) -> tuple[Job, Page]:
        """On the page of a new job that is being burned."""
        job, page = self.watching(self.job)
        real.at_work(job, Stage.RENDER)
        return job, page

    def watching(self, new: Callable[[], Job] | None = None) -> tuple[Job, Page]:
        """On the page of a new job, with no other page open."""
        listing = self.open()
        job = (new or self.upload)()
        page = self.open(f"/jobs/{job.pk}/")
        warned(page)
        close(listing)
        self.asked.clear()
        return job, page

    def go_away(self) -> None:
        for job in Job.objects.filter(owner=self.user).exclude(status__in=FINAL):
            lifecycle.cancel(job.pk, actor="test")
            until(lambda job=job: deletion.finish(job.pk) or status(job) in FINAL)  # type: ignore[misc]
        self.context.close()


# Assertions


def connected(page: Page) -> None:
    live(page, "state.connected")


def live(page: Page, expression: str, patience: float = PATIENCE) -> None:
    """Wait until this holds of the module `live.js`."""
    asked = f"import('/static/web/live.js').then(({{ state }}) => Boolean({expression}))"
    deadline = time.monotonic() + patience
    while not page.evaluate(asked):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)  # and what the browser says meanwhile is heard


def warned(page: Page) -> None:
    live(page, "state.unfinished.length > 0")


def close(page: Page) -> None:
    """Close the page like a person, confirming a dialog if there is one; return when it is closed."""
    with page.expect_event("close"):
        page.close(run_before_unload=True)


def hide(page: Page, *, hidden: bool) -> None:
    """Emulate a hidden window, which this browser cannot have."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def told(page: Page, job: Job) -> None:
    """Assert that the page shows a change of the job."""
    lifecycle.set_pinned(job.pk, not Job.objects.get(pk=job.pk).pinned)
    live(page, f"state.connected && state.job?.version >= {Job.objects.get(pk=job.pk).version}")


def page_id(page: Page) -> str:
    return str(page.evaluate("document.body.dataset.pageId"))


def status(job: Job) -> str:
    return Job.objects.get(pk=job.pk).status


def goes_on(job: Job, seconds: float) -> None:
    """For so long nothing ends the job but its own end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert status(job) in {*UNFINISHED, JobStatus.COMPLETED}, story(job)
        time.sleep(0.1)


def grace_passes(owner: User) -> None:
    """End the grace period of the closed pages."""
    now = timezone.now()
    PageLease.objects.filter(owner=owner, closed=True, expires__gt=now).update(expires=now)
    Job.objects.filter(owner=owner, grace_until__gt=now).update(grace_until=now)


def outlives_the_grace(job: Job) -> None:
    """Assert that the job continues after the grace period."""
    grace_passes(job.owner)
    goes_on(job, LOOKS)


def has_left(owner: User) -> bool:
    """Whether no page of this person is open."""
    return not PageLease.objects.filter(owner=owner, closed=False, expires__gt=timezone.now()).exists()


def is_cancelled(job: Job) -> Transition:
    """Assert that the job is cancelled after the grace period, because its owner is absent."""
    until(lambda: has_left(job.owner), what="a page is open")

    def cancelled() -> bool:
        grace_passes(job.owner)
        return status(job) == JobStatus.CANCELLED

    until(cancelled, every=0.1, what=lambda: story(job))
    return ended_by_absence(job)


def ended_by_absence(job: Job, patience: float = PATIENCE) -> Transition:
    """And nothing of it is left."""
    until(lambda: status(job) == JobStatus.CANCELLED, patience, every=0.1, what=lambda: story(job))
    last = Transition.objects.get(job=job, to_status=JobStatus.CANCELLED)
    assert Transition.objects.get(job=job, to_status=JobStatus.CANCELLING).actor == lifecycle.PRESENCE
    assert real.files_of(job) == []
    return last


def late(ended: Transition, owner: User) -> float:
    """Seconds between the end of the owner's last lease and that of the job."""
    over = PageLease.objects.filter(owner=owner).latest("expires").expires
    return (ended.at - over).total_seconds()


def no_lease_longer_than(owner: User, seconds: float) -> bool:
    return not PageLease.objects.filter(owner=owner, expires__gt=timezone.now() + timedelta(seconds=seconds)).exists()
