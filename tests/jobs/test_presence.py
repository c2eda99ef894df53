"""Presence of owners and detection of absence. The tests set the clocks: none sleeps."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import presence
from jobs.models import UNFINISHED, Job, JobStatus, PageLease, Process, Reason
from jobs.presence import AbsenceDetector
from tests.databases import on_both
from tests.jobs import rows
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("database")

LEASE, CLOSED, HIDDEN = 180, 10, 900


@dataclass
class Clock:
    """The wall clock and the steady clock, in seconds: a double of the module `time` and of `timezone.now`."""

    wall: float
    steady: float = 100_000.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall, tz=timezone.get_default_timezone())

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    ours = Clock(wall=timezone.now().timestamp())
    monkeypatch.setattr("jobs.presence.time", ours)
    monkeypatch.setattr("django.utils.timezone.now", ours.now)
    return ours


@pytest.fixture(autouse=True)
def graces(settings: Any) -> Any:
    settings.PAGE_LEASE, settings.TAB_CLOSE_GRACE, settings.HIDDEN_GRACE = LEASE, CLOSED, HIDDEN
    return settings


@pytest.fixture
def shirin(clock: Clock) -> User:
    return rows.owner("shirin")


def job(owner: User, **fields: Any) -> Job:
    """A job whose own grace ends in a moment."""
    return rows.job(owner, grace_until=timezone.now(), **fields)


def one_in_each_state() -> dict[JobStatus, uuid.UUID]:
    """A job in each state; those that can be claimed are made last, as the others are made by claims."""
    order = sorted(rows.IN, key=lambda status: (status == JobStatus.RUNNING) + 2 * (status == JobStatus.QUEUED))
    return {status: rows.IN[status]().job_id for status in order}


def is_abandoned(of: Job) -> bool:
    return presence.abandoned().filter(pk=of.pk).exists()


# Leases


def test_a_page_keeps_all_jobs_of_its_owner_and_nobody_elses(clock: Clock, shirin: User) -> None:
    mine, other = [job(shirin) for _ in range(3)], job(rows.owner("omid"))
    presence.open_page(shirin.pk)
    clock.go(LEASE - 1)
    assert list(presence.abandoned()) == [other]
    clock.go(2)
    assert set(presence.abandoned()) == {*mine, other}


def test_any_page_tab_or_device_counts(clock: Clock, shirin: User) -> None:
    of = job(shirin)
    pages = [presence.open_page(shirin.pk) for _ in range(3)]
    for page in pages:
        clock.go(CLOSED + 1)
        assert not is_abandoned(of)
        presence.close(page)
    clock.go(CLOSED - 1)
    assert not is_abandoned(of)
    clock.go(2)
    assert is_abandoned(of)


def test_a_page_that_renews_stays(clock: Clock, shirin: User) -> None:
    of = job(shirin)
    pages = [presence.open_page(shirin.pk), presence.open_page(rows.owner("omid").pk)]
    for _ in range(40):
        clock.go(15)
        assert presence.renew(pages) == 2
        assert not is_abandoned(of)
    clock.go(LEASE - 1)
    assert not is_abandoned(of)
    clock.go(2)
    assert is_abandoned(of)


def test_all_pages_of_a_server_are_renewed_by_one_statement(clock: Clock, shirin: User) -> None:
    pages = [presence.open_page(shirin.pk) for _ in range(50)]
    clock.go(1)
    with CaptureQueriesContext(connection) as asked:
        assert presence.renew(pages) == 50
    assert len(asked) == 1
    assert presence.renew([]) == 0


def test_closed_is_final(clock: Clock, shirin: User) -> None:
    of, page = job(shirin), presence.open_page(shirin.pk)
    presence.close(page)
    clock.go(CLOSED - 1)
    presence.renew([page])
    for late in (presence.hide, presence.show, presence.close):
        late(page)
    assert not is_abandoned(of)
    clock.go(2)
    assert is_abandoned(of)


def test_a_close_and_its_finality_are_one_statement(shirin: User) -> None:
    """A close is one statement: between two, a renewal could keep the last page open for another lease."""
    page = presence.open_page(shirin.pk)
    with CaptureQueriesContext(connection) as asked:
        presence.close(page)
    assert len([query for query in asked if query["sql"].startswith('UPDATE "jobs_pagelease"')]) == 1
    assert PageLease.objects.get(pk=page).closed


def test_a_reload_goes_on(clock: Clock, shirin: User) -> None:
    """A reload keeps jobs running, whether the old page closes before or after the new one opens."""
    of, old = job(shirin), presence.open_page(shirin.pk)
    new = presence.open_page(shirin.pk)
    presence.close(old)
    clock.go(CLOSED + 1)
    assert not is_abandoned(of)
    presence.close(new)
    clock.go(CLOSED - 1)
    presence.open_page(shirin.pk)
    clock.go(2)
    assert not is_abandoned(of)


def test_hidden(clock: Clock, shirin: User) -> None:
    of, page = job(shirin), presence.open_page(shirin.pk)
    presence.hide(page)
    clock.go(15)
    presence.renew([page])  # its socket says one more word before it is frozen
    clock.go(HIDDEN - 16)
    assert not is_abandoned(of)
    clock.go(2)
    assert is_abandoned(of)
    presence.renew([page])
    assert not is_abandoned(of)


def test_a_page_that_is_in_sight_again_has_no_more_time_than_others(clock: Clock, shirin: User) -> None:
    of, page = job(shirin), presence.open_page(shirin.pk)
    presence.hide(page)
    clock.go(15)
    presence.show(page)
    clock.go(LEASE - 1)
    assert not is_abandoned(of)
    clock.go(2)
    assert is_abandoned(of)


def test_a_hidden_page_that_is_closed_is_closed(clock: Clock, shirin: User) -> None:
    of, page = job(shirin), presence.open_page(shirin.pk)
    presence.hide(page)
    presence.close(page)
    clock.go(CLOSED + 1)
    assert is_abandoned(of)


def test_an_unknown_page_is_nobody(clock: Clock, shirin: User) -> None:
    of, unknown = job(shirin), uuid.uuid4()
    presence.hide(unknown)
    presence.close(unknown)
    assert presence.renew([unknown]) == 0
    clock.go(1)
    assert is_abandoned(of)


# Jobs


def test_kept_and_ended_jobs_are_never_abandoned(clock: Clock) -> None:
    jobs = {status: Job.objects.get(pk=job_id) for status, job_id in one_in_each_state().items()}
    Job.objects.update(grace_until=clock.now())
    clock.go(100 * LEASE)
    assert set(presence.abandoned()) == {jobs[status] for status in UNFINISHED}
    Job.objects.filter(status=JobStatus.RUNNING).update(keep_running=True)
    assert set(presence.abandoned()) == {jobs[JobStatus.UPLOADING], jobs[JobStatus.QUEUED]}


def test_a_new_job_has_a_grace_of_its_own(clock: Clock, shirin: User) -> None:
    of = rows.job(shirin, grace_until=clock.now() + presence.lease_time())
    clock.go(LEASE - 1)
    assert not is_abandoned(of)
    clock.go(2)
    assert is_abandoned(of)


def test_who_has_a_page_open_gets_no_grace(clock: Clock, shirin: User) -> None:
    """An owner with an open page gets no grace: closing it just after the job began cancels the job."""
    assert presence.first_grace(shirin.pk) == clock.now() + presence.lease_time()
    page = presence.open_page(shirin.pk)
    of = rows.job(shirin, grace_until=presence.first_grace(shirin.pk))
    presence.close(page)
    clock.go(CLOSED + 1)
    assert is_abandoned(of)


def test_how_an_owner_left(clock: Clock, shirin: User) -> None:
    """The reason of an absence is taken from the page with the last lease."""
    of = job(shirin)
    assert presence.why_absent(of.pk) == Reason.NO_SIGN_OF_LIFE  # a script, which has no page
    closed, lost = presence.open_page(shirin.pk), presence.open_page(shirin.pk)
    presence.close(presence.open_page(rows.owner("omid").pk))
    presence.close(closed)
    clock.go(LEASE + 1)
    assert presence.why_absent(of.pk) == Reason.NO_SIGN_OF_LIFE
    presence.close(lost)
    assert presence.why_absent(of.pk) == Reason.PAGES_CLOSED


def test_it_is_one_query(clock: Clock, shirin: User) -> None:
    for _ in range(5):
        job(shirin)
    clock.go(1)
    with CaptureQueriesContext(connection) as asked:
        assert len(presence.abandoned()) == 5
    assert len(asked) == 1


# The witness


@dataclass
class Watch:
    """A detector that checks once a second, and a web server with heartbeats while `serving`."""

    clock: Clock
    detector: AbsenceDetector
    web: Process
    serving: bool = True

    def passes(self, seconds: int, *, step: float = 3.0) -> list[uuid.UUID]:
        """Let so many seconds pass; returns the jobs found abandoned."""
        found: list[uuid.UUID] = []
        for _ in range(round(seconds / step)):
            self.clock.go(step)
            if self.serving:
                self.show_life()
            found += self.detector.abandoned_jobs()
        return list(dict.fromkeys(found))

    def show_life(self) -> None:
        Process.objects.filter(pk=self.web.pk).update(seen=self.clock.now())


@pytest.fixture
def watch(clock: Clock) -> Watch:
    web = Process.objects.create(cluster=Process.WEB, host="h", boot_id="b", pid=1, started=1, seen=clock.now())
    return Watch(clock, AbsenceDetector(), web)


@pytest.fixture
def watching(watch: Watch) -> Watch:
    """A detector that has run for a long time."""
    watch.passes(6)
    return watch


def test_who_left_is_found_at_once(watching: Watch, shirin: User) -> None:
    of, page = job(shirin), presence.open_page(shirin.pk)
    assert watching.passes(100) == []
    presence.close(page)
    assert watching.passes(CLOSED - 1, step=1) == []
    assert watching.passes(1, step=1) == [of.pk]


def test_a_new_detector_first_waits_for_everybody_to_come_back(watch: Watch, shirin: User) -> None:
    of = job(shirin)
    assert watch.passes(LEASE) == []
    assert watch.passes(9) == [of.pk]


def test_nobody_is_absent_when_leases_could_not_be_extended(
    watch: Watch, shirin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extending leases is repeated after a database error, and no owner counts as absent before."""
    of, forgive = job(shirin), presence.forgive
    watch.clock.go(1000)  # its own grace is over
    watch.show_life()
    assert watch.detector.abandoned_jobs() == []
    monkeypatch.setattr(presence, "forgive", lambda *_: (_ for _ in ()).throw(OperationalError))
    watch.clock.go(1)
    watch.show_life()
    with pytest.raises(OperationalError):
        watch.detector.abandoned_jobs()
    monkeypatch.setattr(presence, "forgive", forgive)
    assert watch.passes(LEASE) == []
    assert watch.passes(9) == [of.pk]


