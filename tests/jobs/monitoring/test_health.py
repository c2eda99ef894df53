"""Health: live processes, waiting stages and stuck clusters, and their display in `manage.py doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from jobs import lifecycle
from jobs.engines import apertium
from jobs.engines.gemini import spec as gemini
from jobs.models import Process, SourceKind, StageRun
from jobs.monitoring import health
from jobs.monitoring.health import Cluster
from jobs.pipeline.stage import Stage
from tests.jobs.command import diagnose
from translator import __version__

PROCESSES = ("speech", "text", "media", Process.WEB, Process.REAPER)


@pytest.fixture
def sara(database: str) -> User:
    return User.objects.create_user("sara")


@pytest.fixture
def all_alive(sara: User) -> None:
    for pid, cluster in enumerate(PROCESSES):
        process(cluster, pid)


@pytest.fixture(autouse=True)
def engines(settings: Any) -> None:
    """Two engines that are ready on any machine, selected together."""
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": gemini.Options(api_key="k")}
    settings.TRANSCRIBER, settings.TRANSLATOR = "pocketsphinx", "gemini"


def process(cluster: str, pid: int = 100, seconds: int = 0) -> Process:
    """A process with a heartbeat so many seconds old."""
    seen = timezone.now() - timedelta(seconds=seconds)
    return Process.objects.create(cluster=cluster, host="here", boot_id="1", pid=pid, started=1, seen=seen)


def new(owner: User) -> None:
    lifecycle.create(
        stages=[Stage.FETCH],
        actor="sara",
        owner=owner,
        source_kind=SourceKind.LINK,
        source="https://x.test",
        target="fa",
    )


def wait(seconds: int) -> None:
    """Make every ready stage, ticket and process so much older."""
    then = timezone.now() - timedelta(seconds=seconds)
    StageRun.objects.filter(status="ready").update(ready_at=then)
    OrmQ.objects.update(lock=then)
    Process.objects.update(born=then)


def media() -> Cluster:
    return next(cluster for cluster in health.check_health().clusters if cluster.name == "media")


@pytest.mark.usefixtures("all_alive")
def test_all_is_well() -> None:
    found = health.check_health()
    assert found.ok
    assert found.version == __version__
    assert found.database
    assert found.reaper
    assert found.web
    assert found.disk
    assert [cluster.name for cluster in found.clusters] == ["speech", "text", "media"]
    assert media() == Cluster(name="media", workers=1, waiting=0, running=0, tickets=0, stuck=False, ok=True)
    assert json.loads(json.dumps(asdict(found)))["clusters"][2]["workers"] == 1


@pytest.mark.usefixtures("all_alive")
@pytest.mark.parametrize("gone", PROCESSES)
def test_one_that_was_not_seen_lately(gone: str) -> None:
    Process.objects.filter(cluster=gone).update(seen=timezone.now() - timedelta(seconds=19))
    assert health.check_health().ok
    Process.objects.filter(cluster=gone).update(seen=timezone.now() - timedelta(seconds=21))
    found = health.check_health()
    assert not found.ok
    dead = {cluster.name for cluster in found.clusters if not cluster.ok}
    dead |= {Process.WEB} - ({Process.WEB} if found.web else set())
    dead |= {Process.REAPER} - ({Process.REAPER} if found.reaper else set())
    assert dead == {gone}


@pytest.mark.usefixtures("all_alive")
def test_what_waits_and_what_runs(sara: User) -> None:
    for _ in range(3):
        new(sara)
    assert lifecycle.claim("media")
    StageRun.objects.filter(pk=StageRun.objects.filter(status="ready").latest("pk").pk).update(
        ready_at=timezone.now() + timedelta(seconds=20)
    )
    assert media() == Cluster(name="media", workers=1, waiting=1, running=1, tickets=3, stuck=False, ok=True)


@pytest.mark.usefixtures("all_alive")
def test_stuck(sara: User) -> None:
    new(sara)
    wait(25)
    assert health.check_health().ok
    wait(35)
    assert media() == Cluster(name="media", workers=1, waiting=1, running=0, tickets=1, stuck=True, ok=False)
    assert not health.check_health().ok


@pytest.mark.usefixtures("all_alive")
def test_a_busy_cluster_is_not_stuck(sara: User) -> None:
    new(sara)
    new(sara)
    assert lifecycle.claim("media", Process.objects.get(cluster="media"))
    wait(3600)
    assert not media().stuck
    process("media")
    assert not media().stuck  # the new worker has just begun
    wait(3600)
    assert media().stuck


@pytest.mark.usefixtures("all_alive")
def test_a_cluster_at_its_cleanup_is_not_stuck(sara: User) -> None:
    new(sara)
    wait(60)
    assert media().stuck
    Process.objects.update(busy=True)
    assert not media().stuck


@pytest.mark.usefixtures("all_alive")
def test_not_stuck_while_tickets_are_taken_or_stages_are_new(sara: User) -> None:
    new(sara)
    wait(35)
    OrmQ.objects.update(lock=timezone.now() + timedelta(seconds=60))
    assert not media().stuck
    wait(35)
    StageRun.objects.update(ready_at=timezone.now())
    assert not media().stuck


def test_a_cluster_that_does_not_run_is_not_stuck(sara: User) -> None:
    new(sara)
    wait(35)
    assert not media().stuck
    assert not media().ok


@pytest.mark.usefixtures("all_alive")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MIN_FREE_BYTES", 1 << 62)
    found = health.check_health()
    assert not found.disk
    assert not found.ok


@pytest.mark.usefixtures("all_alive")
@pytest.mark.parametrize("place", ["none", "none/deeper/still", "media"])
def test_a_disk_that_no_job_has_used_yet(settings: Any, tmp_path: Path, place: str) -> None:
    """A fresh installation is healthy without the directories, which the first job makes and health does not."""
    (tmp_path / "media").mkdir()
    settings.MEDIA_ROOT = tmp_path / place
    found = health.check_health()
    assert (found.ok, found.disk) == (True, True)
    assert not (tmp_path / place / "jobs").exists()
    assert {each.name for each in tmp_path.iterdir()} - {"media"} <= {"db.sqlite3", "db.sqlite3-shm", "db.sqlite3-wal"}


@pytest.mark.usefixtures("all_alive")
@pytest.mark.parametrize("place", ["none", "media"])
def test_a_disk_that_is_not_mounted(sara: User, settings: Any, tmp_path: Path, place: str) -> None:
    new(sara)
    (tmp_path / "media").mkdir()
    settings.MEDIA_ROOT = tmp_path / place
    found = health.check_health()
    assert (found.ok, found.disk, found.free) == (False, False, 0)


@pytest.mark.usefixtures("all_alive")
@pytest.mark.parametrize("how", ["a file has the name", "a link leads nowhere", "a file is in the way"])
def test_a_disk_on_which_nothing_can_be_made(settings: Any, tmp_path: Path, how: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    names = {"a file has the name": "file", "a link leads nowhere": "link", "a file is in the way": "file/media"}
    settings.MEDIA_ROOT = tmp_path / names[how]
    found = health.check_health()
    assert (found.ok, found.disk, found.free) == (False, False, 0)


@pytest.mark.usefixtures("all_alive")
def test_a_disk_that_cannot_be_written(settings: Any, closed_disk: Path) -> None:
    settings.MEDIA_ROOT = closed_disk / "media"
    assert not health.check_health().disk
    settings.MEDIA_ROOT = closed_disk
    assert not health.check_health().disk


@pytest.mark.usefixtures("all_alive")
def test_an_engine_is_missing(settings: Any) -> None:
    assert health.check_health().engines.ok
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": gemini.Options()}
    found = health.check_health()
    assert (found.ok, found.engines.ok) == (False, False)
    assert "pocketsphinx" in found.engines.names
    assert "gemini" not in found.engines.names


@pytest.mark.usefixtures("all_alive")
def test_engines_that_do_not_go_together(settings: Any) -> None:
    """The demo transcriber is not combined with a paid translator, unless both are configured."""
    settings.TRANSCRIBER = "auto"
    missing = {"whisperx": type(settings.ENGINE_OPTIONS["whisperx"])(models_dir="/none")}
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | missing
    assert not health.check_health().engines.ok


@pytest.mark.usefixtures("all_alive")
def test_an_engine_that_cannot_be_asked(settings: Any, tmp_path: Path) -> None:
    broken = tmp_path / "apertium"
    broken.write_bytes(b"no program")
    broken.chmod(0o755)
    settings.TRANSLATOR = "apertium"
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"apertium": apertium.Options(command=str(broken))}
    found = health.check_health().engines
    assert not found.ok
    assert "apertium" not in found.names


@pytest.mark.usefixtures("all_alive")
def test_a_database_that_does_not_answer(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "none"
    with connection.execute_wrapper(no_answer):
        assert not health.check_health().disk  # only the database could tell whether that is a fresh installation
    settings.MEDIA_ROOT.joinpath("jobs").mkdir(parents=True)
    with connection.execute_wrapper(no_answer):
        found = health.check_health()
    assert not found.ok
    assert not found.database
    assert found.clusters == ()
    assert found.disk


def no_answer(execute: Callable[..., Any], *arguments: Any) -> None:
    raise OperationalError("nobody is there")


@pytest.mark.usefixtures("all_alive")
def test_the_number_of_queries_does_not_grow(sara: User) -> None:
    for _ in range(5):
        new(sara)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        health.check_health()
    assert len(queries) == 7


# What the doctor says


def test_the_doctor_without_clusters_needs_none(database: str) -> None:
    found = {one["subject"]: one for one in json.loads(diagnose("--json").out)}
    for subject in ("Cluster speech", "Cluster text", "Cluster media", "Reaper", "Web server"):
        assert not found[subject]["good"]
        assert not found[subject]["needed"]
        assert found[subject]["remedy"] == "make run"
    assert "– Reaper: not running\n    → make run" in diagnose().out


@pytest.mark.usefixtures("all_alive")
def test_the_doctor_sees_what_is_alive_and_what_is_stuck(sara: User) -> None:
    new(sara)
    wait(35)
    out = diagnose().out
    assert "✓ Cluster text: running (workers: 1; stages running: 0, waiting: 0; tickets: 0)\n" in out
    assert "– Cluster media: stuck, takes no tickets (workers: 1; stages running: 0, waiting: 1; tickets: 1)\n" in out
    assert "✓ Reaper: running\n✓ Web server: running\n" in out


def test_the_doctor_without_a_database(database: str) -> None:
    with connection.execute_wrapper(no_answer):
        ran = diagnose()
    assert ran.code == 1
    assert "✗ Database: nobody is there" in ran.out
    assert "Cluster" not in ran.out
