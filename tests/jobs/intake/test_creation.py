"""Jobs with many cues are created in portions, and never half."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from jobs import lifecycle, models
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.lifecycle import IllegalTransition
from jobs.models import Job, JobStatus, Queue, StageRun, Transition
from jobs.pipeline.subtitles.cue import Cue
from jobs.storage import artifacts
from jobs.worker import reaper
from tests.databases import on_both, process_environment
from tests.jobs import rows
from tests.jobs.command import ROOT

LINK = "https://example.com/watch?v=1"
FINISHED = JobOptions(target="fa", brought=True)
MANY = [Cue(id=at, start=at, end=at + 0.9, source=f"خط {at}") for at in range(1, 1203)]


@pytest.fixture
def shirin(database: str, media_root: Path) -> User:
    return rows.owner("shirin")


def entries(media_root: Path) -> list[Path]:
    return [path for path in (media_root / "jobs").iterdir() if path.is_dir()]


@on_both
def test_nothing_can_start_or_is_locked_between_the_portions(shirin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    add, counts = lifecycle.add_cues, list[int]()

    def watched(job: Job, cues: Sequence[models.Cue]) -> None:
        assert not connection.in_atomic_block
        assert not StageRun.objects.exists()
        assert not Transition.objects.exists()
        assert lifecycle.claim(Queue.MEDIA) is None
        add(job, cues)
        counts.append(len(cues))

    monkeypatch.setattr(lifecycle, "add_cues", watched)
    job = submit.accept_link(shirin, LINK, FINISHED, subtitles=MANY)
    assert counts == [500, 500, 202]
    stored = Job.objects.get()
    assert (stored.pk, stored.status, stored.version) == (job.pk, JobStatus.QUEUED, 1)
    assert [(row.number, row.target) for row in stored.cues.all()] == [(cue.id, cue.source) for cue in MANY]
    assert lifecycle.claim(Queue.MEDIA) is not None


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_between_the_portions_leaves_nothing(
    shirin: User, media_root: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    add = lifecycle.add_cues

    def failing(job: Job, cues: Sequence[models.Cue]) -> None:
        if job.cues.exists():
            raise error
        add(job, cues)

    monkeypatch.setattr(lifecycle, "add_cues", failing)
    with pytest.raises(error):
        submit.accept_link(shirin, LINK, FINISHED, subtitles=MANY)
    assert not Job.objects.exists()
    assert not models.Cue.objects.exists()
    assert entries(media_root) == []


def test_a_cancelled_creation_ends(shirin: User, media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = lifecycle.add_cues

    def cancelling(job: Job, cues: Sequence[models.Cue]) -> None:
        add(job, cues)
        lifecycle.cancel(job.pk, actor="shirin")

    monkeypatch.setattr(lifecycle, "add_cues", cancelling)
    with pytest.raises(IllegalTransition):
        submit.accept_link(shirin, LINK, FINISHED, subtitles=MANY)
    assert lifecycle.finish_cancel(Job.objects.get().pk)
    assert entries(media_root) == []


KILLED = """
import os, signal, sys
import django
django.setup()
from django.contrib.auth.models import User
from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.pipeline.subtitles.cue import Cue
add = lifecycle.add_cues
def killed(job, cues):
    add(job, cues)
    if cues[0].number > 1:
        os.kill(os.getpid(), signal.SIGKILL)
lifecycle.add_cues = killed
cues = [Cue(id=at, start=at, end=at + 0.9, source=str(at)) for at in range(1, 1203)]
submit.accept_upload(
    User.objects.get(username="shirin"), "talk.mp4", 1, JobOptions(target="fa", brought=True), subtitles=cues
)
"""


@on_both
def test_what_a_killed_creation_leaves_is_no_job_and_the_reaper_deletes_it(
    shirin: User, database: str, media_root: Path
) -> None:
    here = process_environment(database, MEDIA_ROOT=str(media_root))
    assert subprocess.run([sys.executable, "-c", KILLED], env=here, cwd=ROOT, check=False).returncode == -9
    job = Job.objects.get()
    assert job.cues.count() == 1000
    with pytest.raises(IllegalTransition):
        lifecycle.submit(job.pk, "shirin")
    reaper.discard_unsettled()
    assert Job.objects.exists()  # its process may be alive
    Job.objects.update(changed=timezone.now() - timedelta(minutes=6))
    reaper.discard_unsettled()
    assert not Job.objects.exists()
    assert entries(media_root) == []


def test_an_upload_that_waits_for_its_file_is_not_taken_for_one(shirin: User) -> None:
    job = submit.accept_upload(shirin, "talk.mp4", 10, FINISHED, subtitles=MANY)
    Job.objects.update(changed=timezone.now() - timedelta(hours=6))
    reaper.discard_unsettled()
    assert Job.objects.get().pk == job.pk
    new = submit.replace_upload(job.pk, "talk2.mp4", 12, actor="shirin")
    assert new.cues.count() == len(MANY)
    assert not job.cues.exists()
    assert artifacts.job_dir(new.pk).exists()
