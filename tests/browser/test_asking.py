"""Tests of dialogs and notifications: keep running on touch devices, and jobs that are done."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Job
from tests.browser.people import Person, Site, connected, hide, live, window
from tests.waiting import until

pytestmark = pytest.mark.soak

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 360, "height": 740}}


@pytest.fixture
def phone(shirin: Person, browser: Browser) -> Person:
    """Shirin with her phone."""
    shirin.context.close()
    shirin.context = window(browser, **PHONE, locale="en")
    shirin.__post_init__()
    return shirin


def fill(page: Page) -> None:
    page.fill("[name=link]", "https://video.example/talk.mp4")
    page.select_option("[name=to]", "es")
    page.select_option("[name=spoken]", "en")


# On touch devices


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_phone_is_asked_before_a_link_is_sent(phone: Person, answer: str) -> None:
    page = phone.open("/")
    expect(page.locator("[data-keep]")).to_be_hidden()
    fill(page)
    page.tap("[data-submit]")
    question = page.locator("[data-ask]")
    expect(question).to_be_visible()
    expect(question.locator("[value=yes]")).to_be_focused()
    assert not Job.objects.filter(owner=phone.user).exists()
    question.locator(f"[value={answer}]").tap()
    page.wait_for_url("**/jobs/*/")
    assert Job.objects.get(owner=phone.user).keep_running == (answer == "yes")


def test_a_phone_is_asked_before_a_file_is_sent_and_only_once(phone: Person, site: Site) -> None:
    """After a refusal the form is sent again without another dialog."""
    page = phone.open("/")
    page.tap("[data-submit]")
    page.wait_for_selector("#link_error")  # nothing was to be sent, and so there was no question
    page.goto(phone.address)
    fill(page)
    page.set_input_files("[data-file]", site.clips["long.mp4"])
    page.select_option("[name=to]", "fa")
    page.tap("[data-submit]")
    page.keyboard.press("Escape")
    assert not Job.objects.filter(owner=phone.user).exists()
    page.tap("[data-submit]")
    page.tap("[data-ask] [value=yes]")
    expect(page.locator("[data-problem]")).to_be_visible()  # no engine here knows Persian
    expect(page.locator("[data-keep] input")).to_be_checked()
    page.select_option("[name=to]", "es")
    page.tap("[data-submit]")
    until(lambda: Job.objects.filter(owner=phone.user).first())
    assert Job.objects.get(owner=phone.user).keep_running


def test_the_sample_on_a_phone(phone: Person) -> None:
    page = phone.open("/")
    page.tap("[value=sample]")
    page.tap("[data-ask] [value=no]")
    page.wait_for_url("**/jobs/*/")
    job = Job.objects.get(owner=phone.user)
    assert (job.title, job.keep_running) == ("sample", False)


def test_nobody_else_is_asked(shirin: Person) -> None:
    page = shirin.open("/")
    fill(page)
    expect(page.locator("[data-keep] input")).not_to_be_checked()
    page.click("[data-submit]")
    page.wait_for_url("**/jobs/*/")
    assert not Job.objects.get(owner=shirin.user).keep_running


# Notifications of the browser

RECORDED = """
window.shown = [];
window.Notification = class {
  constructor(title, options) { shown.push([title, options.body]); }
  static get permission() { return localStorage.permission ?? "default"; }
  static async requestPermission() { return (localStorage.permission = window.answer ?? "granted"); }
};
"""
"""A browser without a screen shows none: what would be shown is kept."""


@pytest.fixture
def page(shirin: Person, site: Site) -> Page:
    """The page of a job that waits for its file, with the box ticked."""
    shirin.context.add_init_script(RECORDED)
    page = shirin.watching(lambda: waiting(shirin, site))[1]
    page.check("[data-notices] input")
    return page


def waiting(person: Person, site: Site) -> Job:
    order = JobOptions(target="fa", brought=True, mode="none")
    size = site.clips["long.mp4"].stat().st_size
    return submit.accept_upload(person.user, "talk.mp4", size, order, subtitles=site.persian)


def send(page: Page, content: bytes) -> None:
    """The whole file of its upload at once."""
    job = Job.objects.get(pk=page.url.split("/")[-2])
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    token = page.evaluate("document.body.dataset.csrf")
    address = page.url.partition("/jobs/")[0] + f"/uploads/{job.pk}"
    answer = page.request.patch(address, data=content, headers={**headers, "X-CSRFToken": token})
    assert answer.status == 204, answer.text()


@pytest.mark.parametrize("broken", [False, True], ids=["completed", "failed"])
def test_a_hidden_page_shows_that_its_job_is_done(page: Page, site: Site, broken: bool) -> None:
    content = site.clips["long.mp4"].read_bytes()
    hide(page, hidden=True)
    send(page, bytes(len(content)) if broken else content)
    live(page, "shown.length")
    [[title, text]] = page.evaluate("shown")
    assert title == ("“talk.mp4” could not be completed." if broken else "“talk” is ready.")
    assert bool(text) == broken


def test_no_notification_for_who_sees_it_or_cancelled_it(page: Page, site: Site) -> None:
    page.click("[data-cancel] button")
    hide(page, hidden=True)
    live(page, "state.job.status === 'cancelled'")
    assert page.evaluate("shown") == []


def test_what_is_ticked_holds_in_this_browser(page: Page) -> None:
    box = page.locator("[data-notices] input")
    for remembered in (True, False):
        page.reload()
        expect(box).to_be_checked(checked=remembered)
        box.set_checked(False)


def test_who_refuses_is_not_asked_again(page: Page) -> None:
    page.uncheck("[data-notices] input")
    page.evaluate("answer = 'denied'")
    page.click("[data-notices] input")
    expect(page.locator("[data-notices]")).to_be_hidden()
    page.reload()
    connected(page)
    expect(page.locator("[data-notices]")).to_be_hidden()


def test_there_is_none_on_a_phone(phone: Person) -> None:
    phone.context.add_init_script(RECORDED)
    page = phone.watching()[1]
    expect(page.locator("[data-notices]")).to_be_hidden()


def test_there_is_none_where_the_browser_has_none(shirin: Person) -> None:
    shirin.context.add_init_script("delete window.Notification")
    page = shirin.watching()[1]
    expect(page.locator("[data-notices]")).to_be_hidden()
