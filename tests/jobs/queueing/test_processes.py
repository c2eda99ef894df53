"""Process rows: one for each process, heartbeats, and the certain detection of an end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from jobs.models import Process
from jobs.pipeline.process import groups
from jobs.queueing import processes
from tests.databases import on_both, process_environment
from tests.jobs.command import ROOT
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")


def test_a_process_has_one_row_a_cluster() -> None:
    first, again = processes.register("media", os.getppid()), processes.register("media", os.getppid())
    assert first.pk == again.pk
    assert again.born == first.born
    assert again.seen > first.seen
    assert processes.register(Process.REAPER).pk != first.pk
    me, leader = groups.look(os.getpid()), groups.look(os.getppid())
    assert me
    assert leader
    assert (again.host, again.boot_id, again.pid, again.started) == (
        processes.host(),
        groups.boot_id(),
        os.getpid(),
        me.started,
    )
    assert (again.cluster_pid, again.cluster_started) == (os.getppid(), leader.started)


def test_a_cluster_process_that_is_gone_has_no_start() -> None:
    assert processes.register("media", 0).cluster_started is None


def test_alive_is_who_was_seen_lately() -> None:
    row = processes.register("media")
    assert list(processes.alive("media")) == [row]
    assert not processes.alive("text").exists()
    Process.objects.update(seen=timezone.now() - processes.STALE - timedelta(seconds=1))
    assert not processes.alive("media").exists()


def test_gone_is_certain_only_here() -> None:
    me = processes.register("media")
    assert not processes.is_gone(me)
    for field, value, gone in (
        ("boot_id", str(uuid.uuid4()), True),
        ("started", me.started + 1, True),
        ("host", "elsewhere", False),
    ):
        other = Process(**{**{name: getattr(me, name) for name in ("host", "boot_id", "pid", "started")}, field: value})
        assert processes.is_gone(other) is gone, field


def test_a_process_that_was_killed_is_gone_while_its_parent_has_not_heard() -> None:
    process = subprocess.Popen(["sleep", "3600"])
    found = groups.look(process.pid)
    assert found
    row = Process(host=processes.host(), boot_id=groups.boot_id(), pid=process.pid, started=found.started)
    assert not processes.is_gone(row)
    process.kill()
    until(lambda: processes.is_gone(row))
    process.wait()
    assert processes.is_gone(row)


def test_signs_of_life_come_until_the_end() -> None:
    end = processes.start_heartbeat("media", every=0.02)
    until(lambda: Process.objects.exists())
    first = Process.objects.get().seen
    until(lambda: Process.objects.get().seen > first)
    end()
    last = Process.objects.get().seen
    time.sleep(0.1)
    assert Process.objects.get().seen == last
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


@on_both
def test_signs_of_life_come_again_after_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats continue after the connection was closed, as a restarting server does."""
    register, calls = processes.register, list[int]()

    def broken(*told: object) -> Process:
        calls.append(1)
        connection.ensure_connection()
        if len(calls) < 4:
            connection.connection.close()
        return register(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(processes, "register", broken)
    end = processes.start_heartbeat("media", every=0.01)
    until(lambda: Process.objects.exists())
    end()
    assert len(calls) >= 4


ASGI = "import translator.asgi; import time; time.sleep(3600)"


def test_a_web_server_shows_life_by_itself(database: str) -> None:
    here = process_environment(database, PYTHONWARNINGS="default")  # static files are not collected
    server = subprocess.Popen([sys.executable, "-c", ASGI], env=here, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        until(lambda: processes.alive(Process.WEB).exists())
        row = processes.alive(Process.WEB).get()
        assert row.pid == server.pid
        until(lambda: processes.alive(Process.WEB).get().seen > row.seen)
    finally:
        server.kill()
        server.communicate()
    assert processes.is_gone(row)
