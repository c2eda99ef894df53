"""Tests of the tus endpoints: each request and its errors."""

from __future__ import annotations

import errno
import fcntl
import os
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from django.utils.http import parse_http_date

from jobs import lifecycle
from jobs.intake.options import JobOptions
from jobs.models import Artifact, Job, JobStatus, OwnerLimits
from jobs.storage import artifacts, deletion, installation
from jobs.web.uploads import protocol as tus
from jobs.web.uploads import storage as received
from jobs.worker import reaper
from tests.jobs import rows
from tests.web.tus_client import VERSION, address, cast, create, delete, head, job_of, patch, signed_in

pytestmark = pytest.mark.django_db

SPANISH = {"to": "es", "spoken": "en"}


def came(job: Job, *data: bytes) -> Any:
    """The owner's client, after it has brought `data`."""
    client, offset = signed_in(job.owner), 0
    for piece in data:
        assert patch(client, job, offset, piece).status_code == 204
        offset += len(piece)
    return client


def file_of(job: Job) -> Path:
    return artifacts.job_dir(job.pk) / "source.mp4"


def test_a_file_comes_in_pieces_and_its_job_begins() -> None:
    job = job_of(rows.owner(), 10)
    client = signed_in(job.owner)
    assert head(client, job)["Upload-Offset"] == "0"
    first = patch(client, job, 0, b"01234")
    assert (first.status_code, first["Upload-Offset"], first["Tus-Resumable"]) == (204, "5", "1.0.0")
    half = head(client, job)
    assert (half["Upload-Offset"], half["Upload-Length"], half["Cache-Control"]) == ("5", "10", "no-store")
    assert half["Upload-Metadata"] == "filename ZmlsbS5tcDQ="
    assert rows.status(job.pk) == "uploading"
    assert patch(client, job, 5, b"56789")["Upload-Offset"] == "10"
    assert rows.status(job.pk) == "queued"
    assert file_of(job).read_bytes() == b"0123456789"
    assert list(Artifact.objects.values_list("kind", "name", "size")) == [("source", "source.mp4", 10)]
    assert rows.told(job.pk)[-2:] == [("", "uploading", "queued"), ("fetch", "waiting", "ready")]


def test_whoever_missed_the_last_answer_learns_that_it_is_whole() -> None:
    job = job_of(rows.owner(), 3)
    answer = head(came(job, b"abc"), job)
    assert (answer.status_code, answer["Upload-Offset"], answer["Upload-Length"]) == (200, "3", "3")


@pytest.mark.parametrize("name", ["film.tar.زز", "film", "film.a b", "film.1234567890", "..", ".mp4", "a/b.m/x"])
def test_only_a_tame_suffix_stays(name: str) -> None:
    assert artifacts.source_name(name) == "source"


# Creation


def test_an_upload_is_made_by_the_protocol_alone() -> None:
    answer = create(signed_in(rows.owner()), 10, filename="فیلم.mp4", **SPANISH, topic="geese", keep_running="true")
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (201, address(job))
    assert (job.source, job.status, job.size, job.keep_running) == ("فیلم.mp4", "uploading", 10, True)
    assert (job.target, job.options["spoken"], job.options["topic"]) == ("es", "en", "geese")
    came(job, b"0123456789")
    assert rows.status(job.pk) == "queued"


