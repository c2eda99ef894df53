"""Export of results to the output directory: whole files, by rename, and never over a source file."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jobs import lifecycle
from jobs.cli.export import check_overwriting, export, is_brought
from jobs.models import Artifact, Job
from jobs.pipeline.errors import DiskFull, Unwritable, WouldOverwrite
from jobs.pipeline.media.atomic_files import workspace
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from tests.jobs import rows
from tests.jobs.command import files_in

pytestmark = pytest.mark.usefixtures("database")

QUALITY = {"source": "en", "target": "fa", "cues": 1, "findings": []}
FILES = {"video": "v.mp4", "fa.srt": "1", "fa.vtt": "2", "en.srt": "3", "poster": "p.webp", "source": "s", "audio": "a"}


@pytest.fixture
def job(database: str) -> Job:
    """A completed job with a file of each kind."""
    made = rows.job(stages=[Stage.RENDER], spoken="en")
    artifacts.make_job_dir(made.pk)
    claimed = rows.claim()
    room = artifacts.make_attempt_dir(made.pk, claimed.attempt)
    for kind, name in FILES.items():
        (room / name).write_text(kind)
    facts = artifacts.unsaved_rows(made.pk, claimed.attempt, FILES)
    report: dict[str, Any] = {"quality": QUALITY, "title": "Talk", "files": sorted(FILES)}
    lifecycle.finish_stage(claimed.attempt, outcome={}, artifacts=facts, result=lambda _: report)
    return Job.objects.get(pk=made.pk)


def bring(job: Job, output: Path, *brought: Path, name: str = "talk", source: str | None = None) -> Any:
    with workspace(output) as work:
        return export(job, name, output, work, brought, source=source)


def owners(output: Path) -> dict[str, str]:
    """The source of each result in `output`, by the name of its Persian subtitles."""
    return {path.name: path.read_text() for path in output.glob("*.fa.srt")}


def write(job: Job, text: str) -> None:
    """Replace the text of the job's subtitles."""
    (artifacts.path_of(job.pk, "fa.srt") or Path()).write_text(text)


def test_everything_but_what_was_only_needed_meanwhile(job: Job, output: Path) -> None:
    found = bring(job, output)
    names = {"talk.fa.mp4", "talk.fa.srt", "talk.fa.vtt", "talk.en.srt", "talk.webp", "talk.report.json"}
    assert files_in(output) == names
    assert (output / "talk.fa.srt").read_text() == "fa.srt"
    assert (found.video, found.subtitles) == (output / "talk.fa.mp4", output / "talk.fa.srt")
    assert {path.name for path in found.files} == names
    assert found.files[-1] == found.video  # whoever waits for it finds all the rest
    assert json.loads((output / "talk.report.json").read_text()) == found.report
    assert set(found.report["files"]) == names
    assert found.quality.cues == 1


def test_results_outlive_their_job(job: Job, output: Path) -> None:
    found = bring(job, output)
    assert artifacts.delete_job_dir(job.pk)
    assert found.video.read_text() == "video"


def test_a_video_on_another_disk_is_copied(job: Job, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("jobs.cli.export.os.link", elsewhere)
    assert bring(job, output).video.read_text() == "video"


def test_only_subtitles(job: Job, output: Path) -> None:
    artifacts.delete_published(job.pk, "video", "poster")
    found = bring(job, output)
    assert found.video is None
    assert files_in(output) == {"talk.fa.srt", "talk.fa.vtt", "talk.en.srt", "talk.report.json"}


def test_delivered_twice_the_later_one_stays(job: Job, output: Path) -> None:
    bring(job, output)
    (artifacts.path_of(job.pk, "fa.srt") or Path()).write_text("later")
    bring(job, output)
    assert (output / "talk.fa.srt").read_text() == "later"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/films/talk.mp4", "/more/talk.mp4"),
        ("/films/talk.mp4", "/films/talk.mkv"),
        ("/films/talk \udcff.mp4", "/films/talk \udcfe.mp4"),
        ("https://a.test/v", "https://b.test/v"),
        ("/films/talk.mp4", "https://a.test/talk.mp4"),
    ],
)
def test_two_sources_with_one_name_keep_their_results(job: Job, output: Path, one: str, other: str) -> None:
    for source in (one, other, one):
        write(job, source.encode(errors="replace").decode() + str(source == one))
        bring(job, output, source=source)
    results = owners(output)
    assert set(results) == {"talk.fa.srt", "talk (2).fa.srt"}
    assert results["talk.fa.srt"].endswith("True")
    assert results["talk (2).fa.srt"].endswith("False")
    assert json.loads((output / "talk (2).report.json").read_text())["files"] == sorted(
        f"talk (2).{rest}" for rest in ("fa.mp4", "fa.srt", "fa.vtt", "en.srt", "webp", "report.json")
    )
    assert len(files_in(output)) == 12


