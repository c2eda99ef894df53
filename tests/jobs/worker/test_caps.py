"""Caps of cost with real processes of stages and a server that counts: a job pauses, nothing is lost, nothing is paid
for twice.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs import lifecycle
from jobs.engines.prices import parse_prices
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.lifecycle import stages
from jobs.models import Call, Cue, Job, JobStatus, OwnerLimits, StageRun, UsageEntry
from jobs.pipeline.process import groups
from jobs.pipeline.stage import Stage
from jobs.queueing import caps
from jobs.storage import artifacts, deletion
from jobs.worker.reaper import Reaper
from jobs.worker.supervisor import Supervisor
from tests.databases import mostly_on
from tests.engines.fake_llm_server import KEY, Asked, FakeServer, Said, answers, saying
from tests.jobs import rows
from tests.pipeline.clips import Clips
from tests.waiting import LONG, until

pytestmark = [pytest.mark.usefixtures("database"), mostly_on("sqlite")]

ORDER = JobOptions(target="fa", spoken="en", brought=True, translator="openai_compatible", mode="none")
EACH = (1000, 200)
"""The tokens of each call, in and out, as the server counts. About as many are expected of one."""

TWO_CALLS = 2500
"""A cap of tokens that leaves room for two calls."""

PRICE = "small=1/10"
"""With it a call of EACH costs 0.003."""


@pytest.fixture
def model(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """The service, which gets two lines in each request: a job of six lines makes three calls."""
    monkeypatch.setattr(stages, "BACK_OFF", (timedelta(0), timedelta(0)))
    with FakeServer(tokens=EACH) as server:
        settings.PRICES = parse_prices(PRICE, "USD")
        configure(settings, base_url=f"{server.url}/v1", model="small", api_key=KEY, batch_lines=2)
        yield server


def configure(settings: Any, **options: Any) -> None:
    """Change options of the engine."""
    engine = replace(settings.ENGINE_OPTIONS["openai_compatible"], **options)
    settings.ENGINE_OPTIONS = {**settings.ENGINE_OPTIONS, "openai_compatible": engine}


@pytest.fixture
def boss(model: FakeServer) -> Iterator[Supervisor]:
    boss = Supervisor()
    yield boss
    boss.close()


@pytest.fixture
def six(tmp_path: Path) -> Path:
    """Subtitles of six lines."""
    place = tmp_path / "six.srt"
    lines = [f"{n}\n00:00:0{n - 1},000 --> 00:00:0{n - 1},900\nShe reads book number {n}.\n" for n in range(1, 7)]
    place.write_text("\n".join(lines))
    return place


@pytest.fixture
def job(clips: Clips, six: Path, model: FakeServer) -> Job:
    """A job of three calls, whose first stage is done."""
    return submit.accept_file(rows.owner(), clips["plain.mp4"], ORDER, subtitles=six)


def limit(**caps_: Any) -> None:
    OwnerLimits.objects.update_or_create(owner=rows.owner(), defaults=caps_)


def work(boss: Supervisor) -> None:
    while any(boss.run_next(queue) for queue in ("media", "text")):
        pass


def run_of(job: Job) -> StageRun:
    return StageRun.objects.get(job=job, stage=Stage.TRANSLATE)


def answered(job: Job) -> list[int]:
    return list(Cue.objects.filter(job=job, answered=True).values_list("number", flat=True))


def check_paused(job: Job, code: str) -> Job:
    """Check that the job is paused whole, by the cap with this code."""
    found = Job.objects.get(pk=job.pk)
    assert (found.status, rows.stages(job.pk)["translate"]) == (JobStatus.PAUSED, "paused")
    assert rows.contradictions(job.pk) == []
    assert found.error
    assert found.error["code"] == code
    assert artifacts.path_of(job.pk, "source")
    return found


def check_completed(job: Job) -> None:
    assert rows.status(job.pk) == JobStatus.COMPLETED, Job.objects.get(pk=job.pk).error
    assert not Cue.objects.filter(job=job, target="").exists()
    assert rows.contradictions(job.pk) == []


def check_ledger(job: Job, model: FakeServer) -> None:
    """Check that each call that the server got is in the ledger, with the server's count."""
    calls = Call.objects.filter(job=job)
    assert calls.count() == len(model.asked)
    assert set(calls.values_list("status", "input_tokens", "output_tokens", "cost", "currency")) == {
        ("counted", *EACH, Decimal("0.003"), "USD")
    }
    usage = UsageEntry.objects.get(job=job, stage="translate")
    assert (usage.input_tokens, usage.output_tokens) == (EACH[0] * len(model.asked), EACH[1] * len(model.asked))


