"""The choice of where the words of a job come from, on the pages: before the start, and for another start."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from jobs.i18n.formats import noted
from jobs.intake.options import JobOptions, options_of
from jobs.models import Job, JobStatus, StageRun
from jobs.pipeline.notes import NoteCode, template
from jobs.pipeline.stages.doubts import Doubt
from tests.jobs import rows
from tests.web.test_pages import made, new, text

pytestmark = pytest.mark.django_db

ORDERED = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
THERE: dict[str, Any] = {
    "used": {"from": "track", "number": 2, "language": "en"},
    "tracks": [
        {"number": 1, "language": "de", "title": "Deutsch <sub>", "kind": "plain"},
        {"number": 2, "language": "en", "title": "", "kind": "hearing"},
        {"number": 3, "language": "", "title": "Signs", "kind": "part"},
    ],
    "captions": [{"language": "fr", "machine": False}, {"language": "en", "machine": True}],
}


@pytest.fixture
def client() -> Client:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(rows.owner("shirin"))
    return found


def with_subtitles(state: JobStatus, there: dict[str, Any] = THERE, options: JobOptions = ORDERED) -> Job:
    job = made(state, source_kind="link", source="https://example.org/talk", options=options.as_json())
    StageRun.objects.filter(job=job, stage="fetch").update(outcome={"existing": there})
    return job


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({}, "auto"),
        ({"words": "speech"}, "speech"),
        ({"words": "subtitles"}, "subtitles"),
        ({"subtitle_track": "۲"}, "subtitles:2"),
        ({"words": "auto", "subtitle_track": "آلمانی"}, "subtitles:de"),
    ],
)
def test_the_choice_for_a_new_job(client: Client, given: dict[str, str], stored: str) -> None:
    assert b'name="words"' in client.get("/").content
    client.post("/", new(**given))
    assert options_of(Job.objects.get().options).words == stored


@pytest.mark.parametrize(
    ("given", "told"), [({"words": "nothing"}, "not a valid source"), ({"subtitle_track": "two"}, "is not known")]
)
def test_a_choice_that_is_none(client: Client, given: dict[str, str], told: str) -> None:
    answer = client.post("/", new(**given))
    assert answer.status_code == 422
    assert told in text(answer)
    assert not Job.objects.exists()


def test_only_subtitles_need_no_speech_engine(client: Client, settings: Any) -> None:
    """Whether they can be translated is known when they are found, unless their language was named."""
    settings.TRANSCRIBER, settings.TRANSLATOR = "whisperx", "apertium"
    settings.ENGINE_OPTIONS = {
        **settings.ENGINE_OPTIONS,
        "whisperx": replace(settings.ENGINE_OPTIONS["whisperx"], model="nowhere"),
    }
    assert client.post("/", new(spoken="")).status_code == 422
    assert client.post("/", new(spoken="", words="subtitles")).status_code == 302


def test_speakers_need_speech(client: Client) -> None:
    answer = client.post("/", new(words="subtitles", speakers="2"))
    assert "Speakers can be told apart only where speech is transcribed" in text(answer)
    assert options_of(replace(ORDERED, speakers=2).as_json()).wish.mode == "speech"


def test_other_words_are_chosen_from_the_list(client: Client) -> None:
    old = with_subtitles(JobStatus.COMPLETED)
    page = text(client.get(f"/jobs/{old.pk}/"))
    labels = re.findall(r'<option value="([^"]+)"( selected)?>([^<]+)</option>', page.split('name="words"')[1])
    assert labels[:6] == [
        ("speech", "", "Speech recognition"),
        ("subtitles:1", "", "Subtitles in the file, 1: German · Deutsch &lt;sub&gt;"),
        ("subtitles:2", " selected", "Subtitles in the file, 2: English · for the hard of hearing (in use)"),
        ("subtitles:3", "", "Subtitles in the file, 3: Signs · only a part of what is said"),
        ("subtitles:fr", "", "Captions of the site: French"),
        ("subtitles:en", "", "Captions of the site, made by machine: English"),
    ]
    client.post(f"/jobs/{old.pk}/again", {"words": "speech"})
    again = Job.objects.exclude(pk=old.pk).get()
    assert options_of(again.options) == replace(ORDERED, words="speech")


def test_words_that_are_none(client: Client) -> None:
    old = with_subtitles(JobStatus.COMPLETED)
    answer = client.post(f"/jobs/{old.pk}/again", {"words": "<script>"}, follow=True)
    assert "not a valid source of the words" in text(answer)
    assert Job.objects.count() == 1


def test_the_words_of_a_job_that_runs(client: Client) -> None:
    job = with_subtitles(JobStatus.RUNNING)
    page = text(client.get(f"/jobs/{job.pk}/"))
    assert "(in use)" in page
    assert "To use another source, cancel the job and start it again." in page
    assert 'name="words"' not in page


@pytest.mark.parametrize("there", [{}, {"used": None, "tracks": [], "captions": []}])
def test_there_is_only_speech(client: Client, there: dict[str, Any]) -> None:
    job = with_subtitles(JobStatus.COMPLETED, there)
    assert "Source of the words" not in text(client.get(f"/jobs/{job.pk}/"))


NOTES = [code for code in NoteCode if list(NoteCode).index(code) >= list(NoteCode).index(NoteCode.TRACK_USED)]
PARAMS = {"language": "English", "languages": "German, French", "number": "2", "numbers": "2, 3"}


@pytest.mark.parametrize("code", NOTES)
def test_notes_in_both_languages(code: NoteCode) -> None:
    """Sentences, names of languages and reasons are translated; no Latin digit or word stays in a Persian note."""
    for doubt in Doubt if "{reason}" in template(code) else list(Doubt)[:1]:
        note = {"code": code, "params": {**PARAMS, "reason": doubt.reason}}
        with translation.override("fa"):
            persian = noted(note)
        assert not re.search(r"[A-Za-z0-9{}]", persian), persian
        with translation.override("en"):
            assert noted(note) == template(code).format(
                **{**PARAMS, "reason": doubt.reason, "languages": "German and French"}
            )