@pytest.mark.parametrize(
    ("one", "other"),
    [("talk", "Talk"), ("straße", "STRASSE"), ("caf\u00e9", "cafe\u0301"), ("İstanbul", "i\u0307stanbul")],
)
def test_names_that_some_file_system_takes_for_the_same(job: Job, output: Path, one: str, other: str) -> None:
    for name in (one, other):
        bring(job, output, name=name, source=f"/films/{name}.mp4")
    assert set(owners(output)) == {f"{one}.fa.srt", f"{other} (2).fa.srt"}


def test_what_else_lies_there_stays(job: Job, output: Path) -> None:
    """Other files stay, also beside results of the same source."""
    bring(job, output)
    mine = output / "talk.en.srt"
    mine.write_text("mine")
    (output / "talk.report.json").write_text(json.dumps({"made": {"source": "another", "files": []}}))
    assert bring(job, output).subtitles.name == "talk (2).fa.srt"
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("report", ["", "[]", "{}", '{"made": 1}', '{"made": {"source": 1}}', "\0", "[" * 100_000])
def test_a_report_that_tells_nothing(job: Job, output: Path, report: str) -> None:
    output.mkdir()
    (output / "talk.report.json").write_text(report)
    assert bring(job, output).subtitles.name == "talk (2).fa.srt"
    assert (output / "talk.report.json").read_text() == report


def test_another_language_of_the_same_source(job: Job, output: Path) -> None:
    """Another language shares the name, and a later export replaces both."""
    bring(job, output)
    Artifact.objects.filter(kind="fa.srt").update(kind="es.srt")
    Artifact.objects.filter(kind="fa.vtt").delete()
    Job.objects.update(target="es")
    job.refresh_from_db()
    bring(job, output)
    Artifact.objects.filter(kind="es.srt").update(kind="fa.srt")
    Job.objects.update(target="fa")
    job.refresh_from_db()
    write(job, "later")
    bring(job, output)
    assert owners(output) == {"talk.fa.srt": "later"}
    assert {path.name for path in output.glob("*.es.*")} == {"talk.es.srt", "talk.es.mp4"}


def test_two_commands_at_once(job: Job, output: Path) -> None:
    """Concurrent exports take different names."""

    def bring_it(source: str) -> None:
        bring(Job.objects.get(pk=job.pk), output, source=source)
        connection.close()

    output.mkdir()
    threads = [threading.Thread(target=bring_it, args=(f"/{number}/talk.mp4",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(owners(output)) == {"talk.fa.srt", *(f"talk ({number}).fa.srt" for number in range(2, 7))}


def test_the_subtitles_that_were_brought_are_not_replaced(job: Job, output: Path) -> None:
    output.mkdir()
    mine = output / "talk.en.srt"
    mine.write_text("mine")
    found = bring(job, output, mine)
    assert mine.read_text() == "mine"
    assert mine not in found.files
    assert "talk.en.srt" not in found.report["files"]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "srt", "vtt", "ass"])
def test_a_result_that_would_replace_what_was_brought_is_refused(output: Path, ending: str) -> None:
    mine = output / f"talk.fa.{ending}"
    with pytest.raises(WouldOverwrite) as told:
        check_overwriting("talk", "fa", output, [output / "other", output / "sub" / ".." / mine.name])
    assert str(mine) in str(told.value)
    check_overwriting("talk", "es", output, [mine])
    check_overwriting("talk", "fa", output / "elsewhere", [mine])


def test_a_link_to_what_was_brought_is_it(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    assert is_brought(tmp_path / "link", [tmp_path / "mine"])
    assert not is_brought(tmp_path / "other", [tmp_path / "mine"])


def test_a_full_disk_leaves_nothing_half(job: Job, small_disk: Path) -> None:
    big = artifacts.path_of(job.pk, "fa.srt")
    assert big
    big.write_bytes(bytes(200_000))
    with pytest.raises(DiskFull):
        bring(job, small_disk / "out")
    assert files_in(small_disk) == {"jobs"}


def test_a_disk_that_cannot_be_written(job: Job, closed_disk: Path) -> None:
    with pytest.raises(Unwritable):
        bring(job, closed_disk / "out")
    assert Artifact.objects.count() == len(FILES)
