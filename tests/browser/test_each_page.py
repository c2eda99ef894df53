"""Each page, once, in a real browser: what its scripts do, and that none of them fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from jobs import lifecycle
from jobs.models import Job, StageRun
from tests.browser.people import Person, Site, connected, status, window
from tests.waiting import until

PASSWORD = "a-long-walk-home"
LEFT, LATER = 25, 28
"""Seconds that are left, and by which the clock is put on then: less than a page waits for a sign of life."""


@pytest.fixture(autouse=True)
def no_script_fails(shirin: Person) -> Iterator[None]:
    """On no page of hers."""
    wrong: list[str] = []
    shirin.context.on("weberror", lambda found: wrong.append(str(found.error)))
    yield
    assert wrong == []


def test_the_list_shows_what_becomes_of_jobs(shirin: Person) -> None:
    job = shirin.upload()
    page = shirin.open("/jobs/")
    row = page.locator(f"[data-row='{job.pk}']")
    expect(row).to_have_attribute("data-status", "uploading")
    lifecycle.cancel(job.pk, actor=shirin.user.username)
    expect(row).to_have_attribute("data-status", "cancelled")
    expect(row.locator("form[action*=cancel]")).to_be_hidden()


def test_the_page_of_a_new_job_takes_a_link_or_a_file(shirin: Person) -> None:
    page = shirin.open("/")
    page.set_input_files("[data-file]", __file__)
    expect(page.locator("[data-chosen]")).to_have_text("test_each_page.py")
    page.fill("[name=link]", "https://video.example/talk.mp4")
    expect(page.locator("[data-drop] [data-file]")).to_have_value("")
    page.select_option("[name=to]", "es")
    page.select_option("[name=spoken]", "en")
    page.press("[name=link]", "Enter")
    page.wait_for_url("**/jobs/*/")
    assert Job.objects.get(owner=shirin.user).source == "https://video.example/talk.mp4"


def test_the_page_of_a_job_keeps_and_cancels_it(shirin: Person) -> None:
    job, page = shirin.watching()
    page.check("[data-checked=keep_running]")
    page.reload()
    connected(page)
    expect(page.locator("[data-checked=keep_running]")).to_be_checked()
    assert Job.objects.get(pk=job.pk).keep_running
    page.click("[data-cancel] button")
    expect(page.locator("main")).to_contain_text("by you")


@contextmanager
def loading(shirin: Person) -> Iterator[Job]:
    """A job whose first stage loads a model. Nobody works for it."""
    job = shirin.upload()
    fetch = job.stages.get(stage="fetch")
    job.stages.exclude(pk=fetch.pk).update(status="done")
    hour = timezone.now() + timedelta(hours=1)
    running = {"status": "running", "attempt": uuid.uuid4(), "heartbeat": hour, "started": timezone.now()}
    StageRun.objects.filter(pk=fetch.pk).update(**running, step="load_speech", progress=0.5)
    Job.objects.filter(pk=job.pk).update(status="running", seconds=600)
    yield job
    StageRun.objects.filter(pk=fetch.pk).update(status="stopped", attempt=None, heartbeat=None)


def leave_seconds(job: Job) -> None:
    """Let the estimate of time left be LEFT from now on, on open pages too."""
    job.stages.filter(stage="fetch").update(started=timezone.now() - timedelta(seconds=LEFT))
    lifecycle.refresh_pages()  # the estimate counts from this change


def test_time_passes_on_pages_while_nothing_changes(shirin: Person) -> None:
    """The clock of the stage goes on, and the estimate runs out: the clock of the browser is put on meanwhile."""
    shirin.context.clock.install()
    shirin.context.set_extra_http_headers({"Accept-Language": "fa"})
    with loading(shirin) as job:
        page, listing = shirin.open(f"/jobs/{job.pk}/"), shirin.open("/jobs/")
        for each in (page, listing):
            expect(each.locator("[data-text=step]")).to_have_text("مدل تبدیل گفتار به متن آماده می‌شود …")
        leave_seconds(job)  # now that both pages are open, however long that took
        for each in (page, listing):
            expect(each.locator("[data-late]")).to_have_text("کمتر از یک دقیقه مانده")
        clock = page.locator("[data-clock]").inner_text()
        expect(page.locator("[data-clock]")).not_to_have_text(clock)
        shirin.context.clock.fast_forward(1000 * LATER)
        for each in (page, listing):
            expect(each.locator("[data-late]")).to_have_text("بیشتر از معمول طول کشیده است")


def test_who_deletes_a_job_sees_the_list_even_if_the_page_hears_of_it_first(shirin: Person) -> None:
    job = shirin.upload()
    lifecycle.cancel(job.pk, actor=shirin.user.username)
    until(lambda: status(job) == "cancelled")
    page = shirin.open(f"/jobs/{job.pk}/")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        page.wait_for_timeout(2000)  # the socket is faster
        route.fulfill(response=answer)

    page.route("**/delete", answer_late)
    page.click("#delete summary")
    page.click("#delete button")
    expect(page.locator(".notices")).to_contain_text("was deleted")
    assert not Job.objects.filter(pk=job.pk).exists()


def test_the_pages_of_an_account(shirin: Person, browser: Browser, site: Site) -> None:
    """Out, refused, in, in the other language and colours, and with another password."""
    shirin.user.set_password(PASSWORD)
    shirin.user.save()
    page = window(browser, base_url=site.address, locale="en").new_page()
    sign_in(page, shirin.user.username, "wrong")
    expect(page.locator("main [role=alert], main .error").first).to_be_visible()
    sign_in(page, shirin.user.username, PASSWORD)
    expect(page.locator("[data-new-form]")).to_be_visible()
    page.click("[name=language][value=fa]")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("[data-theme-switch]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.goto("/account/password/")
    page.fill("[name=old_password]", PASSWORD)
    for name in ("new_password1", "new_password2"):
        page.fill(f"[name={name}]", PASSWORD[::-1])
    page.click("main button")
    page.wait_for_url("**/account/password/done/")
    page.click("header .menu summary")
    page.click("header form[data-leaves] button")
    page.wait_for_url("**/sign-in/**")
    page.context.close()


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.click("main button")


def test_the_administration_is_a_part_of_the_site(shirin: Person) -> None:
    shirin.user.is_staff = shirin.user.is_superuser = True
    shirin.user.save()
    job = shirin.upload()
    page = shirin.open("/admin/")
    page.goto(f"{shirin.address}/admin/jobs/job/")
    connected(page)
    page.click(f"a[href*='{job.pk}'] >> nth=0")
    page.wait_for_url(f"**{job.pk}**")
    page.goto(f"{shirin.address}/admin/jobs/process/")
    expect(page.locator("#content")).to_contain_text("media")
