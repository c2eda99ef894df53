"""A ticket in a real cluster: it reaches a worker, the worker claims, and the claim uses the ticket up."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from jobs import lifecycle, tasks
from jobs.models import Process, StageRun
from jobs.pipeline.process import groups
from jobs.queueing import tickets
from tests.databases import only_on, process_environment
from tests.jobs import rows
from tests.jobs.command import ROOT, children
from tests.postgres import Postgres
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.usefixtures("database")


# Tickets


def test_a_ticket_is_issued_in_the_transaction_of_its_stage() -> None:
    rows.job()
    ticket = OrmQ.objects.get()
    assert ticket.key == "media"
    assert (ticket.task["func"], ticket.task["args"]) == ("jobs.tasks.run_next", ("media",))
    assert ticket.task["timeout"] == tickets.NEVER


def test_only_tickets_that_a_worker_could_take_are_waiting() -> None:
    tickets.issue("text", 3)
    tickets.issue("media")
    assert (tickets.waiting("text"), tickets.waiting("media"), tickets.waiting("speech")) == (3, 1, 0)
    OrmQ.objects.filter(key="text").update(lock=timezone.now() + timedelta(seconds=60))
    assert tickets.waiting("text") == 0


def test_a_claim_uses_up_the_ticket_that_is_held_and_no_other() -> None:
    for _ in range(2):
        rows.job()
    first, second = OrmQ.objects.order_by("pk")
    with tickets.held(first.pk):
        assert lifecycle.claim("media")
    assert list(OrmQ.objects.values_list("pk", flat=True)) == [second.pk]
    assert lifecycle.claim("media")
    assert OrmQ.objects.count() == 1


def test_a_claim_that_finds_nothing_uses_nothing_up() -> None:
    tickets.issue("text")
    with tickets.held(OrmQ.objects.get().pk):
        assert lifecycle.claim("text") is None
    assert OrmQ.objects.exists()


def test_a_ticket_too_many_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks._supervisor.cache_clear()
    assert tasks.run_next("media") == "nothing to run"
    tasks._supervisor().close()
    tasks._supervisor.cache_clear()


# A cluster


@pytest.fixture
def cluster(database: str, tmp_path: Path, media_root: Path) -> Any:
    """`manage.py qcluster` for the queue of media, stopped as supervisord stops it."""
    here = process_environment(database, Q_CLUSTER_NAME="media", MEDIA_WORKERS="1", MEDIA_ROOT=str(media_root))
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "manage.py", "qcluster"]
        process = subprocess.Popen(command, env=here, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        yield process
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        finally:
            groups.end_group(process.pid)
            process.wait()


def test_a_ticket_in_a_cluster(cluster: subprocess.Popen[bytes]) -> None:
    until(lambda: Process.objects.filter(cluster="media").exists())
    row = Process.objects.get(cluster="media")
    assert row.cluster_pid == cluster.pid
    assert row.pid in children(cluster.pid)
    assert row.last_ticket is None
    job = rows.job(source_kind="file", source="nothing", options={"target": "fa", "brought": True}, stages=rows.ALL[:1])
    until(lambda: rows.status(job.pk) == "failed")
    row.refresh_from_db()
    assert row.last_ticket
    assert row.last_claim
    assert row.last_ticket <= row.last_claim
    assert StageRun.objects.get(job=job).worker == row
    until(lambda: not Process.objects.get(pk=row.pk).busy)
    until(lambda: not OrmQ.objects.exists())
    assert not Task.objects.filter(success=False).exists()
    tickets.issue("media")  # one that finds nothing
    until(lambda: not OrmQ.objects.exists())
    assert not rows.contradictions(job.pk)


@pytest.mark.soak
@only_on("postgresql")
def test_a_worker_outlives_a_database_that_is_away(cluster: subprocess.Popen[bytes], postgres: Postgres) -> None:
    """A worker that was busy when the database went away is free when it is back."""
    until(lambda: Process.objects.filter(cluster="media").exists())
    row = Process.objects.get(cluster="media")
    async_task("time.sleep", 2, q_options={"cluster": "media"})
    until(lambda: Process.objects.get(cluster="media").busy)
    postgres.stop()
    connection.close()
    time.sleep(3)
    postgres.start()
    until(lambda: not Process.objects.get(pk=row.pk).busy)
    assert groups.is_alive(row.pid, row.started)


def test_workers_die_with_their_cluster(cluster: subprocess.Popen[bytes]) -> None:
    until(lambda: Process.objects.filter(cluster="media").exists())
    family = children(cluster.pid)
    assert len(family) >= 2
    cluster.kill()
    cluster.wait()
    until(lambda: not any((found := groups.look(pid)) and found.alive for pid in family))
