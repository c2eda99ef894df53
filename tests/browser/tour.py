"""A tour of every page of the site, in both languages and themes, wide and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page

from jobs import intake, lifecycle
from jobs.models import Job
from jobs.orders import Order
from jobs.pipeline.stages import Stage
from tests.browser.people import Site
from tests.jobs import stack as real

SAMPLE = real.ROOT / "static" / "sample"
WIDTHS = {"wide": (1280, 800), "phone": (360, 740)}
LOOKS = list(product(("fa", "en"), ("light", "dark")))


def furnish(site: Site, user: User) -> dict[str, str]:
    """Jobs of this person in several states; the addresses of all pages by name."""
    done = _sample(user, "sample.mp4", Order(target="fa", brought=True), SAMPLE / "sample.fa.srt")
    for job in (done, _sample(user, "talk.mp4", Order(target="en", brought=True), SAMPLE / "sample.en.srt")):
        real.until(lambda job=job: Job.objects.get(pk=job.pk).status == "completed", 90)  # type: ignore[misc]
    again = intake.accept_link(user, "https://example.org/geese", Order(target="es", spoken="en"), title="geese")
    lifecycle.cancel(again.pk, who=lifecycle.PRESENCE, why="left")
    waiting = intake.accept_upload(user, "lecture.mkv", 734_003_200, Order(target="es", spoken="en"), keep_running=True)
    long = intake.accept_file(
        user, site.clips["long.mp4"], Order(target="fa", brought=True), subtitles=site.persian, keep_running=True
    )
    real.at_work(long, Stage.RENDER)
    return {
        "new": "/",
        "result": f"/jobs/{done.pk}/",
        "progress": f"/jobs/{long.pk}/",
        "upload": f"/jobs/{waiting.pk}/",
        "cancelled": f"/jobs/{again.pk}/",
        "jobs": "/jobs/",
        "password": "/account/password/",
        "missing": "/nowhere/",
        "sign-in": "/sign-in/",
    }


def _sample(user: User, title: str, order: Order, subtitles: Path) -> Job:
    return intake.accept_file(user, SAMPLE / "sample.mp4", order, subtitles=subtitles, title=title, keep_running=True)


@contextmanager
def visitor(
    browser: Browser, site: Site, user: User | None, *, language: str, theme: str, width: str = "wide"
) -> Iterator[Page]:
    """A page of a browser that is set to this language and theme; signed in where there is a user."""
    across, down = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": across, "height": down},
        locale=language,
        color_scheme="dark" if theme == "dark" else "light",
        base_url=site.address,
        reduced_motion="reduce",
    )
    if user:
        client = Client()
        client.force_login(user)
        value = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": value, "domain": "127.0.0.1", "path": "/"}])
    yield context.new_page()
    context.close()
