"""The pages of saved glossaries and of the brief of a job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs import briefs, glossaries
from jobs.intake import submit
from jobs.intake.options import JobOptions, options_of
from jobs.models import Glossary, Job, JobStatus
from jobs.pipeline.protocols import Document
from jobs.pipeline.text.glossary import MAX_TERMS, Entry
from tests.jobs import rows
from tests.web.test_pages import made, new, text

pytestmark = pytest.mark.django_db

BIRDS = (Entry(term="goose", translation="غاز", note="the bird"), Entry(term="GPS", translation="GPS"))
DOCUMENT = Document(
    topic="غازها", register="صمیمی", names=(("Ada", "ایدا"),), terms=(("flyway", "مسیر پرواز"), ("GPS", "GPS"))
)


@pytest.fixture(params=["en", "fa"])
def client(request: pytest.FixtureRequest) -> Client:
    found = Client(headers={"Accept-Language": request.param})
    found.force_login(rows.owner("shirin"))
    return found


@pytest.fixture
def other() -> Client:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(rows.owner("omid"))
    return found


def saved(owner: str = "shirin", name: str = "Birds") -> Glossary:
    return Glossary.objects.create(owner=rows.owner(owner), name=name, entries=glossaries.as_stored(BIRDS))


def file(content: str, name: str = "birds.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode())


# Glossaries


def test_a_glossary_from_lines_and_a_file(client: Client) -> None:
    lines, table = (
        "goose = غاز # the bird\r\nGPS =\r\nswan = قو\r\n",
        file("term;translation\nswan;قوی گنگ\nduck;اردک\n"),
    )
    answer = client.post("/glossaries/", {"name": "  My   birds ", "lines": lines, "file": table})
    row = Glossary.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/glossaries/{row.pk}/")
    assert (row.name, row.owner) == ("My birds", rows.owner("shirin"))
    swans = (Entry(term="swan", translation="قوی گنگ"), Entry(term="duck", translation="اردک"))
    assert glossaries.entries_of(row) == (*BIRDS, *swans)
    page = text(client.get(f"/glossaries/{row.pk}/"))
    assert "goose = غاز # the bird\nGPS =\nswan = قوی گنگ\nduck = اردک\n" in page
    assert "My birds" in text(client.get("/glossaries/"))


def test_a_glossary_is_edited_and_deleted(client: Client) -> None:
    row = saved()
    address = f"/glossaries/{row.pk}/"
    assert client.post(address, {"name": "Birds", "lines": "goose = قاز"}).status_code == 302
    row.refresh_from_db()
    assert glossaries.entries_of(row) == (Entry(term="goose", translation="قاز"),)
    assert client.post(f"{address}delete").status_code == 302
    assert not Glossary.objects.exists()


def test_a_glossary_as_a_table_comes_back(client: Client) -> None:
    answer = client.get(f"/glossaries/{saved(name='پرنده‌ها').pk}/glossary.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    upload = SimpleUploadedFile("x.csv", answer.content)
    client.post("/glossaries/", {"name": "Again", "file": upload})
    assert glossaries.entries_of(Glossary.objects.get(name="Again")) == BIRDS


def test_nobody_sees_the_glossary_of_another(other: Client) -> None:
    row = saved()
    address = f"/glossaries/{row.pk}/"
    staff = rows.owner("omid")
    for is_staff in (False, True):
        staff.is_staff = staff.is_superuser = is_staff
        staff.save()
        assert "Birds" not in text(other.get("/glossaries/"))
        assert "Birds" not in text(other.get("/"))
        assert other.get(address).status_code == 404
        assert other.get(f"{address}glossary.csv").status_code == 404
        assert other.post(address, {"name": "Mine", "lines": "a = b"}).status_code == 404
        assert other.post(f"{address}delete").status_code == 404
        answer = other.post("/", new(saved_glossary=row.pk))
        assert answer.status_code == 422
        assert "This glossary does not exist any more." in text(answer)
    row.refresh_from_db()
    assert (row.name, glossaries.entries_of(row)) == ("Birds", BIRDS)


def test_anonymous_visitors_are_sent_to_sign_in() -> None:
    for address in ("/glossaries/", f"/glossaries/{saved().pk}/", f"/glossaries/{saved(name='b').pk}/glossary.csv"):
        assert Client().get(address).headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"lines": "goose"}, "Line 1 of “Terms” does not have the form “term = translation”."),
        ({"lines": f"goose = {'x' * 201}"}, "Row 1 of “Terms” has no term, or is too long."),
        ({"file": file("goose,غاز\n,قو\n")}, "Row 2 of “birds.csv” has no term, or is too long."),
        ({"file": file("".join(f"w{number},x\n" for number in range(MAX_TERMS + 1)))}, "has more than 2,000 terms"),
        ({"file": SimpleUploadedFile("a.xlsx", bytes(range(256)) * 9)}, "“a.xlsx” cannot be read as text."),
        ({"name": ""}, "This field is required."),
        ({"name": "Birds"}, "You have a glossary with this name already."),
    ],
)
def test_what_cannot_be_saved_is_told(fields: dict[str, Any], sentence: str) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(rows.owner("shirin"))
    saved()
    answer = client.post("/glossaries/", {"name": "New", **fields})
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert Glossary.objects.count() == 1


def test_lines_and_a_file_that_are_too_many_together(client: Client) -> None:
    lines = "\n".join(f"a{number} = x" for number in range(MAX_TERMS))
    answer = client.post("/glossaries/", {"name": "New", "lines": lines, "file": file("b,y\n")})
    assert answer.status_code == 422
    assert not Glossary.objects.exists()


def test_there_is_an_end_to_the_number_of_glossaries(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glossaries, "MOST", 1)
    saved()
    assert client.post("/glossaries/", {"name": "Another"}).status_code == 422
    assert Glossary.objects.count() == 1


# A new job


@pytest.fixture
def model(settings: Any) -> None:
    """A language model that is ready."""
    options = replace(settings.ENGINE_OPTIONS["gemini"], api_key="k")
    settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "gemini": options}
    settings.TRANSLATOR, settings.TRANSCRIBER = "gemini", "pocketsphinx"


@pytest.mark.usefixtures("model")
def test_the_job_has_a_copy_of_the_saved_glossary(client: Client) -> None:
    row = saved()
    assert f'<option value="{row.pk}"' in text(client.get("/"))
    client.post("/", new(saved_glossary=row.pk, glossary="goose = قاز", reads_first="on", careful="on"))
    order = options_of(Job.objects.get().options)
    assert order.glossary == (("goose", "قاز"), ("GPS", "GPS"))
    assert order.notes == ()
    assert (order.reads_first, order.careful) == (True, True)
    row.delete()
    assert options_of(Job.objects.get().options).glossary == order.glossary


@pytest.mark.usefixtures("model")
def test_a_job_with_a_brief_of_ones_own(client: Client) -> None:
    client.post("/", new(brief="topic: geese\nnames:\nAda = ایدا\n"))
    assert briefs.document_of(Job.objects.get()) == Document(topic="geese", names=(("Ada", "ایدا"),), edited=True)
    answer = client.post("/", new(brief="nonsense"))
    assert answer.status_code == 422
    assert Job.objects.count() == 1


def test_briefs_are_offered_only_with_a_language_model(client: Client, settings: Any) -> None:
    settings.TRANSLATOR, settings.TRANSCRIBER = "apertium", "pocketsphinx"
    assert 'name="careful"' not in text(client.get("/"))
    answer = client.post("/", new(careful="on"))
    assert answer.status_code == 422
    assert "Apertium" in text(answer)
    assert not Job.objects.exists()


# The page of a brief


def fields(revision: int, **changed: str) -> dict[str, Any]:
    return {
        "revision": revision,
        "topic": DOCUMENT.topic,
        "register": DOCUMENT.register,
        "names": "Ada = آدا",
        "terms": "flyway = مسیر پرواز\r\nGPS =",
        **changed,
    }


def test_a_brief_is_shown_edited_and_downloaded(client: Client) -> None:
    job = made(JobStatus.RUNNING, brief=briefs.as_stored(DOCUMENT))
    assert DOCUMENT.topic in text(client.get(f"/jobs/{job.pk}/"))
    page = text(client.get(f"/jobs/{job.pk}/brief"))
    assert "Ada = ایدا" in page
    assert "flyway = مسیر پرواز\nGPS =" in page
    assert client.post(f"/jobs/{job.pk}/brief", fields(1)).headers["Location"] == f"/jobs/{job.pk}/"
    revision, found = briefs.newest(job.pk)
    assert (revision, found) == (2, Document(**{**_plain(DOCUMENT), "names": (("Ada", "آدا"),), "edited": True}))
    answer = client.get(f"/jobs/{job.pk}/brief.txt")
    assert "names:\nAda = آدا\n" in text(answer)


def _plain(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in ("topic", "register", "names", "terms", "edited")}


def test_open_pages_hear_of_the_edit(client: Client) -> None:
    job = made(JobStatus.RUNNING, brief=briefs.as_stored(DOCUMENT))
    before = job.version
    client.post(f"/jobs/{job.pk}/brief", fields(1))
    job.refresh_from_db()
    assert job.version > before


def test_an_edit_of_what_has_changed_is_refused(client: Client) -> None:
    job = made(JobStatus.RUNNING, brief=briefs.as_stored(DOCUMENT, 3))
    answer = client.post(f"/jobs/{job.pk}/brief", fields(2))
    assert answer.status_code == 422
    assert "Ada = آدا" in text(answer)  # what was typed is not lost
    assert briefs.newest(job.pk) == (3, DOCUMENT)


def test_a_job_without_a_brief_gets_one(client: Client) -> None:
    job = made(JobStatus.QUEUED)
    assert client.get(f"/jobs/{job.pk}/brief.txt").status_code == 404
    assert client.get(f"/jobs/{job.pk}/brief").status_code == 200
    client.post(f"/jobs/{job.pk}/brief", fields(0))
    assert briefs.newest(job.pk)[0] == 1


@pytest.mark.parametrize("wrong", [{"names": "no sign"}, {"terms": f"{'x' * 300} = y"}, {"topic": "x" * 2000}])
def test_a_brief_that_cannot_be_saved_is_told(client: Client, wrong: dict[str, str]) -> None:
    job = made(JobStatus.RUNNING, brief=briefs.as_stored(DOCUMENT))
    assert client.post(f"/jobs/{job.pk}/brief", fields(1, **wrong)).status_code == 422
    assert briefs.newest(job.pk) == (1, DOCUMENT)


def test_nobody_sees_or_edits_the_brief_of_another(other: Client) -> None:
    job = made(JobStatus.RUNNING, brief=briefs.as_stored(DOCUMENT))
    assert other.get(f"/jobs/{job.pk}/brief").status_code == 404
    assert other.get(f"/jobs/{job.pk}/brief.txt").status_code == 404
    assert other.post(f"/jobs/{job.pk}/brief", fields(1)).status_code == 404
    assert briefs.newest(job.pk) == (1, DOCUMENT)


def test_a_job_of_captions_has_no_brief(client: Client) -> None:
    job = made(JobStatus.RUNNING)
    job.stages.filter(stage="translate").delete()
    assert client.get(f"/jobs/{job.pk}/brief").status_code == 404


@pytest.mark.usefixtures("model")
def test_a_job_that_starts_again_has_the_brief(client: Client) -> None:
    order = JobOptions(target="fa", spoken="en", transcriber="pocketsphinx", translator="gemini", reads_first=True)
    job = made(JobStatus.FAILED, brief=briefs.as_stored(DOCUMENT, 4), options=order.as_json())
    Job.objects.filter(pk=job.pk).update(source_kind="link", source="https://example.org/talk")
    assert briefs.document_of(submit.start_again(job.pk, job.owner)) == DOCUMENT
