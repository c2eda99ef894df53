"""Videos in several languages: what is said in the target language is a caption, the rest is translated."""

from __future__ import annotations

import pytest

from jobs import cues
from jobs.intake.options import JobOptions
from jobs.models import Job, JobStatus
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process import messages
from jobs.pipeline.protocols import Passage
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.cue import Cue
from jobs.storage import artifacts
from jobs.worker import report, stage_tasks
from jobs.worker.stage_recorder import StageRecorder
from tests.databases import mostly_on
from tests.jobs import rows

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

Spoken = tuple[str, ...]


def window(recorder: StageRecorder, number: int, languages: Spoken, *passages: Passage) -> None:
    """Record a window of ten seconds with a cue in each of these languages."""
    first = 10 * number
    heard = tuple(
        Cue(id=first + at, start=first + at, end=first + at + 0.5, source=f"{language} {at}", language=language)
        for at, language in enumerate(languages, start=1)
    )
    message = messages.Window("a", first + 10.0, languages[-1], heard=True, cues=heard, passages=passages)
    recorder.window(message)


def texts(job: Job) -> list[tuple[str, str, bool]]:
    return list(job.cues.values_list("language", "target", "answered"))


def recognising() -> tuple[Job, StageRecorder]:
    """A job to Persian that is being transcribed, and the writer of that stage."""
    job = rows.job(options=JobOptions(target="fa").as_json(), target="fa")
    rows.finish(rows.claim("media").attempt)
    claim = rows.claim("speech")
    artifacts.make_job_dir(job.pk)
    artifacts.make_attempt_dir(job.pk, claim.attempt)
    return job, StageRecorder(claim)


def test_what_is_said_in_the_target_language_waits_for_no_translator() -> None:
    job, recorder = recognising()
    window(recorder, 0, ("fa", "fa"))
    assert texts(job) == [("fa", "fa 1", True), ("fa", "fa 2", True)]
    assert rows.stages(job.pk)[Stage.TRANSLATE] == "waiting"
    window(recorder, 1, ("en", "fa"))
    assert texts(job)[2:] == [("en", "", False), ("fa", "fa 2", True)]
    assert rows.stages(job.pk)[Stage.TRANSLATE] == "ready"


def test_the_translator_is_told_the_language_of_what_it_gets() -> None:
    job, recorder = recognising()
    window(recorder, 0, ("fa", "de", "en"))
    run = job.stages.get(stage=Stage.TRANSLATE)
    job.refresh_from_db()
    assert stage_tasks.brief_of(job, JobOptions(target="fa")).source == "de"
    assert run.status == "ready"


def test_a_video_all_in_the_target_language_is_not_translated() -> None:
    job, recorder = recognising()
    window(recorder, 0, ("fa", "fa"))
    recorder.finish(messages.Done("a", {}, {}))
    assert Stage.TRANSLATE not in rows.stages(job.pk)
    job.refresh_from_db()
    assert [note["code"] for note in job.notes] == [NoteCode.SPEECH_IN_TARGET]


def test_the_languages_are_told_with_their_times() -> None:
    job, recorder = recognising()
    window(recorder, 0, ("en", "en", "de"))
    window(recorder, 1, ("de", "en"))
    assert cues.languages(job) == [
        {"language": "en", "start": 1.0, "end": 2.5},
        {"language": "de", "start": 3.0, "end": 11.5},
        {"language": "en", "start": 12.0, "end": 12.5},
    ]
    assert cues.main_language(job) == "en"
    recorder.finish(messages.Done("a", {}, {}))
    job.refresh_from_db()
    assert job.spoken == "en"
    assert {"code": NoteCode.SEVERAL_LANGUAGES, "params": {"languages": "German, English"}} in job.notes


def test_a_video_in_one_language_has_no_such_note() -> None:
    job, recorder = recognising()
    window(recorder, 0, ("en", "en"))
    assert cues.languages(job) == []
    recorder.finish(messages.Done("a", {}, {}))
    job.refresh_from_db()
    assert job.notes == []


def test_passages_to_be_checked_are_told_also_after_a_crash() -> None:
    """Those of windows before the crash are kept with the checkpoint."""
    job, recorder = recognising()
    window(recorder, 0, ("en",), Passage(kind="unheard", start=65, end=70))
    window(recorder, 0, ("en",), Passage(kind="unheard", start=65, end=70))  # recorded before
    again = StageRecorder(recorder._claim)
    window(again, 1, ("en",), Passage(kind="removed", start=3661, end=3662, text="Thank you."))
    again.finish(messages.Done("a", {}, {}))
    job.refresh_from_db()
    assert [(found["kind"], found["text"]) for found in report.passages(job)] == [
        ("unheard", ""),
        ("removed", "Thank you."),
    ]
    assert {note["code"]: note["params"]["times"] for note in job.notes} == {
        NoteCode.SPEECH_UNHEARD: "1:05",
        NoteCode.WORDS_REMOVED: "1:01:01",
    }
    assert job.status == JobStatus.RUNNING


def test_another_language_than_the_named_one_is_told() -> None:
    job, recorder = recognising()
    passages = [Passage(kind="other", start=start, end=start + 9.0, text="de") for start in (61.0, 90.0)]
    window(recorder, 0, ("en",), *passages)
    recorder.finish(messages.Done("a", {}, {}))
    job.refresh_from_db()
    params = {"languages": "German", "times": "1:01, 1:30"}
    assert job.notes == [{"code": NoteCode.OTHER_LANGUAGE, "params": params}]
