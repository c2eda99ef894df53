"""The pages, without scripts: what they show in each state, and what their forms do."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pysubs2
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from jobs import lifecycle
from jobs.engines.registry import DIARIZERS
from jobs.intake.options import JobOptions, options_of
from jobs.models import Artifact, Job, JobStatus, PageLease, Reason, StageRun
from jobs.pipeline.protocols import Readiness
from jobs.storage import artifacts
from tests.jobs import rows

pytestmark = pytest.mark.django_db

SUBTITLES = "1\n00:00:01,000 --> 00:00:03,000\nسلام، حال شما چطور است؟\n"


@pytest.fixture
def client() -> Client:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(rows.owner("shirin"))
    return found


def text(answer: Any) -> str:
    return str(answer.content.decode())


def new(**fields: Any) -> dict[str, Any]:
    return {"source": "link", "link": "https://example.org/talk", "to": "es", "spoken": "en", **fields}


def made(state: JobStatus = JobStatus.QUEUED, **fields: Any) -> Job:
    """A job of shirin's with an order, in one of its states."""
    job = Job.objects.get(pk=rows.IN[state]().job_id)
    values = {"options": JobOptions(target="fa").as_json(), "title": "talk.mp4", "spoken": "en", **fields}
    Job.objects.filter(pk=job.pk).update(**values)
    if not artifacts.job_dir(job.pk).exists():
        artifacts.make_job_dir(job.pk)
    job.refresh_from_db()
    return job


# A new job


def test_the_engines_are_those_of_the_site(client: Client, settings: Any) -> None:
    settings.TRANSCRIBER, settings.TRANSLATOR = "pocketsphinx", "apertium"
    client.post("/", {"source": "link", "link": "https://example.org/talk", "to": "es", "spoken": "en"})
    order = options_of(Job.objects.get().options)
    assert (order.transcriber, order.translator) == ("pocketsphinx", "apertium")


def test_a_link_becomes_a_job(client: Client) -> None:
    answer = client.post("/", new(look="outline", position="top", bilingual="on", glossary="open source = متن‌باز"))
    job = Job.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/jobs/{job.pk}/")
    order = options_of(job.options)
    assert (order.target, order.spoken, order.bilingual, order.mode) == ("es", "en", True, "burn")
    assert (order.style.look, order.style.position, order.style.size) == ("outline", "top", "medium")
    assert order.glossary == (("open source", "متن‌باز"),)
    assert (job.status, job.source, job.keep_running) == (JobStatus.QUEUED, "https://example.org/talk", False)


