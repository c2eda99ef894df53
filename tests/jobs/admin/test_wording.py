"""The admin in Persian: none of our words is in English, and values as in logs are left to right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import Settings

from jobs.admin import display as shown
from jobs.models import Artifact, Call, Job, JobStatus, OwnerLimits, Process, UsageEntry
from jobs.storage import artifacts
from tests.jobs import rows

pytestmark = pytest.mark.django_db

LIST = "admin:jobs_job_changelist"
AS_LOGS_HAVE_IT = {"bdi", "code", "pre", "script", "style"}
SAID = {"aria-label", "title", "placeholder"}
KNOWN = {"parrot"}
"""An engine has the same name in every language."""


class Said(HTMLParser):
    """The text of a page, and the attributes that screen readers read."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in AS_LOGS_HAVE_IT:
            self._silent.append(tag)
        found = {name: value or "" for name, value in attrs}
        self.words += [value for name, value in found.items() if name in SAID]
        if tag == "input" and found.get("type") == "submit":
            self.words.append(found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def english(html: str) -> set[str]:
    """The Latin words of a page."""
    said = Said()
    said.feed(html)
    return set(re.findall("[A-Za-z]{2,}", " ".join(said.words))) - KNOWN


@pytest.fixture(autouse=True)
def places(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media" / "jobs").mkdir(parents=True)
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there.


@pytest.fixture
def client() -> Client:
    """A client of a superuser, in Persian."""
    found = Client(headers={"Accept-Language": "fa"})
    found.force_login(User.objects.create_superuser("شیرین"))
    return found


@pytest.fixture
def jobs() -> list[Job]:
    """A job in each state, with every row that its page can show."""
    claimable = (JobStatus.RUNNING, JobStatus.QUEUED)
    states = [state for state in rows.IN if state not in claimable]
    found = [Job.objects.get(pk=rows.IN[state]().job_id) for state in (*states, *claimable)]
    asked = {"options": {"mode": "burn"}, "engines": {"translator": "parrot"}}
    Job.objects.update(title="درس", spoken="en", seconds=750.5, **asked)
    note = {"code": "sound_only", "params": {}}
    Job.objects.update(notes=[note], edited=timezone.now())
    for job in found:
        artifacts.job_dir(job.pk).mkdir(parents=True, exist_ok=True)
        Artifact.objects.create(job=job, kind="poster", name="one/poster.jpg", size=4_200_000)
        used = {"input_tokens": 77_123, "output_tokens": 5, "seconds": 12.5}
        UsageEntry.objects.create(job=job, owner=job.owner, stage="translate", engine="parrot", **used)
    User.objects.filter(username="shirin").update(username="سارا")
    return found


Answer = Callable[[], str]


def not_persian(pages: Mapping[str, Answer]) -> dict[str, set[str]]:
    """The Latin words of each of these pages that has any."""
    found = {name: english(answer()) for name, answer in pages.items()}
    return {name: words for name, words in found.items() if words}


def page(client: Client, name: str, *args: object, **query: str) -> str:
    return text(client.get(reverse(name, args=args), query))


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


LISTS = ["admin:jobs_job_changelist", "admin:jobs_ownerlimits_changelist", "admin:jobs_usageentry_changelist"]
LISTS += ["admin:jobs_call_changelist"]
EMPTY = ["admin:index", "admin:jobs_ownerlimits_add", "admin:jobs_process_changelist"]


def test_pages_without_rows_are_persian(client: Client) -> None:
    assert not_persian({name: partial(page, client, name) for name in [*LISTS, *EMPTY]}) == {}


def test_every_page_is_persian(client: Client, jobs: list[Job]) -> None:
    """Lists, the page of a job in each state, those of limits and of usage."""
    limits = OwnerLimits.objects.create(owner=jobs[0].owner, running=5)
    process = {"host": "box", "boot_id": "b", "started": 1, "last_claim": timezone.now()}
    Process.objects.create(cluster="web", pid=1, **process)
    Process.objects.create(cluster="media", pid=2, seen=timezone.now() - timedelta(minutes=2), **process)
    used = UsageEntry.objects.all()[0]
    call = Call.objects.create(owner=jobs[0].owner, job=jobs[0], engine=used.engine, cost=1, currency="USD")
    lists = {name: partial(page, client, name) for name in [*LISTS, "admin:jobs_process_changelist"]}
    states = {job.status: partial(page, client, "admin:jobs_job_change", job.pk) for job in Job.objects.all()}
    others = {
        "limits": partial(page, client, "admin:jobs_ownerlimits_change", limits.pk),
        "usage": partial(page, client, "admin:jobs_usageentry_change", used.pk),
        "call": partial(page, client, "admin:jobs_call_change", call.pk),
    }
    assert set(states) == set(JobStatus)
    assert not_persian({**lists, **states, **others}) == {}


ACTIONS = ["cancel", "retry", "keep_running_on", "keep_running_off", "pin", "unpin", "delete_files"]


def test_what_actions_say_is_persian(client: Client, jobs: list[Job]) -> None:
    """Each on jobs in every state."""

    def said(action: str) -> str:
        data = {"action": action, "_selected_action": [str(job.pk) for job in jobs], "confirmed": "yes"}
        with undone():
            found = text(client.post(reverse(LIST), data, follow=True))
        assert "messagelist" in found, action
        return found

    assert not_persian({action: partial(said, action) for action in ACTIONS}) == {}


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done to the rows within is undone at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_the_question_before_files_are_deleted_is_persian(client: Client, jobs: list[Job]) -> None:
    data = {"action": "delete_files", "_selected_action": [str(job.pk) for job in jobs]}
    said = text(client.post(reverse(LIST), data))
    assert english(said) == set()
    for part in ("پاک شوند", "۱۲٫۶ مگابایت", "۵ کار انتخاب‌شده"):
        assert part in said


def test_what_the_list_and_the_page_of_a_job_say(client: Client, jobs: list[Job]) -> None:
    """Numbers and times are Persian; what logs name is left to right."""
    listed, said = page(client, LIST), page(client, "admin:jobs_job_change", jobs[0].pk)
    assert "۸ نتیجه" in listed
    assert re.search(r"۸ کار\s", listed)
    for part in ("۷۷٬۱۲۳", "۴٫۲ مگابایت", "۱۲ دقیقه ۳۰ ثانیه"):
        assert part in said
    for code in (jobs[0].pk, "https://example.org/v", "one/poster.jpg", "parrot"):
        assert f'<bdi dir="ltr" class="code">{code}</bdi>' in said
    assert '<pre dir="ltr" class="code">{\n  &quot;mode&quot;: &quot;burn&quot;' in said


def test_spans_of_time_are_persian() -> None:
    with translation.override("fa"):
        assert shown.span(timedelta(seconds=93_784)) == "۱ روز ۲ ساعت"
        assert shown.span(timedelta(seconds=0.34)) == "۰٫۳ ثانیه"
        assert shown.ago(timezone.now() - timedelta(hours=2)) == "۲ ساعت پیش"
        assert shown.ago(None) == "هرگز"


def test_an_english_admin_has_no_persian_digits(jobs: list[Job]) -> None:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(User.objects.create_superuser("chief"))
    said = page(found, LIST)
    assert not re.search("[۰-۹]", said)
