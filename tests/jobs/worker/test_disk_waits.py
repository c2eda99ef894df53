"""Jobs wait for a disk that is full or not mounted, and no video is called damaged. Real stages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Job, JobStatus, Process, StageRun, StageStatus, Transition
from jobs.pipeline import errors
from jobs.pipeline.errors import from_record
from jobs.pipeline.media.probe import probe
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts, installation
from jobs.web.serializers import brief
from jobs.worker import disk_waits
from jobs.worker.reaper import Reaper
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on
from tests.jobs import rows
from tests.jobs.conftest import mounted
from tests.pipeline.clips import Clips

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

OPTIONS = JobOptions(target="fa", brought=True, mode="none")


@pytest.fixture
def boss() -> Iterator[Supervisor]:
    boss = Supervisor()
    yield boss
    boss.close()


@pytest.fixture
def disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A disk of 1 MB for the jobs."""
    for place in mounted(tmp_path / "disk", "size=1m"):
        (place / "jobs").mkdir()
        settings.MEDIA_ROOT = place
        yield place


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return filler


def new(clips: Clips, persian: Path, **options: Any) -> Job:
    return submit.accept_file(rows.owner(), clips["plain.mp4"], replace(OPTIONS, **options), subtitles=persian)


def waits(of: Job) -> StageRun:
    """The stage that waits; it has not failed."""
    assert rows.contradictions(of.pk) == []
    assert rows.status(of.pk) in {JobStatus.QUEUED, JobStatus.RUNNING}, Job.objects.get(pk=of.pk).error
    run = StageRun.objects.get(job=of, status=StageStatus.READY)
    assert run.attempts == 0
    return run


def work(boss: Supervisor) -> None:
    """Run all stages that are due or will be soon."""
    StageRun.objects.filter(status=StageStatus.READY).update(ready_at=timezone.now())
    while boss.run_next("media"):
        pass


def test_a_full_disk_is_waited_for(boss: Supervisor, disk: Path, clips: Clips, persian: Path) -> None:
    job = new(clips, persian, mode="burn")
    filler = fill(disk)
    for minutes in (1, 2, 4):
        work(boss)
        run = waits(job)
        assert run.error
        assert run.error["code"] == "DiskFull"
        assert run.ready_at
        assert abs(run.ready_at - timezone.now() - timedelta(minutes=minutes)) < timedelta(seconds=20)
        assert "disk is full" in brief(job)["left"]
    filler.unlink()
    work(boss)
    assert rows.status(job.pk) == JobStatus.COMPLETED


@pytest.mark.soak
def test_it_is_not_waited_for_for_ever(boss: Supervisor, disk: Path, clips: Clips, persian: Path) -> None:
    job = new(clips, persian)
    filler = fill(disk)
    work(boss)
    waits(job)
    Transition.objects.filter(job=job, reason="DiskFull").update(at=timezone.now() - disk_waits.FULL_DISK_TIMEOUT * 2)
    work(boss)
    failed = Job.objects.get(pk=job.pk)
    assert failed.status == JobStatus.FAILED
    assert failed.error
    assert failed.error["code"] == "DiskFull"
    lifecycle.retry(job.pk, "shirin")
    work(boss)
    waits(job)  # a person says that it is worth waiting again
    filler.unlink()
    work(boss)
    assert rows.status(job.pk) == JobStatus.COMPLETED


def test_a_command_does_not_wait(boss: Supervisor, disk: Path, clips: Clips, persian: Path) -> None:
    job = new(clips, persian)
    client = Process.objects.create(cluster="command", host="elsewhere", boot_id="b", pid=1, started=1)
    Job.objects.filter(pk=job.pk).update(client=client)
    fill(disk)
    work(boss)
    assert rows.status(job.pk) == JobStatus.FAILED


@pytest.mark.parametrize("clip", ["plain.mp4", "sound.mp3"])
def test_a_good_video_is_not_called_damaged(
    disk: Path, clips: Clips, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good video is not called damaged when the probe's small files cannot be written."""
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    fill(disk)
    with pytest.raises(errors.DiskFull):
        probe(clips[clip])


def test_a_disk_that_is_away_is_waited_for(
    boss: Supervisor, clips: Clips, persian: Path, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that disappears during a stage."""
    job = new(clips, persian, mode="burn")
    aside, room = media_root.with_name(f"{media_root.name}-aside"), artifacts.make_attempt_dir

    def unmounted(*of: Any) -> Path:
        media_root.rename(aside)
        return room(*of)

    monkeypatch.setattr(artifacts, "make_attempt_dir", unmounted)
    assert boss.run_next("media")
    monkeypatch.setattr(artifacts, "make_attempt_dir", room)
    run = waits(job)
    assert run.error
    assert run.error["code"] == "StorageAway"
    installation._lately.clear()
    assert "not available" in brief(job)["left"]
    work(boss)
    assert waits(job).started == run.started, "nothing is begun meanwhile"
    aside.rename(media_root)
    work(boss)
    assert rows.status(job.pk) == JobStatus.COMPLETED


def test_a_file_that_is_gone_with_its_disk_fails_no_later_stage(
    boss: Supervisor, clips: Clips, persian: Path, media_root: Path
) -> None:
    """A stage that was just claimed finds an empty mount point, and does not fail."""
    job = new(clips, persian, mode="burn")
    assert boss.run_next("media")
    claim = lifecycle.claim("media")
    assert claim
    assert claim.stage == Stage.SUBTITLE
    media_root.rename(media_root.with_name(f"{media_root.name}-aside"))
    (media_root / "jobs").mkdir(parents=True)
    gone = from_record({"code": "HostError", "params": {}, "detail": "The file is gone."})
    error, wait = disk_waits.wait_for(claim, gone)
    assert (type(error).__name__, wait) == ("StorageAway", disk_waits.AWAY_RETRY_WAIT)
    lifecycle.fail_stage(claim.attempt, error.record(), again=False, wait=wait)
    waits(job)


def test_pages_are_told_when_the_disk_goes_and_comes(clips: Clips, persian: Path, media_root: Path) -> None:
    job, reaper = new(clips, persian), Reaper()
    reaper.sweep()
    before = Job.objects.get(pk=job.pk).version
    aside = media_root.rename(media_root.with_name(f"{media_root.name}-aside"))
    reaper.sweep()
    assert (gone := Job.objects.get(pk=job.pk).version) > before
    reaper.sweep()
    assert Job.objects.get(pk=job.pk).version == gone
    aside.rename(media_root)
    reaper.sweep()
    assert Job.objects.get(pk=job.pk).version > gone