def test_without_a_web_server_nobody_is_absent(watching: Watch, shirin: User) -> None:
    of = job(shirin)
    Process.objects.filter(pk=watching.web.pk).update(cluster=Process.REAPER)
    assert watching.passes(2000, step=14) == []
    Process.objects.filter(pk=watching.web.pk).update(cluster=Process.WEB)
    assert watching.passes(LEASE) == []
    assert watching.passes(9) == [of.pk]


@pytest.mark.parametrize("away", [10, 120, 3000])
def test_a_web_server_that_was_away(watching: Watch, shirin: User, away: int) -> None:
    """After any outage of the web server, owners who reconnect are present, others absent one lease later."""
    waits, left = job(shirin), job(rows.owner("omid"))
    page = presence.open_page(shirin.pk)
    presence.open_page(left.owner_id)
    watching.serving = False
    assert watching.passes(away, step=10) == []
    watching.serving = True
    assert watching.passes(100) == []
    presence.renew([page])
    assert watching.passes(LEASE - 101) == []
    assert watching.passes(30) == [left.pk]
    assert not is_abandoned(waits)


def test_only_unfinished_jobs_are_forgiven(watching: Watch, shirin: User, clock: Clock) -> None:
    jobs = one_in_each_state()
    Job.objects.update(grace_until=(before := clock.now()))
    watching.serving = False
    watching.passes(120)
    watching.serving = True
    watching.passes(1, step=1)
    forgiven = set(Job.objects.exclude(grace_until=before).values_list("pk", flat=True))
    assert forgiven == {jobs[status] for status in UNFINISHED}


