"""Files of a job: published by a row, purged completely, and no directory for a late writer."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jobs import lifecycle
from jobs.models import Artifact, Job
from jobs.pipeline.errors import HostError, StorageAway, Unwritable
from jobs.storage import artifacts, deletion
from jobs.worker.reaper import Reaper
from tests.databases import on_both
from tests.jobs import rows
from tests.jobs.command import files_in
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("database")

ATTEMPT = uuid.UUID(int=7)


@pytest.fixture
def job(database: str) -> Job:
    made = rows.job()
    artifacts.make_job_dir(made.pk)
    return made


def publish(job: Job, kind: str, name: str) -> Path:
    """Publish a file of the attempt, with its row."""
    place = artifacts.job_dir(job.pk) / str(ATTEMPT)
    place.mkdir(exist_ok=True)
    (place / name).write_text(kind)
    (fact,) = artifacts.unsaved_rows(job.pk, ATTEMPT, {kind: name})
    fact.job = job
    fact.save()
    return place / name


def test_only_creation_makes_a_jobs_directory(media_root: Path) -> None:
    gone = uuid.uuid4()
    with pytest.raises(Unwritable):
        artifacts.make_attempt_dir(gone, ATTEMPT)
    assert not artifacts.job_dir(gone).exists()
    artifacts.make_job_dir(gone)
    with pytest.raises(HostError):
        artifacts.make_job_dir(gone)
    place = artifacts.make_attempt_dir(gone, ATTEMPT)
    assert place == media_root / "jobs" / str(gone) / str(ATTEMPT)
    with pytest.raises(HostError):
        artifacts.make_attempt_dir(gone, ATTEMPT)


def test_a_published_file_is_found(job: Job) -> None:
    path = publish(job, "fa.srt", "out.srt")
    fact = job.artifacts.get()
    assert (fact.kind, fact.name, fact.size) == ("fa.srt", f"{ATTEMPT}/out.srt", 6)
    assert artifacts.path_of(job.pk, "fa.srt") == path
    assert artifacts.path_of(job.pk, "video") is None


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../other", "/etc/passwd", "sub/file", "missing", "link", "sub", "a\0b"]
)
def test_a_child_names_only_its_own_files(job: Job, name: str, tmp_path: Path) -> None:
    place = artifacts.make_attempt_dir(job.pk, ATTEMPT)
    (place / "sub").mkdir()
    (place / "sub" / "file").touch()
    (place.parent / "other").touch()
    (place / "link").symlink_to("/etc/passwd")
    with pytest.raises(HostError):
        artifacts.unsaved_rows(job.pk, ATTEMPT, {"video": name})


def test_what_was_not_published_is_cleared(job: Job) -> None:
    place = artifacts.make_attempt_dir(job.pk, ATTEMPT)
    (place / "half").touch()
    artifacts.delete_attempt_dir(job.pk, uuid.uuid4())
    assert place.exists()
    artifacts.delete_attempt_dir(job.pk, ATTEMPT)
    assert files_in(artifacts.job_dir(job.pk)) == set()
    artifacts.delete_attempt_dir(job.pk, ATTEMPT)
    path = publish(job, "video", "v.mp4")
    artifacts.delete_attempt_dir(job.pk, ATTEMPT)
    assert path.exists()


def test_tidying_leaves_what_is_to_be_published(job: Job, tmp_path: Path) -> None:
    place = artifacts.make_attempt_dir(job.pk, ATTEMPT)
    (place / "parts").mkdir()
    (place / "parts" / "1").touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    (place / "link").symlink_to(tmp_path / "theirs")
    for name in ("kept", "also kept", "left"):
        (place / name).touch()
    artifacts.delete_unneeded(job.pk, ATTEMPT, iter(["kept", "also kept"]))
    assert files_in(place) == {"kept", "also kept"}
    assert (tmp_path / "theirs" / "file").exists()
    artifacts.delete_unneeded(job.pk, ATTEMPT, [])
    assert not place.exists()


def test_what_no_stage_needs_is_dropped(job: Job) -> None:
    audio, video = publish(job, "audio", "a.flac"), publish(job, "video", "v.mp4")
    artifacts.delete_published(job.pk, "audio", "none such")
    assert (audio.exists(), video.exists()) == (False, True)
    assert artifacts.path_of(job.pk, "audio") is None
    artifacts.delete_published(job.pk, "video")
    assert not video.parent.exists()


def test_a_purge_takes_everything_and_may_be_repeated(job: Job, media_root: Path, tmp_path: Path) -> None:
    (tmp_path / "source.mp4").touch()
    (artifacts.job_dir(job.pk) / "source").symlink_to(tmp_path / "source.mp4")
    publish(job, "video", "v.mp4")
    other = uuid.uuid4()
    artifacts.make_job_dir(other)
    for _ in range(2):
        assert artifacts.delete_job_dir(job.pk)
    assert files_in(media_root) == {"jobs", f"jobs/{other}", ".trash"}
    assert (tmp_path / "source.mp4").exists()


def test_a_late_writer_finds_nothing_to_write_to(job: Job, media_root: Path) -> None:
    place = artifacts.make_attempt_dir(job.pk, ATTEMPT)
    late = (place / "late").open("w")
    artifacts.delete_job_dir(job.pk)
    with late:
        late.write("too late")
    with pytest.raises(FileNotFoundError):
        (place / "later").write_text("too late")
    with pytest.raises(Unwritable):
        artifacts.make_attempt_dir(job.pk, uuid.uuid4())
    assert files_in(media_root) == {"jobs", ".trash"}


def test_a_purge_that_was_killed_is_finished_by_the_next(job: Job, media_root: Path) -> None:
    publish(job, "video", "v.mp4")
    (media_root / ".trash").mkdir()
    artifacts.job_dir(job.pk).rename(media_root / ".trash" / f"{job.pk}.{uuid.uuid4()}")
    assert artifacts.delete_job_dir(job.pk)
    assert files_in(media_root) == {"jobs", ".trash"}


def test_a_job_is_cancelled_when_its_files_are_gone(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(job, "video", "v.mp4")
    lifecycle.cancel(job.pk, actor="shirin")
    with monkeypatch.context() as patch:
        patch.setattr("jobs.storage.artifacts.shutil.rmtree", lambda *_, **__: None)
        assert not deletion.finish(job.pk)
    assert rows.status(job.pk) == "cancelling"
    assert deletion.finish(job.pk)
    assert rows.status(job.pk) == "cancelled"
    assert not deletion.finish(job.pk)


@on_both
def test_several_end_one_job(job: Job, media_root: Path) -> None:
    for number in range(30):
        publish(job, f"kind{number}", f"{number}")
    lifecycle.cancel(job.pk, actor="shirin")
    start, results = threading.Barrier(4, timeout=PATIENCE), list[bool]()

    def end() -> None:
        start.wait()
        while rows.status(job.pk) != "cancelled":
            results.append(deletion.finish(job.pk))
        connection.close()

    together(end, 4)
    assert results.count(True) == 1
    assert files_in(media_root) == {"jobs", ".trash"}
    assert not rows.contradictions(job.pk)


def together(act: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_orphans_and_sizes(job: Job, media_root: Path) -> None:
    publish(job, "video", "v.mp4")
    stray = uuid.uuid4()
    artifacts.make_job_dir(stray)
    assert artifacts.orphans() == [media_root / "jobs" / str(stray)]
    assert artifacts.bytes_below(artifacts.job_dir(job.pk)) == len("video")
    (artifacts.job_dir(job.pk) / "broken").symlink_to("/nowhere")
    assert artifacts.bytes_below(artifacts.job_dir(job.pk)) >= len("video")
    assert artifacts.bytes_below(media_root / "missing") == 0


def test_without_a_place_there_are_no_orphans_and_nothing_is_gone(media_root: Path) -> None:
    assert artifacts.delete_job_dir(uuid.uuid4())
    shutil.rmtree(media_root / "jobs")
    assert artifacts.orphans() == []
    assert not artifacts.delete_job_dir(uuid.uuid4())
    assert not Artifact.objects.exists()


def test_the_first_job_makes_the_place_of_all(media_root: Path) -> None:
    (media_root / "jobs").rmdir()
    artifacts.make_job_dir(first := uuid.uuid4())
    assert artifacts.job_dir(first).is_dir()


def test_a_job_is_not_cancelled_while_its_disk_is_not_there(job: Job, media_root: Path) -> None:
    """Without the disk no job is marked cancelled, and a new job makes no directory in its place."""
    path = publish(job, "video", "v.mp4")
    lifecycle.cancel(job.pk, actor="shirin")
    disk = media_root.rename(media_root.with_name("unmounted"))
    for _ in range(2):
        Reaper().sweep()
        assert rows.status(job.pk) == "cancelling"
        media_root.mkdir(exist_ok=True)  # the mount point, when nothing is mounted
    with pytest.raises(StorageAway):
        artifacts.make_job_dir(uuid.uuid4())
    media_root.rmdir()
    disk.rename(media_root)
    assert path.exists()
    Reaper().sweep()
    assert rows.status(job.pk) == "cancelled"
    assert files_in(media_root) == {"jobs", ".trash"}


def test_a_job_without_a_directory_is_cancelled(job: Job) -> None:
    artifacts.job_dir(job.pk).rmdir()
    lifecycle.cancel(job.pk, actor="shirin")
    assert deletion.finish(job.pk)


def test_the_disk_that_goes_while_a_job_is_purged(job: Job, media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle.cancel(job.pk, actor="shirin")
    away = media_root.with_name("away")
    monkeypatch.setattr(artifacts, "move_to_trash", lambda _: media_root.rename(away))
    assert not deletion.finish(job.pk)
    assert rows.status(job.pk) == "cancelling"


@pytest.fixture
def stubborn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make files of this name impossible to delete."""
    unlink = os.unlink

    def resists(path: Any, **where: Any) -> None:
        if Path(path).name == "stubborn":
            raise PermissionError(1, "Operation not permitted", path)
        unlink(path, **where)

    monkeypatch.setattr(os, "unlink", resists)


