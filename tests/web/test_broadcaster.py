"""Tests of the messages to open pages: contents, recipients, and recovery from errors."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from jobs import lifecycle
from jobs.models import Cue, Job
from jobs.pipeline.stage import Stage
from jobs.web.live import broadcaster, messages
from jobs.web.live.messages import ALIVE, Changes, MessageBuilder, Outbox, Page
from tests.databases import on_both, only_on
from tests.jobs import rows
from tests.postgres import Postgres
from tests.waiting import until
from tests.web.sockets import Sockets, gone, job, numbers


@pytest.fixture
def mine(shirin: User) -> Job:
    return job(shirin)


def running(of: Job) -> lifecycle.Claim:
    """Its `transcribe`."""
    while (claimed := rows.claim()).stage != Stage.TRANSCRIBE:
        rows.finish(claimed.attempt)
    assert claimed.job_id == of.pk
    return claimed


def answer(of: Job, *which: int) -> None:
    """Write a translation as the supervisor does."""
    of.cues.filter(number__in=which).update(answered=True, target="ترجمه")
    touch(of)


def touch(of: Job) -> None:
    lifecycle.set_pinned(of.pk, True)


# Recipients


@on_both
def test_each_page_is_told_what_concerns_it(sockets: Sockets, shirin: User, omid: User, staff: User, mine: Job) -> None:
    page, listing = sockets.open(shirin, job=mine), sockets.open(shirin)
    others, watching = sockets.open(omid), sockets.open(staff, job=mine)
    for socket in (page, listing, others, watching):
        socket.hear("hello")
    claimed = rows.claim("media")
    told = page.hear("job", status="running")
    assert (told["job"]["id"], told["unfinished"]) == (str(mine.pk), [str(mine.pk)])
    brief = listing.hear("brief", status="running")
    assert brief["unfinished"] == [str(mine.pk)]
    assert "stages" not in brief["job"]
    assert "unfinished" not in watching.hear("job", status="running")
    lifecycle.cancel(mine.pk, actor="shirin")
    lifecycle.stop_stage(claimed.attempt)
    lifecycle.finish_cancel(mine.pk)
    assert listing.hear("brief", status="cancelled")["unfinished"] == []
    ended = page.hear("job", status="cancelled")
    assert ended["unfinished"] == []
    assert "by you" in ended["job"]["ended_text"]
    assert "by shirin" in watching.hear("job", status="cancelled")["job"]["ended_text"]
    assert "by shirin" in sockets.open(staff, job=mine).hear("hello")["job"]["ended_text"]
    assert others.silent(0.6)


def test_each_in_its_language_by_one_reading(sockets: Sockets, shirin: User, mine: Job) -> None:
    pages = {code: sockets.open(shirin, job=mine, language=code) for code in ("fa", "en")}
    for page in pages.values():
        page.hear("hello")
    touch(mine)
    said = {code: page.hear("job", pinned=True)["job"]["languages"] for code, page in pages.items()}
    assert said == {"fa": "فارسی", "en": "Persian"}


def pages_of(*jobs: Job, times: int = 1) -> list[Page]:
    return [
        Page(page_id=uuid.uuid4(), owner_id=one.owner_id, language="en", job_id=one.pk, channel=str(number))
        for one in jobs
        for number in range(times)
    ]


def test_the_number_of_pages_costs_no_query(mine: Job) -> None:
    def asked(pages: list[Page]) -> int:
        with CaptureQueriesContext(connection) as found:
            said = MessageBuilder().changes(Changes().watched(pages, None), pages)
        assert len(said) == len(pages)
        return len(found)

    asked(pages_of(mine))  # speeds are remembered from here
    assert asked(pages_of(mine)) == asked(pages_of(mine, times=50)) <= 7


def test_a_job_that_nobody_watches_is_not_read(mine: Job, omid: User) -> None:
    pages = pages_of(job(omid))
    with CaptureQueriesContext(connection) as found:
        assert Changes().watched(pages, {str(mine.pk)}) == []
    assert len(found) == 1


def test_a_version_is_told_once(mine: Job) -> None:
    changes, pages = Changes(), pages_of(mine)
    assert changes.watched(pages, None) == [mine]
    assert changes.watched(pages, None) == changes.watched(pages, {str(mine.pk)}) == []
    touch(mine)
    assert changes.watched(pages, {str(mine.pk)}) == [mine]
    assert changes.watched(pages, None) == []


def test_a_change_that_is_committed_late_is_found(mine: Job) -> None:
    """It bears the time at which it was made, when others that are younger had been seen already."""
    changes, pages = Changes(), pages_of(mine)
    changes.watched(pages, None)
    before = Job.objects.get(pk=mine.pk).changed
    touch(mine)
    Job.objects.filter(pk=mine.pk).update(changed=before)
    assert changes.watched(pages, None) == [mine]


# Captions


@on_both
def test_captions_come_and_turn_into_the_translation(sockets: Sockets, shirin: User, mine: Job) -> None:
    claimed = running(mine)
    rows.hear(claimed.attempt, 1, 2)
    page = sockets.open(shirin, job=mine)
    assert numbers(page.hear("hello")) == [1, 2]
    rows.hear(claimed.attempt, 3, 4)
    assert numbers(page.hear("cues")) == [3, 4]
    answer(mine, 2, 3)
    said = page.hear("cues")
    assert {cue["number"]: cue["target"] for cue in said["cues"]} == {2: "ترجمه", 3: "ترجمه"}
    answer(mine, 1, 2)
    assert numbers(page.hear("cues")) == [1]
    late = sockets.open(shirin, job=mine)
    assert [cue["answered"] for cue in late.hear("hello")["cues"]] == [True, True, True, False]


@pytest.mark.parametrize(
    ("known", "sent", "whole"),
    [(0, [1, 2, 3], True), (1, [2, 3], False), (3, [], False), (4, [1, 2, 3], True), ("nonsense", [1, 2, 3], True)],
)
def test_a_page_is_sent_the_captions_that_it_lacks(
    sockets: Sockets, shirin: User, mine: Job, known: Any, sent: list[int], *, whole: bool
) -> None:
    """`known`: up to which number it has them. Who knows of one that is not there gets all."""
    rows.hear(running(mine).attempt, 1, 2, 3)
    other = sockets.open(shirin, job=mine)
    assert numbers(other.hear("hello")) == [1, 2, 3]
    hello = sockets.open(shirin, job=mine, cues=known).hear("hello")
    assert (numbers(hello), hello["all"]) == (sent, whole)


def test_captions_of_a_cancelled_job_go(sockets: Sockets, shirin: User, mine: Job) -> None:
    claimed = running(mine)
    rows.hear(claimed.attempt, 1)
    page = sockets.open(shirin, job=mine)
    page.hear("hello")
    lifecycle.cancel(mine.pk, actor="shirin")
    lifecycle.stop_stage(claimed.attempt)
    lifecycle.finish_cancel(mine.pk)
    assert page.hear("cues") == {"type": "cues", "cues": [], "all": True}


def test_many_captions_are_not_read_again_and_again(mine: Job) -> None:
    Cue.objects.bulk_create(Cue(job=mine, number=n, start=n, end=n + 1, source="x") for n in range(1, 1001))
    builder, pages = MessageBuilder(), pages_of(mine)
    builder.snapshots(pages)
    assert [kind(text) for _, text in builder.changes([mine], pages)] == ["job"]
    answer(mine, 500)
    said = [json.loads(text) for _, text in builder.changes([mine], pages)]
    assert [numbers(one) for one in said if one["type"] == "cues"] == [[500]]


def kind(text: str) -> str:
    return str(json.loads(text)["type"])


def test_however_long_a_lease_pages_hear_of_their_server(settings: Any) -> None:
    """They take a silence of 45 s for a dead socket."""
    for settings.PAGE_LEASE, seconds in ((60, 5), (180, 15), (3600, 15)):
        assert broadcaster._renew_interval() == seconds


def test_of_many_pages_some_are_reassured_at_a_time(mine: Job) -> None:
    pages, said = pages_of(mine, times=100), list[Outbox]()
    rounds = broadcaster._Rounds(broadcaster._WakePipe(), said.append)
    rounds._renewed -= broadcaster._renew_interval()
    for _ in range(5):
        rounds.run(pages, [])
    rounds._listener.close()
    told = [[page for page, text in some if text == ALIVE] for some in said]
    assert [len(some) for some in told if some] == [25, 25, 25, 25]
    assert [page for some in told for page in some] == pages


# Trouble


@on_both
def test_a_job_is_deleted(sockets: Sockets, shirin: User, mine: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcaster, "POLL_INTERVAL_WITH_LISTEN", 0.3)
    page = sockets.open(shirin, job=mine)
    page.hear("hello")
    gone(mine)
    assert page.hear("gone") == {"type": "gone", "id": str(mine.pk)}
    assert page.silent(0.8)


def test_one_bad_job_keeps_nobody_from_hearing_of_others(
    sockets: Sockets, shirin: User, mine: Job, caplog: pytest.LogCaptureFixture
) -> None:
    page = sockets.open(shirin)
    page.hear("hello")
    Job.objects.filter(pk=mine.pk).update(options={})
    with caplog.at_level(logging.CRITICAL):
        touch(mine)
        other = job(shirin)
        assert page.hear("brief", id=str(other.pk))["job"]["status"] == "queued"


def test_who_takes_nothing_in_gets_a_snapshot(
    sockets: Sockets, shirin: User, mine: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channel is full; when it reads again, the last message is a snapshot."""
    page = sockets.open(shirin, job=mine)
    page.hear("hello")
    layer = get_channel_layer()
    full, usual = list(range(3)), layer.send

    async def send(channel: str, message: dict[str, Any]) -> None:
        if full:
            full.pop()
            raise ChannelFull
        await usual(channel, message)

    monkeypatch.setattr(layer, "send", send)
    touch(mine)
    assert page.hear("hello")["job"]["pinned"] is True
    assert not full