@pytest.mark.parametrize("forgiven", [True, False])
def test_a_late_pass(watching: Watch, shirin: User, forgiven: bool) -> None:
    of = job(shirin)
    watching.clock.go(presence.MAX_GAP_SECONDS + 1 if forgiven else presence.MAX_GAP_SECONDS - 1)
    watching.show_life()
    assert watching.detector.abandoned_jobs() == ([] if forgiven else [of.pk])
    assert watching.passes(LEASE if forgiven else 3) == ([] if forgiven else [of.pk])
    assert watching.passes(9) == [of.pk]


@pytest.mark.parametrize("jump", [-100_000.0, -200.0, -20.0, 20.0, 200.0, 100_000.0])
def test_the_clock_is_set(watching: Watch, shirin: User, jump: float) -> None:
    """After a change of the clock, or sleep of the machine, an owner whose page renews is never absent."""
    job(shirin)
    page = presence.open_page(shirin.pk)
    assert watching.passes(30) == []
    watching.clock.wall += jump
    found = watching.detector.abandoned_jobs()
    for _ in range(30):
        found += watching.passes(15, step=7.5)
        presence.renew([page])
    assert found == []


def test_after_a_jump_who_left_is_absent_a_lease_later(watching: Watch, shirin: User) -> None:
    of = job(shirin)
    watching.clock.wall += 7200
    assert watching.passes(LEASE) == []
    assert watching.passes(9) == [of.pk]


