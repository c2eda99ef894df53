"""Tests of access to every route: no user sees or changes jobs of others."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from jobs.briefs import as_stored
from jobs.intake.options import JobOptions
from jobs.models import Artifact, Job
from jobs.pipeline.protocols import Document
from jobs.storage import artifacts
from tests.jobs import rows

pytestmark = pytest.mark.django_db(transaction=True)  # a page of an error is made in a thread of its own

OF_A_JOB: dict[str, tuple[str, dict[str, Any]]] = {
    "job": ("get", {}),
    "subtitles": ("get", {"form": "target", "kind": "vtt"}),
    "report": ("get", {}),
    "cancel": ("post", {}),
    "retry": ("post", {}),
    "go_on": ("post", {}),
    "job_parts": ("get", {}),
    "again": ("post", {}),
    "keep": ("post", {}),
    "notify": ("post", {}),
    "delete": ("post", {}),
    "brief": ("get", {}),
    "brief_file": ("get", {}),
    "upload": ("head", {}),
    "upload_checksums": ("get", {}),
    "replace": ("post", {}),
    "media": ("get", {"kind": "video"}),
    "api-1.0.0:job": ("get", {}),
    "api-1.0.0:cues": ("get", {}),
    "api_cancel": ("post", {}),
}
"""Routes with a job in their address: how each is asked, and what else stands in it."""

OF_A_PERSON = {
    *("new", "jobs", "uploads", "password_change", "password_change_done", "api-1.0.0:jobs", "api_pages"),
    *("glossaries", "glossary", "glossary_table", "delete_glossary", "api-1.0.0:estimate"),
}
"""Routes for signed-in users with their own data."""

OF_ALL = {
    "api-1.0.0:health",
    "api-1.0.0:api-root",
    "set_language",
    "login",
    "logout",
    "sign_up",
    "password_reset",
    "password_reset_done",
    "password_reset_confirm",
}


def names(resolver: URLResolver, spaces: tuple[str, ...] = ()) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield ":".join([*spaces, pattern.name or "?"])
        elif pattern.namespace != "admin":
            yield from names(pattern, (*spaces, pattern.namespace) if pattern.namespace else spaces)


def test_every_route_is_in_the_tables() -> None:
    found = set(names(get_resolver()))
    assert found == {*OF_A_JOB, *OF_A_PERSON, *OF_ALL}


def secret() -> Job:
    """A completed job, and so one with all that there is to be seen."""
    made = rows.job(
        rows.owner("shirin"),
        title="secret title",
        spoken="en",
        options=JobOptions(target="fa").as_json(),
        brief=as_stored(Document(topic="secret topic")),
    )
    artifacts.make_job_dir(made.pk)
    room = artifacts.make_attempt_dir(made.pk, uuid.uuid4())
    (room / "v.mp4").write_bytes(b"secret video")
    Artifact.objects.create(job=made, kind="video", name=f"{room.name}/v.mp4", size=12)
    return made


@pytest.fixture
def job() -> Job:
    return secret()


def ask(name: str, job_id: uuid.UUID, user: User | None) -> HttpResponseBase:
    method, more = OF_A_JOB[name]
    address = reverse(name, kwargs={"job_id": job_id, **more})
    client = AsyncClient()
    if user:
        client.force_login(user)
    return async_to_sync(_whole)(getattr(client, method)(address, headers={"Tus-Resumable": "1.0.0"}))


async def _whole(asked: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    """The answer, read to its end."""
    answer = await asked
    if isinstance(answer, StreamingHttpResponse):
        assert b"secret" in b"".join([part async for part in answer])
    answer.close()
    return answer


def body(answer: HttpResponseBase) -> bytes:
    assert isinstance(answer, HttpResponse), "only who may have it gets a file"
    return answer.content


def test_another_person_finds_nothing(job: Job) -> None:
    """It looks as if there were no such job: a guessed id gets the same response as an unknown one."""
    omid = rows.owner("omid")
    answers = {name: [ask(name, one, omid) for one in (job.pk, uuid.uuid4())] for name in OF_A_JOB}
    assert {name: theirs.status_code for name, (theirs, _) in answers.items()} == dict.fromkeys(OF_A_JOB, 404)
    assert {name: nobodys.status_code for name, (_, nobodys) in answers.items()} == dict.fromkeys(OF_A_JOB, 404)
    assert [
        name for name, (theirs, nobodys) in answers.items() if theirs.headers.keys() != nobodys.headers.keys()
    ] == []
    assert [name for name, (theirs, _) in answers.items() if b"secret" in body(theirs)] == []


def test_who_is_not_signed_in_is_sent_to_do_so(job: Job) -> None:
    answers = {name: ask(name, job.pk, None) for name in OF_A_JOB}
    assert {
        name: answer.status_code for name, answer in answers.items() if answer.status_code not in {302, 401, 404}
    } == {}
    sent = {name: answer["Location"] for name, answer in answers.items() if answer.status_code == 302}
    assert {name: place for name, place in sent.items() if not place.startswith("/sign-in/")} == {}
    assert [name for name, answer in answers.items() if b"secret" in body(answer)] == []


@pytest.mark.parametrize("staff", [False, True], ids=["owner", "staff"])
def test_its_owner_and_staff_are_answered(staff: bool) -> None:
    """Each route is asked for another job, which the others did not change."""
    user = User.objects.create(username="mina", is_staff=True) if staff else rows.owner("shirin")
    refused = {"upload": {410}, "upload_checksums": {410}, "replace": {422}, "report": {404}, "api_cancel": {400}}
    if staff:
        refused["notify"] = {404}  # e-mails go to the owner only
    found = {name: ask(name, secret().pk, user).status_code for name in OF_A_JOB}
    assert {name: status for name, status in found.items() if status not in refused.get(name, {200, 302})} == {}


@pytest.mark.parametrize("name", ["new", "jobs", "password_change"])
def test_pages_of_a_person_want_somebody(name: str) -> None:
    answer: HttpResponseBase = async_to_sync(AsyncClient().get)(reverse(name))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_the_list_has_only_ones_own(job: Job) -> None:
    """Even staff sees those of others in the admin only."""
    client = AsyncClient()
    client.force_login(User.objects.create(username="mina", is_staff=True))
    for address in ("/jobs/", "/api/jobs"):
        assert b"secret" not in async_to_sync(client.get)(address).content
    client.force_login(job.owner)
    assert b"secret title" in async_to_sync(client.get)("/jobs/").content
