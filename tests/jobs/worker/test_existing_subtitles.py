"""Jobs whose words are those of subtitles that are there already: real files, real children, killed in the middle."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions, stages_of
from jobs.lifecycle import LostAttempt
from jobs.models import Job, JobStatus, StageRun
from jobs.pipeline.process import messages
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.cue import Cue
from jobs.storage import artifacts
from jobs.web.track_texts import sources_of_words
from jobs.worker import child
from jobs.worker.stage_recorder import StageRecorder
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on
from tests.jobs import rows
from tests.jobs.actors import _quick
from tests.pipeline.clips import run
from tests.pipeline.with_subtitles import ENGLISH, PERSIAN, Track, srt, video

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

SPANISH = JobOptions(target="es", mode="none", transcriber="pocketsphinx", translator="apertium")
ENG, FAS = Track(srt(ENGLISH), "eng"), Track(srt(PERSIAN), "per")
LONG = [text for _ in range(120) for text in ENGLISH]
"""Lines of several portions."""


@pytest.fixture
def boss() -> Iterator[Supervisor]:
    boss = Supervisor()
    yield boss
    boss.close()


def work(boss: Supervisor, *queues: str) -> None:
    while any(boss.run_next(queue) for queue in queues or ("media", "speech", "text")):
        pass


def ended(of: Job, status: JobStatus = JobStatus.COMPLETED) -> Job:
    found = Job.objects.get(pk=of.pk)
    assert found.status == status, (found.status, rows.stages(of.pk), found.error)
    assert rows.contradictions(of.pk) == []
    return found


def accepted(film: Path, options: JobOptions = SPANISH) -> Job:
    return submit.accept_file(rows.owner(), film, options)


def texts(of: Job) -> list[tuple[int, str]]:
    return list(of.cues.values_list("number", "source"))


def codes(of: Job) -> list[str]:
    return [note["code"] for note in of.notes]


def test_a_track_takes_the_place_of_recognition(boss: Supervisor, tmp_path: Path) -> None:
    job = accepted(video(tmp_path / "film.mkv", ENG, FAS))
    work(boss)
    found = ended(job)
    assert list(rows.stages(job.pk)) == [Stage.FETCH, Stage.TRANSLATE, Stage.SUBTITLE]
    assert ("transcribe", "waiting", "skipped") in rows.told(job.pk)
    assert texts(job) == list(enumerate(ENGLISH, start=1))
    assert all(cue.target and cue.answered for cue in job.cues.all())
    assert (found.spoken, codes(found)) == ("en", ["numbered_track_used", "other_subtitles"])
    assert found.result
    assert found.result["subtitles"]["used"] == {"from": "track", "number": 1, "language": "en"}
    assert set(found.engines) == {"translate"}
    assert set(job.artifacts.values_list("kind", flat=True)) == {
        "source",
        *(f"es.{e}" for e in ("srt", "vtt", "ass")),
        "en.srt",
    }
    assert "audio" not in json.dumps(found.result["files"])
    written = (artifacts.path_of(job.pk, "en.srt") or Path()).read_text()
    assert all(text in " ".join(written.split()) for text in ENGLISH)


@pytest.mark.soak
def test_captions_only(boss: Supervisor, tmp_path: Path) -> None:
    """The target is spoken, and there are subtitles in it: nothing is recognised, and nothing translated."""
    job = accepted(video(tmp_path / "film.mkv", ENG), replace(SPANISH, target="en", spoken="en", mode="soft"))
    work(boss)
    found = ended(job)
    assert list(rows.stages(job.pk)) == [Stage.FETCH, Stage.SUBTITLE, Stage.RENDER]
    assert [(cue.source, cue.target) for cue in job.cues.all()] == [(text, text) for text in ENGLISH]
    assert codes(found) == ["speech_in_target", "track_used"]


@pytest.mark.soak
def test_the_wanted_track_is_already_in_the_target_language(boss: Supervisor, tmp_path: Path) -> None:
    options = replace(SPANISH, target="fa", words="subtitles:fa", translator="auto")
    assert stages_of(options) == [Stage.FETCH, Stage.TRANSLATE, Stage.SUBTITLE]
    job = accepted(video(tmp_path / "film.mkv", ENG, FAS), options)
    work(boss)
    assert codes(ended(job)) == ["numbered_track_used", "other_subtitles", "subtitles_in_target"]
    assert ("translate", "waiting", "skipped") in rows.told(job.pk)
    assert texts(job) == list(enumerate(PERSIAN, start=1))


def test_speech_is_recognised_where_there_is_nothing_to_trust(boss: Supervisor, tmp_path: Path) -> None:
    job = accepted(video(tmp_path / "film.mkv", Track(srt(ENGLISH[:1], begin=9, length=0.5), "eng")))
    work(boss, "media")
    found = Job.objects.get(pk=job.pk)
    assert rows.stages(job.pk)[Stage.TRANSCRIBE] == "ready"
    assert (texts(job), found.spoken, codes(found)) == ([], "", ["track_refused"])
    assert job.artifacts.filter(kind="audio").exists()


@pytest.mark.parametrize(
    ("options", "is_speech"),
    [
        (replace(SPANISH, words="speech"), True),
        (replace(SPANISH, words="auto"), False),
        (replace(SPANISH, words="subtitles"), False),
    ],
)
def test_the_choice(boss: Supervisor, tmp_path: Path, options: JobOptions, is_speech: bool) -> None:
    job = accepted(video(tmp_path / "film.mkv", ENG), options)
    work(boss, "media")
    assert (rows.stages(job.pk).get(Stage.TRANSCRIBE) == "ready") is is_speech
    assert bool(texts(job)) is not is_speech


def test_only_subtitles_and_there_are_none(boss: Supervisor, tmp_path: Path) -> None:
    """The page then offers recognition."""
    job = accepted(video(tmp_path / "film.mkv"), replace(SPANISH, words="subtitles"))
    work(boss)
    found = ended(job, JobStatus.FAILED)
    assert found.error
    assert found.error["code"] == "NoUsableSubtitles"
    assert [source["value"] for source in sources_of_words(found, found.stages.all())] == ["speech"]


def test_what_is_there_is_offered_for_another_start(boss: Supervisor, tmp_path: Path) -> None:
    job = accepted(video(tmp_path / "film.mkv", ENG, FAS))
    work(boss, "media")
    found = sources_of_words(Job.objects.get(pk=job.pk), job.stages.all())
    assert [(source["value"], source["used"]) for source in found] == [
        ("speech", False),
        ("subtitles:1", True),
        ("subtitles:2", False),
    ]
    assert [source["label"] for source in found] == [
        "Speech recognition",
        "Subtitles in the file, 1: English (in use)",
        "Subtitles in the file, 2: Persian",
    ]


@pytest.mark.soak
def test_no_sound_but_subtitles(boss: Supervisor, tmp_path: Path) -> None:
    """A video without sound can be translated by its subtitles."""
    silent = tmp_path / "silent.mkv"
    run("-i", str(video(tmp_path / "film.mkv", ENG)), "-map", "0:v", "-map", "0:s", "-c", "copy", str(silent))
    job = accepted(silent, replace(SPANISH, spoken="en"))
    work(boss)
    ended(job)
    assert texts(job) == list(enumerate(ENGLISH, start=1))


# Killed in the middle


@pytest.fixture
def long_film(tmp_path: Path) -> Path:
    """A track of several portions, in a short video: its cues overlap."""
    return video(tmp_path / "film.mkv", Track(srt(LONG), "eng"))


def again(job: Job) -> None:
    """Let the next attempt begin at once."""
    StageRun.objects.filter(job=job).update(ready_at=job.created)


def test_the_child_is_killed_between_two_portions(
    boss: Supervisor, long_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, seen = StageRecorder.existing, list[int]()

    def existing(recorder: StageRecorder, part: messages.Existing) -> None:
        whole(recorder, part)
        seen.append(part.cues[0].id)
        if len(seen) == 2:
            run = StageRun.objects.get(attempt=recorder._attempt)
            os.killpg(run.group or 0, signal.SIGKILL)

    monkeypatch.setattr(StageRecorder, "existing", existing)
    job = accepted(long_film, replace(SPANISH, spoken="en"))
    boss.run_next("media")
    assert seen[:2] == [1, 401]
    if rows.stages(job.pk)[Stage.FETCH] == "ready":
        assert len(texts(job)) >= 800
        again(job)
        boss.run_next("media")
    assert rows.stages(job.pk)[Stage.TRANSLATE] == "ready"
    assert texts(job) == list(enumerate(LONG, start=1))
    assert codes(Job.objects.get(pk=job.pk)) == ["track_used"]


class Killed(BaseException):
    """In place of SIGKILL, which would end the tests."""


@pytest.mark.parametrize("is_committed", [pytest.param(False, marks=pytest.mark.soak), True])
def test_a_worker_that_dies_at_any_commit(
    boss: Supervisor, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    """It dies before or after each of its transactions is committed; the next attempt makes the same rows."""
    monkeypatch.setattr(child, "command", _quick)
    commit, left = BaseDatabaseWrapper._commit, [0]  # type: ignore[attr-defined]  # no public place

    def dying(database: Any) -> None:
        left[0] -= 1
        if left[0] == 0 and not is_committed:
            database._rollback()  # as the server does for a dead process
            raise Killed
        commit(database)
        if left[0] == 0:
            raise Killed

    points = 0
    while True:
        fields: dict[str, Any] = {"options": SPANISH.as_json(), "target": "es", "stages": stages_of(SPANISH)}
        job = rows.job(source_kind="upload", source="subtitled.mov", **fields)
        artifacts.make_job_dir(job.pk)
        points += 1
        left[0] = points
        with monkeypatch.context() as patch:
            patch.setattr(BaseDatabaseWrapper, "_commit", dying)
            with suppress(Killed):
                boss.run_next("media")
        connection.close()  # as that of a dead process
        if left[0] > 0:
            break
        for left_over in StageRun.objects.filter(job=job, status="running"):
            lifecycle.fail_stage(left_over.attempt, rows.BROKEN, again=True)  # type: ignore[arg-type]  # as the reaper does
        again(job)
        boss.run_next("media")
        assert texts(job) == [(number, f"Line {number}.") for number in (1, 2, 3)], points
        assert list(rows.stages(job.pk).items())[:2] == [(Stage.FETCH, "done"), (Stage.TRANSLATE, "ready")], points
        assert codes(Job.objects.get(pk=job.pk)) == ["track_used"], points
        Job.objects.all().delete()
    assert points > 5


def portion(attempt: str, first: int, count: int, word: str = "Old") -> messages.Existing:
    cues = tuple(
        Cue(id=number, start=number, end=number + 0.5, source=f"{word} {number}")
        for number in range(first, first + count)
    )
    return messages.Existing(attempt, "en", cues)


def test_what_a_dead_attempt_has_left_is_replaced(boss: Supervisor, tmp_path: Path) -> None:
    job = accepted(video(tmp_path / "film.mkv", ENG))
    claim = rows.claim("media")
    recorder = StageRecorder(claim)
    recorder.existing(portion(str(claim.attempt), 1, 400))
    recorder.existing(portion(str(claim.attempt), 401, 300))
    lifecycle.fail_stage(claim.attempt, rows.BROKEN, again=True)
    again(job)
    work(boss, "media")
    assert texts(job) == list(enumerate(ENGLISH, start=1))


def test_what_a_dead_attempt_has_left_is_removed_when_the_next_one_hears(boss: Supervisor, tmp_path: Path) -> None:
    """Such as when captions of a site cannot be downloaded any more."""
    job = accepted(video(tmp_path / "film.mkv"))
    claim = rows.claim("media")
    StageRecorder(claim).existing(portion(str(claim.attempt), 1, 400))
    lifecycle.fail_stage(claim.attempt, rows.BROKEN, again=True)
    again(job)
    work(boss, "media")
    assert (texts(job), Job.objects.get(pk=job.pk).spoken) == ([], "")
    assert rows.stages(job.pk)[Stage.TRANSCRIBE] == "ready"


def test_a_portion_that_is_saved_twice_is_there_once(tmp_path: Path) -> None:
    """A call is repeated when the answer of the database is lost."""
    job = accepted(video(tmp_path / "film.mkv", ENG))
    claim = rows.claim("media")
    recorder = StageRecorder(claim)
    for _ in range(2):
        recorder.existing(portion(str(claim.attempt), 1, 3))
    for _ in range(2):
        recorder.existing(portion(str(claim.attempt), 4, 2))
    assert [number for number, _ in texts(job)] == [1, 2, 3, 4, 5]


def test_an_attempt_that_was_lost_writes_nothing(tmp_path: Path) -> None:
    job = accepted(video(tmp_path / "film.mkv", ENG))
    claim = rows.claim("media")
    lifecycle.fail_stage(claim.attempt, rows.BROKEN, again=True)
    with pytest.raises(LostAttempt):
        StageRecorder(claim).existing(portion(str(claim.attempt), 1, 3))
    assert texts(job) == []


def test_the_choice_and_the_end_of_the_stage_are_one(
    boss: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies at the end of the stage leaves recognition in the job: the next attempt may need it."""
    job = accepted(video(tmp_path / "film.mkv", ENG))

    def dies(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "finish_stage", dies)
        boss.run_next("media")
    assert rows.stages(job.pk)[Stage.TRANSCRIBE] == "waiting"
    again(job)
    work(boss, "media")
    assert Stage.TRANSCRIBE not in rows.stages(job.pk)
    assert texts(job) == list(enumerate(ENGLISH, start=1))