def test_a_small_correction_of_the_clock_is_no_gap(watching: Watch, shirin: User) -> None:
    of = job(shirin)
    watching.clock.wall += 2
    assert watching.passes(2, step=1) == [of.pk]


@pytest.mark.parametrize(("late", "set_by"), [(presence.MAX_GAP_SECONDS + 1, 0.0), (1.0, 60.0), (1.0, -60.0)])
def test_for_a_while_after_a_gap_silence_of_workers_proves_nothing(watching: Watch, late: float, set_by: float) -> None:
    """Just after a gap stale heartbeats of workers do not count: they slept, too, or used the other time."""
    assert not watching.detector.just_back
    watching.clock.go(late)
    watching.clock.wall += set_by
    watching.detector.abandoned_jobs()
    assert watching.detector.just_back
    watching.passes(18)
    assert watching.detector.just_back
    watching.passes(3)
    assert not watching.detector.just_back


def test_two_detectors(watching: Watch, shirin: User) -> None:
    """A new or delayed detector extends leases while another works on, and no owner is absent too early."""
    of, left = job(shirin), job(rows.owner("omid"))
    presence.open_page(shirin.pk)
    presence.close(presence.open_page(left.owner_id))
    young = AbsenceDetector()
    assert young.abandoned_jobs() == []
    watching.clock.go(1)
    watching.show_life()
    assert young.abandoned_jobs() == []
    assert watching.passes(CLOSED + 5) == [left.pk]
    Job.objects.filter(pk=left.pk).delete()
    assert watching.passes(LEASE - 20) == []
    assert watching.passes(9) == [of.pk]
    assert young.abandoned_jobs() == []


# A gap forgives silence, never a close


def away(watching: Watch, seconds: int) -> None:
    """Stop the web server for so long."""
    watching.serving = False
    assert watching.passes(seconds, step=10) == []
    watching.serving = True


@pytest.mark.parametrize("gone", [10, 120, 3000])
def test_who_closed_the_last_page_before_a_gap_has_the_time_of_a_reload(
    watching: Watch, shirin: User, gone: int
) -> None:
    of, silent = job(shirin), job(rows.owner("omid"))
    presence.open_page(silent.owner_id)
    presence.close(presence.open_page(shirin.pk))
    away(watching, gone)
    assert watching.passes(CLOSED - 1, step=1) == []
    assert watching.passes(3, step=1) == [of.pk]
    assert not is_abandoned(silent)


def test_who_closed_long_before_a_gap_is_absent_at_once_after_it(watching: Watch, shirin: User) -> None:
    """A gap that begins when the time for a reload is over gives no new time."""
    of = job(shirin)
    presence.close(presence.open_page(shirin.pk))
    watching.passes(CLOSED - 1, step=1)
    watching.clock.go(presence.MAX_GAP_SECONDS + 1)
    watching.show_life()
    assert watching.passes(CLOSED + 2, step=1) == [of.pk]


