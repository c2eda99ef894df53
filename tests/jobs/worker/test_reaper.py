"""The reaper: dead stages, cancellations, expired uploads, lost tickets, stuck clusters; real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from jobs import lifecycle, presence
from jobs.lifecycle import Claim, stages
from jobs.models import Job, JobStatus, PageLease, Process, Reason, StageRun
from jobs.monitoring import health
from jobs.pipeline.process import groups
from jobs.pipeline.stage import Stage
from jobs.presence import AbsenceDetector
from jobs.queueing import processes, tickets
from jobs.storage import artifacts
from jobs.worker import reaper
from jobs.worker.reaper import Reaper
from tests.databases import on_both, process_environment
from tests.jobs import rows
from tests.jobs.command import ROOT
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.usefixtures("database")

FAMILY = "import subprocess, time; subprocess.Popen(['sleep', '3600']); print('ready', flush=True); time.sleep(3600)"


@contextmanager
def sleeping(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own, and does nothing for an hour."""
    process = subprocess.Popen(command or ["sleep", "3600"], start_new_session=True, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        yield process
    finally:
        groups.end_group(process.pid)
        process.wait()
        process.stdout.close()


@contextmanager
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child, in a group of their own."""
    with groups.adopting_orphans(), sleeping(sys.executable, "-c", FAMILY) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield process
        groups.end_group(process.pid)
        process.wait()
        groups.reap(process.pid)


def started(pid: int) -> int:
    found = groups.look(pid)
    assert found
    return found.started


def worker(pid: int, cluster: str = "media", **fields: Any) -> Process:
    """The row of a process of this machine."""
    here = {"host": processes.host(), "boot_id": groups.boot_id(), "started": started(pid)}
    return Process.objects.create(cluster=cluster, pid=pid, **{**here, **fields})


def mine() -> Process:
    return processes.register("media")


def running(by: Process | None = None) -> Claim:
    """The first stage of a new job, run by `by`."""
    rows.job()
    found = lifecycle.claim("media", by)
    assert found
    artifacts.make_job_dir(found.job_id)
    (artifacts.make_attempt_dir(found.job_id, found.attempt) / "half").write_text("half a file")
    return found


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def silent(claim: Claim, seconds: float, **fields: Any) -> StageRun:
    """Make the stage's heartbeat so much older."""
    StageRun.objects.filter(attempt=claim.attempt).update(heartbeat=ago(seconds), **fields)
    return StageRun.objects.get(attempt=claim.attempt)


def take_over(run: StageRun) -> None:
    """Take the stage over as a dead one."""
    reaper.take_over(run, StageRun.objects.all())


def dead() -> list[uuid.UUID | None]:
    return [run.attempt for run in reaper.dead_stages()]


# Whose stage is dead


def test_who_shows_life_is_alive() -> None:
    claim = running(mine())
    silent(claim, 19)
    assert dead() == []
    silent(claim, 21)
    assert dead() == [claim.attempt]


def test_a_stage_of_a_process_that_was_killed_is_dead_at_once() -> None:
    with sleeping() as process, sleeping() as other:
        claim, lives = running(worker(process.pid)), running(worker(other.pid))
        assert dead() == []
        process.kill()
        process.wait()
        assert dead() == [claim.attempt]
        assert lives.attempt not in dead()


def test_a_worker_of_another_boot_is_dead_and_another_process_of_its_number_is_not_it() -> None:
    before, reused = worker(os.getpid(), boot_id=str(uuid.uuid4())), worker(os.getpid(), started=1)
    claims = {running(before).attempt, running(reused).attempt}
    assert set(dead()) == claims


def test_a_stage_of_another_machine_is_given_a_minute() -> None:
    claim = running(worker(os.getpid(), host="elsewhere", boot_id="another", started=1))
    silent(claim, 59)
    assert dead() == []
    silent(claim, 61)
    assert dead() == [claim.attempt]


def test_a_stage_without_a_worker_is_dead_by_its_silence() -> None:
    claim = running()
    assert dead() == []
    silent(claim, 21)
    assert dead() == [claim.attempt]


# What becomes of it


def test_the_leftover_group_is_ended_then_the_stage_is_repeated() -> None:
    with family() as leftover:
        claim = running(mine())
        run = silent(claim, 21, group=leftover.pid, group_started=started(leftover.pid))
        assert len(groups.members(leftover.pid)) == 2
        take_over(run)
        assert groups.members(leftover.pid) == []
    after = StageRun.objects.get(pk=run.pk)
    assert (after.status, after.attempts, after.attempt, after.group) == ("ready", 1, None, None)
    assert after.ready_at
    assert timedelta(seconds=1) < after.ready_at - timezone.now() <= stages.BACK_OFF[0]
    assert list(artifacts.job_dir(claim.job_id).iterdir()) == []
    assert not rows.contradictions(claim.job_id)


def test_members_whose_leader_is_gone_are_ended_too() -> None:
    with family() as leftover:
        run = silent(running(mine()), 21, group=leftover.pid, group_started=started(leftover.pid))
        leftover.kill()
        leftover.wait()
        assert len(groups.members(leftover.pid)) == 1
        take_over(run)
        assert groups.members(leftover.pid) == []


@pytest.mark.parametrize(
    "wrong", [{"group_started": 1}, {"boot_id": "another"}, {"host": "elsewhere"}, {"group": None}]
)
def test_a_group_that_is_not_the_recorded_one_is_left_alone(wrong: dict[str, Any]) -> None:
    with sleeping() as innocent:
        group = {"group": innocent.pid, "group_started": started(innocent.pid)}
        run = silent(running(mine()), 61, **{**group, **wrong})
        take_over(run)
        assert innocent.poll() is None
    assert StageRun.objects.get(pk=run.pk).status == "ready"


def test_a_group_that_does_not_die_keeps_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "end_recorded_group", lambda *_, **__: False)
    run = silent(running(mine()), 21, group=1, group_started=1)
    take_over(run)
    after = StageRun.objects.get(pk=run.pk)
    assert (after.status, after.group, after.attempts) == ("running", 1, 0)
    assert dead() == [after.attempt]