@pytest.fixture
def diarizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that tells speakers apart is ready."""
    ready = replace(DIARIZERS[-1], readiness=lambda _: Readiness(ready=True))
    monkeypatch.setattr("jobs.web.form_choices.DIARIZERS", (ready,))
    monkeypatch.setattr("jobs.engines.selection.DIARIZERS", (ready,))


@pytest.mark.usefixtures("diarizer")
@pytest.mark.parametrize(("asked", "stored"), [("", "off"), ("off", "off"), ("auto", "auto"), ("3", 3)])
def test_speakers_can_be_told_apart(client: Client, asked: str, stored: object) -> None:
    assert b'name="speakers"' in client.get("/").content
    client.post("/", new(speakers=asked, colours="speaker-colours"))
    order = options_of(Job.objects.get().options)
    assert (order.speakers, order.style.colours) == (stored, "speaker-colours")
    assert order.told_apart == ("auto" if stored == "off" else stored)


@pytest.mark.usefixtures("diarizer")
def test_a_number_of_speakers_that_cannot_be(client: Client) -> None:
    answer = client.post("/", new(speakers="99"))
    assert answer.status_code == 422
    assert "“99” is not a valid number of speakers" in answer.content.decode()
    assert not Job.objects.exists()


def test_speakers_are_not_offered_where_they_cannot_be_told_apart(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = replace(DIARIZERS[-1], readiness=lambda _: Readiness(ready=False))
    monkeypatch.setattr("jobs.web.form_choices.DIARIZERS", (missing,))
    assert b'name="speakers"' not in client.get("/").content


def test_an_upload_is_promised(client: Client) -> None:
    fields = new(source="upload", link="", name="گفتگو.mp4", bytes=4321, keep_running="on")
    answer = client.post("/", fields, headers={"Accept": "application/json"})
    job = Job.objects.get()
    assert answer.status_code == 201
    assert answer.json()["upload"] == {
        "name": "گفتگو.mp4",
        "size": 4321,
        "size_text": "4.3 kB",
        "url": f"/uploads/{job.pk}",
        "replace": f"/jobs/{job.pk}/replace",
    }
    assert (job.status, job.size, job.keep_running) == (JobStatus.UPLOADING, 4321, True)


def test_the_sample_takes_the_subtitles_that_a_person_wrote(client: Client, settings: Any) -> None:
    """No engine has to know Persian."""
    client.post("/", new(source="sample", to="fa", spoken=""))
    job = Job.objects.get()
    assert options_of(job.options).brought
    assert job.cues.count() == 8
    assert artifacts.path_of(job.pk, "source")


def test_subtitles_come_along(client: Client) -> None:
    brought = SimpleUploadedFile("talk.srt", SUBTITLES.encode())
    client.post("/", new(to="fa", spoken="", subtitles=brought, subtitles_are="use"))
    job = Job.objects.get()
    assert [cue.source for cue in job.cues.all()] == ["سلام، حال شما چطور است؟"]


TOO_LONG = "این جمله برای دو سطر زیرنویس بلند است، " * 4 + "پس بخش‌بخش می‌شود."


@pytest.mark.parametrize(("fields", "whole"), [({}, False), ({"whole_subtitles": "on"}, True)])
def test_long_subtitles_are_divided_unless_they_shall_stay_whole(
    client: Client, fields: dict[str, str], whole: bool
) -> None:
    brought = SimpleUploadedFile("talk.srt", f"1\n00:00:01,000 --> 00:00:11,000\n{TOO_LONG}\n".encode())
    client.post("/", new(to="fa", spoken="", subtitles=brought, subtitles_are="use", **fields))
    job = Job.objects.get()
    assert (job.cues.count() == 1) is whole
    assert " ".join(cue.source for cue in job.cues.order_by("number")) == TOO_LONG
    notes = [note for note in job.notes if note["code"] == "subtitles_divided"]
    assert notes == ([] if whole else [{"code": "subtitles_divided", "params": {"count": "1"}}])


@pytest.mark.parametrize(("fields", "is_repaired"), [({}, True), ({"unrepaired_subtitles": "on"}, False)])
def test_a_damaged_text_is_repaired_unless_it_shall_stay(
    client: Client, fields: dict[str, str], is_repaired: bool
) -> None:
    right = "Это было давно, в начале лета."
    text = right.encode().decode("cp1251")
    brought = SimpleUploadedFile("talk.srt", f"1\n00:00:01,000 --> 00:00:05,000\n{text}\n".encode())
    client.post("/", new(to="ru", spoken="", subtitles=brought, subtitles_are="use", **fields))
    job = Job.objects.get()
    assert [cue.source for cue in job.cues.all()] == [right if is_repaired else text]
    assert ("letters_repaired" in [note["code"] for note in job.notes]) is is_repaired


LONG = "زیرنویس" * 25 + ".srt"
"""Less than 255 characters, but more bytes than the name of a file can have."""


def test_subtitles_may_have_any_name(client: Client) -> None:
    fields = {"to": "fa", "spoken": "", "subtitles_are": "use"}
    client.post("/", new(**fields, subtitles=SimpleUploadedFile(LONG, SUBTITLES.encode())))
    assert Job.objects.get().cues.count() == 1
    refused = client.post("/", new(**fields, subtitles=SimpleUploadedFile(LONG, b" \n")))
    assert (refused.status_code, f"The file “{LONG}” is empty" in text(refused)) == (422, True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"link": "nonsense"}, "This is not a link to a video."),
        ({"link": ""}, "This is not a link to a video."),
        ({"source": "upload", "link": ""}, "Choose a video or audio file that is not empty."),
        ({"source": "upload", "name": "v.mp4", "bytes": 0}, "Choose a video or audio file that is not empty."),
        ({"to": "klingonisch"}, "The language “klingonisch” is not known."),
        ({"glossary": "half a line"}, "Line 1 of “Glossary”"),
        ({"spoken": "fa", "to": "en"}, "is not ready"),
        ({"subtitles": SimpleUploadedFile("t.srt", b"\x00\x01"), "spoken": "en"}, "is not a readable subtitle file"),
        (
            {"subtitles": SimpleUploadedFile("t.srt", SUBTITLES.encode()), "spoken": ""},
            "Choose the language of your sub",
        ),
    ],
)
def test_what_is_refused_is_said_beside_what_was_typed(client: Client, fields: dict[str, Any], said: str) -> None:
    answer = client.post("/", new(**fields))
    assert answer.status_code == 422
    assert said in text(answer)
    assert not Job.objects.exists()
    assert not [path for path in artifacts.job_dir(uuid.uuid4()).parent.iterdir() if path.is_dir()]


def test_scripts_get_the_sentence(client: Client) -> None:
    answer = client.post("/", new(source="upload", name=""), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["detail"] == "Choose a video or audio file that is not empty."


def test_more_than_is_allowed(client: Client, settings: Any) -> None:
    settings.LIMIT_QUEUED = 1
    client.post("/", new())
    assert "You have 1 jobs waiting or uploading" in text(client.post("/", new()))
    assert Job.objects.count() == 1


# A job


def test_a_line_has_one_kind_of_digits(client: Client) -> None:
    """The length of a video stands in a line of prose: with Persian digits on a Persian page."""
    job = made(JobStatus.COMPLETED, seconds=750)
    for language, length in (("fa", "۱۲:۳۰"), ("en", "12:30")):
        page = text(client.get(f"/jobs/{job.pk}/", headers={"Accept-Language": language}))
        assert f'data-text="length">{length}</bdi>' in page


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("state", list(JobStatus))
def test_every_state_has_its_page(client: Client, state: JobStatus, language: str) -> None:
    job = made(state)
    answer = client.get(f"/jobs/{job.pk}/", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert "talk.mp4" in text(answer)
    assert ('dir="rtl"' in text(answer).split("<head>")[0]) == (language == "fa")
    moving = state not in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}
    hidden = 'data-show="moving" hidden' in text(answer)
    assert hidden != moving
    assert (f'action="/jobs/{job.pk}/delete"' in text(answer)) != moving


def test_only_scripts_of_this_host(client: Client) -> None:
    answer = client.get("/jobs/")
    policy = answer.headers["Content-Security-Policy"]
    found = re.search(r"script-src 'self' 'nonce-([^']+)'(;|$)", policy)
    assert found, policy
    assert "default-src 'self'" in policy
    inline = re.findall(r"<script(?![^>]* src=)([^>]*)>", text(answer))
    assert inline
    assert all(f'nonce="{found[1]}"' in each for each in inline)


def test_what_was_refused_leaves_the_form_as_it_was(client: Client) -> None:
    """The next button that is pressed says what it is for."""
    answer = client.post("/", new(source="sample", to="nonsense"))
    assert answer.status_code == 422
    assert re.findall(r'name="source" value="(\w+)"', text(answer)) == ["link", "sample"]


def test_a_page_holds_a_lease(client: Client) -> None:
    answer = client.get("/jobs/")
    assert PageLease.objects.filter(owner__username="shirin").count() == 1
    assert f'data-page-id="{PageLease.objects.get().pk}"' in text(answer)


@pytest.mark.parametrize(("kind", "leases"), [("document", 1), ("image", 0), ("empty", 0)])
def test_what_is_no_page_holds_none(client: Client, kind: str, leases: int) -> None:
    """Such as the answer to a browser that looks for an icon where there is none."""
    client.get("/favicon.ico", headers={"Sec-Fetch-Dest": kind})
    assert PageLease.objects.count() == leases


def test_the_administration_is_a_part_of_the_site() -> None:
    boss = User.objects.create_superuser("boss")
    staff = Client()
    staff.force_login(boss)
    for path in ("/admin/", "/admin/jobs/job/", "/admin/jobs/process/"):
        PageLease.objects.all().delete()
        shown = text(staff.get(path))
        assert f'data-page-id="{PageLease.objects.get().pk}"' in shown
        assert '<script type="module" src="/static/web/page-close.js">' in shown


def test_who_is_not_signed_in_holds_none() -> None:
    assert Client().get("/admin/login/").status_code == 200
    assert Client().get("/sign-in/").status_code == 200
    assert not PageLease.objects.exists()


@pytest.mark.parametrize(
    ("actor", "reason", "said"),
    [
        (lifecycle.PRESENCE, Reason.PAGES_CLOSED, "because all tabs of this site were closed."),
        (lifecycle.PRESENCE, Reason.NO_SIGN_OF_LIFE, "because no open page of this site responded."),
        (lifecycle.PRESENCE, Reason.COMMAND_KILLED, "because the command that started it was killed."),
        ("command line", Reason.COMMAND_INTERRUPTED, "because the command that started it was interrupted."),
        (lifecycle.SYSTEM, Reason.UPLOAD_EXPIRED, "because the upload was never finished."),
        ("shirin", Reason.UPLOAD_REPLACED, "because the upload was started again with another file."),
        ("shirin", "", "by you."),
        ("shirin", "the upload was taken back", "by you."),
        ("mina", "admin", "by mina."),
    ],
)
def test_a_cancelled_job_says_when_and_why(client: Client, actor: str, reason: str, said: str) -> None:
    job = made(JobStatus.QUEUED)
    lifecycle.cancel(job.pk, actor=actor, reason=reason)
    lifecycle.finish_cancel(job.pk)
    page = text(client.get(f"/jobs/{job.pk}/"))
    assert re.search(rf"Cancelled on \d+ [^<]*{re.escape(said)}", page)
    assert "Start again" in page


def test_you_are_who_looks(client: Client) -> None:
    """Staff reads other people's jobs."""
    staff = Client(headers={"Accept-Language": "en"})
    staff.force_login(User.objects.create(username="mina", is_staff=True))
    for who, others in (("shirin", staff), ("mina", client)):
        job = made(JobStatus.QUEUED)
        lifecycle.cancel(job.pk, actor=who)
        assert f"by {who}." in text(others.get(f"/jobs/{job.pk}/"))
        assert f"by {who}." in others.get(f"/api/jobs/{job.pk}").json()["ended_text"]
        mine = client if others is staff else staff
        assert "by you." in text(mine.get(f"/jobs/{job.pk}/"))
        assert "by you." in mine.get(f"/api/jobs/{job.pk}").json()["ended_text"]