@pytest.mark.parametrize(
    ("size", "fields", "status", "word"),
    [
        (0, {}, 400, "empty"),
        ("ten", {}, 400, "Upload-Length"),
        ("-1", {}, 400, "Upload-Length"),
        ("", {}, 400, "Upload-Length"),
        (10, {"filename": ""}, 400, "Choose a video"),
        (10, {"to": ""}, 400, "required"),
        (10, {"to": "klingonese"}, 400, "klingonese"),
        (10, {"look": "invisible"}, 400, "invisible"),
        (10, {"glossary": "no such thing"}, 400, "Line 1"),
        ((4 << 30) + 1, {}, 413, "larger than the limit of 4.3 GB"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(
    size: Any, fields: dict[str, str], status: int, word: str
) -> None:
    answer = create(signed_in(rows.owner()), size, **{"filename": "film.mp4", **SPANISH, **fields})
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert word in answer.json()["detail"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(("limits", "status"), [({"queued": 1}, 429), ({"stored_bytes": 9}, 413)])
def test_quotas_are_kept(limits: dict[str, int], status: int) -> None:
    owner = rows.owner()
    job_of(owner, 5)
    OwnerLimits.objects.create(owner=owner, **limits)
    answer = create(signed_in(owner), 10, filename="film.mp4", **SPANISH)
    assert (answer.status_code, Job.objects.count()) == (status, 1)
    assert "limit" in answer.json()["detail"]


def test_metadata_that_is_none() -> None:
    sent = {**VERSION, "Upload-Length": "10", "Upload-Metadata": "filename !!!"}
    assert signed_in(rows.owner()).post("/uploads/", headers=sent).status_code == 400


def test_sentences_come_in_the_language_of_the_page() -> None:
    answer = signed_in(rows.owner()).post("/uploads/", headers={**VERSION, "Accept-Language": "fa"})
    assert answer.headers["Content-Language"] == "fa"


# Access


@pytest.mark.parametrize(("who", "status"), [("shirin", 204), ("staff", 204), ("omid", 404), ("nobody", 401)])
@pytest.mark.parametrize("act", ["head", "patch", "delete"])
def test_only_its_owner_and_staff(who: str, act: str, status: int) -> None:
    people = cast()
    job = job_of(rows.owner(), 10)
    client = signed_in(people[who])
    acts = {"head": head, "patch": lambda client, job: patch(client, job, 0, b"x"), "delete": delete}
    answer = acts[act](client, job)
    assert answer.status_code == (200 if (act, status) == ("head", 204) else status)
    told = signed_in(people[who]).get(address(job), headers=VERSION)
    if status != 204:
        assert told.json()["detail"]
        assert rows.status(job.pk) == "uploading"


def test_nobody_makes_one() -> None:
    assert create(signed_in(None), 10, filename="film.mp4", **SPANISH).status_code == 401


def test_a_page_of_another_site_cannot() -> None:
    """A session cookie without CSRF token is not enough."""
    job = job_of(rows.owner(), 10)
    client = signed_in(job.owner, enforce_csrf_checks=True)
    assert patch(client, job, 0, b"x").status_code == 403
    assert delete(client, job).status_code == 403
    assert create(client, 10, filename="film.mp4", **SPANISH).status_code == 403
    client.cookies["csrftoken"] = "a" * 32
    assert patch(client, job, 0, b"x", X_CSRFToken="a" * 32).status_code == 204


# Misuse


@pytest.mark.parametrize(
    ("offset", "data", "headers", "status"),
    [
        (4, b"x", {}, 409),
        (6, b"x", {}, 409),
        ("", b"x", {}, 400),
        ("-5", b"x", {}, 400),
        ("five", b"x", {}, 400),
        (5, b"x", {"Content_Type": "application/octet-stream"}, 415),
        (5, b"x", {"Tus_Resumable": ""}, 412),
        (5, b"x", {"Tus_Resumable": "0.2.2"}, 412),
        (5, b"123456", {}, 413),
    ],
)
def test_a_wrong_piece_changes_nothing(
    offset: Any, data: bytes, headers: dict[str, str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "_BUFFER_BYTES", 2)
    job = job_of(rows.owner(), 10)
    client = came(job, b"01234")
    answer = patch(client, job, offset, data, **headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert answer["Tus-Resumable"] == "1.0.0"
    assert answer.headers.get("Tus-Version") == ("1.0.0" if status == 412 else None)
    assert file_of(job).read_bytes() == b"01234"
    assert patch(client, job, 5, b"56789").status_code == 204


def test_too_much_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus, "MAX_CHUNK_BYTES", 4)
    job = job_of(rows.owner(), 10)
    assert patch(signed_in(job.owner), job, 0, b"01234").status_code == 413
    assert patch(signed_in(job.owner), job, 0, b"0123").status_code == 204


@pytest.mark.parametrize("method", ["post", "put"])
def test_other_methods(method: str) -> None:
    job = job_of(rows.owner(), 10)
    answer = getattr(signed_in(job.owner), method)(address(job), headers={**VERSION, "X-HTTP-Method-Override": "PATCH"})
    assert (answer.status_code, answer["Allow"]) == (405, "HEAD, GET, PATCH, DELETE, OPTIONS")
    assert signed_in(job.owner).get("/uploads/", headers=VERSION)["Allow"] == "POST, OPTIONS"


def test_what_is_offered() -> None:
    for place in ("/uploads/", address(job_of(rows.owner(), 10))):
        answer = signed_in(None).options(place)
        offered = [answer[f"Tus-{name}"] for name in ("Version", "Extension", "Max-Size")]
        assert (answer.status_code, offered) == (204, ["1.0.0", "creation,expiration,termination", str(4 << 30)])


@pytest.mark.parametrize("status", [each for each in JobStatus if each != JobStatus.UPLOADING])
def test_a_job_that_waits_for_no_file(status: JobStatus) -> None:
    job_id = rows.IN[status]().job_id
    Job.objects.filter(pk=job_id).update(source_kind="upload", size=10)
    before = rows.everything(job_id)
    client = signed_in(rows.owner())
    assert patch(client, job_id, 0, b"x").status_code == 410
    assert delete(client, job_id).status_code == 410
    assert head(client, job_id).status_code == (410 if status in {"cancelling", "cancelled"} else 200)
    assert rows.everything(job_id) == before
    assert not artifacts.job_dir(job_id).exists()


def test_a_link_has_no_upload() -> None:
    job = rows.job()
    assert head(signed_in(job.owner), job).status_code == 410


# Another file


def checksums(client: Any, job: Job, start: Any = 0) -> Any:
    return client.get(f"{address(job)}/checksums?from={start}", headers=VERSION)


def test_the_server_tells_checksums_of_what_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "BLOCK_BYTES", 4)
    monkeypatch.setattr(received, "BLOCKS", 2)
    job = job_of(rows.owner(), 12)
    assert checksums(signed_in(job.owner), job).json() == {"received": 0, "block": 4, "checksums": []}
    client = came(job, b"0123456789")
    first, rest = [zlib.crc32(b"0123"), zlib.crc32(b"4567")], [zlib.crc32(b"89")]
    assert checksums(client, job).json() == {"received": 10, "block": 4, "checksums": first}
    assert checksums(client, job, 8).json() == {"received": 10, "block": 4, "checksums": rest}
    assert checksums(client, job, 10).json()["checksums"] == []
    assert checksums(client, job, "two").status_code == 400
    came_last = patch(client, job, 10, b"ab")
    assert came_last.status_code == 204
    assert checksums(client, job).status_code == 410


@pytest.mark.parametrize(("who", "status"), [("shirin", 200), ("staff", 200), ("omid", 404), ("nobody", 401)])
def test_checksums_are_for_the_owner_and_staff(who: str, status: int) -> None:
    client = signed_in(cast()[who])
    assert checksums(client, job_of(rows.owner(), 10)).status_code == status


def replace(client: Any, job: Job, **fields: Any) -> Any:
    return client.post(f"/jobs/{job.pk}/replace", fields, headers={"Accept": "application/json"})


def test_another_file_takes_the_place_of_an_upload() -> None:
    """The old address ends, so that no other page can mix the two files."""
    job = job_of(rows.owner(), 10)
    client = came(job, b"01234")
    email = {"language": "fa", "address": f"http://testserver/jobs/{job.pk}/"}
    lifecycle.set_notify(job.pk, email)
    answer = replace(client, job, name="film.mp4", bytes=12)
    new = Job.objects.exclude(pk=job.pk).get()
    assert (answer.status_code, answer.json()["id"], answer.json()["upload"]["size"]) == (201, str(new.pk), 12)
    assert new.notify == {"language": "fa", "address": f"http://testserver/jobs/{new.pk}/"}
    assert (new.options, new.keep_running) == (Job.objects.get(pk=job.pk).options, job.keep_running)
    assert (head(client, job).status_code, patch(client, job, 5, b"56789").status_code) == (410, 410)
    assert head(client, new)["Upload-Offset"] == "0"
    assert replace(client, job, name="film.mp4", bytes=12).status_code == 410
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [
        ({"name": "film.mp4", "bytes": 0}, 422, "not empty"),
        ({"name": "", "bytes": 9}, 422, "required"),
        ({"name": "film.mp4", "bytes": (4 << 30) + 1}, 413, "larger than the limit"),
    ],
)
def test_another_file_that_is_refused(fields: dict[str, Any], status: int, word: str) -> None:
    job = job_of(rows.owner(), 10)
    client = came(job, b"01234")
    answer = replace(client, job, **fields)
    assert (answer.status_code, word in answer.json()["detail"]) == (status, True)
    assert patch(client, job, 5, b"56789").status_code == 204


def test_nobody_replaces_the_file_of_another() -> None:
    job = job_of(rows.owner(), 10)
    assert replace(signed_in(rows.owner("omid")), job, name="film.mp4", bytes=12).status_code == 404
    assert rows.status(job.pk) == "uploading"


# Ends


def test_an_upload_that_is_taken_back() -> None:
    job = job_of(rows.owner(), 10)
    assert delete(came(job, b"01234"), job).status_code == 204
    assert rows.status(job.pk) == "cancelled"
    assert job.transitions.filter(to_status="cancelling").get().actor == "shirin"
    assert not artifacts.job_dir(job.pk).exists()


def test_cancelled_while_a_piece_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(rows.owner(), 5)
    client = signed_in(job.owner)
    write = os.write

    def cancelled_meanwhile(file: int, data: Any) -> int:
        monkeypatch.setattr(os, "write", write)
        assert lifecycle.cancel(job.pk, actor="shirin")
        assert deletion.finish(job.pk)
        return write(file, data)

    monkeypatch.setattr(os, "write", cancelled_meanwhile)
    assert patch(client, job, 0, b"01234").status_code == 410
    assert rows.status(job.pk) == "cancelled"
    assert not artifacts.job_dir(job.pk).exists()


def test_whole_just_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request brought the rest between the look at the job and the lock."""
    job = job_of(rows.owner(), 5)
    lock = fcntl.flock

    def whole_meanwhile(file: int, how: int) -> None:
        os.write(file, b"01234")
        lifecycle.submit(job.pk, "shirin")
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", whole_meanwhile)
    assert patch(signed_in(job.owner), job, 5, b"x").status_code == 410
    assert file_of(job).read_bytes() == b"01234"


def test_cancelled_just_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is gone and is not created again."""
    job = job_of(rows.owner(), 5)
    artifacts.delete_job_dir(job.pk)
    assert patch(signed_in(job.owner), job, 0, b"01234").status_code == 410
    assert not artifacts.job_dir(job.pk).exists()


def test_each_piece_is_a_sign_of_life() -> None:
    job = job_of(rows.owner(), 10)
    Job.objects.update(changed=F("changed") - timedelta(hours=25))
    answer = patch(signed_in(job.owner), job, 0, b"01234")
    end = parse_http_date(answer["Upload-Expires"])
    assert abs(end - (timezone.now() + timedelta(hours=24)).timestamp()) < 60
    reaper.expire_uploads()
    assert rows.status(job.pk) == "uploading"
    assert Job.objects.get().version == job.version + 1
    Job.objects.update(changed=F("changed") - timedelta(hours=25))
    assert parse_http_date(head(signed_in(job.owner), job)["Upload-Expires"]) < timezone.now().timestamp()
    reaper.expire_uploads()
    assert rows.status(job.pk) == "cancelled"


# Trouble


def test_only_one_adds_at_a_time() -> None:
    job = job_of(rows.owner(), 10)
    client = came(job, b"01234")
    with file_of(job).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert patch(client, job, 5, b"56789").status_code == 423
        assert head(client, job)["Upload-Offset"] == "5"
    assert patch(client, job, 5, b"56789").status_code == 204


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_loses_nothing(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(rows.owner(), 10)
    client = came(job, b"01234")
    with monkeypatch.context() as patched:
        patched.setattr(os, call, _full)
        answer = patch(client, job, 5, b"56789")
    assert (answer.status_code, answer.json()["detail"][:17]) == (507, "The disk is full.")
    assert file_of(job).read_bytes() == b"01234"
    assert patch(client, job, 5, b"56789").status_code == 204


def _full(*_: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_away_is_waited_for(tmp_path: Path, settings: Any) -> None:
    """The bytes return with the disk, so the upload does not start again."""
    job, place = job_of(rows.owner(), 10), settings.MEDIA_ROOT
    client = came(job, b"01234")
    installation.mark()  # else done outside of a test's transaction
    for away in ("unmounted", "missing"):
        settings.MEDIA_ROOT = tmp_path / away
        if away == "unmounted":
            (tmp_path / away / "jobs").mkdir(parents=True)
        answers = [head(client, job), patch(client, job, 5, b"567"), create(client, 9, filename="v.mp4", **SPANISH)]
        for answer in answers:
            assert (answer.status_code, int(answer["Retry-After"]) > 0) == (503, True)
    settings.MEDIA_ROOT = place
    assert head(client, job)["Upload-Offset"] == "5"
    assert patch(client, job, 5, b"56789").status_code == 204
    assert rows.status(job.pk) == "queued"


def test_short_writes_go_on_where_they_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    job = job_of(rows.owner(), 10)
    came(job, b"0123456789")
    assert file_of(job).read_bytes() == b"0123456789"


def test_killed_before_it_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bytes are there, but no row: the next question ends it."""
    job = job_of(rows.owner(), 10)
    client = came(job, b"01234")
    file_of(job).write_bytes(b"0123456789")
    assert head(client, job)["Upload-Offset"] == "10"
    assert rows.status(job.pk) == "queued"
    assert Artifact.objects.get().size == 10


def test_submitted_by_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the last look at the job and its end it may be cancelled: then nothing is published."""
    job = job_of(rows.owner(), 5)
    monkeypatch.setattr(lifecycle, "uploaded_more", lambda job_id: lifecycle.cancel(job_id, actor="shirin"))
    assert patch(signed_in(job.owner), job, 0, b"01234").status_code == 410
    assert rows.status(job.pk) == "cancelling"
    assert not Artifact.objects.exists()


def test_a_job_whose_subtitles_are_still_being_stored_takes_no_upload(shirin_job_fields: dict[str, Any]) -> None:
    """Its pages are shown, however short that time is."""
    job = lifecycle.begin(**shirin_job_fields)
    client = signed_in(job.owner)
    headers = {**VERSION, "Upload-Offset": "0"}
    for method in ("head", "patch", "delete"):
        kind = {"content_type": "application/offset+octet-stream"} if method == "patch" else {}
        assert getattr(client, method)(address(job), headers=headers, **kind).status_code == 404
    assert client.get("/").status_code == client.get(f"/jobs/{job.pk}/").status_code == 200
    assert client.get("/api/jobs").status_code == 200


@pytest.fixture
def shirin_job_fields() -> dict[str, Any]:
    options = JobOptions(target="fa", brought=True).as_json()
    return {
        "owner": rows.owner("shirin"),
        "source_kind": "upload",
        "source": "talk.mp4",
        "options": options,
        "target": "fa",
    }
