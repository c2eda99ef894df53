"""Tests of pages whose server refuses a request, fails or is unreachable: they show it and recover."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Job, JobStatus, PageLease
from tests.browser.people import (
    Person,
    close,
    connected,
    goes_on,
    is_cancelled,
    live,
    page_id,
    status,
    told,
    warned,
)
from tests.waiting import until

pytestmark = pytest.mark.soak

NO_SOCKETS = """
window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
  close() {}
};
"""


def refusing(times: float, status: int = 503, sentence: str = "") -> Callable[[Route], None]:
    """It answers so often with this problem, then the server does."""
    left = [times]

    def handle(route: Route) -> None:
        left[0] -= 1
        if left[0] < 0:
            route.fallback()
        elif sentence:
            route.fulfill(status=status, content_type="application/problem+json", body=f'{{"detail": "{sentence}"}}')
        else:
            route.fulfill(status=status, content_type="text/html", body="<h1>Trouble</h1>")

    return handle


# Requests to the server


@pytest.mark.parametrize("sentence", ["", "Not now."])
def test_a_refused_change_is_said_and_taken_back(shirin: Person, sentence: str) -> None:
    page = shirin.watching()[1]
    box, refused = page.locator("[data-checked=keep_running]"), page.locator("[data-refused]")
    page.route("**/keep", refusing(1, 409, sentence))
    page.click("[data-checked=keep_running]")
    expect(refused).to_have_text(sentence or "The request failed. Check your connection and try again.")
    expect(box).not_to_be_checked()
    page.check("[data-checked=keep_running]")
    expect(refused).to_be_hidden()
    page.route("**/api/cancel/*", refusing(1))
    page.click("[data-cancel] button")
    expect(refused).to_be_visible()
    page.click("[data-cancel] button")
    live(page, "state.job.status === 'cancelled'")


def test_who_signed_out_elsewhere_is_told(shirin: Person) -> None:
    job, page = shirin.watching()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    shirin.context.clear_cookies()
    page.click("[data-checked=keep_running]")
    expect(page.locator("[data-refused]")).to_be_visible()
    lifecycle.cancel(job.pk, actor="test")
    page.wait_for_timeout(3000)  # the part of the page that shows it cannot be fetched
    assert errors == []


def test_who_signed_in_again_elsewhere_goes_on(shirin: Person) -> None:
    """A new sign-in gives another CSRF token; the old page has the old one."""
    job, page = shirin.watching()
    shirin.context.add_cookies([{"name": "csrftoken", "value": "b" * 32, "domain": "127.0.0.1", "path": "/"}])
    page.check("[data-checked=keep_running]")
    until(lambda: Job.objects.get(pk=job.pk).keep_running)


def test_a_change_opens_no_other_page(shirin: Person) -> None:
    job, page = shirin.watching()
    before = PageLease.objects.filter(owner=shirin.user).count()
    for keeps in (True, False):
        page.set_checked("[data-checked=keep_running]", keeps)
        until(lambda keeps=keeps: Job.objects.get(pk=job.pk).keep_running == keeps)  # type: ignore[misc]
    page.wait_for_timeout(300)
    assert PageLease.objects.filter(owner=shirin.user).count() == before
    close(page)
    is_cancelled(job)


def test_what_is_shown_is_fetched_until_it_is_there(shirin: Person) -> None:
    job, page = shirin.watching()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/parts", refusing(2))
    lifecycle.cancel(job.pk, actor="somebody")
    expect(page.locator("main")).to_contain_text("by somebody")
    assert sum(address.endswith(f"/jobs/{job.pk}/parts") for address in asked) >= 3
    expect(page.locator("[data-no-cues]")).to_be_hidden()


# Enter


def test_enter_sends_the_link_and_not_the_sample(shirin: Person) -> None:
    page = shirin.open("/")
    page.select_option("[name=to]", "es")
    page.select_option("[name=spoken]", "en")
    page.fill("[name=link]", "https://video.example/talk.mp4")
    page.press("[name=link]", "Enter")
    page.wait_for_url("**/jobs/*/")
    assert Job.objects.get(owner=shirin.user).source == "https://video.example/talk.mp4"


def test_a_file_that_was_put_back_can_be_chosen_again(shirin: Person) -> None:
    page = shirin.open("/")
    page.set_input_files("[data-file]", __file__)
    expect(page.locator("[data-chosen]")).to_have_text("test_trouble.py")
    page.fill("[name=link]", "https://video.example/talk.mp4")
    expect(page.locator("[data-drop] [data-file]")).to_have_value("")


# Without sockets


def test_any_page_knows_what_ends_with_it(shirin: Person) -> None:
    shirin.context.add_init_script(NO_SOCKETS)
    job = shirin.upload()
    page = shirin.context.new_page()
    page.on("dialog", shirin._answer)
    page.goto(f"{shirin.address}/account/password/")
    Job.objects.filter(pk=job.pk).update(grace_until=timezone.now())  # as if it had been open when the job began
    page.mouse.click(2, 2)
    live(page, "state.unfinished.length")
    first = page_id(page)
    page.click("a[href='/jobs/']")
    page.wait_for_url("**/jobs/")
    assert shirin.asked == []
    until(lambda: PageLease.objects.get(pk=first).closed)
    warned(page)
    page.mouse.click(2, 2)
    close(page)
    assert shirin.asked == ["beforeunload"]
    is_cancelled(job)


def test_back_from_the_cache_while_the_server_is_in_trouble(shirin: Person) -> None:
    job, page = shirin.watching()
    first = page_id(page)
    page.route("**/api/pages", refusing(3))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    until(lambda: PageLease.objects.get(pk=first).closed)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    live(page, "state.connected")
    assert page_id(page) != first
    told(page, job)


def test_subtitles_that_went_with_the_job_are_brought_again(shirin: Person) -> None:
    job, page = shirin.watching()
    page.click("[data-cancel] button")
    page.set_input_files("#bring [name=subtitles]", shirin.site.persian)
    expect(page.locator("#bring [data-named]")).to_have_text(shirin.site.persian.name)
    page.click("#bring button")
    page.wait_for_url(lambda url: "/jobs/" in url and str(job.pk) not in url)
    assert Job.objects.filter(owner=shirin.user).latest("created").cues.exists()


# The administration is a part of the site


def test_in_the_administration_one_is_present(shirin: Person) -> None:
    shirin.user.is_staff = shirin.user.is_superuser = True
    shirin.user.save()
    job, page = shirin.watching()
    page.reload()
    connected(page)
    shirin.asked.clear()
    page.click("details.menu summary")
    page.click("details.menu a[href='/admin/']")
    page.wait_for_url("**/admin/")
    connected(page)
    page.click("a[href='/admin/jobs/process/']")
    page.wait_for_url("**/admin/jobs/process/")
    connected(page)
    here = page_id_in_admin(page)
    page.wait_for_timeout(11_000)  # it reloads itself
    connected(page)
    assert page_id_in_admin(page) != here
    goes_on(job, 3)
    assert shirin.asked == []
    page.mouse.click(2, 2)
    warned(page)
    close(page)
    assert shirin.asked == ["beforeunload"]
    is_cancelled(job)


def page_id_in_admin(page: Page) -> str:
    return str(page.evaluate("document.querySelector('[data-page-id]').dataset.pageId"))


# Uploads


@pytest.fixture
def sending(shirin: Person) -> Page:
    """The page of an upload whose file was chosen again."""
    order, size = JobOptions(target="fa", brought=True), shirin.site.clips["long.mp4"].stat().st_size
    job = submit.accept_upload(shirin.user, "long.mp4", size, order, subtitles=shirin.site.persian)
    return shirin.open(f"/jobs/{job.pk}/")


def test_a_server_that_cannot_take_it_in_says_why_and_is_asked_ever_more_rarely(sending: Page, shirin: Person) -> None:
    asked: list[float] = []

    def full(route: Route) -> None:
        asked.append(timezone.now().timestamp())
        refusing(1, 507, "The disk is full.")(route) if len(asked) < 4 else route.fallback()

    sending.route("**/uploads/*", lambda route: full(route) if route.request.method == "PATCH" else route.fallback())
    sending.set_input_files("[data-file]", shirin.site.clips["long.mp4"])
    expect(sending.locator("[data-network]")).to_have_text("The disk is full.")
    for _ in range(100):
        if len(asked) <= 3:
            sending.wait_for_timeout(200)
    pauses = [later - sooner for sooner, later in pairwise(asked)]
    assert sorted(pauses) == pauses
    assert len(pauses) == 3
    expect(sending.locator("[data-upload]")).to_have_count(0)
    assert Job.objects.get(owner=shirin.user).status != JobStatus.UPLOADING


def test_an_upload_that_is_over_says_why(sending: Page, shirin: Person) -> None:
    sending.route("**/uploads/*", refusing(9, 410, "This upload has ended."))
    sending.set_input_files("[data-file]", shirin.site.clips["long.mp4"])
    expect(sending.locator("[data-upload-problem]")).to_contain_text("This upload has ended.")


def test_an_upload_that_goes_on_is_cancelled(sending: Page, shirin: Person) -> None:
    """Messages about the job do not move the upload's bar, and the page shows the cancellation."""
    sending.route("**/uploads/*", refusing(1e9, 507, "The disk is full."))
    sending.set_input_files("[data-file]", shirin.site.clips["long.mp4"])
    expect(sending.locator("[data-network]")).to_be_visible()
    job = Job.objects.get(owner=shirin.user)
    sending.evaluate("document.querySelector('[data-sending] [data-percent]').setAttribute('aria-valuenow', 37)")
    told(sending, job)
    expect(sending.locator("[data-sending] [data-percent]")).to_have_attribute("aria-valuenow", "37")
    sending.click("[data-cancel] button")
    expect(sending.locator("main")).to_contain_text("by you")
    expect(sending.locator("[data-upload]")).to_have_count(0)
    until(lambda: status(job) == JobStatus.CANCELLED)