def test_a_failed_job_says_what_to_do(client: Client, settings: Any) -> None:
    """And not where the site keeps its files."""
    detail = f"No space left on device: {settings.MEDIA_ROOT}/jobs/video.mp4"
    job = made(JobStatus.FAILED, error={"code": "DiskFull", "params": {}, "detail": detail})
    page = text(client.get(f"/jobs/{job.pk}/"))
    assert "The disk is full. Free some space and try again." in page
    assert "No space left on device: jobs/video.mp4" in page
    assert "Resume" in page


def test_what_cannot_be_used_is_not_tried_again(client: Client) -> None:
    job = made(JobStatus.FAILED, error={"code": "NotAVideo", "params": {"name": "minutes.mp4"}, "detail": ""})
    page = text(client.get(f"/jobs/{job.pk}/"))
    assert "Resume" not in page
    assert "Translate a video" in page
    broken = made(JobStatus.FAILED, error={"code": "BrokenDownload", "params": {}, "detail": ""})
    assert "Resume" in text(client.get(f"/jobs/{broken.pk}/"))


@pytest.mark.parametrize(
    ("form", "words"), [("source", "Sentence 1."), ("target", "جملهٔ ۱"), ("bilingual", "Sentence 1.")]
)
@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
def test_subtitles_as_they_are_now(client: Client, form: str, words: str, kind: str) -> None:
    job = made(JobStatus.RUNNING)
    job.cues.update(target="جملهٔ ۱", answered=True)
    answer = client.get(f"/jobs/{job.pk}/subtitles/{form}.{kind}")
    assert words in text(answer)
    codes = {"source": "en", "target": "fa", "bilingual": "fa+en"}
    assert f'filename="talk.mp4.{codes[form]}.{kind}"' in answer.headers["Content-Disposition"]


