"""Workers as threads of this process: a job completes, and no thread or connection is left."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import connection
from django_q.models import OrmQ
from django_q.tasks import async_task

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Job, Process, StageRun
from jobs.pipeline.process.messages import TranslateTask
from jobs.queueing import processes, tickets
from jobs.storage import artifacts
from jobs.worker import in_process, stage_tasks, translation_cache
from jobs.worker.reaper import Reaper
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on
from tests.jobs import rows
from tests.jobs.command import children, files_in
from tests.pipeline.clips import Clips
from tests.waiting import LONG, until

pytestmark = pytest.mark.usefixtures("database")

SUBTITLES_ONLY = JobOptions(target="fa", brought=True, mode="none")
SPANISH = JobOptions(target="es", spoken="en", brought=True, mode="none", translator="apertium")


def ended(job: Job) -> Job:
    until(lambda: rows.status(job.pk) in {"completed", "failed", "cancelled"}, LONG)
    found = Job.objects.get(pk=job.pk)
    assert found.status == "completed", found.error
    return found


def others() -> int:
    """The number of connections to this database besides ours."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        (count,) = cursor.fetchone()
    return int(count)


@mostly_on("sqlite")
def test_a_small_job(persian: Path, clips: Clips, media_root: Path) -> None:
    threads, below = set(threading.enumerate()), set(children())
    before = others()
    with in_process.clusters():
        job = submit.accept_file(rows.owner(), clips["plain.mp4"], SUBTITLES_ONLY, subtitles=persian, keep_running=True)
        found = ended(job)
    assert rows.stages(job.pk) == dict.fromkeys(["fetch", "subtitle"], "done")
    assert [cue.target for cue in found.cues.all()] == ["سلام"]
    assert set(found.artifacts.values_list("kind", flat=True)) == {"source", "fa.srt", "fa.vtt", "fa.ass"}
    for fact in found.artifacts.exclude(kind="source"):
        assert (artifacts.job_dir(job.pk) / fact.name).stat().st_size == fact.size
    assert found.result
    assert found.result["quality"]["cues"] == 1
    assert not rows.contradictions(job.pk)
    assert set(threading.enumerate()) == threads
    assert set(children()) <= below
    until(lambda: others() == before)
    assert [place for place in files_in(media_root) if ".part" in place or place.startswith(".trash/")] == []


def test_what_a_schedule_wants_waits_for_a_cluster() -> None:
    """A scheduled task in the queue is kept, while surplus tickets are deleted."""
    async_task("jobs.storage.retention.scheduled", q_options={"cluster": "media"})
    tickets.issue("media")
    with in_process.clusters():
        until(lambda: tickets.oldest("media") is None)
    assert [row.func() for row in OrmQ.objects.all()] == ["jobs.storage.retention.scheduled"]


def test_a_job_that_is_cancelled_meanwhile(persian: Path, clips: Clips, media_root: Path) -> None:
    with in_process.clusters():
        job = submit.accept_file(rows.owner(), clips["plain.mp4"], SUBTITLES_ONLY, subtitles=persian, keep_running=True)
        until(lambda: rows.status(job.pk) == "running")
        assert lifecycle.cancel(job.pk, actor="shirin")
        until(lambda: rows.status(job.pk) == "cancelled")
        assert not artifacts.job_dir(job.pk).exists()
    assert not rows.contradictions(job.pk)


def test_what_was_translated_before_comes_from_memory(english: Path, clips: Clips) -> None:
    """Cached translations are used: their text differs from the engine's."""
    job = submit.accept_file(rows.owner(), clips["plain.mp4"], SPANISH, subtitles=english, keep_running=True)
    task = stage_tasks.task_for(job, job.stages.get(stage="translate"))
    assert isinstance(task, TranslateTask)
    keys = translation_cache.cache_keys(task, list(job.cues.all()), "")
    translation_cache.remember(job.owner_id, {keys[2]: "De memoria."})
    translation_cache.remember(rows.owner("omid").pk, {keys[1]: "De otra memoria."})
    with in_process.clusters():
        ended(job)
    first, second = job.cues.all()
    assert second.target == "De memoria."
    assert first.target not in {"", "De otra memoria.", first.source}
    assert first.answered
    assert second.answered
    assert translation_cache.remembered(job.owner_id, keys.values()) == {keys[1]: first.target, keys[2]: "De memoria."}


@mostly_on("postgresql")
def test_workers_go_on_after_the_database_was_away(
    persian: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker's connection is broken once, while it looks for work."""
    run_next, broken = Supervisor.run_next, set[str]()

    def breaking(self: Supervisor, queue: str) -> bool:
        if queue not in broken:
            broken.add(queue)
            connection.ensure_connection()
            connection.connection.close()
        return run_next(self, queue)

    monkeypatch.setattr(Supervisor, "run_next", breaking)
    with in_process.clusters():
        until(lambda: len(broken) == 3)
        job = submit.accept_file(rows.owner(), clips["plain.mp4"], SUBTITLES_ONLY, subtitles=persian, keep_running=True)
        ended(job)


def test_what_a_killed_command_left_is_ended_first(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Process.objects.create(cluster=in_process.COMMAND, host=processes.host(), boot_id="before", pid=1, started=1)
    left = rows.job(client=gone, keep_running=True)
    with in_process.clusters():
        assert rows.status(left.pk) == "cancelled"
    assert not StageRun.objects.filter(job=left, status="running").exists()


def test_nothing_is_left_when_the_first_sweep_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Reaper) -> None:
        raise RuntimeError

    threads = set(threading.enumerate())
    monkeypatch.setattr(Reaper, "sweep", broken)
    with pytest.raises(RuntimeError), in_process.clusters():
        pass
    assert set(threading.enumerate()) == threads


def test_clusters_run_when_each_queue_has_somebody() -> None:
    assert not in_process.clusters_run()
    for queue in ("speech", "text", "media"):
        assert not in_process.clusters_run()
        processes.register(queue)
    assert not in_process.clusters_run(), "nobody would see to the end of a job whose worker died"
    processes.register(Process.REAPER)
    assert in_process.clusters_run()
