"""The brief of a job, from the pass over its transcript to its edits: a real child, and a double of the model."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs import briefs
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Job, JobStatus, StageRun, StageStatus, TranslationCache, UsageEntry
from jobs.pipeline.process.messages import Command, NewBrief
from jobs.pipeline.protocols import Document
from jobs.pipeline.stage import Stage
from jobs.worker.child import Child
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on
from tests.engines.fake_llm_server import KEY, Asked, FakeServer, Said, good
from tests.jobs import rows
from tests.pipeline.clips import Clips
from tests.waiting import until

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

ORDER = JobOptions(target="fa", spoken="en", brought=True, mode="none", translator="gemini", reads_first=True)
ORDER = replace(ORDER, whole_subtitles=True)  # so that each line is a cue
LINES = [f"Ada tells of the engine number {number}, {'and on and on ' * 6}of it." for number in range(1, 161)]
"""About 17,000 characters: two parts of a transcript."""


@pytest.fixture
def model(settings: Any) -> Iterator[FakeServer]:
    with FakeServer(tokens=(100, 50)) as server:
        options = replace(settings.ENGINE_OPTIONS["gemini"], api_key=KEY, endpoint=server.url, batch_lines=40)
        settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "gemini": options}
        server.behave(both)
        yield server


def both(asked: Asked) -> Said:
    """Briefs and translations. Each part of the transcript gives a term of its own."""
    if "transcript" not in asked.question:
        return good(asked)
    first = asked.question["transcript"][0].split("number ")[1].split(",")[0]
    noted = {"topic": f"از {first}", "register": "r", "names": "Ada = ایدا", "terms": f"number {first} = شماره {first}"}
    return Said(text=json.dumps(noted))


def parts(server: FakeServer) -> list[str]:
    """The first line of each part of the transcript that was read."""
    return [asked.question["transcript"][0] for asked in server.asked if "transcript" in asked.question]


def asked_for(server: FakeServer) -> list[Asked]:
    return [asked for asked in server.asked if "translate" in asked.question]


def brought(clips: Clips, directory: Path, order: JobOptions = ORDER, **fields: Any) -> Job:
    """A job whose subtitles are translated, before its translation."""
    path = directory / "talk.srt"
    path.write_text(srt(LINES))
    job = submit.accept_file(rows.owner(), clips["plain.mp4"], order, subtitles=path, keep_running=True, **fields)
    with at_work() as boss:
        assert boss.run_next("media")
    return job


def srt(lines: list[str]) -> str:
    """Subtitles of nine seconds, one every ten."""
    starts = [f"00:{number // 6:02}:{number % 6}" for number in range(len(lines))]
    return "\n".join(f"1\n{at}0,000 --> {at}9,000\n{line}\n" for at, line in zip(starts, lines, strict=True))


@contextmanager
def at_work() -> Iterator[Supervisor]:
    boss = Supervisor()
    try:
        yield boss
    finally:
        boss.close()


def finish() -> None:
    with at_work() as boss:
        while any(boss.run_next(queue) for queue in ("text", "media")):
            pass


@contextmanager
def in_thread() -> Iterator[threading.Thread]:
    """Translate in a thread, which ends inside."""

    def work() -> None:
        with at_work() as boss:
            boss.run_next("text")
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(120)
    assert not thread.is_alive()


def run_of(job: Job) -> StageRun:
    return job.stages.get(stage=Stage.TRANSLATE)


def test_the_transcript_is_read_once_and_its_brief_is_used(clips: Clips, tmp_path: Path, model: FakeServer) -> None:
    job = brought(clips, tmp_path)
    finish()
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED, job.error
    assert len(parts(model)) == 2
    document = briefs.document_of(job)
    assert document is not None
    assert (document.names, len(document.terms), document.edited) == ((("Ada", "ایدا"),), 2, False)
    assert all(asked.question["names"]["Ada"] == "ایدا" for asked in asked_for(model))
    assert all(asked.question["topic"] == document.topic for asked in asked_for(model))
    assert [number for ids in map(set, model.ids()) for number in sorted(ids)] == list(range(1, 161))
    used = UsageEntry.objects.get(job=job, stage=Stage.TRANSLATE)
    assert (used.input_tokens, used.output_tokens) == (100 * len(model.asked), 50 * len(model.asked))


def test_killed_in_the_middle_of_the_pass_it_goes_on_and_pays_nothing_twice(
    clips: Clips, tmp_path: Path, model: FakeServer
) -> None:
    job = brought(clips, tmp_path)
    held = threading.Event()

    def second_hangs(asked: Asked) -> Said:
        if len(parts(model)) == 2 and not held.is_set():
            held.set()
            return replace(both(asked), wait=600.0)
        return both(asked)

    model.behave(second_hangs)
    with in_thread():
        assert held.wait(60)
        kept = until(lambda: run_of(job).checkpoint.get("reading"))
        os.killpg(run_of(job).group or 0, signal.SIGKILL)
    assert kept["upto"] < 160
    ready = StageRun.objects.filter(pk=run_of(job).pk, status=StageStatus.READY)
    until(lambda: ready.update(ready_at=timezone.now() - timedelta(minutes=1)))
    finish()
    job.refresh_from_db()
    assert job.status == JobStatus.COMPLETED, job.error
    first, second, repeated = parts(model)
    assert second == repeated != first  # the part in flight is asked again, the one before it is not
    document = briefs.document_of(job)
    assert document is not None
    assert len(document.terms) == 2


@pytest.mark.soak
def test_a_brief_that_there_is_already_is_not_made_again(clips: Clips, tmp_path: Path, model: FakeServer) -> None:
    mine = Document(topic="mine", names=(("Ada", "آدا"),), edited=True)
    job = brought(clips, tmp_path, brief=briefs.as_stored(mine))
    finish()
    assert parts(model) == []
    assert all(asked.question["glossary"] == {"Ada": "آدا"} for asked in asked_for(model))
    job.refresh_from_db()
    assert job.result is not None
    assert job.result["quality"]["totals"]["glossary"] == 160  # the double never says Ada


def test_an_edit_counts_for_what_is_not_translated_yet(
    clips: Clips, tmp_path: Path, model: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, revisions = brought(clips, tmp_path), list[int]()
    send = Child.send

    def noted(child: Child, message: Command) -> None:
        send(child, message)
        if isinstance(message, NewBrief):
            revisions.append(message.revision)

    monkeypatch.setattr(Child, "send", noted)
    asked, edited = threading.Event(), threading.Event()

    def second_waits(one: Asked) -> Said:
        if "translate" in one.question and len(asked_for(model)) == 2:
            asked.set()
            assert edited.wait(60)
        return both(one)

    model.behave(second_waits)
    with in_thread():
        assert asked.wait(60)
        job.refresh_from_db()
        old = briefs.document_of(job)
        assert old is not None
        assert briefs.save(job.pk, replace(old, topic="new", edited=True), after=briefs.revision_of(job))
        until(lambda: revisions == [1, 2])
        edited.set()
    topics = [one.question["topic"] for one in asked_for(model) if "note" not in one.question]
    assert topics == [old.topic, old.topic, "new", "new"]
    assert TranslationCache.objects.count() == 40 + 2 * 40 - _flagged(job)


def _flagged(job: Job) -> int:
    """Lines of the later batches that are not kept for later jobs: Ada, whose name binds since the edit, is missing."""
    return sum("glossary" in cue.flags for cue in job.cues.all())


def test_a_stale_edit_is_refused(clips: Clips, tmp_path: Path, model: FakeServer) -> None:
    job = brought(clips, tmp_path, brief=briefs.as_stored(Document(topic="one")))
    assert briefs.save(job.pk, Document(topic="two"), after=1)
    assert not briefs.save(job.pk, Document(topic="three"), after=1)
    assert briefs.newest(job.pk) == (2, Document(topic="two"))