def test_subtitles_are_laid_out_for_the_picture(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = made(JobStatus.RUNNING)
    monkeypatch.setattr("jobs.web.views.jobs.picture_size", lambda found: (1080, 1920) if found == job else None)
    settings.PORTRAIT_MARGIN = 30
    written = pysubs2.SSAFile.from_string(text(client.get(f"/jobs/{job.pk}/subtitles/source.ass")))
    assert (written.info["PlayResX"], written.info["PlayResY"]) == ("1080", "1920")
    assert written.styles["Default"].marginv == 576


@pytest.mark.parametrize("path", ["else.srt", "target.exe"])
def test_other_subtitles_there_are_none(client: Client, path: str) -> None:
    assert client.get(f"/jobs/{made().pk}/subtitles/{path}").status_code == 404


def test_cancel_retry_keep(client: Client) -> None:
    job = made()
    client.post(f"/jobs/{job.pk}/keep", {"keep_running": "on"})
    assert Job.objects.get().keep_running
    client.post(f"/jobs/{job.pk}/keep")
    assert not Job.objects.get().keep_running
    assert "already being processed" in text(client.post(f"/jobs/{job.pk}/retry", follow=True))
    client.post(f"/jobs/{job.pk}/cancel")
    assert Job.objects.get().status == JobStatus.CANCELLING
    failed = made(JobStatus.FAILED)
    client.post(f"/jobs/{failed.pk}/retry")
    assert Job.objects.get(pk=failed.pk).status == JobStatus.QUEUED


def test_start_again(client: Client) -> None:
    old = made(
        JobStatus.CANCELLED, options=JobOptions(target="es", spoken="en").as_json(), source="https://example.org/talk"
    )
    answer = client.post(f"/jobs/{old.pk}/again")
    again = Job.objects.exclude(pk=old.pk).get()
    assert answer.headers["Location"] == f"/jobs/{again.pk}/"
    assert (again.status, again.source, again.options) == (JobStatus.QUEUED, old.source, old.options)


SOUND = {
    "track": 2,
    "tracks": [
        {"number": 1, "language": "de", "title": "Deutsch <dub>", "kind": "speech"},
        {"number": 2, "language": "en", "title": "", "kind": "speech"},
        {"number": 4, "language": "", "title": "", "kind": "commentary"},
        {"number": 5, "language": "", "title": "", "kind": "speech"},
    ],
}


def with_tracks(state: JobStatus, sound: dict[str, Any] = SOUND, **fields: Any) -> Job:
    job = made(state, source_kind="link", source="https://example.org/talk", **fields)
    StageRun.objects.filter(job=job, stage="fetch").update(outcome={"sound": sound})
    return job


ORDERED = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")


def test_another_sound_track_is_chosen_from_the_list(client: Client) -> None:
    old = with_tracks(JobStatus.COMPLETED, options=ORDERED.as_json())
    page = text(client.get(f"/jobs/{old.pk}/"))
    labels = re.findall(r'<option value="(\d)"( selected)?>([^<]+)</option>', page.split('name="audio_track"')[1])
    assert labels == [
        ("1", "", "1: German · Deutsch &lt;dub&gt;"),
        ("2", " selected", "2: English (in use)"),
        ("4", "", "4: commentary"),
        ("5", "", "5"),
    ]
    client.post(f"/jobs/{old.pk}/again", {"audio_track": "4"})
    again = Job.objects.exclude(pk=old.pk).get()
    assert options_of(again.options) == replace(ORDERED, audio_track="4")


def test_a_sound_track_that_is_none(client: Client) -> None:
    old = with_tracks(JobStatus.COMPLETED, options=ORDERED.as_json())
    answer = client.post(f"/jobs/{old.pk}/again", {"audio_track": "<script>"}, follow=True)
    assert "is not known" in text(answer)
    assert Job.objects.count() == 1


def test_the_sound_tracks_of_a_job_that_runs(client: Client) -> None:
    job = with_tracks(JobStatus.RUNNING)
    page = text(client.get(f"/jobs/{job.pk}/"))
    assert "2: English (in use)" in page
    assert "To use another sound track, cancel the job and start it again." in page
    assert 'name="audio_track"' not in page


@pytest.mark.parametrize("sound", [{}, {**SOUND, "tracks": SOUND["tracks"][:1]}])  # type: ignore[index]
def test_a_single_sound_track_is_no_choice(client: Client, sound: dict[str, Any]) -> None:
    job = with_tracks(JobStatus.COMPLETED, sound)
    assert "Sound tracks" not in text(client.get(f"/jobs/{job.pk}/"))


@pytest.mark.parametrize(("given", "kept"), [("2", "2"), ("۲", "2"), ("Persian", "fa"), ("فارسی", "fa"), ("", "")])
def test_the_sound_track_of_a_new_job(client: Client, given: str, kept: str) -> None:
    client.post("/", new(audio_track=given))
    assert options_of(Job.objects.get().options).audio_track == kept


def test_a_sound_track_of_a_new_job_that_is_none(client: Client) -> None:
    answer = client.post("/", new(audio_track="the second one"))
    assert answer.status_code == 422
    assert "is not known" in text(answer)
    assert not Job.objects.exists()


BROUGHT = JobOptions(target="fa", brought=True).as_json()


def test_who_brought_subtitles_brings_them_again(client: Client) -> None:
    old = made(JobStatus.CANCELLED, options=BROUGHT, source="https://example.org/talk")
    form = f'enctype="multipart/form-data" action="/jobs/{old.pk}/again"'
    assert form in text(client.get(f"/jobs/{old.pk}/"))
    assert f'href="/jobs/{old.pk}/#bring" data-show="can.bring">' in text(client.get("/jobs/"))
    refused = text(client.post(f"/jobs/{old.pk}/again", follow=True))
    assert refused.count("Your subtitle file was deleted with the job. Choose it again.") == 2
    wrong = client.post(f"/jobs/{old.pk}/again", {"subtitles": SimpleUploadedFile("t.srt", b"nothing")}, follow=True)
    assert "“t.srt” is not a readable subtitle file" in text(wrong)
    client.post(f"/jobs/{old.pk}/again", {"subtitles": SimpleUploadedFile(LONG, SUBTITLES.encode())})
    again = Job.objects.exclude(pk=old.pk).get()
    assert [cue.source for cue in again.cues.all()] == ["سلام، حال شما چطور است؟"]


def test_subtitles_that_are_left_are_not_asked_for(client: Client) -> None:
    old = made(JobStatus.FAILED, options=BROUGHT, source="https://example.org/talk")
    old.cues.update(source="سلام")
    assert 'id="bring"' not in text(client.get(f"/jobs/{old.pk}/"))
    client.post(f"/jobs/{old.pk}/again")
    assert {cue.source for cue in Job.objects.exclude(pk=old.pk).get().cues.all()} == {"سلام"}


def test_the_sample_starts_again(client: Client) -> None:
    client.post("/", new(source="sample", to="fa", spoken=""))
    old = Job.objects.get()
    lifecycle.cancel(old.pk, actor="shirin")
    lifecycle.finish_cancel(old.pk)
    page = text(client.get(f"/jobs/{old.pk}/"))
    assert f'action="/jobs/{old.pk}/again"' in page
    assert 'id="bring"' not in page
    client.post(f"/jobs/{old.pk}/again")
    again = Job.objects.exclude(pk=old.pk).get()
    assert (again.status, again.source_kind, again.cues.count()) == (JobStatus.QUEUED, "sample", 8)


def test_the_sample_with_subtitles_of_ones_own(client: Client) -> None:
    brought = SimpleUploadedFile("talk.srt", SUBTITLES.encode())
    client.post("/", new(source="sample", to="fa", spoken="", subtitles=brought, subtitles_are="use"))
    assert Job.objects.get().cues.count() == 1


def test_what_only_the_command_line_has_is_not_offered(client: Client) -> None:
    old = made(JobStatus.CANCELLED, source_kind="file", source="talk.mkv")
    assert f'action="/jobs/{old.pk}/again"' not in text(client.get(f"/jobs/{old.pk}/"))
    assert "Start it there again." in text(client.post(f"/jobs/{old.pk}/again", follow=True))


def test_delete_takes_files_and_row(client: Client) -> None:
    job = made(JobStatus.COMPLETED)
    (artifacts.job_dir(job.pk) / "left.mp4").write_bytes(b"video")
    assert "“talk.mp4” was deleted." in text(client.post(f"/jobs/{job.pk}/delete", follow=True))
    assert not Job.objects.exists()
    assert not artifacts.job_dir(job.pk).exists()


def test_delete_waits_for_the_end(client: Client) -> None:
    job = made(JobStatus.RUNNING)
    assert "Cancel the job before you delete it." in text(client.post(f"/jobs/{job.pk}/delete", follow=True))
    assert artifacts.job_dir(job.pk).exists()


@pytest.mark.parametrize("state", JobStatus)
def test_the_parts_of_a_page_are_those_that_the_page_has(client: Client, state: JobStatus) -> None:
    """An open page replaces its own by them when the state changes. They hold no captions and take no lease."""
    job = made(state, source_kind="upload", source="talk.mp4")
    page, leases = text(client.get(f"/jobs/{job.pk}/")), PageLease.objects.count()
    answer = client.get(f"/jobs/{job.pk}/parts")
    parts = text(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert PageLease.objects.count() == leases
    assert mark(parts) == mark(page)
    found = pieces(parts)
    assert list(found) == ["state", "brief", "video", "results", "captions", "end"]
    assert found == pieces(page)
    assert 'data-number="' not in parts


def mark(page: str) -> str:
    """The mark of the state to which the parts belong."""
    (found,) = re.findall(r'<main [^>]*data-part="([^"]+)"', page)
    return str(found)


def pieces(page: str) -> dict[str, str]:
    """The parts by name, without CSRF tokens, which differ each time."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
    found = re.findall(r'(<div data-part-of="(\w+)".*?\n</div>\n)', page, re.DOTALL)
    return {name: piece for piece, name in found}


def test_somebody_else_gets_no_parts(client: Client) -> None:
    job = made(JobStatus.COMPLETED)
    other = Client()
    assert other.get(f"/jobs/{job.pk}/parts").status_code == 302
    other.force_login(rows.owner("reza"))
    assert other.get(f"/jobs/{job.pk}/parts").status_code == 404


# The list


def test_search_and_filters(client: Client) -> None:
    made(JobStatus.COMPLETED, title="Geese in the sky")
    made(JobStatus.FAILED, title="غازها")
    for query, found in {
        "": 2,
        "q=geese": 1,
        "q=sky+geese": 1,
        "q=sea": 0,
        "show=done": 1,
        "show=failed&q=غازها": 1,
    }.items():
        assert text(client.get(f"/jobs/?{query}")).count("data-row=") == found, query
        assert len(client.get(f"/api/jobs?{query}").json()["jobs"]) == found, query


def test_pages_of_the_list(client: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(45):
        rows.job(title=f"talk {number}", options=JobOptions(target="fa").as_json())
    with django_assert_max_num_queries(10):  # one of them: the id of the disk, asked for once in a few seconds
        first = text(client.get("/jobs/"))
    assert first.count("data-row=") == 20
    assert "1 of 3" in first
    assert "۱ از ۳" in text(client.get("/jobs/", headers={"Accept-Language": "fa"}))
    assert text(client.get("/jobs/?page=3")).count("data-row=") == 5


# Time that is left


def test_a_running_job_tells_how_long_it_takes(client: Client) -> None:
    """Estimated from the speed of its own stage: half of the transcription took a minute."""
    job = made(JobStatus.RUNNING, seconds=600)
    job.stages.filter(stage="transcribe").update(started=timezone.now() - timedelta(minutes=10), progress=0.5)
    assert "about" in client.get(f"/api/jobs/{job.pk}").json()["left"]


def running(progress: float, started: float, changed: float, **fields: Any) -> Job:
    """A job of ten minutes whose recognition began and changed last so many seconds ago."""
    now, job = timezone.now(), made(JobStatus.RUNNING, seconds=600)
    job.stages.filter(stage="transcribe").update(progress=progress, started=now - timedelta(seconds=started), **fields)
    job.stages.filter(stage__in=["translate", "subtitle", "render"]).update(status="done")
    Job.objects.filter(pk=job.pk).update(changed=now - timedelta(seconds=changed))
    return job


USUAL = 162.0  # seconds: 600 s of video at the speed that counts before a job is completed


@pytest.mark.parametrize(
    ("job", "left"),
    [
        ({"progress": 0.5, "started": 310, "changed": 10}, "about 5 min left"),
        ({"progress": 0.5, "started": 550, "changed": 250}, "less than a minute left"),
        ({"progress": 0.5, "started": 620, "changed": 310}, "less than a minute left"),
        ({"progress": 0.5, "started": 620, "changed": 320}, "longer than usual"),
        ({"progress": 0.01, "started": 42, "changed": 1}, "about 2 min left"),
        ({"progress": 0.01, "started": USUAL + 10, "changed": 1}, "less than a minute left"),
        ({"progress": 0.01, "started": USUAL + 20, "changed": 1}, "longer than usual"),
        ({"progress": 0.5, "started": 2, "changed": 1, "progress_before": 0.5}, "about 1 min left"),
    ],
)
def test_a_time_that_ran_out_is_longer_than_usual(client: Client, job: dict[str, Any], left: str) -> None:
    facts = client.get(f"/api/jobs/{running(**job).pk}").json()
    assert facts["left"] == left
    assert (facts["left_holds"] is None) == (left == "longer than usual")


def test_a_translation_that_waits_for_the_speech_is_not_late(client: Client) -> None:
    job = running(0.5, 310, 10)
    translate = job.stages.get(stage="translate")
    StageRun.objects.filter(pk=translate.pk).update(
        status="running", attempt=uuid.uuid4(), heartbeat=timezone.now(), started=timezone.now() - timedelta(hours=1)
    )
    assert client.get(f"/api/jobs/{job.pk}").json()["left"] == "about 5 min left"


def test_an_estimate_holds_until_it_has_run_out(client: Client) -> None:
    facts = client.get(f"/api/jobs/{running(0.5, 310, 10).pk}").json()
    assert facts["left_holds"] == pytest.approx(300 - 10 + 15, abs=3)


def test_no_estimate_runs_out_while_no_stage_runs(client: Client) -> None:
    assert client.get(f"/api/jobs/{made().pk}").json()["left_holds"] is None


def test_the_running_stage_shows_for_how_long(client: Client) -> None:
    job = running(0.5, 3725, 1)
    elapsed = client.get(f"/api/jobs/{job.pk}").json()["elapsed"]
    assert elapsed["label"] == "Transcribe"
    assert 3725 <= elapsed["seconds"] < 3729
    assert elapsed["clock"].startswith("1:02:0")
    shown = text(client.get(f"/jobs/{job.pk}/", headers={"Accept-Language": "fa"}))
    assert re.search(r"data-clock>۱:۰۲:۰\d<", shown)
    assert client.get(f"/api/jobs/{made().pk}").json()["elapsed"] is None


def test_the_loading_of_a_model_is_shown_while_it_lasts(client: Client) -> None:
    job = running(0.0, 5, 1, step="load_speech")
    persian = {"Accept-Language": "fa"}
    for address in (f"/jobs/{job.pk}/", "/jobs/"):
        assert "Loading the speech model …" in text(client.get(address))
        assert "مدل تبدیل گفتار به متن آماده می‌شود …" in text(client.get(address, headers=persian))
    assert client.get(f"/api/jobs/{job.pk}").json()["stage_text"] == "Loading the speech model …"
    job.stages.update(step="")
    assert "Loading" not in text(client.get(f"/jobs/{job.pk}/"))
    assert client.get(f"/api/jobs/{job.pk}").json()["step"] == ""


def test_a_waiting_job_tells_who_is_before_it(client: Client) -> None:
    first, second = made(), made()
    assert client.get(f"/api/jobs/{first.pk}").json()["left"] == "next in the queue"
    assert client.get(f"/api/jobs/{second.pk}").json()["left"] == "1 before it in the queue"
    listed = client.get("/api/jobs").json()["jobs"]
    assert [job["left"] for job in listed] == ["1 before it in the queue", "next in the queue"]


def test_files_of_a_result(client: Client) -> None:
    job = made(JobStatus.COMPLETED)
    Artifact.objects.update_or_create(job=job, kind="video", defaults={"name": "a/v.mp4", "size": 1_500_000})
    files = client.get(f"/api/jobs/{job.pk}").json()["files"]
    assert [file["label"] for file in files] == ["MP4", *["SRT", "VTT", "ASS"] * 3]
    assert files[0]["form"] == "1.5 MB"


def test_a_result_may_be_an_mkv(client: Client) -> None:
    """A track goes beside the picture as it is."""
    job = made(JobStatus.COMPLETED)
    Artifact.objects.update_or_create(job=job, kind="video", defaults={"name": "a/v.mkv", "size": 1_500_000})
    assert client.get(f"/api/jobs/{job.pk}").json()["files"][0]["label"] == "MKV"


@pytest.mark.parametrize(
    ("state", "kind", "mode", "said"),
    [
        (JobStatus.RUNNING, "source", "burn", "cannot play the original video. The result will play here."),
        (JobStatus.RUNNING, "source", "soft", "cannot play the original video."),
        (JobStatus.FAILED, "source", "burn", "cannot play the original video."),
        (JobStatus.COMPLETED, "video", "soft", "cannot play the result. Download it and play it with another program."),
    ],
)
def test_what_a_browser_cannot_play(client: Client, state: JobStatus, kind: str, mode: str, said: str) -> None:
    job = made(state, seconds=60, options=JobOptions(target="fa", mode=mode).as_json())  # type: ignore[arg-type]
    job.artifacts.all().delete()
    job.artifacts.create(kind=kind, name="v.mkv", size=1)
    assert f"data-unplayable hidden>This browser {said}</p>" in text(client.get(f"/jobs/{job.pk}/"))


def test_signing_up_is_off_by_default(settings: Any) -> None:
    settings.SIGN_UP = False
    assert Client().get("/sign-up/").status_code == 404


def test_signing_up(settings: Any) -> None:
    settings.SIGN_UP = True
    fields = {"username": "omid", "password1": "geese-on-the-roof", "password2": "geese-on-the-roof"}
    client = Client()
    assert client.post("/sign-up/", fields).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert not User.objects.get().is_staff


def test_no_page_names_another_host(client: Client) -> None:
    for path in ("/", "/jobs/", f"/jobs/{made().pk}/", "/account/password/"):
        page = text(client.get(path)).replace("http://www.w3.org/", "")
        assert "http" not in page.replace("https://example.org", "").replace('placeholder="https://"', ""), path