def test_who_shows_life_after_all_is_left_alone() -> None:
    """A worker with a heartbeat since the list of dead stages was made keeps its stage."""
    with sleeping() as innocent:
        silent(running(mine()), 21, group=innocent.pid, group_started=started(innocent.pid))
        found = reaper.dead_stages()
        (run,) = list(found)
        StageRun.objects.filter(pk=run.pk).update(heartbeat=timezone.now())
        reaper.take_over(run, found)
        assert innocent.poll() is None
    after = StageRun.objects.get(pk=run.pk)
    assert (after.status, after.attempt, after.attempts) == ("running", run.attempt, 0)


def test_a_child_that_works_for_another_job_by_now_is_left_alone() -> None:
    """A warm child that works for the next job since the list was made is not killed."""
    with sleeping() as warm:
        group = {"group": warm.pid, "group_started": started(warm.pid)}
        first = running(mine())
        silent(first, 21, **group)
        found = reaper.dead_stages()
        (run,) = list(found)
        rows.finish(first.attempt)
        silent(running(mine()), 0, **group)
        reaper.take_over(run, found)
        assert warm.poll() is None


def test_a_reaper_that_is_killed_before_the_stage_was_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = running(mine())
    silent(claim, 21)
    monkeypatch.setattr(lifecycle, "fail_stage", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Reaper().sweep()
    monkeypatch.undo()
    Reaper().sweep()
    run = StageRun.objects.get(job=claim.job_id, stage=Stage.FETCH)
    assert (run.status, run.attempts) == ("ready", 1)
    assert not rows.contradictions(claim.job_id)


def test_three_deaths_are_too_many() -> None:
    claim = running(mine())
    for number in (1, 2, 3):
        run = StageRun.objects.get(job=claim.job_id, stage=Stage.FETCH)
        take_over(run)
        after = StageRun.objects.get(pk=run.pk)
        assert after.attempts == number
        if number < 3:
            assert after.ready_at
            wait, wanted = after.ready_at - timezone.now(), stages.BACK_OFF[number - 1]
            assert wanted - timedelta(seconds=1) < wait <= wanted
            assert lifecycle.claim("media") is None
            StageRun.objects.filter(pk=run.pk).update(ready_at=timezone.now())
            assert lifecycle.claim("media", mine())
    job = Job.objects.get(pk=claim.job_id)
    assert (job.status, job.error and job.error["code"]) == ("failed", "StageDied")
    assert job.error
    assert str(os.getpid()) in job.error["detail"]
    assert not rows.contradictions(job.pk)


def test_who_comes_back_writes_nothing() -> None:
    claim = running(mine())
    take_over(silent(claim, 21))
    with pytest.raises(lifecycle.LostAttempt):
        lifecycle.heartbeat(claim.attempt)
    assert lifecycle.must_stop(claim)


def test_a_stage_that_ended_meanwhile_is_left_alone() -> None:
    claim = running(mine())
    run = silent(claim, 21)
    rows.finish(claim.attempt)
    take_over(run)
    assert StageRun.objects.get(pk=run.pk).status == "done"


def test_published_files_stay() -> None:
    claim = running(mine())
    place = artifacts.job_dir(claim.job_id) / str(claim.attempt)
    (place / "video.mp4").write_text("whole")
    (known,) = artifacts.unsaved_rows(claim.job_id, claim.attempt, {"source": "video.mp4"})
    known.job_id = claim.job_id
    known.save()
    take_over(silent(claim, 21))
    assert artifacts.path_of(claim.job_id, "source") == place / "video.mp4"
    assert (place / "video.mp4").exists()


# A whole pass


def test_a_pass_takes_dead_stages_over_and_ends_what_is_to_be_cancelled() -> None:
    repeated, ended = running(mine()), running(mine())
    alive = running(mine())
    for one in (repeated, ended):
        silent(one, 21)
    for one in (ended, alive):
        lifecycle.cancel(one.job_id, actor="shirin")
    Reaper().sweep()
    assert [rows.status(one.job_id) for one in (repeated, ended, alive)] == ["running", "cancelled", "cancelling"]
    assert not artifacts.job_dir(ended.job_id).exists()
    assert artifacts.job_dir(alive.job_id).exists()
    assert rows.stages(alive.job_id)["fetch"] == "running"
    for one in (repeated, ended, alive):
        assert not rows.contradictions(one.job_id)


def test_after_a_gap_only_who_was_killed_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a sleep of the machine only stages of processes known to have ended are taken over."""
    silenced = running(mine())
    silent(silenced, 3600)
    with sleeping() as process:
        killed = running(worker(process.pid))
        process.kill()
        process.wait()
        monkeypatch.setattr(AbsenceDetector, "just_back", True)
        Reaper().sweep()
    runs = {run.job_id: run.status for run in StageRun.objects.filter(stage=Stage.FETCH)}
    assert (runs[silenced.job_id], runs[killed.job_id]) == ("running", "ready")
    monkeypatch.undo()
    Reaper().sweep()
    assert StageRun.objects.get(job=silenced.job_id, stage=Stage.FETCH).status == "ready"


def test_a_job_whose_supervisor_died_after_the_stage_ended_is_cancelled() -> None:
    claim = running(mine())
    lifecycle.cancel(claim.job_id, actor="shirin")
    lifecycle.stop_stage(claim.attempt)
    Reaper().sweep()
    assert rows.status(claim.job_id) == "cancelled"
    assert not artifacts.job_dir(claim.job_id).exists()


def test_one_directory_that_cannot_be_deleted_stops_nobody_else(
    monkeypatch: pytest.MonkeyPatch, media_root: Path
) -> None:
    stays, goes = [rows.job().pk for _ in range(2)]
    for job_id in (stays, goes):
        artifacts.make_job_dir(job_id)
        lifecycle.cancel(job_id, actor="shirin")
    rename = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self == artifacts.job_dir(stays):
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refused)
    lost = running(mine())
    silent(lost, 21)
    Reaper().sweep()
    assert [rows.status(one) for one in (stays, goes)] == ["cancelling", "cancelled"]
    assert rows.stages(lost.job_id)["fetch"] == "ready"


def test_jobs_of_a_command_that_was_killed_are_cancelled_and_no_others() -> None:
    with sleeping() as command:
        waits = rows.job(client=worker(command.pid, "command"), keep_running=True)
        others = [
            rows.job(client=mine(), keep_running=True),
            rows.job(keep_running=True),
            rows.job(client=worker(os.getpid(), host="elsewhere", started=1), keep_running=True),
        ]
        assert reaper.deserted() == []
        command.kill()
        command.wait()
        assert reaper.deserted() == [waits.pk]
        Reaper().cancel_abandoned()
    assert rows.status(waits.pk) == "cancelled"
    assert waits.transitions.get(to_status="cancelling").reason == Reason.COMMAND_KILLED
    assert {rows.status(job.pk) for job in others} == {"queued"}


def test_a_job_of_a_command_that_failed_and_is_retried_goes_on() -> None:
    """A failed and retried job of an ended command is not cancelled."""
    with sleeping() as command:
        claim = rows.IN[JobStatus.FAILED]()
        Job.objects.filter(pk=claim.job_id).update(client=worker(command.pid, "command"), keep_running=True)
    lifecycle.retry(claim.job_id, "admin")
    Reaper().cancel_abandoned()
    assert rows.status(claim.job_id) == "queued"


@on_both
def test_who_came_back_meanwhile_is_not_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner who returned after the list of absent owners was made keeps the job."""
    kept, back, left = rows.job(), rows.job(rows.owner("omid")), rows.job(rows.owner("sara"))
    Job.objects.update(grace_until=ago(1))
    monkeypatch.setattr(AbsenceDetector, "abandoned_jobs", lambda _: [kept.pk, back.pk, left.pk])
    lifecycle.set_keep_running(kept.pk, True)
    presence.open_page(back.owner_id)
    Reaper().cancel_abandoned()
    assert [rows.status(job.pk) for job in (kept, back, left)] == ["queued", "queued", "cancelled"]


@on_both
def test_a_job_that_is_deleted_while_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    job = rows.job()
    lifecycle.cancel(job.pk, actor="shirin")
    monkeypatch.setattr(artifacts, "delete_job_dir", lambda job_id: bool(Job.objects.filter(pk=job_id).delete()))
    Reaper().sweep()
    assert not Job.objects.exists()
    assert not lifecycle.cancel(job.pk, actor="shirin")


def test_one_pass_that_breaks_off_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, passes = threading.Event(), list[None]()

    def sweep(_: Reaper) -> None:
        passes.append(None)
        if len(passes) == 1:
            raise ValueError("unforeseen")
        stop.set()

    monkeypatch.setattr(reaper, "PRESENCE_INTERVAL", 0.01)
    monkeypatch.setattr(reaper, "SWEEP_INTERVAL", 0.01)
    monkeypatch.setattr(Reaper, "sweep", sweep)
    Reaper().run(stop)
    assert "unforeseen" in caplog.text


def test_abandoned_jobs_are_cancelled(settings: Any) -> None:
    settings.PAGE_LEASE = settings.TAB_CLOSE_GRACE = 0
    processes.register(Process.WEB)
    left, kept, silent = rows.job(), rows.job(keep_running=True), rows.job(rows.owner("omid"))
    presence.close(presence.open_page(left.owner_id))
    presence.open_page(silent.owner_id)
    sweeper = Reaper()
    for _ in range(2):
        sweeper.cancel_abandoned()
    PageLease.objects.update(expires=ago(1))  # the time of a reload is over
    sweeper.cancel_abandoned()
    assert [rows.status(job.pk) for job in (left, kept, silent)] == ["cancelled", "queued", "cancelled"]
    words = [job.transitions.get(to_status="cancelling") for job in (left, silent)]
    assert [word.actor for word in words] == [lifecycle.PRESENCE] * 2
    assert [word.reason for word in words] == [Reason.PAGES_CLOSED, Reason.NO_SIGN_OF_LIFE]


def test_uploads_nobody_finishes() -> None:
    old, young = rows.job(uploaded=False), rows.job(uploaded=False)
    old_but_whole = rows.job()
    artifacts.make_job_dir(old.pk)
    Job.objects.filter(pk__in=(old.pk, old_but_whole.pk)).update(changed=ago(25 * 3600))
    Job.objects.filter(pk=young.pk).update(changed=ago(23 * 3600))
    reaper.expire_uploads()
    assert [rows.status(job.pk) for job in (old, young, old_but_whole)] == ["cancelled", "uploading", "queued"]
    assert not artifacts.job_dir(old.pk).exists()


@on_both
def test_an_upload_that_is_finished_at_the_last_moment_is_a_job() -> None:
    """An upload whose last bytes arrive after the list of expired uploads was made becomes a job."""
    old = rows.job(uploaded=False)
    Job.objects.update(changed=ago(25 * 3600))

    asked: list[str] = []

    def meanwhile(execute: Callable[..., Any], sql: str, *call: Any) -> Any:
        asked.append(sql)
        if len(asked) == 2:  # the first one found it
            lifecycle.submit(old.pk, "shirin")
        return execute(sql, *call)

    with connection.execute_wrapper(meanwhile):
        reaper.expire_uploads()
    assert asked[0].startswith("SELECT")
    assert rows.status(old.pk) == JobStatus.QUEUED


# Tickets


def test_only_tickets_that_are_lacking_are_issued() -> None:
    for _ in range(3):
        rows.job()
    several(4)
    assert tickets.waiting("media") == 3
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 3
    taken, lost = OrmQ.objects.filter(key="media")[:2]
    OrmQ.objects.filter(pk=taken.pk).update(lock=timezone.now() + timedelta(seconds=60))
    lost.delete()
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 3
    assert OrmQ.objects.count() == 4


def test_a_stage_that_has_to_wait_gets_its_ticket_when_its_time_has_come() -> None:
    claim = running()
    OrmQ.objects.all().delete()
    lifecycle.fail_stage(claim.attempt, rows.BROKEN, again=True)
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 0
    StageRun.objects.filter(job=claim.job_id, stage=Stage.FETCH).update(ready_at=timezone.now())
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 1
    assert not OrmQ.objects.exclude(key="media").exists()


@pytest.mark.parametrize(("there", "issued"), [(0, 1), (1, 1), (3, 3), (9, 5)])
def test_no_more_tickets_than_workers(there: int, issued: int) -> None:
    for _ in range(5):
        rows.job()
    OrmQ.objects.all().delete()
    several(there)
    for _ in range(2):
        reaper.reissue_tickets()
        assert tickets.waiting("media") == issued


def test_owners_at_their_limit_get_none(settings: Any) -> None:
    """No tickets are issued for owners at their limit: no worker could use them."""
    settings.LIMIT_RUNNING = 1
    claim = running(mine())
    rows.job()
    OrmQ.objects.all().delete()
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 0
    rows.job(rows.owner("omid"))
    OrmQ.objects.all().delete()
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 1
    Job.objects.filter(owner=rows.owner("omid")).delete()
    OrmQ.objects.all().delete()
    lifecycle.fail_stage(claim.attempt, rows.BROKEN, again=False)
    reaper.reissue_tickets()
    assert tickets.waiting("media") == 1


def several(count: int) -> None:
    """Workers of a cluster."""
    for number in range(count):
        Process.objects.create(cluster="media", host="h", boot_id="b", pid=number, started=1)


# Heartbeats

HANGS = """
import time
import django
django.setup()
from django.core.management import call_command
from jobs.worker import reaper
reaper.SWEEP_TIMEOUT = 1.0
reaper.expire_uploads = lambda: time.sleep(3600)
call_command("reap", "--loop")
"""


@pytest.mark.soak
def test_a_reaper_that_hangs_shows_no_life(database: str, media_root: Path) -> None:
    """A hanging reaper, whose process and threads still run, writes no heartbeat."""
    here = process_environment(database, MEDIA_ROOT=str(media_root))
    process = subprocess.Popen([sys.executable, "-c", HANGS], cwd=ROOT, env=here)
    try:
        until(lambda: process.poll() is not None or Process.objects.filter(cluster=Process.REAPER).exists())
        until(shows_no_life)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def shows_no_life() -> bool:
    """Whether the reaper writes no heartbeat for three of its intervals."""
    seen = Process.objects.get(cluster=Process.REAPER).seen
    time.sleep(3 * processes.HEARTBEAT_INTERVAL)
    return Process.objects.get(cluster=Process.REAPER).seen == seen


def test_a_reaper_lives_as_long_as_one_pass_follows_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("jobs.worker.reaper.time.monotonic", lambda: now[0])
    sweeper = Reaper()
    for _ in range(2):
        sweeper.sweep()
        for passed, lives in ((reaper.SWEEP_TIMEOUT - 1, True), (2.0, False)):
            now[0] += passed
            assert sweeper.lives() is lives


# A stuck cluster


def stuck(cluster: subprocess.Popen[bytes], **fields: Any) -> Process:
    """A worker of a cluster that has not taken a waiting ticket for a long time."""
    rows.job()
    StageRun.objects.filter(status="ready").update(ready_at=ago(31))
    OrmQ.objects.update(lock=ago(31))
    leader = {"cluster_pid": cluster.pid, "cluster_started": started(cluster.pid)}
    return worker(os.getpid(), **{**leader, "born": ago(60), "last_ticket": ago(31), **fields})


def looked_at_for(seconds: float) -> None:
    """Let a reaper check the clusters once a second for so long, with fresh heartbeats of live processes."""
    sweeper, begin = Reaper(), timezone.now()
    alive = list(Process.objects.filter(seen__gt=begin - processes.STALE).values_list("pk", flat=True))
    with pytest.MonkeyPatch.context() as patch:
        for second in range(round(seconds) + 1):
            now = begin + timedelta(seconds=second)
            Process.objects.filter(pk__in=alive).update(seen=now)
            patch.setattr("django.utils.timezone.now", lambda now=now: now)
            sweeper.end_stuck_clusters()


SURE = reaper.STUCK_BEFORE_KILL.total_seconds()


def test_a_cluster_that_takes_no_ticket_is_ended() -> None:
    with sleeping() as cluster:
        stuck(cluster)
        looked_at_for(SURE)
        assert cluster.poll() is None
        looked_at_for(SURE + 1)
        assert cluster.wait(5) == -signal.SIGKILL


def test_a_cluster_that_never_took_a_ticket_is_ended_too() -> None:
    with sleeping() as cluster:
        stuck(cluster, last_ticket=None)
        looked_at_for(SURE + 1)
        assert cluster.wait(5) == -signal.SIGKILL


HEALTHY: dict[str, Callable[[], object]] = {
    "it is busy": lambda: Process.objects.update(busy=True),
    "it took a ticket lately": lambda: Process.objects.update(last_ticket=timezone.now()),
    "there is no ticket to take": lambda: OrmQ.objects.all().delete(),
    "all tickets are taken": lambda: OrmQ.objects.update(lock=timezone.now() + timedelta(seconds=120)),
    "nothing has waited for long": lambda: StageRun.objects.filter(status="ready").update(ready_at=timezone.now()),
    "its tickets are those of another queue": lambda: Process.objects.update(cluster="text"),
    "it has just begun": lambda: Process.objects.update(last_ticket=None, born=timezone.now()),
    "it is on another machine": lambda: Process.objects.update(host="elsewhere"),
    "another process has its number now": lambda: Process.objects.update(cluster_started=1),
    "the tickets have just been issued": lambda: OrmQ.objects.update(lock=timezone.now()),
    "it runs a stage and has not said yet that it is busy": lambda: running_beside(Process.objects.get()),
    "another worker of the cluster took a ticket lately": lambda: worker(1, born=ago(60), last_ticket=timezone.now()),
}


def running_beside(by: Process | None) -> None:
    """Another job of the same queue runs, under `by`."""
    StageRun.objects.filter(pk=rows.job().stages.get(stage=Stage.FETCH).pk).update(
        status="running", attempt=uuid.uuid4(), heartbeat=timezone.now(), started=ago(60), worker=by
    )
    OrmQ.objects.latest("pk").delete()


@pytest.mark.parametrize("why", HEALTHY)
def test_a_cluster_is_not_ended_because(why: str) -> None:
    with sleeping() as cluster:
        stuck(cluster)
        HEALTHY[why]()
        looked_at_for(SURE + 5)
        assert cluster.poll() is None


STUCK: dict[str, Callable[[], object]] = {
    "nothing else is there": lambda: None,
    "another worker of it is busy": lambda: worker(1, busy=True),
    "another worker of it runs a stage": lambda: running_beside(worker(1)),
    "a stage runs that nobody has begun": lambda: running_beside(None),
    "a dead worker took a ticket lately": lambda: worker(1, last_ticket=timezone.now(), seen=ago(60)),
    "it never took one": lambda: Process.objects.update(last_ticket=None),
}
ELSEWHERE = ("it is on another machine", "another process has its number now")
"""Clusters that are stuck, but are not this reaper's to end."""


@pytest.mark.parametrize("why", [*STUCK, *HEALTHY])
def test_health_and_reaper_agree(why: str) -> None:
    """Health and doctor report as stuck exactly the clusters that the reaper kills."""
    with sleeping() as cluster:
        stuck(cluster)
        (STUCK | HEALTHY)[why]()
        expected = why in STUCK or why in ELSEWHERE
        assert any(found.stuck for found in health.check_health().clusters) == expected
        looked_at_for(SURE + 1)
        assert has_ended(cluster) == (why in STUCK)


def has_ended(cluster: subprocess.Popen[bytes]) -> bool:
    try:
        return cluster.wait(0.3) == -signal.SIGKILL
    except subprocess.TimeoutExpired:
        return False


# Passes without end, and side by side


@on_both
def test_a_database_that_is_away_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The reaper continues although its connection is broken repeatedly."""
    monkeypatch.setattr(reaper, "PRESENCE_INTERVAL", 0.01)
    monkeypatch.setattr(reaper, "SWEEP_INTERVAL", 0.01)
    stop, passes = threading.Event(), list[bool]()
    give_up = reaper.expire_uploads

    def breaking() -> None:
        passes.append(True)
        if len(passes) in {1, 2, 4}:
            connection.connection.close()
        give_up()
        if len(passes) > 5:
            stop.set()

    monkeypatch.setattr(reaper, "expire_uploads", breaking)
    lost = running(mine())
    silent(lost, 21)

    def run() -> None:
        Reaper().run(stop)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(PATIENCE)
    stop.set()
    thread.join()
    assert len(passes) > 5
    assert rows.stages(lost.job_id)["fetch"] == "ready"


@on_both
def test_two_sweepers_at_once() -> None:
    """Two concurrent sweeps do each thing once."""
    start = threading.Barrier(2, timeout=PATIENCE)
    wrong: list[BaseException] = []

    def sweep() -> None:
        try:
            for _ in range(5):
                start.wait()
                Reaper().sweep()
        except BaseException as error:
            wrong.append(error)
            start.abort()
        finally:
            connection.close()

    with family() as leftover:
        claims = [running(mine()) for _ in range(6)]
        for claim in claims:
            silent(claim, 21)
        silent(claims[0], 21, group=leftover.pid, group_started=started(leftover.pid))
        for claim in claims[3:]:
            lifecycle.cancel(claim.job_id, actor="shirin")
        threads = [threading.Thread(target=sweep) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert groups.members(leftover.pid) == []
    assert [rows.status(claim.job_id) for claim in claims] == ["running"] * 3 + ["cancelled"] * 3
    tries = StageRun.objects.filter(job__in=[claim.job_id for claim in claims[:3]], stage=Stage.FETCH)
    assert set(tries.values_list("attempts", flat=True)) == {1}
    for claim in claims:
        assert not rows.contradictions(claim.job_id)
