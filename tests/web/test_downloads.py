"""Files of a job: whole, in part, not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils.http import http_date

from jobs.models import Artifact, Job
from jobs.storage import artifacts, installation
from tests.jobs import rows
from tests.web.tus_client import cast

pytestmark = pytest.mark.django_db

DATA = bytes(range(256)) * 4096
"""1 MiB: several pieces."""


@pytest.fixture
def job() -> Job:
    """A job with a result of each kind, and files that are not served."""
    made = rows.job(title="غازها در آسمان / ۱", source_kind="link")
    artifacts.make_job_dir(made.pk)
    room = artifacts.make_attempt_dir(made.pk, uuid.uuid4())
    for kind, name in {
        "video": "v.mp4",
        "fa.vtt": "fa.vtt",
        "fa.srt": "fa.srt",
        "poster": "p.jpg",
        "audio": "a.wav",
    }.items():
        publish(made, kind, room / name)
    (room / "secret.mp4").write_bytes(b"not published")
    return made


def publish(job: Job, kind: str, path: Path, data: bytes = DATA) -> None:
    path.write_bytes(data)
    name = path.relative_to(artifacts.job_dir(job.pk)).as_posix()
    Artifact.objects.update_or_create(job=job, kind=kind, defaults={"name": name, "size": len(data)})


class Answer:
    def __init__(self, answer: Any, data: bytes) -> None:
        self.status, self.data = answer.status_code, data
        self.headers = answer.headers

    def __getitem__(self, name: str) -> str:
        return str(self.headers[name])


def ask(
    job: Job | str, kind: str, user: User | None = None, method: str = "get", query: str = "", **headers: str
) -> Answer:
    """Send a request as `user`, by default the owner. Names of `headers` have underscores for hyphens."""
    client = AsyncClient()
    user = user or (job.owner if isinstance(job, Job) else rows.owner())
    if user.pk:
        client.force_login(user)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}

    async def run() -> Answer:
        address = f"/media/{getattr(job, 'pk', job)}/{kind}{query}"
        answer = await getattr(client, method)(address, headers=sent)
        if not answer.streaming:
            return Answer(answer, answer.content)
        return Answer(answer, b"".join([piece async for piece in answer.streaming_content]))

    return async_to_sync(run)()


def test_the_whole_of_it(job: Job) -> None:
    answer = ask(job, "video")
    assert (answer.status, answer.data == DATA) == (200, True)
    wanted = {
        "Content-Type": "video/mp4",
        "Content-Length": str(len(DATA)),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    assert {name: answer[name] for name in wanted} == wanted


def test_while_the_disk_is_away_it_is_not_said_to_be_gone(job: Job, tmp_path: Path, settings: Any) -> None:
    installation.mark()
    place = settings.MEDIA_ROOT
    settings.MEDIA_ROOT = tmp_path / "unmounted"
    (settings.MEDIA_ROOT / "jobs").mkdir(parents=True)
    answer = ask(job, "video")
    assert (answer.status, int(answer["Retry-After"]) > 0) == (503, True)
    assert "disk" in answer.data.decode()
    settings.MEDIA_ROOT = place
    assert ask(job, "video").status == 200
    (artifacts.job_dir(job.pk) / job.artifacts.get(kind="video").name).unlink()
    assert ask(job, "video").status == 404


def test_only_asked_about(job: Job) -> None:
    answer = ask(job, "video", method="head", Range="bytes=0-1")
    assert (answer.status, answer.data, answer["Content-Length"]) == (200, b"", str(len(DATA)))


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-999999", 5, 999_999),
        ("bytes=300000-", 300_000, len(DATA) - 1),
        ("bytes=-7", len(DATA) - 7, len(DATA) - 1),
        ("bytes=-99999999", 0, len(DATA) - 1),
        ("bytes=10-99999999", 10, len(DATA) - 1),
    ],
)
def test_a_part_of_it(job: Job, wanted: str, first: int, last: int) -> None:
    answer = ask(job, "video", Range=wanted)
    assert (answer.status, answer.data == DATA[first : last + 1]) == (206, True)
    assert answer["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"
    assert answer["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", [f"bytes={len(DATA)}-", "bytes=99999999-999999999", "bytes=-0"])
def test_no_such_part(job: Job, wanted: str) -> None:
    answer = ask(job, "video", Range=wanted)
    assert (answer.status, answer.data, answer["Content-Range"]) == (416, b"", f"bytes */{len(DATA)}")


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=0-1,5-6",
        "bytes=",
        "bytes=-",
        "bytes=9-1",
        "lines=1-2",
        "bytes=a-b",
        "junk",
        f"bytes={'9' * 5000}-",
        f"bytes=-{'9' * 5000}",
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_what_is_no_single_range_gets_the_whole(job: Job, wanted: str) -> None:
    assert ask(job, "video", Range=wanted).status == 200


def test_an_empty_file(job: Job) -> None:
    publish(job, "fa.ass", artifacts.job_dir(job.pk) / "empty.ass", b"")
    assert (ask(job, "fa.ass").status, ask(job, "fa.ass").data) == (200, b"")
    assert ask(job, "fa.ass", Range="bytes=0-").status == 416
    assert ask(job, "fa.ass", Range="bytes=-5").status == 416


def test_a_part_only_of_the_file_that_is_known(job: Job) -> None:
    whole = ask(job, "video", method="head")
    for known in (whole["ETag"], whole["Last-Modified"]):
        assert ask(job, "video", Range="bytes=0-1", If_Range=known).status == 206
    for other in ('"other"', f"W/{whole['ETag']}", http_date(0)):
        assert ask(job, "video", Range="bytes=0-1", If_Range=other).status == 200


def test_what_is_known_is_not_sent_again(job: Job) -> None:
    tag = ask(job, "video", method="head")["ETag"]
    for query in ("", "?download=1"):
        answer = ask(job, "video", query=query, If_None_Match=tag, Range="bytes=0-1")
        assert (answer.status, answer.data, answer["ETag"]) == (304, b"", tag)
    path = artifacts.path_of(job.pk, "video")
    assert path
    publish(job, "video", path, DATA[::-1])
    os.utime(path, (1, 1))
    assert ask(job, "video", If_None_Match=tag).data == DATA[::-1]


@pytest.mark.parametrize(
    ("kind", "type_", "ending"),
    [
        ("video", "video/mp4", ".fa.mp4"),
        ("fa.vtt", "text/vtt; charset=utf-8", ".fa.vtt"),
        ("fa.srt", "application/x-subrip; charset=utf-8", ".fa.srt"),
        ("poster", "image/jpeg", ".jpg"),
    ],
)
def test_it_is_called_what_it_is(job: Job, kind: str, type_: str, ending: str) -> None:
    answer = ask(job, kind, query="?download=1")
    assert answer["Content-Type"] == type_
    assert answer["Content-Disposition"] == (
        f"attachment; filename=\"video{ending}\"; filename*=utf-8''{quote('غازها در آسمان ۱' + ending)}"
    )
    assert ask(job, kind)["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("title", "plain"), [("Über Äpfel & Öl", "Uber Apfel Ol"), ('فیلم "شهر" 50%', "video"), ("فیلم Leila 2", "Leila 2")]
)
def test_programs_that_know_only_ascii_read_a_name(job: Job, title: str, plain: str) -> None:
    Job.objects.filter(pk=job.pk).update(title=title)
    stated = ask(job, "video", query="?download=1")["Content-Disposition"]
    assert stated == f"attachment; filename=\"{plain}.fa.mp4\"; filename*=utf-8''{quote(title + '.fa.mp4')}"


def test_a_name_in_ascii_is_stated_once(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(title='Say "hi"')
    stated = ask(job, "video", query="?download=1")["Content-Disposition"]
    assert stated == 'attachment; filename="Say \\"hi\\".fa.mp4"'


def test_an_upload_that_claims_to_be_a_page(job: Job) -> None:
    publish(job, "source", artifacts.job_dir(job.pk) / "source.html", b"<script>alert(1)</script>")
    assert ask(job, "source")["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(("who", "status"), [("shirin", 200), ("staff", 200), ("omid", 404), ("nobody", 404)])
def test_only_its_owner_and_staff(job: Job, who: str, status: int) -> None:
    user = cast()[who] or User()
    for headers in ({}, {"Range": "bytes=0-1"}, {"If_None_Match": "*"}):
        found = ask(job, "video", user, **headers).status
        assert found == status if status == 404 else found in {200, 206, 304}


@pytest.mark.parametrize("kind", ["audio", "fa.ass", "secret.mp4", "..", "%2e%2e%2fsource"])
def test_what_was_not_published(job: Job, kind: str) -> None:
    assert ask(job, kind).status == 404


def test_a_job_that_nobody_has() -> None:
    assert ask(str(uuid.uuid4()), "video").status == 404


def test_a_file_that_is_gone(job: Job) -> None:
    installation.mark()
    artifacts.delete_job_dir(job.pk)
    assert ask(job, "video").status == 404


def test_it_cannot_be_changed(job: Job) -> None:
    assert ask(job, "video", method="post").status == 405
    assert ask(job, "video", method="delete").status == 405


def test_a_file_of_this_machine_is_read_where_it_is(job: Job, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(DATA)
    (artifacts.job_dir(job.pk) / "source.mp4").symlink_to(film)
    Artifact.objects.create(job=job, kind="source", name="source.mp4", size=0)
    assert ask(job, "source").status == 404  # a job of a link has no such link
    for kind in ("file", "sample"):
        Job.objects.update(source_kind=kind)
        assert ask(job, "source", Range="bytes=1-2").data == DATA[1:3]


def test_only_files_are_opened(job: Job, tmp_path: Path) -> None:
    """Not a link, a directory, nor a pipe, which would be waited for."""
    path = artifacts.path_of(job.pk, "video")
    assert path
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert ask(job, "video").status == 404
    path.unlink()
    os.mkfifo(path)
    assert ask(job, "video").status == 404
    path.unlink()
    path.mkdir()
    assert ask(job, "video").status == 404


def test_nothing_stays_open(job: Job) -> None:
    path = artifacts.path_of(job.pk, "video")
    tag = ask(job, "video")["ETag"]
    ask(job, "video", method="head")
    ask(job, "video", Range="bytes=99999999-")
    ask(job, "video", If_None_Match=tag)
    assert path not in [place.readlink() for place in Path("/proc/self/fd").iterdir() if place.is_symlink()]


def test_nginx_gives_it_out(job: Job, settings: Any) -> None:
    settings.X_ACCEL_REDIRECT = "/protected/"
    path = artifacts.path_of(job.pk, "video")
    assert path
    answer = ask(job, "video", Range="bytes=0-1", query="?download=1")
    assert (answer.status, answer.data) == (200, b"")
    assert answer["X-Accel-Redirect"] == f"/protected/jobs/{job.pk}/{path.parent.name}/v.mp4"
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Disposition"].startswith("attachment")
    assert ask(job, "video", cast()["omid"]).status == 404
