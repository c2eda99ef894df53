"""A database that an earlier version made: it migrates, every page shows it, and its running job is completed."""

from __future__ import annotations

import importlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ, Schedule

from jobs.intake.options import options_of
from jobs.lifecycle import stages
from jobs.models import (
    Artifact,
    Installation,
    Job,
    JobStatus,
    OwnerLimits,
    StageRun,
    StageStatus,
    Transition,
    TranslationCache,
)
from jobs.pipeline.stage import Stage
from jobs.queueing import tickets
from jobs.storage import artifacts
from jobs.worker import child
from jobs.worker.reaper import Reaper
from jobs.worker.stage_tasks import media_of
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on, process_environment
from tests.jobs import quick_child, rows

ROOT = Path(__file__).parents[2]
FOREIGN = "a sentence of another version, which is longer than what the column takes now"

REASONS = {
    "pages closed": "pages_closed",
    "no sign of life": "no_sign_of_life",
    "command killed": "command_killed",
    "command interrupted": "command_interrupted",
    "upload expired": "upload_expired",
    "upload withdrawn": "upload_withdrawn",
    "by admin": "admin",
    "by button": "",
    "by another version": FOREIGN[:64],
    "cancelling": "pages_closed",
}
ENDINGS = {
    "en": {
        "pages closed": "because all tabs of this site were closed.",
        "no sign of life": "because no open page of this site responded.",
        "command killed": "because the command that started it was killed.",
        "command interrupted": "because the command that started it was interrupted.",
        "upload expired": "because the upload was never finished.",
        "upload withdrawn": "by shirin.",
        "by admin": "by you.",
        "by button": "by shirin.",
        "by another version": "by you.",
        "cancelling": "because all tabs of this site were closed.",
    },
    "fa": {
        "pages closed": "چون همهٔ صفحه‌های سایت بسته شدند.",
        "no sign of life": "چون هیچ صفحهٔ بازی از سایت پاسخ نداد.",
        "command killed": "چون فرمانی که آن را شروع کرده بود ناگهان از کار افتاد.",
        "command interrupted": "چون فرمانی که آن را شروع کرده بود متوقف شد.",
        "upload expired": "چون بارگذاری کامل نشد.",
        "upload withdrawn": "shirin آن را لغو کرد.",
        "by admin": "خودتان آن را لغو کردید.",
        "by button": "shirin آن را لغو کرد.",
        "by another version": "خودتان آن را لغو کردید.",
        "cancelling": "چون همهٔ صفحه‌های سایت بسته شدند.",
    },
}
"""The rest of the sentence about the end of each cancelled job, as the admin `mina` reads it."""

NOTES = {
    "en": {
        "sound only": [
            "The file contains only sound, so only subtitles are made.",
            "The speech is already in Persian, so translation was skipped.",
        ],
        "brought": [
            "The subtitles are already in Persian, so translation was skipped.",
            "A sentence about Persian that no version knows.",
        ],
    },
    "fa": {
        "sound only": [
            "فایل فقط صدا دارد؛ تنها زیرنویس ساخته می‌شود.",
            "گفتار به زبان فارسی است؛ ترجمه لازم نبود.",
        ],
        "brought": [
            "زیرنویس از پیش به زبان فارسی است؛ ترجمه لازم نبود.",
            "A sentence about Persian that no version knows.",
        ],
    },
}
LISTS = ("job", "process", "usageentry", "ownerlimits")


