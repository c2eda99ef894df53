"""The supervisor with misbehaving children: the job always ends, and no process is left."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import threading
import time
import traceback
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_q.models import OrmQ

from jobs import lifecycle
from jobs.intake.options import JobOptions
from jobs.lifecycle import stages
from jobs.models import Cue, Job, StageRun, StageStatus
from jobs.pipeline.process import groups
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from jobs.worker import child, reaper, stage_runner
from jobs.worker.supervisor import Supervisor
from tests.databases import KINDS, mostly_on, only_on
from tests.jobs import hostile_child, rows
from tests.pipeline.clips import Clips
from tests.postgres import Postgres
from tests.waiting import PATIENCE, until

OURS = Path("/proc/self/fd")
ORDER = JobOptions(target="fa", spoken="en", mode="none", transcriber="pocketsphinx")
WITHOUT_RENDER = tuple(stage for stage in Stage if stage != Stage.RENDER)

Behave = Callable[[str], None]


@pytest.fixture
def behave(monkeypatch: pytest.MonkeyPatch) -> Behave:
    """Set the behaviour of every child from now on."""

    def behave(how: str) -> None:
        monkeypatch.setattr(child, "command", lambda *pipes: hostile(how, *pipes))

    return behave


def hostile(how: str, orders: int, reports: int) -> list[str]:
    return [sys.executable, "-I", "-S", hostile_child.__file__, how, str(orders), str(reports)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat stages without a delay."""
    monkeypatch.setattr(stages, "BACK_OFF", (timedelta(0), timedelta(0)))


@pytest.fixture
def boss(database: str) -> Iterator[Supervisor]:
    """A supervisor; checks at the end that no child is left, not even as a zombie."""
    boss = Supervisor()
    descriptors = set(OURS.iterdir())
    yield boss
    boss.close()
    assert not zombies()
    connection.close()
    gc.collect()
    assert len(set(OURS.iterdir()) - descriptors) <= 1


def zombies() -> list[int]:
    """Our ended children that were not reaped."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == os.getpid():
            found.append(int(stat.parent.name))
    return found


def new_job(**fields: Any) -> uuid.UUID:
    """A job whose first stage is ready, with its directory."""
    usual: dict[str, Any] = {"stages": WITHOUT_RENDER, "options": ORDER.as_json(), "spoken": "en"}
    job = rows.job(**{**usual, **fields})
    artifacts.make_job_dir(job.pk)
    return job.pk


def stage(job_id: uuid.UUID, which: Stage = Stage.FETCH) -> StageRun:
    return StageRun.objects.get(job=job_id, stage=which)


def detail(job_id: uuid.UUID, which: Stage = Stage.FETCH) -> str:
    error = stage(job_id, which).error
    assert error
    return str(error["detail"])


def code(job_id: uuid.UUID) -> str:
    """The code of the job's error."""
    error = Job.objects.get(pk=job_id).error
    return str(error["code"]) if error else ""


def files(job_id: uuid.UUID) -> list[str]:
    home = artifacts.job_dir(job_id)
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


def settled(job_id: uuid.UUID) -> None:
    """Check the conditions that hold after any stage."""
    assert not rows.contradictions(job_id)
    assert stage(job_id).group is None


@contextmanager
def meanwhile(*acts: Callable[[], object]) -> Iterator[None]:
    """Run `acts` one after another in a thread with its own connection."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            for act in acts:
                act()
        except BaseException as error:
            traceback.print_exc()  # the test may wait for what will never come
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert not raised, raised


def begun(job_id: uuid.UUID) -> bool:
    """Whether a child has made the file `begun`."""
    return any(artifacts.job_dir(job_id).glob("*/begun"))


@contextmanager
def cpu_at_most(seconds: float) -> Iterator[None]:
    """Check the CPU seconds of this process inside; wall time depends on the machine."""
    before = time.process_time()
    yield
    assert time.process_time() - before < seconds


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each round in which the supervisor looked at its child."""
    made, push = list[int](), child.Child.push

    def counted(child: child.Child) -> None:
        made.append(1)
        push(child)

    monkeypatch.setattr(child.Child, "push", counted)
    return made