@contextmanager
def trouble(monkeypatch: pytest.MonkeyPatch, what: Exception) -> Iterator[list[int]]:
    """Looking for changes goes wrong."""
    met: list[int] = []

    def fails(*_: Any) -> list[Job]:
        met.append(1)
        raise what

    with monkeypatch.context() as patched:
        patched.setattr(messages.Changes, "watched", fails)
        yield met


@on_both
@pytest.mark.parametrize("what", [DatabaseError("away"), ZeroDivisionError()])
def test_it_goes_on_after_any_trouble(
    sockets: Sockets, shirin: User, mine: Job, monkeypatch: pytest.MonkeyPatch, what: Exception
) -> None:
    page = sockets.open(shirin, job=mine)
    page.hear("hello")
    with trouble(monkeypatch, what) as met:
        until(lambda: met)
        touch(mine)
    assert page.hear("hello", pinned=True)


@only_on("postgresql")
def test_the_database_restarts(sockets: Sockets, shirin: User, mine: Job, postgres: Postgres) -> None:
    page = sockets.open(shirin, job=mine)
    page.hear("hello")
    connection.close()
    postgres.stop()
    postgres.start()
    touch(mine)
    page.hear("hello", pinned=True)
    lifecycle.set_keep_running(mine.pk, True)
    assert page.hear("job", keep_running=True)


@on_both
def test_a_lost_word_is_made_up_for(sockets: Sockets, shirin: User, mine: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcaster, "POLL_INTERVAL_WITH_LISTEN", 0.3)
    page = sockets.open(shirin, job=mine)
    page.hear("hello")
    monkeypatch.setattr("jobs.lifecycle.jobs.job_changed", lambda _: None)
    touch(mine)
    assert page.hear("job", pinned=True)


def test_it_rests_when_nobody_is_there(sockets: Sockets, shirin: User, mine: Job) -> None:
    for _ in range(3):
        page = sockets.open(shirin)
        page.hear("hello")
        assert broadcaster.broadcaster._running
        page.vanish()
        broadcaster.broadcaster.join()
        assert not broadcaster.broadcaster._running
