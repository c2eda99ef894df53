"""Jobs whose text is already in the target language need no translating worker, not even for an empty stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import cues, lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions, stages_of
from jobs.models import Job, JobStatus, StageRun
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from jobs.worker import child
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on
from tests.jobs import rows
from tests.jobs.actors import _quick
from tests.pipeline.clips import Clips

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

FINISHED = JobOptions(target="fa", brought=True)
HEARD = JobOptions(target="en", mode="none", transcriber="pocketsphinx")
NOTE = "speech_in_target"


@pytest.fixture
def boss() -> Iterator[Supervisor]:
    """The only worker, of the queues `media` and `speech`: no worker translates."""
    boss = Supervisor()
    yield boss
    boss.close()


def work(boss: Supervisor, *queues: str) -> None:
    while any(boss.run_next(queue) for queue in queues or ("media", "speech")):
        pass


def ended(of: Job) -> Job:
    found = Job.objects.get(pk=of.pk)
    assert found.status == JobStatus.COMPLETED, (found.status, rows.stages(of.pk), found.error)
    assert rows.contradictions(of.pk) == []
    return found


def texts(of: Job) -> list[tuple[str, str, bool]]:
    return list(of.cues.values_list("source", "target", "answered"))


def test_finished_subtitles(boss: Supervisor, clips: Clips, persian: Path) -> None:
    job = submit.accept_file(rows.owner(), clips["plain.mp4"], FINISHED, subtitles=persian)
    assert list(rows.stages(job.pk)) == [Stage.FETCH, Stage.SUBTITLE, Stage.RENDER]
    work(boss)
    found = ended(job)
    assert all(target == source and answered for source, target, answered in texts(job))
    assert [note["code"] for note in found.notes] == ["subtitles_in_target"]
    assert found.result
    assert set(found.result["seconds"]) == {"fetch", "subtitle", "render"}


@pytest.mark.parametrize("spoken", [pytest.param("en", marks=pytest.mark.soak), "en-GB"])
def test_speech_that_is_said_to_be_in_the_target_language(boss: Supervisor, welcome: Path, spoken: str) -> None:
    """Real recognition of speech that is declared to be in the target language."""
    job = submit.accept_file(rows.owner(), welcome, replace(HEARD, spoken=spoken))
    assert list(rows.stages(job.pk)) == [Stage.FETCH, Stage.TRANSCRIBE, Stage.SUBTITLE]
    work(boss)
    found = ended(job)
    assert texts(job)
    assert all(target == source and answered for source, target, answered in texts(job))
    assert [note["code"] for note in found.notes] == [NOTE]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that recognises English at once."""
    monkeypatch.setattr(child, "command", _quick)


def unsaid(**more: Any) -> Job:
    """A job without a declared language of speech."""
    order = replace(HEARD, **more)
    stages = stages_of(order)
    job = rows.job(options=order.as_json(), target=order.target, stages=stages, source_kind="upload", source="v.mov")
    artifacts.make_job_dir(job.pk)
    return job


@pytest.mark.usefixtures("quick")
def test_speech_that_turns_out_to_be_in_the_target_language(boss: Supervisor) -> None:
    job = unsaid()
    assert Stage.TRANSLATE in rows.stages(job.pk)
    work(boss)
    found = ended(job)
    assert texts(job) == [(f"Line {number}.", f"Line {number}.", True) for number in (1, 2, 3)]
    assert ("translate", "waiting", "skipped") in rows.told(job.pk)
    assert found.notes == [{"code": NOTE, "params": {"language": "English"}}]


@pytest.mark.usefixtures("quick")
def test_speech_in_another_language_waits_for_a_translator(boss: Supervisor) -> None:
    job = unsaid(target="es", translator="apertium")
    work(boss)
    assert rows.stages(job.pk)[Stage.TRANSLATE] == "ready"
    assert texts(job)[0] == ("Line 1.", "", False)
    assert Job.objects.get(pk=job.pk).notes == []


@pytest.mark.usefixtures("quick")
def test_it_is_left_out_once_and_for_all_that_is_heard_later(boss: Supervisor) -> None:
    """The stage stays skipped when the worker dies after the first cues."""
    job = unsaid()
    work(boss, "media")
    claim = rows.claim("speech")
    window = {"until": 1.5, "language": "en", "heard": True, "following": 2}
    with lifecycle.fenced(claim.attempt):
        lifecycle.skip_stage(claim.attempt, Stage.TRANSLATE)
        lifecycle.commit_window(claim.attempt, [cues.as_caption_row(cues.as_cue(rows.cue(1)), job)], **window)  # type: ignore[arg-type]
    lifecycle.fail_stage(claim.attempt, rows.BROKEN, again=True)
    StageRun.objects.filter(job=job).update(ready_at=job.created)
    work(boss)
    ended(job)
    assert [answered for _, _, answered in texts(job)] == [True] * 3


def test_a_job_of_an_earlier_version_goes_through_its_empty_stage(
    boss: Supervisor, clips: Clips, persian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit.accept_file(rows.owner(), clips["plain.mp4"], replace(FINISHED, mode="none"), subtitles=persian)
    Job.objects.filter(pk=job.pk).delete()
    cues = [rows.cue(number) for number in (1, 2)]
    fields: dict[str, Any] = {"source_kind": "file", "source": "plain.mp4", "spoken": "fa", "id": job.pk, "cues": cues}
    old = rows.job(
        options=replace(FINISHED, mode="none").as_json(),
        stages=(Stage.FETCH, Stage.TRANSLATE, Stage.SUBTITLE),
        **fields,
    )
    old.artifacts.create(kind="source", name="source.mp4", size=0)
    work(boss)
    assert rows.stages(old.pk)[Stage.TRANSLATE] == "ready"
    work(boss, "text", "media")
    ended(old)
    assert texts(old) == [(f"Sentence {number}.", f"Sentence {number}.", True) for number in (1, 2)]


def test_a_failed_job_without_the_stage_is_retried(boss: Supervisor, clips: Clips, persian: Path) -> None:
    job = submit.accept_file(rows.owner(), clips["plain.mp4"], replace(FINISHED, mode="none"), subtitles=persian)
    lifecycle.fail_stage(rows.claim("media").attempt, rows.BROKEN, again=False)
    assert rows.status(job.pk) == JobStatus.FAILED
    lifecycle.retry(job.pk, "shirin")
    work(boss)
    ended(job)