FEW = 1000
"""Rounds: four a second for minutes. Where a descriptor is always ready there are tens of thousands a second."""


# How a good one looks


def test_what_is_named_is_published_and_nothing_else(boss: Supervisor, behave: Behave) -> None:
    behave("good")
    job_id = new_job()
    assert boss.run_next("media")
    settled(job_id)
    assert rows.stages(job_id)["fetch"] == "done"
    source = artifacts.path_of(job_id, "source")
    assert source
    assert source.read_text() == "video"
    assert files(job_id) == sorted([source.parent.name, str(source.relative_to(artifacts.job_dir(job_id)))])
    assert not boss.run_next("media")


def test_a_step_is_shown_while_it_lasts(boss: Supervisor, behave: Behave, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[float | None, str | None]] = []
    versions: list[int] = []

    def heartbeat(attempt: uuid.UUID, progress: float | None = None, step: str | None = None) -> None:
        lifecycle_heartbeat(attempt, progress, step)
        if step is not None:
            written.append((progress, StageRun.objects.get(attempt=attempt).step))
            versions.append(Job.objects.get(pk=job_id).version)

    lifecycle_heartbeat = lifecycle.heartbeat
    monkeypatch.setattr(lifecycle, "heartbeat", heartbeat)
    behave("loading")
    job_id = new_job()
    assert boss.run_next("media")
    assert written == [(None, "load_speech"), (None, "")]
    assert versions[0] < versions[1]
    assert rows.stages(job_id)["fetch"] == "done"


# Children that die are given two more tries


DEATHS = {
    "garbage": "invalid message",
    "no_object": "invalid message",
    "wrong_types": "invalid message",
    "unknown_step": "invalid message",
    "nothing_and_ends": "I have nothing to say.",
    "ends_unread": "",
    "half_a_line": "",
    "closes_reports": "",
    "nul_on_stderr": "binary",
    "killed": "a word before I die",
    "kills_its_leader": "",
    "flood": "8388608 bytes",
}
CHOOSY = {"nul_on_stderr": "postgresql"}
"""The kind of database on which the test takes less time."""


@pytest.mark.parametrize(
    ("how", "database_url"),
    [
        pytest.param(how, kind, marks=() if kind == CHOOSY.get(how, "sqlite") else pytest.mark.soak)
        for how in DEATHS
        for kind in KINDS
    ],
    indirect=["database_url"],
)
def test_a_child_that_dies_is_tried_three_times(boss: Supervisor, behave: Behave, how: str) -> None:
    behave(how)
    job_id = new_job()
    for _ in range(lifecycle.MAX_ATTEMPTS - 1):
        assert boss.run_next("media")
        assert (rows.status(job_id), stage(job_id).status) == ("running", "ready")
        settled(job_id)
    assert boss.run_next("media")
    settled(job_id)
    assert (rows.status(job_id), stage(job_id).status, stage(job_id).attempts) == ("failed", "failed", 3)
    assert code(job_id) == "StageDied"
    assert DEATHS[how] in detail(job_id)
    assert files(job_id) == []
    assert not boss.run_next("media")


def test_the_tries_wait_longer_each_time(boss: Supervisor, behave: Behave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "BACK_OFF", (timedelta(hours=1), timedelta(hours=2)))
    behave("killed")
    job_id = new_job()
    for hours in (1, 2):
        assert boss.run_next("media")
        assert not boss.run_next("media")
        run = stage(job_id)
        assert run.ended
        assert run.ready_at
        assert (run.ready_at - run.ended) / timedelta(hours=1) == pytest.approx(hours, abs=0.1)
        StageRun.objects.filter(pk=run.pk).update(ready_at=run.ended)  # as if it were then
    assert boss.run_next("media")
    assert rows.status(job_id) == "failed"


# Children that talk nonsense do no harm


NONSENSE = {"wrong_kind", "unknown_error", "no_outcome", "nul"}