CAPS: dict[str, tuple[dict[str, Any], str, str]] = {
    "tokens of the job": ({"tokens_a_job": TWO_CALLS}, "JobCapReached", "2400 tokens"),
    "tokens of the month": ({"tokens_a_month": TWO_CALLS}, "MonthCapReached", "2400 tokens"),
    "money of the job": ({"cost_a_job": "0.0068"}, "JobCapReached", "0.006 USD"),
    "money of the month": ({"cost_a_month": "0.0068"}, "MonthCapReached", "0.006 USD"),
}


OFTEN = ("tokens of the month", "money of the job")


@pytest.mark.parametrize(
    "which", [pytest.param(each, marks=[] if each in OFTEN else pytest.mark.soak) for each in CAPS]
)
def test_a_cap_in_the_middle_pauses_and_a_raised_one_lets_go_on(
    boss: Supervisor, job: Job, model: FakeServer, which: str, settings: Any
) -> None:
    limits, code, used = CAPS[which]
    for name, value in limits.items():
        setattr(settings, f"LIMIT_{name}".upper(), Decimal(value))
    work(boss)
    paused = check_paused(job, code)
    assert paused.error
    assert paused.error["params"]["used"] == used
    assert answered(job) == [1, 2, 3, 4]
    assert model.ids() == [[1, 2], [3, 4]]
    Reaper().sweep()
    assert rows.status(job.pk) == JobStatus.PAUSED, "the cap still holds"
    limit(**dict.fromkeys(limits, 0))
    Reaper().sweep()
    work(boss)
    check_completed(job)
    assert model.ids() == [[1, 2], [3, 4], [5, 6]]
    check_ledger(job, model)


@pytest.mark.soak
def test_the_cap_of_the_engine_holds_for_the_job(boss: Supervisor, job: Job, model: FakeServer, settings: Any) -> None:
    configure(settings, max_tokens=TWO_CALLS)
    work(boss)
    check_paused(job, "JobCapReached")
    lifecycle.go_on(job.pk, actor="shirin", max_tokens=10 * TWO_CALLS)
    work(boss)
    check_completed(job)
    assert model.ids() == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.soak
def test_a_job_whose_cap_is_not_raised_enough_pauses_again(boss: Supervisor, job: Job, model: FakeServer) -> None:
    limit(tokens_a_job=1500)
    work(boss)
    check_paused(job, "JobCapReached")
    lifecycle.go_on(job.pk, actor="shirin", max_tokens=TWO_CALLS)
    work(boss)
    check_paused(job, "JobCapReached")
    assert model.ids() == [[1, 2], [3, 4]]
    check_ledger(job, model)


@pytest.mark.soak
def test_a_cap_below_the_first_call(boss: Supervisor, job: Job, model: FakeServer) -> None:
    limit(tokens_a_job=10)
    work(boss)
    check_paused(job, "JobCapReached")
    assert (model.asked, Call.objects.count()) == ([], 0)


