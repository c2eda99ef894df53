"""`manage.py cleanup`: deleted and kept things, and its safety in a crash and beside a second sweep."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import uuid
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from jobs import lifecycle
from jobs.management.commands.cleanup import age
from jobs.models import Artifact, Job, JobStatus, PageLease, Process, SourceKind, TranslationCache
from jobs.pipeline.errors import DiskFull
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts, deletion, installation, retention
from tests.databases import mostly_on, on_both, process_environment
from tests.jobs.command import ROOT
from tests.waiting import PATIENCE

DAY = timedelta(hours=24)
SIZE = 1000
"""Bytes of the one file of each job."""


class Killed(BaseException):
    """Raised in place of the end of the process."""


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def sara(database: str, media: Path) -> User:
    return User.objects.create_user("sara")


def ago(**fields: int) -> Any:
    return timezone.now() - timedelta(**fields)


def aged(job_id: uuid.UUID, **fields: Any) -> Job:
    """Make the job so much older."""
    Job.objects.filter(pk=job_id).update(**fields)
    return Job.objects.get(pk=job_id)


def new(owner: User, *, uploaded: bool = True) -> Job:
    job_id = uuid.uuid4()
    artifacts.make_job_dir(job_id)
    (artifacts.job_dir(job_id) / "upload").write_bytes(b"x" * SIZE)
    return lifecycle.create(
        id=job_id,
        stages=[Stage.FETCH],
        actor=owner.username,
        owner=owner,
        source_kind=SourceKind.UPLOAD,
        source="talk.mp4",
        target="fa",
        uploaded=uploaded,
    )


def claimed(owner: User) -> lifecycle.Claim:
    new(owner)
    claim = lifecycle.claim("media")
    assert claim
    return claim


def completed(owner: User, **edited: int) -> Job:
    """A completed job that was edited so long ago."""
    claim = claimed(owner)
    lifecycle.finish_stage(claim.attempt, outcome={}, artifacts=[Artifact(kind="video", name="upload", size=SIZE)])
    return aged(claim.job_id, edited=ago(**edited))


def failed(owner: User, **edited: int) -> Job:
    claim = claimed(owner)
    lifecycle.fail_stage(claim.attempt, DiskFull().record(), again=False)
    return aged(claim.job_id, edited=ago(**edited))


def orphan(**made: int) -> Path:
    """A directory without a row, of this age."""
    place = artifacts.job_dir(uuid.uuid4())
    place.mkdir(parents=True)
    (place / "video.mp4").write_bytes(b"x" * SIZE)
    when = ago(**made).timestamp()
    os.utime(place, (when, when))
    return place


def counts(**options: Any) -> dict[str, int]:
    return {freed.kind: freed.count for freed in retention.clean_up(DAY, **options) if freed.count}


def left(media: Path) -> list[Path]:
    """The files and directories that are left, without those that always exist."""
    stay = {media / "jobs", media / ".trash", media / "jobs" / installation.MARKER}
    return [path for path in media.rglob("*") if path not in stay]


def test_a_result_past_its_time_goes_with_its_files(sara: User, media: Path) -> None:
    for job in (completed(sara, hours=25), failed(sara, hours=25)):
        assert artifacts.job_dir(job.pk).exists()
    assert retention.Freed(kind="expired results", count=2, size=2 * SIZE) in retention.clean_up(DAY)
    assert not Job.objects.exists()
    assert not left(media)


def test_a_cancelled_job_is_forgotten_in_time(sara: User) -> None:
    job = new(sara)
    lifecycle.cancel(job.pk, actor="sara")
    deletion.finish(job.pk)
    assert counts() == {}
    aged(job.pk, edited=ago(hours=25))
    assert counts() == {"expired results": 1}


def test_what_stays(sara: User) -> None:
    fresh, edited, pinned = completed(sara, hours=23), completed(sara, hours=25), completed(sara, days=400)
    aged(edited.pk, edited=ago(hours=1), ended=ago(hours=25))
    lifecycle.set_pinned(pinned.pk, True)
    running = aged(claimed(sara).job_id, created=ago(days=9), changed=ago(days=9))
    queued = aged(new(sara).pk, created=ago(days=9), changed=ago(days=9))
    uploading = aged(new(sara, uploaded=False).pk, created=ago(days=9))
    assert counts() == {}
    for job in (fresh, edited, pinned, running, queued, uploading):
        job.refresh_from_db()
        assert artifacts.bytes_below(artifacts.job_dir(job.pk)) == SIZE
    assert running.status == JobStatus.RUNNING


def test_a_job_that_is_paused_for_too_long_is_cancelled(sara: User) -> None:
    """It outlives every result, and a month."""
    job = new(sara)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.PAUSED, error={"code": "MonthCapReached", "params": {}})
    job.stages.update(status="paused")
    aged(job.pk, changed=ago(days=34))
    assert counts() == {}
    aged(job.pk, changed=ago(days=36))
    assert counts() == {"jobs paused for too long": 1}
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert job.transitions.filter(to_status=JobStatus.CANCELLING).get().reason == "pause_expired"
    assert not artifacts.job_dir(job.pk).exists()


def test_a_half_upload_is_cancelled(sara: User, media: Path) -> None:
    job = aged(new(sara, uploaded=False).pk, changed=ago(hours=25))
    assert counts() == {"incomplete uploads": 1}
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert not left(media)
    assert list(job.transitions.filter(stage="").values_list("from_status", "to_status", "actor")) == [
        ("", "uploading", "sara"),
        ("uploading", "cancelling", "system"),
        ("cancelling", "cancelled", "system"),
    ]


def test_directories_without_a_job(sara: User, media: Path) -> None:
    old, young, foreign = orphan(hours=2), orphan(minutes=50), media / "jobs" / "lost+found"
    foreign.mkdir()
    os.utime(foreign, (0, 0))
    assert counts() == {"orphaned directories": 1}
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()


def test_only_orphans(sara: User) -> None:
    job, _ = completed(sara, hours=25), orphan(hours=2)
    assert counts(orphans_only=True) == {"orphaned directories": 1}
    assert Job.objects.filter(pk=job.pk).exists()


def test_a_result_whose_files_are_gone(sara: User) -> None:
    job, other = completed(sara, hours=1), completed(sara, hours=1)
    artifacts.delete_job_dir(job.pk)
    assert counts() == {"results without files": 1}
    assert Job.objects.get() == other


def test_a_disk_that_is_not_there_makes_no_row_go(sara: User, media: Path) -> None:
    completed(sara, hours=1)
    media.rename(media.with_name("elsewhere"))
    assert counts() == {}
    assert Job.objects.exists()


def test_trash(sara: User, media: Path) -> None:
    artifacts.trash().mkdir(parents=True)
    orphan(hours=0).rename(artifacts.trash() / "x")
    assert retention.Freed(kind="trash", count=1, size=SIZE) in retention.clean_up(DAY)
    assert not left(media)


def test_old_rows(sara: User) -> None:
    process = {"cluster": "media", "host": "here", "boot_id": "1", "started": 1}
    for days in (0, 2, 91):
        PageLease.objects.create(owner=sara, expires=ago(days=days))
        TranslationCache.objects.create(owner=sara, key=f"{days}", text="متن", used=ago(days=days))
        Process.objects.create(pid=days, seen=ago(days=days), **process)
    assert counts() == {"expired page leases": 2, "unused cached translations": 1, "ended processes": 2}
    assert counts() == {}


def test_a_command_that_waits_is_not_forgotten(sara: User) -> None:
    """The row of a waiting command, which writes no heartbeat, is kept."""
    process = {"cluster": "command", "host": "here", "boot_id": "1", "started": 1, "seen": ago(days=2)}
    waits, ended = (Process.objects.create(pid=pid, **process) for pid in (1, 2))
    Job.objects.filter(pk=completed(sara, hours=1).pk).update(client=ended)
    Job.objects.filter(pk=new(sara).pk).update(client=waits)
    assert counts() == {"ended processes": 1}
    assert Process.objects.get() == waits


def test_what_goes_as_a_whole_is_told_once(sara: User, media: Path) -> None:
    (artifacts.make_attempt_dir(completed(sara, hours=26).pk, uuid.uuid4()) / "half").write_bytes(b"x" * SIZE)
    assert [line for line in said("--dry-run").splitlines() if line] == [
        "expired results: 1 would be removed, 2 kB would be freed"
    ]


def test_one_that_vanishes_keeps_nobody_else(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory deleted by another sweep does not stop this one."""
    gone, stays, size = completed(sara, hours=26), completed(sara, hours=25), artifacts.bytes_below

    def vanished(place: Path) -> int:
        if place == artifacts.job_dir(gone.pk):
            raise FileNotFoundError(place)
        return size(place)

    monkeypatch.setattr(artifacts, "bytes_below", vanished)
    assert counts() == {"expired results": 1}
    assert not Job.objects.filter(pk=stays.pk).exists()