@mostly_on("postgresql")
@pytest.mark.parametrize("how", sorted(NONSENSE))
def test_nonsense_fails_the_job_and_not_the_supervisor(boss: Supervisor, behave: Behave, how: str) -> None:
    behave(how)
    job_id = new_job()
    for _ in range(lifecycle.MAX_ATTEMPTS):
        boss.run_next("media")
        settled(job_id)
    assert rows.status(job_id) == "failed"
    assert files(job_id) == []


NAMES = ["no_such_file", "elsewhere", "a_link", "absolute", "a_directory", "a_parent", "no_name", "a_nul"]


@pytest.mark.parametrize("how", NAMES)
def test_a_file_that_it_has_not_made_is_not_published(boss: Supervisor, behave: Behave, how: str) -> None:
    behave(how)
    job_id = new_job()
    assert boss.run_next("media")
    settled(job_id)
    job = Job.objects.get(pk=job_id)
    assert (job.status, job.error and job.error["code"]) == ("failed", "HostError")
    assert not job.artifacts.exists()
    assert files(job_id) == (["precious"] if how == "elsewhere" else [])


def test_reports_for_another_attempt_are_not_heard(boss: Supervisor, behave: Behave) -> None:
    behave("another_attempt")
    job_id = new_job()
    assert boss.run_next("media")
    settled(job_id)
    assert rows.stages(job_id)["fetch"] == "done"
    job = Job.objects.get(pk=job_id)
    assert (job.notes, job.artifacts.count()) == ([], 0)


def test_a_child_may_close_its_stderr(boss: Supervisor, behave: Behave, rounds: list[int]) -> None:
    behave("closes_stderr")
    job_id = new_job()
    assert boss.run_next("media")
    assert rows.stages(job_id)["fetch"] == "done"
    assert len(rounds) < FEW


# Floods


def test_a_line_without_end_costs_little_memory_and_time(boss: Supervisor, behave: Behave) -> None:
    behave("flood")
    job_id = new_job()
    tracemalloc.start()
    with cpu_at_most(10):
        boss.run_next("media")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20
    settled(job_id)
    assert stage(job_id).error is not None


def test_a_flood_of_complaints_leaves_its_tail(boss: Supervisor, behave: Behave) -> None:
    behave("flood_of_complaints")
    job_id = new_job()
    tracemalloc.start()
    with cpu_at_most(20):
        boss.run_next("media")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20
    assert detail(job_id).endswith("the last word")
    assert "complaint     1599" in detail(job_id)
    assert len(detail(job_id)) <= 8000


# Stopping


STUBBORN = ["nothing", "deaf", "holds", "flood_of_lines", "closes_orders"]


@pytest.mark.parametrize("how", STUBBORN)
def test_a_job_can_be_cancelled_whatever_its_child_does(boss: Supervisor, behave: Behave, how: str) -> None:
    """Cancellation with children that do not end by themselves."""
    behave(how)
    job_id = new_job()

    def cancel_at_work() -> None:
        until(lambda: begun(job_id) if how in {"nothing", "holds"} else stage(job_id).group)
        time.sleep(0.2)  # it may do what it does
        cancel(job_id)

    with meanwhile(cancel_at_work):
        assert boss.run_next("media")
    assert rows.status(job_id) == "cancelled"
    settled(job_id)
    assert not artifacts.job_dir(job_id).exists()
    assert not list(artifacts.trash().iterdir())