@pytest.mark.soak
def test_a_model_without_a_price_is_counted_in_tokens(
    boss: Supervisor, job: Job, model: FakeServer, settings: Any
) -> None:
    settings.PRICES = {}
    limit(tokens_a_month=TWO_CALLS, cost_a_job="0.01", cost_a_month="0.01")
    work(boss)
    check_paused(job, "MonthCapReached")
    assert set(Call.objects.values_list("cost", "currency", "input_tokens")) == {(None, "", EACH[0])}
    assert caps.spent(caps.this_month(rows.owner().pk)) == caps.Spent(tokens=2400)


def test_calls_of_deleted_jobs_and_of_this_month_only_count(boss: Supervisor, job: Job, model: FakeServer) -> None:
    other = rows.job()
    first = {"owner": rows.owner(), "engine": "openai_compatible", "input_tokens": 1200}
    Call.objects.create(**first, job=other)
    Call.objects.create(**first, at=caps.month_start(timezone.now()) - timedelta(seconds=1))
    Call.objects.create(**{**first, "owner": rows.owner("mina")})
    other.delete()
    limit(tokens_a_month=TWO_CALLS)
    work(boss)
    check_paused(job, "MonthCapReached")
    assert model.ids() == [[1, 2]]


def test_the_next_month_lets_go_on(boss: Supervisor, job: Job, model: FakeServer) -> None:
    limit(tokens_a_month=TWO_CALLS)
    work(boss)
    check_paused(job, "MonthCapReached")
    Call.objects.update(at=caps.month_start(timezone.now()) - timedelta(seconds=1))
    Reaper().sweep()
    work(boss)
    check_completed(job)
    assert model.ids() == [[1, 2], [3, 4], [5, 6]]


def test_a_child_that_is_killed_in_the_middle_of_a_call(boss: Supervisor, job: Job, model: FakeServer) -> None:
    """The call in flight is made again; it stays in the ledger with what was expected of it, for it may be paid for."""
    asked, killed = threading.Event(), threading.Event()

    def held(it: Asked) -> Said:
        if it.ids == [3, 4] and not killed.is_set():
            asked.set()
            killed.wait(LONG)
        return saying(answers(it))

    def kill() -> None:
        asked.wait(LONG)
        try:
            group = until(lambda: run_of(job).group)
            assert group
            os.killpg(group, signal.SIGKILL)
            until(lambda: not groups.members(group))
        finally:
            killed.set()
            connection.close()

    limit(tokens_a_job=TWO_CALLS + sum(EACH))  # with the lost call there is no room for a fourth
    model.behave(held)
    killer = threading.Thread(target=kill)
    killer.start()
    work(boss)
    killer.join()
    check_paused(job, "JobCapReached")
    assert model.ids() == [[1, 2], [3, 4], [3, 4]]
    assert answered(job) == [1, 2, 3, 4]
    statuses = sorted(Call.objects.values_list("status", flat=True))
    assert statuses == ["asked", "counted", "counted"]
    assert Call.objects.get(status="asked").input_tokens > 500
    limit(tokens_a_job=0)
    Reaper().sweep()
    work(boss)
    check_completed(job)
    assert model.ids() == [[1, 2], [3, 4], [3, 4], [5, 6]]


def test_a_cap_within_a_batch_keeps_its_texts(boss: Supervisor, job: Job, model: FakeServer, settings: Any) -> None:
    """The second of three lines is missing in the first answer; asking for it again meets the cap."""
    configure(settings, batch_lines=6)
    model.script(lambda it: saying({number: text for number, text in answers(it).items() if number != "2"}))
    limit(tokens_a_job=1500)
    work(boss)
    check_paused(job, "JobCapReached")
    assert answered(job) == [1, 3, 4, 5, 6]
    lifecycle.go_on(job.pk, actor="shirin", max_tokens=100_000)
    work(boss)
    check_completed(job)
    assert model.ids() == [[1, 2, 3, 4, 5, 6], [2]]