def test_the_schedule_holds_no_worker_up_for_long(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduled sweep is limited in time: old rows are deleted first, remaining files by the next sweep."""
    monkeypatch.setattr(retention, "SCHEDULED", -1.0)
    completed(sara, hours=26)
    PageLease.objects.create(owner=sara, expires=ago(days=2))
    assert retention.scheduled() == "expired page leases: 1 removed"
    monkeypatch.undo()
    assert retention.scheduled() == "expired results: 1 removed, 1 kB freed"


def test_nor_does_looking_at_what_has_nothing_to_remove(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit also covers checks without a removal: each sweep checks two jobs, and in the end all."""
    for _ in range(4):
        completed(sara, hours=1)
    now, looked, lost = [0.0], list[uuid.UUID](), artifacts.unpublished

    def slow(job_id: uuid.UUID) -> Any:
        now[0] += retention.SCHEDULED * 2 / 3
        looked.append(job_id)
        return lost(job_id)

    monkeypatch.setattr("jobs.storage.retention.time.monotonic", lambda: now[0])
    monkeypatch.setattr(artifacts, "unpublished", slow)
    assert retention.scheduled() == "nothing to remove"
    assert len(looked) == 2
    for _ in range(50):
        retention.scheduled()
    assert set(looked) == set(Job.objects.values_list("pk", flat=True))


def test_one_that_cannot_be_looked_at_keeps_nobody_else(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, lost = [completed(sara, hours=1).pk for _ in range(3)], artifacts.unpublished
    for job_id in jobs:
        artifacts.make_attempt_dir(job_id, uuid.uuid4())

    def refused(job_id: uuid.UUID) -> Any:
        if job_id == jobs[1]:
            raise PermissionError(13, "Permission denied")
        return lost(job_id)

    monkeypatch.setattr(artifacts, "unpublished", refused)
    assert counts() == {"leftovers of killed processes": 2}


def test_a_dry_run_changes_nothing_and_says_what_would_be(sara: User, media: Path) -> None:
    jobs = [
        completed(sara, hours=25),
        completed(sara, hours=1),
        aged(new(sara, uploaded=False).pk, changed=ago(days=2)),
    ]
    artifacts.delete_job_dir(jobs[1].pk)
    for job in (jobs[0], jobs[2], completed(sara, hours=1)):
        (artifacts.make_attempt_dir(job.pk, uuid.uuid4()) / "half").write_bytes(b"x" * SIZE)
    orphan(hours=2)
    PageLease.objects.create(owner=sara, expires=ago(days=2))
    before = (list(Job.objects.order_by("pk").values()), left(media))
    would = said("--dry-run")
    assert (list(Job.objects.order_by("pk").values()), left(media)) == before
    assert "incomplete uploads: 1 would be removed, 2 kB would be freed\n" in would
    assert "expired results: 1 would be removed, 2 kB would be freed\n" in would
    assert "leftovers of killed processes: 1 would be removed, 1 kB would be freed" in would
    assert said() == would.replace("would be ", "")
    assert said() == "Nothing to remove.\n"


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cleanup", *arguments, stdout=out)
    return out.getvalue()


def test_another_age(sara: User) -> None:
    completed(sara, hours=5)
    assert said("--older-than", "6h") == "Nothing to remove.\n"
    assert said("--older-than", "290m") == "expired results: 1 removed, 1 kB freed\n"


@pytest.mark.parametrize(("text", "hours"), [("24h", 24), ("90m", 1.5), ("7d", 168), ("0h", 0)])
def test_ages(text: str, hours: float) -> None:
    assert age(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1.5h", "1w", "999999d", "24h "])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not an age"):
        age(text)


def test_the_schedule(sara: User, settings: Any) -> None:
    completed(sara, hours=5)
    assert retention.scheduled() == "nothing to remove"
    settings.RETENTION_HOURS = 4
    assert retention.scheduled() == "expired results: 1 removed, 1 kB freed"


@pytest.mark.parametrize(
    ("module", "function"),
    [
        (artifacts, "delete_job_dir"),
        (lifecycle, "delete_row"),
        (lifecycle, "cancel"),
        (lifecycle, "finish_cancel"),
        (deletion, "finish"),
        (artifacts, "move_to_trash"),
        (artifacts, "delete_tree"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_killed_and_run_again(
    sara: User, media: Path, monkeypatch: pytest.MonkeyPatch, module: Any, function: str, after: bool
) -> None:
    """A sweep killed before or after each effect and commit, three times; the next sweep deletes the rest."""
    completed(sara, hours=25)
    upload = aged(new(sara, uploaded=False).pk, changed=ago(hours=25))
    with monkeypatch.context() as patch:
        real: Callable[..., Any] = getattr(module, function)

        def killed(*arguments: Any, **options: Any) -> None:
            if after:
                real(*arguments, **options)
            raise Killed

        patch.setattr(module, function, killed)
        for _ in range(3):
            try:
                retention.clean_up(DAY)
            except Killed:
                continue
    retention.clean_up(DAY)
    assert not left(media)
    assert Job.objects.get() == upload
    assert Job.objects.get().status == JobStatus.CANCELLED


@on_both
def test_retried_at_the_last_moment(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired job that is retried before the sweep reaches it keeps its files."""
    job = failed(sara, hours=25)

    def retried(path: Path) -> int:
        lifecycle.retry(job.pk, "sara")
        return 0

    monkeypatch.setattr(artifacts, "bytes_below", retried)
    assert counts() == {}
    monkeypatch.undo()
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert (artifacts.job_dir(job.pk) / "upload").exists()


def test_one_that_resists_keeps_nobody_else(sara: User, caplog: pytest.LogCaptureFixture) -> None:
    stubborn, other = completed(sara, hours=26), completed(sara, hours=25)
    discard = artifacts.move_to_trash

    def refused(job_id: uuid.UUID) -> None:
        if job_id == stubborn.pk:
            raise PermissionError("no")
        discard(job_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "move_to_trash", refused)
        assert counts() == {"expired results": 1}
    told = {record.__dict__["job"]: record.getMessage() for record in caplog.records if "cannot" in record.getMessage()}
    assert told == {str(stubborn.pk): "files cannot be deleted: no"}
    assert not Job.objects.filter(pk=other.pk).exists()
    assert counts() == {"expired results": 1}


def test_others_do_not_wait_while_files_are_deleted(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job, purge, waiting = completed(sara, hours=26), artifacts.delete_job_dir, []

    def watched(job_id: uuid.UUID) -> bool:
        waiting.append(connection.in_atomic_block)
        return purge(job_id)

    monkeypatch.setattr(artifacts, "delete_job_dir", watched)
    assert deletion.delete(job.pk)
    assert waiting == [False]
    assert not artifacts.job_dir(job.pk).exists()
    assert not list(artifacts.trash().iterdir())


def test_a_trash_that_resists_does_not_bring_the_job_back(sara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = completed(sara, hours=26)

    def refused(job_id: uuid.UUID) -> bool:
        raise PermissionError(str(job_id))

    monkeypatch.setattr(artifacts, "delete_job_dir", refused)
    assert deletion.delete(job.pk)
    assert not Job.objects.filter(pk=job.pk).exists()


SWEEPER = """
import django
django.setup()
from django.core.management import call_command
print("ready", flush=True)
input()
call_command("cleanup")
"""


@mostly_on("postgresql")
def test_two_at_once(sara: User, media: Path, database: str) -> None:
    """Two concurrent sweeps remove sixty things, each removed and counted once."""
    for _ in range(20):
        completed(sara, hours=25)
        aged(new(sara, uploaded=False).pk, changed=ago(hours=25))
    kept = [completed(sara, hours=1).pk, claimed(sara).job_id, new(sara).pk]
    environment = process_environment(database, MEDIA_ROOT=str(media))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    sweepers = [
        subprocess.Popen([sys.executable, "-c", SWEEPER], cwd=ROOT, env=environment, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    for sweeper in sweepers:
        assert sweeper.stdout.readline() == "ready\n", sweeper.communicate()
    for sweeper in sweepers:
        sweeper.stdin.write("\n")
        sweeper.stdin.flush()
    told = [sweeper.communicate(timeout=PATIENCE) for sweeper in sweepers]
    assert [sweeper.returncode for sweeper in sweepers] == [0, 0], told
    assert not [log for _, log in told if "could not be removed" in log]
    removed = sum(int(count) for out, _ in told for count in re.findall(r"expired results: (\d+) removed", out))
    assert removed == 20
    assert set(Job.objects.exclude(status=JobStatus.CANCELLED).values_list("pk", flat=True)) == set(kept)
    assert Job.objects.filter(status=JobStatus.CANCELLED).count() == 20
    assert {path.name for path in (media / "jobs").iterdir() if path.is_dir()} == set(map(str, kept))
    assert not list(artifacts.trash().iterdir())
