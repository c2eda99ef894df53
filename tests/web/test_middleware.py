"""Tests of invalid input to any view: NUL characters, numbers that are too large."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs.intake.options import JobOptions
from jobs.models import Job
from tests.databases import mostly_on
from tests.jobs import rows
from tests.web.tus_client import create, signed_in

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("postgresql")]

SPANISH = {"to": "es", "spoken": "en"}


@pytest.fixture
def client(shirin: User) -> Client:
    return signed_in(shirin, headers={"Accept-Language": "en"}, raise_request_exception=False)


@pytest.fixture
def job(shirin: User) -> Job:
    return rows.job(shirin, options=JobOptions(target="fa").as_json(), spoken="en")


@pytest.mark.parametrize(
    "path",
    [
        "jobs/?q=a%00b",
        "jobs/?show=%00",
        "jobs/{id}/subtitles/target.v%00tt",
        "media/{id}/video%00",
        "admin/jobs/job/?q=%00",
        "admin/jobs/job/?owner__username=%00",
        "%00",
    ],
)
def test_pages_take_no_nul(client: Client, job: Job, path: str) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    assert client.get(f"/{path.format(id=job.pk)}").status_code == 400


@pytest.mark.parametrize("path", ["api/jobs?q=%00", "api/jobs/%00", "uploads/%00"])
def test_scripts_are_told(client: Client, path: str) -> None:
    answer = client.get(f"/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["detail"] == "The request is invalid."


def test_nor_does_a_session(client: Client) -> None:
    """A browser sends what it was given; quoted, it may be any character."""
    client.cookies["sessionid"] = "\0" * 8
    assert client.get("/jobs/").status_code == 400


@pytest.mark.parametrize("field", ["filename", "topic", "to"])
def test_nor_does_an_upload(client: Client, field: str) -> None:
    answer = create(client, 10, **{"filename": "film.mp4", **SPANISH, field: "a\0b"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"link": "https://example.org/\0"},
        {"topic": "\0"},
        {"glossary": "a = \0"},
        {"source": "upload", "name": "a\0.mp4", "bytes": 10},
        {"subtitles": SimpleUploadedFile("a\0.srt", b"\0")},
        {"look": "\0"},
        {"to": "\0"},
    ],
)
def test_nor_does_a_form(client: Client, fields: dict[str, Any]) -> None:
    usual = {"source": "link", "link": "https://example.org/v", **SPANISH}
    assert client.post("/", {**usual, **fields}).status_code == 422
    assert not Job.objects.exists()


def test_signing_in_takes_none(client: Client) -> None:
    assert Client().post("/sign-in/", {"username": "a\0", "password": "\0"}).status_code == 200


# Refusals that no view of ours makes


@pytest.mark.parametrize("path", ["api/pages", "api/cancel/{id}", "uploads/"])
def test_a_post_of_another_site(shirin: User, job: Job, path: str) -> None:
    answer = signed_in(shirin, enforce_csrf_checks=True, headers={"Accept-Language": "en"}).post(
        f"/{path.format(id=job.pk)}"
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["detail"].startswith("The page may have been open for too long.")


def test_a_form_of_another_site(shirin: User) -> None:
    answer = signed_in(shirin, enforce_csrf_checks=True, headers={"Accept-Language": "en"}).post("/", {})
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "The request was refused" in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("get", "api/pages", "POST"), ("get", "api/cancel/{id}", "POST"), ("put", "api/jobs", "GET")],
)
def test_a_method_that_is_none(client: Client, job: Job, method: str, path: str, allowed: str) -> None:
    answer = getattr(client, method)(f"/{path.format(id=job.pk)}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/problem+json")
    assert (answer.headers["Allow"], answer.json()["detail"]) == (allowed, "This method is not allowed here.")


# Beyond all measure


@pytest.mark.parametrize(
    "path",
    ["api/jobs?q=" + "a" * 60_000, f"api/jobs?page={10**30}", f"jobs/?page={'9' * 5000}", "jobs/?q=" + "a" * 60_000],
)
def test_what_is_beyond_all_measure(client: Client, job: Job, path: str) -> None:
    assert client.get(f"/{path}").status_code == 200


@pytest.mark.parametrize("after", [10**30, -(10**30), 2**63])
def test_captions_beyond_all_numbers(client: Client, job: Job, after: int) -> None:
    assert client.get(f"/api/jobs/{job.pk}/cues?after={after}").status_code == 200