def test_a_close_after_a_gap_counts_at_once(watching: Watch, shirin: User) -> None:
    """A close after a gap ends the grace that the gap gave."""
    of, page = job(shirin), presence.open_page(shirin.pk)
    away(watching, 120)
    assert watching.passes(15) == []
    presence.renew([page])
    presence.close(page)
    assert watching.passes(CLOSED - 1, step=1) == []
    assert watching.passes(2, step=1) == [of.pk]


def test_a_close_that_is_written_after_the_gap_counts(watching: Watch, shirin: User) -> None:
    """A close written after the gap ends a lease that the gap extended."""
    of, page = job(shirin), presence.open_page(shirin.pk)
    away(watching, 30)
    assert watching.passes(1, step=1) == []
    presence.close(page)
    assert watching.passes(CLOSED - 1, step=1) == []
    assert watching.passes(2, step=1) == [of.pk]


def test_another_page_that_was_open_when_the_gap_began_keeps_them(watching: Watch, shirin: User) -> None:
    """Another page whose lease expired in the gap keeps the owner present."""
    of, closed, other = job(shirin), presence.open_page(shirin.pk), presence.open_page(shirin.pk)
    away(watching, 400)
    presence.close(closed)
    assert watching.passes(LEASE - 10) == []
    presence.renew([other])
    assert watching.passes(LEASE - 10) == []
    assert not is_abandoned(of)


def test_a_page_that_had_long_been_silent_keeps_nobody_over_a_gap(watching: Watch, shirin: User) -> None:
    presence.open_page(shirin.pk)
    watching.passes(LEASE + 6)
    of, page = job(shirin), presence.open_page(shirin.pk)
    presence.close(page)
    away(watching, 60)
    assert watching.passes(CLOSED + 2, step=1) == [of.pk]


def test_a_new_detector_forgives_no_close(watch: Watch, shirin: User) -> None:
    """A new detector, as after a restart, does not extend closed pages."""
    closed, silent, unknown = job(shirin), job(rows.owner("omid")), job(rows.owner("sara"))
    presence.open_page(silent.owner_id)
    presence.close(presence.open_page(shirin.pk))
    watch.clock.go(1000)
    assert watch.passes(CLOSED - 1, step=1) == []
    assert watch.passes(6, step=1) == [closed.pk]
    assert not is_abandoned(silent)
    assert not is_abandoned(unknown)


def test_a_job_that_began_after_the_close_is_forgiven(watching: Watch, shirin: User) -> None:
    """A job created after an old close gets the grace of the gap."""
    presence.close(presence.open_page(shirin.pk))
    watching.passes(600)
    of = rows.job(shirin, grace_until=presence.first_grace(shirin.pk))
    away(watching, 600)
    assert watching.passes(LEASE - 3) == []
    assert watching.passes(9) == [of.pk]


def test_a_close_ends_the_first_grace_of_a_job_too(clock: Clock, shirin: User) -> None:
    of = rows.job(shirin, grace_until=presence.first_grace(shirin.pk))
    page = presence.open_page(shirin.pk)
    presence.close(page, within=True)
    clock.go(CLOSED + 1)
    assert not is_abandoned(of)
    presence.close(presence.open_page(shirin.pk))
    clock.go(CLOSED + 1)
    assert is_abandoned(of)


@on_both
def test_two_detectors_at_once(watching: Watch, shirin: User, clock: Clock) -> None:
    """Two concurrent detectors may both extend leases, and find the same jobs."""
    jobs = {job(shirin).pk for _ in range(5)}
    detectors, start = [AbsenceDetector(), AbsenceDetector()], threading.Barrier(2, timeout=PATIENCE)
    results: list[set[uuid.UUID]] = []

    def check(one: AbsenceDetector) -> None:
        start.wait()
        results.append(set(one.abandoned_jobs()))
        connection.close()

    together(check, detectors)
    together(check, detectors)
    assert results == [set()] * 4
    for second in range(LEASE + 2):
        clock.go(1)
        if second % 10 == 0 or second > LEASE - 1:
            watching.show_life()
            results.clear()
            together(check, detectors)
    assert results == [jobs] * 2


def together(act: Callable[[AbsenceDetector], None], detectors: list[AbsenceDetector]) -> None:
    threads = [threading.Thread(target=act, args=(one,)) for one in detectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