def test_the_same_lines_in_another_job_cost_nothing(
    boss: Supervisor, job: Job, model: FakeServer, clips: Clips, six: Path, settings: Any
) -> None:
    """Also under another cap: on it no translation depends."""
    limit(tokens_a_job=TWO_CALLS)
    work(boss)
    check_paused(job, "JobCapReached")
    configure(settings, max_tokens=77_000)
    limit(tokens_a_job=None)
    other = submit.accept_file(rows.owner(), clips["plain.mp4"], ORDER, subtitles=six)
    work(boss)
    check_completed(other)
    assert model.ids() == [[1, 2], [3, 4], [5, 6]]


# Who is absent, and what is left


def test_a_paused_job_survives_its_owner_and_goes_on_without_them(
    boss: Supervisor, job: Job, model: FakeServer
) -> None:
    Job.objects.filter(pk=job.pk).update(keep_running=False)
    limit(tokens_a_job=TWO_CALLS)
    work(boss)
    reaper = Reaper()
    Job.objects.filter(pk=job.pk).update(grace_until=timezone.now() - timedelta(days=1))
    reaper.sweep()
    check_paused(job, "JobCapReached")
    limit(tokens_a_job=0)
    reaper.sweep()
    assert Job.objects.get(pk=job.pk).keep_running, "nobody is there who could keep it"
    work(boss)
    check_completed(job)


def test_an_owner_who_lets_go_on_decides_whether_it_keeps_running(boss: Supervisor, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(keep_running=False)
    limit(tokens_a_job=TWO_CALLS)
    work(boss)
    lifecycle.go_on(job.pk, actor="shirin", max_tokens=0)
    assert not Job.objects.get(pk=job.pk).keep_running


def test_a_paused_job_can_be_cancelled(boss: Supervisor, job: Job, model: FakeServer) -> None:
    limit(tokens_a_job=TWO_CALLS)
    work(boss)
    assert lifecycle.cancel(job.pk, actor="shirin")
    assert deletion.finish(job.pk)
    assert rows.status(job.pk) == JobStatus.CANCELLED
    assert not artifacts.job_dir(job.pk).exists()
    assert Call.objects.filter(job=job).count() == 2, "what was paid stays in the ledger"


def test_recognition_runs_on_beside_a_paused_translation() -> None:
    heard, translating = rows.both_running(rows.owner("mina"))
    lifecycle.pause_stage(translating.attempt, rows.CAPPED)
    assert rows.status(heard.job_id) == JobStatus.RUNNING
    rows.hear(heard.attempt, 2)
    assert rows.stages(heard.job_id)["translate"] == "paused"
    rows.finish(heard.attempt)
    assert rows.status(heard.job_id) == JobStatus.PAUSED
    assert rows.contradictions(heard.job_id) == []


def test_a_cap_that_is_raised_while_recognition_runs() -> None:
    heard, translating = rows.both_running(rows.owner("mina"))
    lifecycle.pause_stage(translating.attempt, rows.CAPPED)
    lifecycle.go_on(heard.job_id, actor="mina")
    assert (rows.status(heard.job_id), rows.stages(heard.job_id)["translate"]) == (JobStatus.RUNNING, "ready")


@pytest.mark.parametrize("first", ["pause", "fail"])
def test_a_failure_beside_a_pause_fails_the_job_and_a_retry_opens_both(first: str) -> None:
    heard, translating = rows.both_running(rows.owner("mina"))
    acts: dict[str, Callable[[], None]] = {
        "pause": lambda: lifecycle.pause_stage(translating.attempt, rows.CAPPED),
        "fail": lambda: lifecycle.fail_stage(heard.attempt, rows.BROKEN, again=False),
    }
    for name in sorted(acts, key=lambda name: name != first):
        acts[name]()
    assert rows.status(heard.job_id) == JobStatus.FAILED
    assert rows.contradictions(heard.job_id) == []
    lifecycle.retry(heard.job_id, "mina")
    assert rows.contradictions(heard.job_id) == []
    assert rows.stages(heard.job_id)["translate"] == "ready"
