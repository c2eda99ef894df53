"""The fair order: many owners, many workers, and no owner waits behind another's many jobs."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs import lifecycle
from jobs.lifecycle import Claim
from jobs.models import Job, OwnerLimits, StageRun
from jobs.pipeline.stage import Stage
from jobs.queueing.scheduling import fair_order
from tests.jobs import rows

pytestmark = pytest.mark.usefixtures("database")


def heap(of: str, count: int, *stages: Stage) -> list[uuid.UUID]:
    owner = rows.owner(of)
    return [rows.job(owner, stages=stages or (Stage.RENDER,)).pk for _ in range(count)]


def whose(claimed: Claim | None) -> str:
    assert claimed
    return Job.objects.select_related("owner").get(pk=claimed.job_id).owner.username


@dataclass
class Office:
    """A model of the fair order, independent of the rows: waiting and running stages, and last turns."""

    limit: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    running: dict[Claim, str] = field(default_factory=dict)
    begun: Counter[str] = field(default_factory=Counter)
    last: dict[str, int] = field(default_factory=dict)

    def claim(self, turn: int) -> bool:
        at_work = Counter(self.running.values())
        may = [of for of in self.waiting if self.waiting[of] and not (self.limit and at_work[of] >= self.limit)]
        claimed = lifecycle.claim("media", running_limit=self.limit)
        if claimed is None:
            assert not may
            return False
        mine = whose(claimed)
        assert mine in may
        for other in may:
            assert (at_work[mine], self.last.get(mine, -1)) <= (at_work[other], self.last.get(other, -1))
            assert self.begun[mine] == 0 or self.begun[other] > 0
        self.waiting[mine] -= 1
        self.begun[mine] += 1
        self.last[mine] = turn
        self.running[claimed] = mine
        return True


@pytest.mark.parametrize("limit", [0, 2])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 30))])
def test_turns_of_several_owners(seed: int, limit: int) -> None:
    chance, office = random.Random(seed), Office(limit=limit)
    for turn in range(80):
        step = chance.random()
        if step < 0.3 and turn < 60:
            of = chance.choice(["shirin", "shirin", "shirin", "farhad", "leyla", "majnun"])
            heap(of, count := chance.choice([1, 1, 10]))
            office.waiting[of] += count
        elif step < 0.6 and office.running:
            done = chance.choice(list(office.running))
            rows.finish(done.attempt)
            del office.running[done]
        elif len(office.running) < 6:
            office.claim(turn)
    while office.running or office.claim(turn := turn + 1):
        for done in list(office.running):
            rows.finish(done.attempt)
            del office.running[done]
    assert not +office.waiting
    assert set(Job.objects.values_list("status", flat=True)) == {"completed"}


def test_nobodys_tenth_job_starts_before_anothers_first() -> None:
    heap("shirin", 10)
    heap("farhad", 1)
    heap("leyla", 1)
    begun = [whose(lifecycle.claim("media")) for _ in range(12)]
    assert begun[:3] == ["shirin", "farhad", "leyla"]
    assert begun[3:] == ["shirin"] * 9


def test_who_comes_late_is_next() -> None:
    heap("shirin", 10)
    for _ in range(3):
        rows.finish(rows.claim("media").attempt)
    heap("farhad", 1)
    assert whose(lifecycle.claim("media")) == "farhad"


def test_the_jobs_of_one_owner_begin_by_age() -> None:
    jobs = heap("shirin", 5)
    assert [rows.claim("media").job_id for _ in range(5)] == jobs


def test_who_runs_elsewhere_lets_others_go_first() -> None:
    heap("shirin", 1, Stage.TRANSCRIBE)
    rows.claim("speech")
    heap("shirin", 1)
    heap("farhad", 1)
    assert whose(lifecycle.claim("media")) == "farhad"


# Limits


def test_an_owner_at_the_limit_begins_no_job() -> None:
    heap("shirin", 3)
    first, second = rows.claim("media"), rows.claim("media")
    del first
    assert lifecycle.claim("media", running_limit=2) is None
    heap("farhad", 1)
    assert whose(lifecycle.claim("media", running_limit=2)) == "farhad"
    rows.finish(second.attempt)
    assert whose(lifecycle.claim("media", running_limit=2)) == "shirin"


def test_an_owner_at_the_limit_goes_on_with_what_has_begun() -> None:
    begun, waiting = heap("shirin", 2, Stage.FETCH, Stage.RENDER)
    rows.finish(rows.claim("media").attempt)
    claimed = lifecycle.claim("media", running_limit=1)
    assert claimed
    assert (claimed.job_id, claimed.stage) == (begun, Stage.RENDER)
    assert lifecycle.claim("media", running_limit=1) is None
    rows.finish(claimed.attempt)
    claimed = lifecycle.claim("media", running_limit=1)
    assert claimed
    assert claimed.job_id == waiting


@pytest.mark.parametrize(("own", "usual", "begins"), [(1, 5, 1), (3, 1, 3), (0, 1, 4), (None, 2, 2)])
def test_an_owner_may_have_limits_of_its_own(own: int | None, usual: int, begins: int) -> None:
    heap("shirin", 4)
    OwnerLimits.objects.create(owner=rows.owner(), running=own)
    assert sum(lifecycle.claim("media", running_limit=usual) is not None for _ in range(4)) == begins


def test_a_job_that_fails_gives_its_place_back() -> None:
    heap("shirin", 2)
    first = lifecycle.claim("media", running_limit=1)
    assert first
    assert lifecycle.claim("media", running_limit=1) is None
    lifecycle.fail_stage(first.attempt, rows.BROKEN, again=False)
    assert lifecycle.claim("media", running_limit=1)


# What is not offered


def test_what_waits_for_its_next_try_holds_nobody_up() -> None:
    first, second = heap("shirin", 2)
    lifecycle.fail_stage(rows.claim("media").attempt, rows.BROKEN, again=True)
    assert rows.claim("media").job_id == second
    assert lifecycle.claim("media") is None
    StageRun.objects.filter(job=first).update(ready_at=timezone.now() - timedelta(seconds=1))
    assert rows.claim("media").job_id == first


def test_only_the_stages_of_the_queue_are_offered() -> None:
    heap("shirin", 1, Stage.TRANSCRIBE)
    heap("farhad", 1, Stage.TRANSLATE)
    assert lifecycle.claim("media") is None
    assert [run.stage for run, _ in fair_order("speech", 0)] == ["transcribe"]
    assert [run.stage for run, _ in fair_order("text", 0)] == ["translate"]


def test_each_owner_is_offered_once_with_its_limit() -> None:
    heap("shirin", 3)
    heap("farhad", 1)
    OwnerLimits.objects.create(owner=rows.owner("farhad"), running=7)
    assert [(run.owner.username, limit) for run, limit in fair_order("media", 2)] == [("shirin", 2), ("farhad", 7)]
