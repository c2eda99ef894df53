"""The identity of the disk: on another disk an installation starts, deletes and cancels nothing."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Artifact, Installation, Job, JobStatus
from jobs.monitoring import doctor, health
from jobs.pipeline import errors
from jobs.storage import artifacts, deletion, installation, retention
from jobs.storage.installation import MARKER, Disk
from jobs.worker import reaper
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on, process_environment
from tests.jobs import rows
from tests.jobs.command import ROOT

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

OPTIONS = JobOptions(target="fa", brought=True, mode="none")
LINK = "https://example.org/video.mp4"


def completed(age: timedelta = timedelta(0)) -> Job:
    """A completed job with a result on the disk."""
    claim = rows.up_to(rows.ALL[-1])
    artifacts.job_dir(claim.job_id).mkdir()
    (artifacts.job_dir(claim.job_id) / "video.mp4").write_text("the result")
    Artifact.objects.create(job_id=claim.job_id, kind="video", name="video.mp4", size=10)
    rows.finish(claim.attempt)
    Job.objects.filter(pk=claim.job_id).update(edited=timezone.now() - age, created=timezone.now() - age)
    return Job.objects.get(pk=claim.job_id)


@pytest.fixture
def other_disk(tmp_path: Path) -> Path:
    """An empty directory for jobs, as at the mount point of an absent disk."""
    (tmp_path / "other" / "jobs").mkdir(parents=True)
    return tmp_path / "other"


def ours() -> Path:
    return installation.place() / MARKER


def run(name: str, *options: str, url: str, media: Path) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` in a process with another MEDIA_ROOT."""
    environment = process_environment(url, MEDIA_ROOT=str(media))
    command = [sys.executable, "manage.py", name, *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


# The wrong disk


def test_the_cleanup_on_another_disk_deletes_nothing(
    database: str, media_root: Path, other_disk: Path, settings: Any
) -> None:
    """A cleanup on another disk deletes nothing: the next one would then delete the files on the right disk."""

    def clean(place: Path) -> str:
        settings.MEDIA_ROOT = place
        said = io.StringIO()
        call_command("cleanup", stdout=said)
        settings.MEDIA_ROOT = media_root
        return said.getvalue()

    job = completed()
    clean(media_root)
    for place in (other_disk, media_root, other_disk, media_root):
        clean(place)
        assert Job.objects.filter(pk=job.pk).exists(), place
        assert (artifacts.job_dir(job.pk) / "video.mp4").exists(), place
    old = timedelta(days=30)
    Job.objects.update(edited=timezone.now() - old)
    assert "expired results" not in clean(other_disk)
    assert Job.objects.filter(pk=job.pk).exists()
    clean(media_root)
    assert not Job.objects.filter(pk=job.pk).exists()
    assert not artifacts.job_dir(job.pk).exists()


@pytest.fixture
def wrong(other_disk: Path, settings: Any) -> Callable[[], None]:
    """Set MEDIA_ROOT to the wrong disk."""

    def mount() -> None:
        settings.MEDIA_ROOT = other_disk

    return mount


def test_nothing_is_begun_ended_or_given_up(wrong: Callable[[], None], media_root: Path, settings: Any) -> None:
    completed()
    assert installation.is_right()
    waiting, half = rows.job(), rows.job(uploaded=False)
    for job in (waiting, half):
        artifacts.make_job_dir(job.pk)
    wrong()
    assert not Supervisor().run_next("media")
    assert rows.stages(waiting.pk)["fetch"] == "ready"
    Job.objects.filter(pk=half.pk).update(changed=timezone.now() - 2 * lifecycle.UPLOAD_EXPIRY)
    reaper.expire_uploads()
    assert rows.status(half.pk) == JobStatus.UPLOADING
    lifecycle.cancel(waiting.pk, actor="shirin")
    assert not deletion.finish(waiting.pk)
    reaper.Reaper().sweep()
    assert rows.status(waiting.pk) == JobStatus.CANCELLING
    settings.MEDIA_ROOT = media_root
    assert deletion.finish(waiting.pk)
    assert not artifacts.job_dir(waiting.pk).exists()


def test_nothing_new_is_taken_in(wrong: Callable[[], None], persian: Path) -> None:
    completed()
    assert installation.is_right()
    wrong()
    with pytest.raises(errors.StorageAway):
        submit.accept_link(rows.owner(), LINK, OPTIONS, subtitles=persian)
    assert Job.objects.count() == 1
    assert list(installation.place().iterdir()) == []


def test_health_and_doctor_say_what_to_do(wrong: Callable[[], None]) -> None:
    completed()
    assert installation.is_right()
    assert health.check_health().disk_problem == ""
    wrong()
    found = health.check_health()
    assert (found.ok, found.disk) == (False, False)
    assert str(installation.place()) in found.disk_problem
    assert "adopt_disk" in found.disk_problem
    (disk,) = [each for each in doctor.examine() if each.subject == "Disk"]
    assert (disk.good, disk.needed) == (False, True)
    assert "adopt_disk" in disk.remedy


# Which one is right


def test_the_first_job_marks_the_disk(persian: Path, media_root: Path) -> None:
    shutil.rmtree(media_root)
    assert health.check_health().disk_problem == ""
    submit.accept_link(rows.owner(), LINK, OPTIONS, subtitles=persian)
    row = Installation.objects.get()
    assert row.marked
    assert ours().read_text() == f"{row.disk}\n"
    assert installation.look() == Disk.RIGHT


def test_looking_changes_nothing() -> None:
    assert installation.look() == Disk.NEW
    health.check_health()
    list(doctor.examine())
    assert not Installation.objects.exists()
    assert not ours().exists()


def test_the_disk_of_an_earlier_version_is_known_by_its_files(
    other_disk: Path, settings: Any, media_root: Path
) -> None:
    """A disk without an id is recognised by its files, even when a few directories were deleted."""
    jobs = [completed() for _ in range(4)]
    settings.MEDIA_ROOT = other_disk
    assert installation.look() == Disk.UNMARKED
    assert not installation.is_right()
    settings.MEDIA_ROOT = media_root
    shutil.rmtree(artifacts.job_dir(jobs[0].pk))
    assert installation.is_right()
    assert installation.look() == Disk.RIGHT


@pytest.mark.parametrize("killed", ["before the file", "before the word"])
def test_killed_while_it_was_marked(killed: str) -> None:
    job = completed()
    row = Installation.objects.create(disk=uuid.uuid4())
    if killed == "before the word":
        ours().write_text(f"{row.disk}\n")
    assert installation.look() == Disk.NEW
    assert installation.is_right()
    assert ours().read_text() == f"{row.disk}\n"
    assert Installation.objects.get().marked
    assert retention.clean_up(timedelta(days=1))
    assert Job.objects.filter(pk=job.pk).exists()


def test_processes_that_mark_it_at_once_agree() -> None:
    completed()
    start, found = threading.Barrier(6, timeout=30), list[bool]()

    def mark() -> None:
        start.wait()
        found.append(installation.is_right())
        connection.close()

    threads = [threading.Thread(target=mark) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6
    assert installation.look() == Disk.RIGHT
    assert [path.name for path in installation.place().iterdir() if not path.is_dir()] == [MARKER]


def test_another_process_marks_the_disk_while_this_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row is written after this process has read that the disk has no id."""
    completed()
    read, meanwhile = installation._read, [installation.mark]

    def read_then_marked() -> uuid.UUID | None:
        found = read()
        if meanwhile:
            meanwhile.pop()()
        return found

    monkeypatch.setattr(installation, "_read", read_then_marked)
    assert installation.look() == Disk.RIGHT
    assert meanwhile == []


def test_a_copy_on_a_larger_disk_is_right(tmp_path: Path, settings: Any) -> None:
    completed()
    assert installation.is_right()
    (tmp_path / "larger").mkdir()
    subprocess.run(f"cp -a '{installation.place()}' '{tmp_path}/larger/'", shell=True, check=True)
    settings.MEDIA_ROOT = tmp_path / "larger"
    assert installation.look() == Disk.RIGHT


def test_a_database_restored_from_before_the_disk_was_marked() -> None:
    completed()
    assert installation.is_right()
    Installation.objects.all().delete()
    assert installation.look() == Disk.NEW
    assert installation.is_right()
    assert ours().read_text() == f"{Installation.objects.get().disk}\n"


def test_another_installation_on_the_same_disk_stops(persian: Path) -> None:
    """Another installation, with an empty database or with other jobs, stops on the same disk."""
    ours().write_text(f"{uuid.uuid4()}\n")
    before = ours().read_text()
    assert installation.look() == Disk.OTHER
    with pytest.raises(errors.StorageAway):
        submit.accept_link(rows.owner(), LINK, OPTIONS, subtitles=persian)
    Artifact.objects.create(job=rows.job(), kind="video", name="v", size=1)
    assert installation.look() == Disk.OTHER
    assert not installation.is_right()
    assert ours().read_text() == before


def test_a_new_place_before_the_first_job(other_disk: Path, settings: Any) -> None:
    assert installation.is_right()
    settings.MEDIA_ROOT = other_disk
    assert installation.is_right()


@pytest.mark.parametrize("text", ["", "half a wo", "\xff\xfe"])
def test_a_file_that_is_no_id(text: str) -> None:
    job = completed()
    ours().write_bytes(text.encode("latin-1"))
    assert installation.look() == Disk.UNREADABLE
    assert not installation.is_right()
    assert "cannot be read" in health.check_health().disk_problem
    retention.clean_up(timedelta(0))
    assert Job.objects.filter(pk=job.pk).exists()


def test_a_disk_that_cannot_be_written(closed_disk: Path, settings: Any) -> None:
    """An unmarked disk that was remounted read-only."""
    settings.MEDIA_ROOT = closed_disk
    subprocess.run(["mount", "-o", "remount,rw", str(closed_disk)], check=True)
    (closed_disk / "jobs").mkdir()
    job = completed()
    subprocess.run(["mount", "-o", "remount,ro", str(closed_disk)], check=True)
    assert not installation.is_right()
    with pytest.raises(errors.Unwritable):
        artifacts.make_job_dir(uuid.uuid4())
    retention.clean_up(timedelta(0))
    assert Job.objects.filter(pk=job.pk).exists()


# A person says which


def test_a_person_adopts_a_disk(wrong: Callable[[], None], media_root: Path, settings: Any) -> None:
    completed()
    assert installation.is_right()
    wrong()
    with pytest.raises(CommandError, match="Only 0 of the 1 newest"):
        call_command("adopt_disk")
    assert not installation.is_right()
    call_command("adopt_disk", "--force")
    assert installation.look() == Disk.RIGHT
    settings.MEDIA_ROOT = media_root
    assert installation.look() == Disk.OTHER
    call_command("adopt_disk")
    assert installation.look() == Disk.RIGHT
    call_command("adopt_disk")


def test_the_installation_that_it_was_taken_from_stops(media_root: Path) -> None:
    completed()
    assert installation.is_right()
    before = Installation.objects.get().disk
    installation.adopt()
    Installation.objects.update(disk=before)  # which is what the other database says
    assert installation.look() == Disk.OTHER
