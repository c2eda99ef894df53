"""Quotas of an owner: refusals with a sentence, and exact limits for concurrent requests."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from jobs import lifecycle
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import Artifact, Job, OwnerLimits, SourceKind, UsageEntry
from jobs.pipeline.errors import DailyMinutes, StorageFull, TooManyJobs, from_record
from jobs.pipeline.stage import Stage
from jobs.queueing import quotas
from tests.databases import on_both

HOUR = 3600


@pytest.fixture
def sara(database: str) -> User:
    return User.objects.create_user("sara")


@pytest.fixture
def omid(database: str) -> User:
    return User.objects.create_user("omid")


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Any:
    """No limits except those that a test sets."""
    settings.LIMIT_QUEUED = settings.LIMIT_MINUTES_A_DAY = settings.LIMIT_STORED_BYTES = 0
    return settings


def new(owner: User, **fields: Any) -> Job:
    given = {"source_kind": SourceKind.UPLOAD, "source": "talk.mp4", "target": "fa", **fields}
    return lifecycle.create(stages=[Stage.FETCH], actor=owner.username, owner=owner, **given)


def finish(owner: User, size: int = 0) -> None:
    """Finish the oldest job of the queue with a result of so many bytes."""
    claim = lifecycle.claim("media")
    assert claim
    lifecycle.finish_stage(claim.attempt, outcome={}, artifacts=[Artifact(kind="video", name="v", size=size)])


def check(owner: User, new_bytes: int = 0) -> None:
    with transaction.atomic():
        quotas.check(owner, new_bytes=new_bytes)


def test_without_limits(sara: User) -> None:
    for _ in range(30):
        new(sara, seconds=100 * HOUR)
    check(sara, new_bytes=1 << 60)


def test_jobs_that_wait(sara: User, omid: User, limits: Any) -> None:
    limits.LIMIT_QUEUED = 2
    new(sara)
    check(sara)
    new(sara, uploaded=False)
    with pytest.raises(TooManyJobs) as refused:
        check(sara)
    assert str(refused.value) == (
        "You have 2 jobs waiting or uploading; the limit is 2. Wait until one of them starts."
    )
    assert str(from_record(refused.value.record())) == str(refused.value)
    check(omid)
    finish(sara)
    check(sara)


def test_a_job_that_runs_or_was_cancelled_does_not_wait(sara: User, limits: Any) -> None:
    limits.LIMIT_QUEUED = 1
    new(sara)
    assert lifecycle.claim("media")
    check(sara)
    lifecycle.cancel(new(sara).pk, actor="sara")
    check(sara)


def test_minutes_of_a_day(sara: User, omid: User, limits: Any) -> None:
    limits.LIMIT_MINUTES_A_DAY = 60
    job = new(sara, seconds=59 * 60)
    check(sara)
    new(sara, seconds=60)
    with pytest.raises(DailyMinutes) as refused:
        check(sara)
    assert str(refused.value) == ("You have used 1 h of video in 24 hours; the limit is 1 h. Try again later.")
    check(omid)
    Job.objects.filter(pk=job.pk).update(created=timezone.now() - timedelta(hours=25))
    check(sara)


def found(job: Job, seconds: float, size: int = 0) -> None:
    """Finish the fetch of a job, so that its length is known."""
    with transaction.atomic():
        quotas.check_found(job, size)
        Job.objects.filter(pk=job.pk).update(seconds=seconds)


def test_links_that_began_together_count_once_they_are_fetched(sara: User, omid: User, limits: Any) -> None:
    limits.LIMIT_MINUTES_A_DAY = 60
    first, second, other = new(sara), new(sara), new(omid)
    found(first, HOUR)
    with pytest.raises(DailyMinutes):
        found(second, HOUR)
    found(first, HOUR)  # it was killed, and is fetched again
    found(other, HOUR)


def test_what_was_fetched_has_to_find_room(sara: User, limits: Any) -> None:
    limits.LIMIT_STORED_BYTES = 5000
    job = new(sara)
    found(job, 1, 5000)
    with pytest.raises(StorageFull):
        found(job, 1, 5001)
    limits.LIMIT_STORED_BYTES = 1000
    finish(sara, size=1000)
    found(new(sara), 1)  # an upload, which had its room when it came


def test_a_job_that_is_retried_waits_too(sara: User, limits: Any) -> None:
    limits.LIMIT_QUEUED = 1
    with transaction.atomic():
        quotas.check_retry(sara)
    new(sara)
    with pytest.raises(TooManyJobs), transaction.atomic():
        quotas.check_retry(sara)


def test_deleting_a_job_gives_no_minutes_back(sara: User, limits: Any) -> None:
    limits.LIMIT_MINUTES_A_DAY = 60
    job = new(sara, seconds=HOUR)
    UsageEntry.objects.create(job=job, owner=sara, stage="transcribe", engine="whisperx", seconds=HOUR)
    finish(sara)
    assert lifecycle.delete_row(job.pk)
    with pytest.raises(DailyMinutes):
        check(sara)
    UsageEntry.objects.update(at=timezone.now() - timedelta(hours=25))
    check(sara)


def test_recognised_minutes_of_a_job_that_is_there_count_once(sara: User, limits: Any) -> None:
    limits.LIMIT_MINUTES_A_DAY = 60
    job = new(sara, seconds=HOUR / 2)
    UsageEntry.objects.create(job=job, owner=sara, stage="transcribe", engine="whisperx", seconds=HOUR / 2)
    check(sara)


def test_bytes_that_are_stored(sara: User, omid: User, limits: Any) -> None:
    limits.LIMIT_STORED_BYTES = 5_000_000
    new(sara)
    finish(sara, size=3_000_000)
    check(sara)
    check(sara, new_bytes=2_000_000)
    with pytest.raises(StorageFull) as refused:
        check(sara, new_bytes=2_000_001)
    assert str(refused.value) == (
        "There is no room for this file: your files take up 3 MB; the limit is 5 MB. Delete some results first."
    )
    check(omid, new_bytes=5_000_000)
    new(sara)
    finish(sara, size=2_000_000)
    with pytest.raises(StorageFull):
        check(sara)


def test_uploads_in_progress_count_with_what_was_promised(sara: User, omid: User, limits: Any) -> None:
    limits.LIMIT_STORED_BYTES = 5_000_000
    order = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium")
    first = submit.accept_upload(sara, "one.mp4", 3_000_000, order)
    assert Job.objects.get(pk=first.pk).size == 3_000_000
    with pytest.raises(StorageFull):
        submit.accept_upload(sara, "two.mp4", 2_000_001, order)
    submit.accept_upload(sara, "two.mp4", 2_000_000, order)
    check(omid, new_bytes=5_000_000)
    lifecycle.cancel(first.pk, actor="sara")
    check(sara, new_bytes=3_000_000)


def test_limits_of_one_owner(sara: User, omid: User, limits: Any) -> None:
    limits.LIMIT_QUEUED, limits.LIMIT_STORED_BYTES = 1, 100
    OwnerLimits.objects.create(owner=sara, queued=2)
    OwnerLimits.objects.create(owner=omid, queued=0, minutes_a_day=1, stored_bytes=0)
    new(sara, seconds=HOUR)
    check(sara)
    new(sara)
    with pytest.raises(TooManyJobs):
        check(sara)
    for _ in range(3):
        new(omid)
    check(omid, new_bytes=1 << 60)
    new(omid, seconds=60)
    with pytest.raises(DailyMinutes):
        check(omid)


@on_both
def test_several_at_once(sara: User, limits: Any) -> None:
    """Eight connections compete for three places."""
    limits.LIMIT_QUEUED = 3
    start, results = threading.Barrier(8), list[str]()

    def upload() -> None:
        start.wait()
        try:
            with transaction.atomic():
                quotas.check(sara)
                time.sleep(0.02)
                new(sara)
            results.append("created")
        except TooManyJobs:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["created"] * 3 + ["refused"] * 5
    assert Job.objects.filter(owner=sara).count() == 3
