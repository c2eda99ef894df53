"""Notification of changes: at once on PostgreSQL, by polling on SQLite."""

from __future__ import annotations

import select
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
from django.db import connection, transaction

from jobs import lifecycle
from jobs.lifecycle.changes import ChangeListener, job_changed
from tests.databases import only_on
from tests.jobs import rows
from tests.postgres import Postgres, free_port
from tests.waiting import PATIENCE, until


@pytest.fixture
def wakeups(database: str) -> Iterator[ChangeListener]:
    found = ChangeListener()
    yield found
    found.close()
    found.close()


@pytest.fixture
def on_postgresql(wakeups: ChangeListener) -> ChangeListener:
    assert wakeups.descriptor() is not None
    return wakeups


def heard(wakeups: ChangeListener, patience: float = PATIENCE) -> set[str]:
    """The next notification; empty after `patience` seconds."""
    found = wakeups.descriptor()
    assert found is not None
    return wakeups.jobs() if select.select([found], [], [], patience)[0] else set()


def notice_the_end(wakeups: ChangeListener) -> None:
    """Listen until the connection is found broken: first the server's last message, then the end of the stream."""
    broken = wakeups.descriptor()
    assert broken is not None
    assert wakeups._listener
    for _ in range(3):
        if wakeups._listener._listening:
            assert select.select([broken], [], [], PATIENCE)[0]
            assert wakeups.jobs() == set()
    assert wakeups._listener._listening is None


@only_on("sqlite")
def test_on_sqlite_nobody_tells(wakeups: ChangeListener) -> None:
    assert wakeups.descriptor() is None
    assert wakeups.jobs() == set()


@only_on("postgresql")
def test_each_change_is_heard_by_who_waits(on_postgresql: ChangeListener) -> None:
    """A change committed in another thread wakes a thread that only waits for the descriptor."""
    job, rounds = rows.job(), threading.Barrier(2, timeout=PATIENCE)
    heard(on_postgresql)

    def change() -> None:
        for _ in range(10):
            rounds.wait()
            job_changed(job.pk)
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    for _ in range(10):
        rounds.wait()
        assert heard(on_postgresql) == {str(job.pk)}
    thread.join()


@only_on("postgresql")
def test_each_transition_is_told_and_nothing_before_it_is_committed(on_postgresql: ChangeListener) -> None:
    with transaction.atomic():
        job = rows.job()
        assert heard(on_postgresql, 0.05) == set()
    assert heard(on_postgresql) == {str(job.pk)}
    lifecycle.cancel(job.pk, actor="shirin")
    assert heard(on_postgresql) == {str(job.pk)}
    assert on_postgresql.jobs() == set()


@only_on("postgresql")
def test_several_changes_are_heard_at_once(on_postgresql: ChangeListener) -> None:
    with transaction.atomic():  # the server tells of them together
        jobs = {str(rows.job().pk) for _ in range(3)}
    assert heard(on_postgresql) == jobs


@only_on("postgresql")
def test_a_listener_whose_connection_was_ended_listens_again(on_postgresql: ChangeListener) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'")
    notice_the_end(on_postgresql)
    assert on_postgresql.descriptor() is not None
    job = rows.job()
    assert heard(on_postgresql) == {str(job.pk)}


@only_on("postgresql")
def test_a_server_that_restarted_is_listened_to_again(on_postgresql: ChangeListener, postgres: Postgres) -> None:
    postgres.stop("immediate")
    notice_the_end(on_postgresql)
    for _ in range(3):
        assert on_postgresql.descriptor() is None
        assert on_postgresql.jobs() == set()
    postgres.start()
    connection.close()
    until(lambda: on_postgresql.descriptor() is not None)
    job = rows.job()
    assert heard(on_postgresql) == {str(job.pk)}


def test_a_server_that_is_not_there_is_nobody_to_listen_to(
    on_database: Callable[[str], AbstractContextManager[None]],
) -> None:
    with on_database(f"postgres://zirnevis@127.0.0.1:{free_port()}/none"):
        wakeups = ChangeListener()
        assert wakeups.descriptor() is None
        assert wakeups.jobs() == set()
        wakeups.close()


@only_on("postgresql")
def test_a_listener_is_not_told_of_other_databases(on_postgresql: ChangeListener) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('another_channel', %s)", [str(uuid.uuid4())])
    assert heard(on_postgresql, 0.05) == set()


@only_on("postgresql")
def test_the_listening_connection_is_made_as_the_others_are(
    on_postgresql: ChangeListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listening connection has the options of the database's URL: certificates, time limits."""
    monkeypatch.setitem(
        connection.settings_dict, "OPTIONS", {"application_name": "zirnevis-test", "connect_timeout": 3}
    )
    on_postgresql.close()
    assert on_postgresql.descriptor() is not None
    with connection.cursor() as cursor:
        named = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'zirnevis-test' AND query LIKE 'LISTEN%'"
        )
        cursor.execute(named)
        assert cursor.fetchone() == (1,)


@only_on("postgresql")
def test_who_cannot_listen_says_so_once_and_tries_ever_more_rarely(
    on_postgresql: ChangeListener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, asked = [1000.0], list[float]()

    def refused(*_: object) -> None:
        asked.append(now[0] - 1000)
        raise psycopg.OperationalError("certificate verify failed")

    on_postgresql.close()
    monkeypatch.setattr("jobs.lifecycle.changes_postgres._listen", refused)
    monkeypatch.setattr("jobs.lifecycle.changes_postgres.time.monotonic", lambda: now[0])
    while now[0] < 1020:
        assert on_postgresql.descriptor() is None
        now[0] += 0.25
    assert asked == [0, 0.5, 1.5, 3.5, 8.5, 13.5, 18.5]
    assert [record.getMessage() for record in caplog.records if "certificate" in record.getMessage()] == [
        "LISTEN connection unavailable, falling back to polling: certificate verify failed"
    ]
    monkeypatch.undo()
    listening = on_postgresql._listener
    assert listening
    listening._again = 0.0
    assert on_postgresql.descriptor() is not None
