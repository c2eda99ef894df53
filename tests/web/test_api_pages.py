"""Tests of the requests that pages post: beacons, the Cancel button, renewals."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs import presence
from jobs.models import FINAL, JobStatus, PageLease, Transition
from tests.jobs import rows
from tests.web.sockets import job

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def graces(settings: Any) -> Any:
    settings.PAGE_LEASE, settings.TAB_CLOSE_GRACE = 180, 10
    return settings


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def cancel(user: User, job_id: uuid.UUID, **fields: Any) -> Any:
    return signed_in(user).post(reverse("api_cancel", args=[job_id]), fields)


def is_problem(answer: Any, status: int) -> bool:
    return bool(answer.status_code == status and answer["Content-Type"] == "application/problem+json")


def test_a_page_comes_back(shirin: User) -> None:
    mine = job(shirin)
    answer = signed_in(shirin).post("/api/pages")
    assert answer.status_code == 201
    said = answer.json()
    assert said["socket"] == f"/ws/page/{said['page_id']}/"
    assert said["unfinished"] == [str(mine.pk)]
    assert PageLease.objects.get(pk=said["page_id"]).owner == shirin


def test_a_page_without_a_socket_goes_on(shirin: User, omid: User) -> None:
    page = presence.open_page(shirin.pk)
    PageLease.objects.update(expires=(over := timezone.now()))
    answer = signed_in(shirin).post("/api/pages", {"page_id": page})
    assert (answer.status_code, answer.json()["page_id"]) == (200, str(page))
    assert PageLease.objects.get().expires > over + timedelta(seconds=170)
    presence.close(page)
    for user, known in ((shirin, page), (omid, page), (shirin, uuid.uuid4()), (shirin, "nonsense")):
        answer = signed_in(user).post("/api/pages", {"page_id": known})
        assert answer.status_code == 201
        assert answer.json()["page_id"] not in {str(page), known}


def test_only_people_have_pages() -> None:
    assert is_problem(Client().post("/api/pages"), 401)
    assert not PageLease.objects.exists()


def test_a_close_ends_the_page_and_no_job(shirin: User) -> None:
    mine, page = job(shirin), presence.open_page(shirin.pk)
    for _ in range(2):
        answer = cancel(shirin, mine.pk, reason="close", page_id=page)
        assert (answer.status_code, answer.json()) == (200, {"status": "queued"})
    lease = PageLease.objects.get()
    assert lease.closed
    assert lease.expires <= timezone.now() + timedelta(seconds=10)


def test_a_page_is_left_for_another_one_of_the_site(shirin: User, graces: Any) -> None:
    """For that there is time, even where a close gives none."""
    graces.TAB_CLOSE_GRACE = 0
    mine, page = job(shirin), presence.open_page(shirin.pk)
    assert cancel(shirin, mine.pk, reason="within", page_id=page).json() == {"status": "queued"}
    assert PageLease.objects.get().expires > timezone.now() + timedelta(seconds=4)


def test_a_close_is_only_of_ones_own_page(shirin: User, staff: User) -> None:
    mine, page = job(shirin), presence.open_page(shirin.pk)
    assert cancel(staff, mine.pk, reason="close", page_id=page).status_code == 200
    assert not PageLease.objects.get().closed


def test_without_a_grace_a_close_ends_the_job(shirin: User, graces: Any) -> None:
    graces.TAB_CLOSE_GRACE = 0
    mine, page = job(shirin), presence.open_page(shirin.pk)
    assert cancel(shirin, mine.pk, reason="close", page_id=page).json() == {"status": "cancelling"}


def test_the_button_in_every_state() -> None:
    owner = rows.owner("shirin")
    for status in sorted(rows.IN, key=lambda one: (one == JobStatus.RUNNING) + 2 * (one == JobStatus.QUEUED)):
        made = rows.IN[status]().job_id
        answers = [cancel(owner, made, reason="button").json()["status"] for _ in range(2)]
        ended = status in FINAL
        assert answers == [status if ended else "cancelling"] * 2
        told = Transition.objects.filter(job=made, to_status=JobStatus.CANCELLING, actor="shirin").count()
        assert told == (status not in {JobStatus.COMPLETED, JobStatus.FAILED})


def test_staff_may_cancel(shirin: User, staff: User) -> None:
    mine = job(shirin)
    assert cancel(staff, mine.pk, reason="button").json() == {"status": "cancelling"}
    assert Transition.objects.get(job=mine, to_status=JobStatus.CANCELLING).actor == "mina"


@pytest.mark.parametrize(
    "fields",
    [{}, {"reason": "unload"}, {"reason": "close"}, {"reason": "close", "page_id": "x"}, {"page_id": uuid.uuid4()}],
)
def test_anything_else_is_refused(shirin: User, fields: dict[str, Any]) -> None:
    mine = job(shirin)
    assert is_problem(cancel(shirin, mine.pk, **fields), 400)
    assert rows.status(mine.pk) == JobStatus.QUEUED


def test_strangers(shirin: User, omid: User) -> None:
    mine, page = job(shirin), presence.open_page(shirin.pk)
    for reason in ("button", "close", "nonsense"):
        assert is_problem(cancel(omid, mine.pk, reason=reason, page_id=page), 404)
        assert is_problem(cancel(shirin, uuid.uuid4(), reason=reason, page_id=page), 404)
    assert is_problem(Client().post(reverse("api_cancel", args=[mine.pk]), {"reason": "button"}), 401)
    assert rows.status(mine.pk) == JobStatus.QUEUED
    assert not PageLease.objects.get().closed


def test_only_by_post_and_only_from_our_pages(shirin: User) -> None:
    mine, careful = job(shirin), signed_in(shirin, enforce_csrf_checks=True)
    addresses = [reverse("api_cancel", args=[mine.pk]), reverse("api_pages")]
    for address in addresses:
        assert careful.get(address).status_code == 405
        assert careful.post(address, {"reason": "button"}).status_code == 403
    token = careful.get("/").context["csrf_token"]
    told = {"reason": "button", "csrfmiddlewaretoken": str(token)}
    assert [careful.post(address, told).status_code for address in addresses] == [200, 201]