@mostly_on("postgresql")
def test_a_cancel_right_after_the_claim_is_heard(
    boss: Supervisor, behave: Behave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation before the first stage listens is noticed, without polling."""
    monkeypatch.setattr(stage_runner, "POLL_INTERVAL_WITH_LISTEN", 3600.0)
    behave("nothing")
    job_id = new_job()
    own_group = lifecycle.record_group

    def cancel_then(*given: Any) -> None:
        own_group(*given)
        cancel(job_id)

    monkeypatch.setattr(lifecycle, "record_group", cancel_then)
    assert boss.run_next("media")
    assert rows.status(job_id) == "cancelled"


def test_a_child_that_cannot_take_its_orders_costs_no_cpu(boss: Supervisor, behave: Behave, rounds: list[int]) -> None:
    """A child that has closed its end of the pipe costs no CPU, although a command waits for room."""
    behave("closes_orders")
    job_id = long_job()
    with meanwhile(lambda: cancel_after(1, job_id)):
        assert boss.run_next("media")
    assert len(rounds) < FEW
    assert rows.status(job_id) == "cancelled"


def test_an_order_that_nobody_reads_does_not_block(boss: Supervisor, behave: Behave) -> None:
    behave("deaf")
    job_id = long_job()
    with meanwhile(lambda: cancel_after(0.3, job_id)):
        assert boss.run_next("media")
    assert rows.status(job_id) == "cancelled"
    settled(job_id)


def cancel(job_id: uuid.UUID) -> None:
    assert lifecycle.cancel(job_id, actor="shirin")


def cancel_after(pause: float, job_id: uuid.UUID) -> None:
    """Cancel the job so many seconds after its subtitle stage started."""
    until(lambda: stage(job_id, Stage.SUBTITLE).group)
    time.sleep(pause)
    cancel(job_id)


def long_job() -> uuid.UUID:
    """A job whose subtitle stage is ready, with more cues than fit into a pipe."""
    job_id = new_job()
    fetched(job_id)
    for _ in range(2):
        claimed = rows.claim("speech", "text")
        if claimed.stage == Stage.TRANSCRIBE:
            Cue.objects.bulk_create(rows.cue(number, job_id=job_id, source="word " * 40) for number in range(1, 2001))
            rows.finish(claimed.attempt)
        else:
            rows.finish(claimed.attempt)
    assert stage(job_id, Stage.SUBTITLE).status == StageStatus.READY
    return job_id


def fetched(job_id: uuid.UUID) -> None:
    """A job whose fetch is done, so that it has sound."""
    claimed = rows.claim("media")
    room = artifacts.make_attempt_dir(job_id, claimed.attempt)
    (room / "audio.wav").write_bytes(b"sound")
    made = artifacts.unsaved_rows(job_id, claimed.attempt, {"audio": "audio.wav"})
    lifecycle.finish_stage(claimed.attempt, outcome={"media": hostile_child.MEDIA, "title": "t"}, artifacts=made)


def test_a_time_limit(boss: Supervisor, behave: Behave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_runner, "time_limit", lambda stage, seconds: 0.5)
    behave("nothing")
    job_id = new_job()
    assert boss.run_next("media")
    settled(job_id)
    job = Job.objects.get(pk=job_id)
    assert (job.status, job.error and job.error["code"]) == ("failed", "StageTimedOut")
    assert files(job_id) == []


# The disk


def test_the_media_directory_goes_away(boss: Supervisor, behave: Behave, media_root: Path) -> None:
    behave("loses_its_room")
    job_id = new_job()
    with meanwhile(lambda: until(lambda: begun(job_id)), lambda: shutil.rmtree(media_root)):
        assert boss.run_next("media")
    settled(job_id)
    assert (stage(job_id).status, stage(job_id).attempts) == (StageStatus.READY, 0)
    assert not media_root.exists()
    assert not boss.run_next("media")


def test_the_media_directory_is_gone_before(boss: Supervisor, behave: Behave, media_root: Path) -> None:
    behave("good")
    job_id = new_job()
    shutil.rmtree(media_root)
    assert not boss.run_next("media")
    assert rows.status(job_id) == "queued"


def test_a_job_whose_directory_is_gone_can_be_cancelled(boss: Supervisor, behave: Behave) -> None:
    behave("nothing")
    job_id = new_job()
    with meanwhile(
        lambda: until(lambda: begun(job_id)), lambda: shutil.rmtree(artifacts.job_dir(job_id)), lambda: cancel(job_id)
    ):
        assert boss.run_next("media")
    settled(job_id)
    assert rows.status(job_id) == "cancelled"


def test_the_disk_fills(boss: Supervisor, small_disk: Path, settings: Any, clips: Clips) -> None:
    """A real child that extracts sound to a full disk."""
    settings.MEDIA_ROOT = small_disk
    job_id = new_job(source=str(clips["long.mp4"]), source_kind="file")
    assert boss.run_next("media")
    settled(job_id)
    run = stage(job_id)
    assert (run.status, run.error and run.error["code"]) == (StageStatus.READY, "DiskFull")
    assert files(job_id) == []


def test_a_job_on_a_full_disk_can_be_cancelled(
    boss: Supervisor, behave: Behave, small_disk: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = small_disk
    behave("nothing")
    job_id = new_job()

    def fill() -> None:
        until(lambda: begun(job_id))
        full = os.open(small_disk / "full", os.O_CREAT | os.O_WRONLY)
        with suppress(OSError):
            while os.write(full, b"x" * 4096):
                pass
        os.close(full)
        cancel(job_id)

    with meanwhile(fill):
        assert boss.run_next("media")
    settled(job_id)
    assert rows.status(job_id) == "cancelled"
    assert not artifacts.job_dir(job_id).exists()


# The attempt


def test_a_lost_attempt_writes_nothing_more(boss: Supervisor, behave: Behave) -> None:
    """A child of an attempt that was taken over and started elsewhere writes nothing more."""
    behave("lost")
    job_id = new_job()
    before: list[Any] = []

    def take_over() -> None:
        until(lambda: begun(job_id))
        lost = stage(job_id)
        assert lost.attempt
        lifecycle.fail_stage(lost.attempt, rows.BROKEN, again=True)
        assert rows.claim("media").attempt != lost.attempt
        before.append(rows.everything(job_id))
        (artifacts.job_dir(job_id) / "go").touch()

    with meanwhile(take_over):
        assert boss.run_next("media")
    assert rows.everything(job_id) == before[0]
    assert files(job_id) == ["go"]


def test_the_reaper_ends_the_group_of_a_silent_supervisor(
    boss: Supervisor, behave: Behave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reaper takes over the stage of a silent but live supervisor, whose child is then killed."""
    behave("nothing")
    job_id = new_job()

    def take_over() -> None:
        until(lambda: begun(job_id))
        reaper.take_over(stage(job_id), StageRun.objects.all())

    with meanwhile(take_over):
        assert boss.run_next("media")
    settled(job_id)
    assert stage(job_id).status == "ready"
    assert stage(job_id).attempts == 1
    assert files(job_id) == []


def test_who_leaves_puts_the_stage_back(behave: Behave, database: str) -> None:
    """A command with all its results leaves a stage of another job, which becomes ready again."""
    behave("nothing")
    job_id, leaving = new_job(), threading.Event()
    boss = Supervisor(leaving=leaving)
    OrmQ.objects.all().delete()
    with meanwhile(lambda: until(lambda: begun(job_id)), leaving.set):
        assert boss.run_next("media")
    boss.close()
    settled(job_id)
    assert (stage(job_id).status, stage(job_id).attempts) == ("ready", 0)
    assert OrmQ.objects.count() == 1
    assert files(job_id) == []


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_a_group_that_does_not_die_keeps_its_stage(
    boss: Supervisor, behave: Behave, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group that survives SIGKILL keeps its stage running until the reaper can end it."""
    behave("good")
    job_id, end_group, refused = new_job(), groups.end_group, list[int]()

    def resists(group: int, timeout: float = 30.0) -> bool:
        refused.append(group)
        return False

    monkeypatch.setattr(groups, "end_group", resists)
    assert boss.run_next("media")
    assert len(refused) == 1
    run = stage(job_id)
    assert (run.status, run.group) == ("running", refused[0])
    monkeypatch.setattr(groups, "end_group", end_group)
    with groups.adopting_orphans():
        reaper.take_over(run, StageRun.objects.all())
        groups.reap(refused[0])
    settled(job_id)
    assert stage(job_id).status == "ready"


# The warm child


def heard(name: str = "v.mp4") -> uuid.UUID:
    """A new job whose recognition is ready; `name` tells the child what to do."""
    job_id = new_job()
    claimed = rows.claim("media")
    assert claimed.job_id == job_id
    (artifacts.make_attempt_dir(job_id, claimed.attempt) / "audio.wav").write_bytes(b"sound")
    made = artifacts.unsaved_rows(job_id, claimed.attempt, {"audio": "audio.wav"})
    media = {**hostile_child.MEDIA, "name": name}
    lifecycle.finish_stage(claimed.attempt, outcome={"media": media, "title": "t"}, artifacts=made)
    return job_id


def pid_told(job_id: uuid.UUID) -> int:
    """The pid of the child that worked for the job."""
    return int(Job.objects.get(pk=job_id).notes[-1]["code"])


def test_the_warm_child_stays_when_a_stage_is_done_or_failed(boss: Supervisor, behave: Behave) -> None:
    behave("warm")
    told = []
    for name, ends in (("a", "done"), ("failing", "failed"), ("b", "done")):
        job_id = heard(name)
        assert boss.run_next("speech")
        settled(job_id)
        assert rows.stages(job_id)["transcribe"] == ends
        told.append(pid_told(job_id))
    assert len(set(told)) == 1
    assert groups.look(told[0])
    boss.close()
    assert not groups.look(told[0])


def test_the_warm_child_goes_when_its_stage_is_stopped(boss: Supervisor, behave: Behave) -> None:
    behave("warm")
    job_id = heard("slow")
    told: list[int] = []

    def stop() -> None:
        until(lambda: Job.objects.get(pk=job_id).notes)
        told.append(pid_told(job_id))
        cancel(job_id)

    with meanwhile(stop):
        assert boss.run_next("speech")
    settled(job_id)
    assert rows.status(job_id) == "cancelled"
    assert not groups.look(told[0])
    following = heard()
    assert boss.run_next("speech")
    assert pid_told(following) != told[0]


def test_the_warm_child_dies_at_work(boss: Supervisor, behave: Behave) -> None:
    behave("warm")
    job_id = heard("deadly")
    assert boss.run_next("speech")
    assert stage(job_id, Stage.TRANSCRIBE).status == "ready"
    first = pid_told(job_id)
    assert boss.run_next("speech")
    assert pid_told(job_id) != first
    settled(job_id)


def test_the_warm_child_dies_at_rest(boss: Supervisor, behave: Behave) -> None:
    behave("warm")
    first = heard()
    assert boss.run_next("speech")
    group = os.getpgid(pid_told(first))
    os.kill(pid_told(first), signal.SIGKILL)
    until(lambda: not groups.members(group))
    following = heard()
    assert boss.run_next("speech")
    assert rows.stages(following)["transcribe"] == "done"
    assert stage(following, Stage.TRANSCRIBE).attempts == 0
    assert pid_told(following) != pid_told(first)


# The database


@only_on("postgresql")
@pytest.mark.parametrize(
    "how", ["works_on", *(pytest.param(each, marks=pytest.mark.soak) for each in ("killed", "nothing"))]
)
def test_the_database_is_away_for_a_while(
    boss: Supervisor, behave: Behave, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A stage continues, fails or is stopped as usual while the database restarts."""
    monkeypatch.setattr("jobs.lifecycle.db_retry.RETRY_TIMEOUT", PATIENCE)
    behave("nothing" if how == "killed" else how)
    job_id = new_job()

    def trouble() -> None:
        until(lambda: begun(job_id))
        group = stage(job_id).group
        connection.close()
        postgres.stop()
        if how == "killed":
            os.kill(group or 0, signal.SIGKILL)
        time.sleep(2)
        postgres.start()
        if how == "nothing":
            cancel(job_id)

    with meanwhile(trouble):
        assert boss.run_next("media")
    settled(job_id)
    assert stage(job_id).status == {"works_on": "done", "killed": "ready", "nothing": "stopped"}[how]
    assert rows.status(job_id) == ("cancelled" if how == "nothing" else "running")
    assert len(files(job_id)) == (2 if how == "works_on" else 0)