def refusals(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The log lines about undeletable files, with their jobs."""
    told = [record for record in caplog.records if "cannot be deleted" in record.getMessage()]
    return [(record.__dict__["job"], record.getMessage()) for record in told]


@pytest.mark.usefixtures("stubborn")
def test_what_resists_is_told_once(
    job: Job, media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish(job, "video", "stubborn")
    publish(job, "audio", "a.flac")
    lifecycle.cancel(job.pk, actor="shirin")
    for _ in range(3):
        assert not deletion.finish(job.pk)
    (left,) = media_root.glob(".trash/*/*/*")
    assert left.name == "stubborn"
    assert refusals(caplog) == [(str(job.pk), f"files cannot be deleted: {left}: Operation not permitted")]
    monkeypatch.undo()
    assert deletion.finish(job.pk)


def test_a_directory_that_cannot_be_moved_is_told_of_once(
    job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def resists(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(self), None, str(target))

    monkeypatch.setattr(Path, "rename", resists)
    lifecycle.cancel(job.pk, actor="shirin")
    for _ in range(3):
        assert not deletion.finish(job.pk)
    why = f"files cannot be deleted: {artifacts.job_dir(job.pk)}: Permission denied"
    assert refusals(caplog) == [(str(job.pk), why)]


@pytest.mark.parametrize(("refused", "why"), [(OSError("no"), "no"), (OSError(13, "no", "/x"), "/x: no")])
def test_a_deleted_job_whose_trash_cannot_be_read_is_told_of(
    job: Job, refused: OSError, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Job.objects.filter(pk=job.pk).update(status="failed", ended=job.created, error=rows.BROKEN)

    def resists(_: uuid.UUID) -> bool:
        raise refused

    monkeypatch.setattr(artifacts, "delete_job_dir", resists)
    assert deletion.delete(job.pk)
    assert refusals(caplog) == [(str(job.pk), f"files cannot be deleted: {why}")]


# What a killed process left


def test_what_an_attempt_left_is_lost(job: Job) -> None:
    """Lost are a file beside the published one and a directory without any; an upload is not."""
    place = publish(job, "video", "v.mp4").parent
    (artifacts.job_dir(job.pk) / "source.mp4").touch()
    assert artifacts.unpublished(job.pk) == {}
    (place / "half").touch()
    empty = artifacts.make_attempt_dir(job.pk, uuid.UUID(int=8))
    assert artifacts.unpublished(job.pk) == {place: {"v.mp4"}, empty: set()}
    artifacts.delete_unpublished(job.pk)
    assert artifacts.unpublished(job.pk) == {}
    assert files_in(artifacts.job_dir(job.pk)) == {"source.mp4", str(ATTEMPT), f"{ATTEMPT}/v.mp4"}


def test_what_a_running_attempt_makes_is_not_lost(job: Job) -> None:
    claim = lifecycle.claim("media")
    assert claim
    assert claim.job_id == job.pk
    place = artifacts.make_attempt_dir(job.pk, claim.attempt)
    (place / "half").touch()
    assert artifacts.unpublished(job.pk) == {}
    artifacts.delete_unpublished(job.pk)
    assert (place / "half").exists()
    lifecycle.fail_stage(claim.attempt, {"code": "stage_died", "params": {}, "detail": ""}, again=True)
    assert artifacts.unpublished(job.pk) == {place: set()}


def test_what_is_published_meanwhile_is_not_lost(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file published after its directory was listed does not count as lost."""
    place, names = artifacts.make_attempt_dir(job.pk, ATTEMPT), artifacts._names

    def looked(at: Path) -> list[str]:
        found = names(at)
        if at == place:
            publish(job, "video", "v.mp4")
        return found

    monkeypatch.setattr(artifacts, "_names", looked)
    artifacts.delete_unpublished(job.pk)
    assert (place / "v.mp4").exists()


def test_of_a_job_that_has_no_directory_nothing_is_lost(job: Job) -> None:
    artifacts.job_dir(job.pk).rmdir()
    assert artifacts.unpublished(job.pk) == {}
    artifacts.delete_unpublished(job.pk)


def test_who_clears_second_finds_nothing(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    place = artifacts.make_attempt_dir(job.pk, ATTEMPT)
    found = artifacts.unpublished(job.pk)
    place.rmdir()
    monkeypatch.setattr(artifacts, "unpublished", lambda _: found)
    artifacts.delete_unpublished(job.pk)