@pytest.fixture(scope="module")
def migrated(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old database, after `manage.py migrate`."""
    file = tmp_path_factory.mktemp("old") / "db.sqlite3"
    with closing(sqlite3.connect(file)) as old:
        old.executescript((data / "databases" / "0.1.0.sql").read_text(encoding="utf-8"))
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    ran = subprocess.run(
        command, cwd=ROOT, env=process_environment(f"sqlite:///{file}"), capture_output=True, text=True
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    return file


@pytest.fixture
def old(
    migrated: Path, tmp_path: Path, on_database: Callable[[str], AbstractContextManager[None]], settings: Any
) -> Iterator[None]:
    """This process works on a copy of it; the files of its jobs are there."""
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there.
    with on_database(f"sqlite:///{shutil.copy(migrated, tmp_path / 'db.sqlite3')}"):
        for row in Artifact.objects.all():
            path = artifacts.job_dir(row.job_id) / row.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"a" * row.size)
        yield


def job(title: str) -> Job:
    return Job.objects.get(title=title)


def get(client: Client, address: str, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, (address, answer.status_code)
    return b"".join(answer).decode()


# What the rows say


@pytest.mark.usefixtures("old")
def test_all_of_it_is_there() -> None:
    assert set(Job.objects.values_list("status", flat=True)) == set(JobStatus.values) - {JobStatus.PAUSED}
    assert set(StageRun.objects.values_list("status", flat=True)) == set(StageStatus.values) - {StageStatus.PAUSED}
    assert [(row.pk, rows.contradictions(row.pk)) for row in Job.objects.all() if rows.contradictions(row.pk)] == []
    assert (OwnerLimits.objects.get().minutes_a_day, TranslationCache.objects.count()) == (90, 2)
    assert Transition.objects.filter(from_status="running", to_status="failed", stage="").get().reason == "NoAudio"


@pytest.mark.usefixtures("old")
def test_reasons_are_codes() -> None:
    ends = Transition.objects.filter(stage="", to_status=JobStatus.CANCELLING)
    assert dict(ends.values_list("job__title", "reason")) == REASONS


@pytest.mark.usefixtures("old")
def test_notes_are_codes_and_an_unknown_one_is_a_sentence() -> None:
    params = {"params": {"language": "Persian"}}
    assert job("sound only").notes == [
        {"code": "sound_only", "params": {}},
        {"code": "speech_in_target", **params},
    ]
    assert job("brought").notes[0] == {"code": "subtitles_in_target", **params}
    assert job("brought").notes[1]["code"] == "A sentence about Persian that no version knows."
    assert job("completed").notes == []


@pytest.mark.usefixtures("old")
def test_options_and_media_load() -> None:
    assert all(options_of(row.options).target == row.target for row in Job.objects.all())
    brought = options_of(job("brought").options)
    assert (brought.brought, brought.mode, brought.bilingual, brought.style.look) == (True, "soft", True, "box")
    assert media_of(job("completed")).picture.width == 320
    assert media_of(job("sound only")).video is None


@pytest.mark.usefixtures("old")
def test_the_schedule_and_the_tickets() -> None:
    """A ticket that cannot be read, since the SECRET_KEY is another, stays: the cluster throws it away."""
    assert Schedule.objects.get().func == "jobs.storage.retention.scheduled"
    assert sorted(row.func() or "" for row in OrmQ.objects.all()) == ["", *[tickets.RUN_NEXT] * 3]


@pytest.mark.usefixtures("old")
def test_who_could_see_workers_can_see_processes() -> None:
    maryam = User.objects.get(username="maryam")
    assert maryam.get_all_permissions() == {"jobs.view_process", "jobs.view_job", "jobs.view_ownerlimits"}
    client = Client()
    client.force_login(maryam)
    get(client, reverse("admin:jobs_process_changelist"))


# Every page


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.soak), "fa"])
@pytest.mark.usefixtures("old")
def test_every_page_shows(language: str) -> None:
    client = Client(headers={"Accept-Language": language})
    client.force_login(User.objects.get(username="mina"))
    for row in Job.objects.all():
        page = get(client, reverse("job", args=[row.pk]))
        get(client, reverse("job_parts", args=[row.pk]))
        snapshot = client.get(f"/api/jobs/{row.pk}").json()
        get(client, f"/api/jobs/{row.pk}/cues")
        get(client, reverse("admin:jobs_job_change", args=[row.pk]))
        if row.result:
            get(client, reverse("report", args=[row.pk]))
            get(client, reverse("subtitles", args=[row.pk, "target", "srt"]))
        assert ENDINGS[language].get(row.title, "") in snapshot["ended_text"]
        assert bool(snapshot["ended_text"]) == (row.title in REASONS)
        assert snapshot["notes"][-2:] == NOTES[language].get(row.title, snapshot["notes"][-2:])
        assert all(sentence in page for sentence in [snapshot["ended_text"], *snapshot["notes"]])


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.usefixtures("old")
def test_every_list_shows(language: str) -> None:
    client = Client(headers={"Accept-Language": language})
    client.force_login(User.objects.get(username="mina"))
    for name in LISTS:
        get(client, reverse(f"admin:jobs_{name}_changelist"))
    get(client, reverse("admin:jobs_ownerlimits_change", args=[OwnerLimits.objects.get().pk]))
    for owner in User.objects.filter(jobs__isnull=False).distinct():
        client.force_login(owner)
        get(client, reverse("new"))
        shown = get(client, reverse("jobs")) + get(client, reverse("jobs"), page=2)
        assert all(title in shown for title in owner.jobs.values_list("title", flat=True))
        get(client, "/api/jobs")
    health = client.get("/api/health").json()
    assert (health["database"], health["disk_problem"]) == (True, "")


# It goes on


@pytest.mark.usefixtures("old")
def test_the_running_job_goes_on_from_its_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-I", "-S", quick_child.__file__]
    monkeypatch.setattr(child, "command", lambda *pipes: [*command, *map(str, pipes)])
    monkeypatch.setattr(stages, "BACK_OFF", (timedelta(0), timedelta(0)))
    running = job("running")
    first = running.cues.get()
    Reaper().sweep()
    assert rows.stages(running.pk)[Stage.TRANSCRIBE] == StageStatus.READY
    work()
    running.refresh_from_db()
    assert (running.status, running.error) == (JobStatus.COMPLETED, None)
    assert running.cues.earliest("number").pk == first.pk, "what was recognised before is kept"
    assert list(running.cues.values_list("number", "target")) == [(n, f"LINE {n}.") for n in (1, 2, 3)]
    taken = Transition.objects.filter(job=running, stage=Stage.TRANSCRIBE, to_status=StageStatus.READY).last()
    assert taken
    assert taken.reason == "StageDied"
    assert job("cancelling").status == JobStatus.CANCELLED
    assert job("half failed").status == JobStatus.FAILED
    assert Installation.objects.get().marked, "the disk is known by the files that are there"
    assert [row.title for row in Job.objects.all() if rows.contradictions(row.pk)] == []


def work() -> None:
    """Do what clusters do, until nothing is left to do."""
    supervisor = Supervisor()
    while any(supervisor.run_next(queue) for queue in rows.QUEUES):
        pass
    supervisor.close()


# On both databases, there and back


BEFORE, AFTER = [("jobs", "0002_names_sample_busy")], [("jobs", "0004_installation")]


def migrate(to: list[tuple[str, str]]) -> Any:
    """Migrate; the models as they are there."""
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    return MigrationExecutor(connection).loader.project_state(to).apps


def fill(models: Any) -> None:
    """Rows as the version wrote them."""
    owner = models.get_model("auth", "User").objects.create(username="shirin")
    worker = models.get_model("jobs", "Worker").objects.create(cluster="media", host="h", boot_id="b", pid=1, started=1)
    migration = importlib.import_module("jobs.migrations.0003_field_terms")
    for number, why in enumerate([*migration.REASONS, "", FOREIGN]):
        notes = [{"sentence": sentence, "params": {"language": "Persian"}} for sentence in migration.NOTES]
        fields = {"owner": owner, "client": worker, "notes": notes if number else [], "order": {"target": "fa"}}
        made = models.get_model("jobs", "Job").objects.create(source_kind="link", source=why, target="fa", **fields)
        models.get_model("jobs", "StageRun").objects.create(
            job=made, owner=owner, stage="fetch", number=0, queue="media", tries=2, worker=worker
        )
        changed = {"was": "queued", "now": "cancelling", "who": "x", "why": why}
        models.get_model("jobs", "Transition").objects.create(job=made, **changed)


@mostly_on("sqlite")
@pytest.mark.usefixtures("database")
def test_there_and_back_and_there_again() -> None:
    models = migrate(BEFORE)
    fill(models)
    sentences = dict(models.get_model("jobs", "Transition").objects.values_list("job__source", "why"))
    notes = list(models.get_model("jobs", "Job").objects.order_by("source").values_list("notes", flat=True))
    assert all(source == why for source, why in sentences.items())
    migrate(AFTER)
    codes = dict(Transition.objects.values_list("job__source", "reason"))
    assert codes["the last page was closed"] == "pages_closed"
    assert codes[FOREIGN] == FOREIGN[:64]
    noted = list(Job.objects.order_by("source").values_list("notes", flat=True))
    assert {note["code"] for found in noted for note in found} == {
        "sound_only",
        "subtitles_in_target",
        "speech_in_target",
    }
    assert set(StageRun.objects.values_list("attempts", "worker__cluster")) == {(2, "media")}
    models = migrate(BEFORE)
    back = dict(models.get_model("jobs", "Transition").objects.values_list("job__source", "why"))
    assert back == sentences | {FOREIGN: FOREIGN[:64]}
    assert list(models.get_model("jobs", "Job").objects.order_by("source").values_list("notes", flat=True)) == notes
    migrate(AFTER)
    assert dict(Transition.objects.values_list("job__source", "reason")) == codes


def test_a_later_version_of_another_app_does_not_contradict_what_was_applied() -> None:
    """A migration that needs the latest one of another app is applied before it, once that app has a newer one."""
    graph = MigrationLoader(None).disk_migrations
    assert graph
    needed = {parent for (app, _), each in graph.items() if app == "jobs" for parent in each.dependencies}
    assert [parent for parent in needed if parent[1] == "__latest__"] == []
