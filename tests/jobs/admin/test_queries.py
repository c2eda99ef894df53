"""The admin with ten thousand jobs: it asks no more queries than with ten, and an index serves the list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from jobs import lifecycle
from jobs.models import Artifact, Job, JobStatus, Queue, SourceKind, StageRun, StageStatus, Transition, UsageEntry
from jobs.models import Process as WorkerRow
from jobs.pipeline.errors import NoAudio
from jobs.pipeline.stage import Stage
from tests.databases import mostly_on

pytestmark = mostly_on("postgresql")

MANY = 10_000
OWNERS = 200
LIST = "admin:jobs_job_changelist"


@pytest.fixture(autouse=True)
def places(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns of one that is not there.


@pytest.fixture
def chief(database: str, client: Client) -> User:
    """A signed-in superuser, on each kind of database."""
    user = User.objects.create_superuser("chief")
    client.force_login(user)
    return user


def fill(count: int) -> None:
    """Create so many jobs with two stages each, of many owners and in every state."""
    User.objects.bulk_create([User(username=f"user{number:03}") for number in range(OWNERS)], ignore_conflicts=True)
    owners = list(User.objects.filter(username__startswith="user"))
    now = timezone.now()
    jobs = []
    for number in range(count):
        status = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.RUNNING, JobStatus.QUEUED)[number % 4]
        final = status in {JobStatus.COMPLETED, JobStatus.FAILED}
        made = now - timedelta(minutes=number)
        job = Job(
            owner=owners[number % OWNERS], status=status, source_kind=SourceKind.LINK, source="https://example.org"
        )
        job.title, job.target, job.created, job.ended = f"Video {number}", "fa", made, made if final else None
        job.result = {"cues": 1} if status == JobStatus.COMPLETED else None
        job.error = NoAudio(name="talk.mp4").record() if status == JobStatus.FAILED else None
        jobs.append(job)
    Job.objects.bulk_create(jobs, batch_size=1000)
    StageRun.objects.bulk_create(
        [
            StageRun(
                job=job,
                owner_id=job.owner_id,
                stage=stage,
                number=number,
                queue=Queue.MEDIA,
                status=StageStatus.READY if job.ended is None and not number else StageStatus.WAITING,
                ready_at=now,
                started=now,
            )
            for job in jobs
            for number, stage in enumerate((Stage.FETCH, Stage.RENDER))
        ],
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def queries(client: Client, address: str) -> int:
    """The number of queries of a page, after Django has cached its content types. One is the lease of the page."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


FILTERS = ["", "?stage=fetch", "?owner=user007", "?age=week", "?status__exact=failed", "?q=Video+7", "?o=1"]


@pytest.fixture
def lists() -> list[str]:
    return [reverse(LIST) + query for query in FILTERS]


@pytest.mark.parametrize("count", [300, pytest.param(MANY, marks=pytest.mark.soak)])
def test_the_list_of_many_jobs_takes_as_many_queries_as_a_list_of_ten(
    client: Client, chief: User, lists: list[str], count: int
) -> None:
    fill(10)
    few = [queries(client, address) for address in lists]
    fill(count)
    many = [queries(client, address) for address in lists]
    assert many == few
    assert max(many) <= 8


@pytest.mark.soak
def test_the_list_is_read_by_an_index(client: Client, chief: User) -> None:
    fill(MANY)
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse(LIST))
    page = next(query["sql"] for query in captured if "LIMIT 50" in query["sql"] and "jobs_job" in query["sql"])
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {page}".replace("%", "%%"))
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "job_by_age" in plan


def busy_job(owner: User, rows: int) -> Job:
    """A job with so many rows of each kind that is on its page."""
    stages = list(Stage)[: min(rows, len(Stage))]
    job = lifecycle.create(stages=stages, actor="x", owner=owner, source_kind=SourceKind.LINK, source="x", target="fa")
    facts = {"cluster": "media", "host": "box", "boot_id": "b", "started": 1}
    for number, run in enumerate(job.stages.all()):
        run.worker = WorkerRow.objects.create(**facts, pid=number + 100 * rows)
        run.save()
    for number in range(rows):
        Transition.objects.create(job=job, to_status="running", actor="system")
        UsageEntry.objects.create(job=job, owner=owner, stage="translate", engine="parrot")
        Artifact.objects.create(job=job, kind=f"{number}", name="x", size=1)
    return job


def test_the_page_of_a_job_takes_as_many_queries_however_much_it_shows(client: Client, chief: User) -> None:
    small, large = busy_job(chief, 1), busy_job(chief, 40)
    few, many = (queries(client, reverse("admin:jobs_job_change", args=[job.pk])) for job in (small, large))
    assert many == few
    assert many <= 10


def test_the_page_of_the_clusters_takes_as_many_queries_however_many_workers(client: Client, chief: User) -> None:
    address = reverse("admin:jobs_process_changelist")
    busy_job(chief, 1)
    few = queries(client, address)
    busy_job(chief, 5)
    assert queries(client, address) == few <= 10


def test_the_list_of_usage_takes_as_many_queries_however_long(client: Client, chief: User) -> None:
    address = reverse("admin:jobs_usageentry_changelist")
    busy_job(chief, 1)
    few = queries(client, address)
    busy_job(chief, 40)
    assert queries(client, address) == few <= 6
