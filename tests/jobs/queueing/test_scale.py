"""Ten thousand jobs of as many users: all frequent queries use an index."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from jobs import emails, lifecycle, presence
from jobs.lifecycle import Claim
from jobs.lifecycle.jobs import _QUEUES
from jobs.models import FINAL, Job, JobStatus, PageLease, StageRun, StageStatus
from jobs.pipeline.stage import Stage
from jobs.queueing import processes
from jobs.queueing.scheduling import fair_order
from jobs.worker import reaper
from tests.databases import KINDS
from tests.jobs import rows

JOBS = 10_000
SLOW = 1.0
"""Seconds for the fastest of some tries of all rows; twenty times what any of this takes, for a busy machine."""

Mix = list[tuple[JobStatus, int]]
MIXES: dict[str, Mix] = {
    "most have ended": [
        (JobStatus.COMPLETED, 9000),
        (JobStatus.FAILED, 300),
        (JobStatus.CANCELLED, 300),
        (JobStatus.CANCELLING, 50),
        (JobStatus.UPLOADING, 50),
        (JobStatus.RUNNING, 100),
        (JobStatus.QUEUED, 200),
    ],
    "most wait": [(JobStatus.QUEUED, 9800), (JobStatus.RUNNING, 100), (JobStatus.CANCELLING, 100)],
}
CASES = [
    pytest.param("most wait", "postgresql", 0.4, id="most wait-postgresql-part"),
    *(pytest.param(mix, kind, 1.0, marks=pytest.mark.soak, id=f"{mix}-{kind}-all") for mix in MIXES for kind in KINDS),
]
"""The mix, the database, and the share of the rows. Filling the tables takes long: `make soak` has all of them, and
measures times."""

FIRST = {
    JobStatus.COMPLETED: StageStatus.DONE,
    JobStatus.FAILED: StageStatus.FAILED,
    JobStatus.CANCELLED: StageStatus.STOPPED,
    JobStatus.CANCELLING: StageStatus.STOPPED,
    JobStatus.UPLOADING: StageStatus.WAITING,
    JobStatus.RUNNING: StageStatus.RUNNING,
    JobStatus.QUEUED: StageStatus.READY,
}
ALL_OF_THEM = {("abandoned", "most wait"), ("lost tickets", "most wait")}
"""Queries for nearly every row, which PostgreSQL rightly reads one after the other: only the time counts."""
BIG = "jobs_(job|stagerun|transition)"
SCANS = {"sqlite": rf"SCAN {BIG}( AS \w+)?$|SCAN U\d( AS \w+)?$", "postgresql": rf"Seq Scan on {BIG}\b"}


def fill(mix: Mix, owners: list[User]) -> None:
    """Create jobs of five stages each; those of one state belong to each owner in turn."""
    born = timezone.now() - timedelta(days=2)
    states = [state for state, count in mix for _ in range(count)]
    jobs = [job_row(owners[n % len(owners)], state, born + timedelta(seconds=n)) for n, state in enumerate(states)]
    Job.objects.bulk_create(jobs, batch_size=2000)
    StageRun.objects.bulk_create((run for job in jobs for run in stage_rows(job)), batch_size=2000)
    if connection.vendor == "postgresql":  # It does so by itself after a minute; SQLite never does.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def be_present(owners: list[User]) -> None:
    """Give all owners but the last a lease, the uploads recent bytes, running stages a worker, a few jobs a command."""
    until = timezone.now() + timedelta(seconds=180)
    PageLease.objects.bulk_create(PageLease(owner=one, expires=until) for one in owners[:-1] for _ in range(3))
    Job.objects.filter(status="uploading").update(changed=timezone.now())
    StageRun.objects.filter(status="running").update(worker=processes.register("media"), host=processes.host())
    few = list(Job.objects.filter(status="queued").values_list("pk", flat=True)[:5])
    Job.objects.filter(pk__in=few).update(client=processes.register("command"))


def job_row(owner: User, state: JobStatus, born: Any) -> Job:
    end = born + timedelta(minutes=5) if state in FINAL else None
    facts = {"result": {}, "error": rows.BROKEN, "ended": end, "edited": end, "created": born, "changed": end or born}
    return Job(owner=owner, status=state, source_kind="link", source="https://example.org/v", target="fa", **facts)


def stage_rows(job: Job) -> Iterator[StageRun]:
    for number, stage in enumerate(Stage):
        state = (
            FIRST[JobStatus(job.status)] if number == 0 or job.status == JobStatus.COMPLETED else StageStatus.WAITING
        )
        runs, began = state == StageStatus.RUNNING, state in {StageStatus.RUNNING, StageStatus.DONE, StageStatus.FAILED}
        yield StageRun(
            job=job,
            owner_id=job.owner_id,
            stage=stage,
            number=number,
            queue=_QUEUES[stage],
            status=state,
            attempt=uuid.uuid4() if runs else None,
            heartbeat=timezone.now() if runs else None,
            started=job.created if began else None,
            ready_at=job.created if state != StageStatus.WAITING else None,
        )


@contextmanager
def plans() -> Iterator[dict[str, str]]:
    """The plan of each statement that the block runs."""
    found: dict[str, str] = {}
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"

    def look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if re.match("SELECT|UPDATE|DELETE", sql) and re.search(BIG, sql):
            with closing(connection.create_cursor()) as cursor:  # not looked at itself
                cursor.execute(f"{explain} {sql}", params)
                found[sql] = "\n".join(str(row[-1]) for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield found


def scans(found: dict[str, str]) -> list[str]:
    """The plans that read a big table from end to end."""
    scan = re.compile(SCANS[connection.vendor], re.MULTILINE)
    return [f"{sql}\n{plan}" for sql, plan in found.items() if scan.search(plan)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("mix", "database_url", "share"),
    CASES,
    indirect=["database_url"],
)
def test_everything_frequent_goes_by_index(
    mix: str, share: float, database: str, record_property: Callable[[str, object], None]
) -> None:
    owners = [rows.owner(f"owner {number}") for number in range(20)]
    User.objects.bulk_create(User(username=f"idle {number}") for number in range(int(JOBS * share)))
    fill([(state, int(count * share)) for state, count in MIXES[mix]], owners)
    be_present(owners)
    running = StageRun.objects.filter(status="running").select_related("job").first()
    cancelling = Job.objects.filter(status="cancelling").first()
    assert running
    assert running.attempt
    assert cancelling
    at = Claim(job_id=running.job_id, stage=Stage(running.stage), attempt=running.attempt)
    queued = list(Job.objects.filter(status="queued").values_list("pk", flat=True))
    calls: dict[str, Callable[[], Any]] = {
        "the next turn": lambda: next(fair_order("media", 50)),
        "all turns": lambda: list(fair_order("media", 50)),
        "claim": lambda: lifecycle.claim("media"),
        "claim under a limit": lambda: lifecycle.claim("media", running_limit=50),
        "claim where nobody may": lambda: lifecycle.claim("media", running_limit=1),
        "claim of an empty queue": lambda: lifecycle.claim("speech"),
        "beat": lambda: lifecycle.heartbeat(at.attempt),
        "progress": lambda: lifecycle.heartbeat(at.attempt, 0.5),
        "has_to_stop": lambda: lifecycle.must_stop(at),
        "cancellable_now": lambda: lifecycle.can_finish_cancel(cancelling.pk),
        "cancel": lambda: lifecycle.cancel(queued.pop(), actor="x"),
        "dead stages": lambda: list(reaper.dead_stages()),
        "deserted": reaper.deserted,
        "abandoned": lambda: list(presence.abandoned().values_list("pk", flat=True)),
        "to be cancelled": reaper._cancelling,
        "uploads nobody finishes": reaper.expire_uploads,
        "lost tickets": reaper.reissue_tickets,
        "letters": lambda: list(emails.due()),
        "list of an owner": lambda: list(Job.objects.filter(owner=owners[3]).order_by("-created")[:50]),
        "list of all": lambda: list(Job.objects.order_by("-created")[:50]),
    }
    slow: dict[str, float] = {}
    for name, call in calls.items():
        with plans() as found:
            call()
        assert found
        assert not scans(found) or (name, mix) in ALL_OF_THEM, name
        if share < 1:
            continue
        took = sorted(timed(call) for _ in range(7))
        record_property(name, f"median {1000 * took[3]:.1f} ms, max {1000 * took[-1]:.1f} ms")
        slow |= {name: took[0]} if took[0] > SLOW else {}
    assert not slow


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
