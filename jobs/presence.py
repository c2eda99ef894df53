"""Who is present: an owner with a live lease on an open page. A job whose owner is absent is abandoned.

Absence needs a witness. Leases are renewed by the web server; while that is away, or the machine sleeps, nobody can
renew, and nobody may be judged. So after every gap each page that was open when the gap began gets a fresh lease. That
forgives silence only: a page that was closed stays closed, and its owner has no more than the time to reload it.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from jobs.models import UNFINISHED, Job, PageLease, Process, Reason
from jobs.queueing.processes import STALE

MAX_GAP_SECONDS = 15.0
"""Seconds: a judge who comes later than this has missed something; so have clocks that differ by more."""

MAX_WEB_SILENCE = timedelta(seconds=3)
"""A web server that was silent for longer is no witness. It shows a sign of life twice a second."""

HANDOVER = timedelta(seconds=5)
"""In the strict mode: only a page that is older keeps the jobs of another one that was closed; and so long a page that
was left for another one of the site stands in for that.
"""


def strict() -> bool:
    """Whether a close ends jobs at once: without a grace, being served a page is no sign of presence."""
    return settings.TAB_CLOSE_GRACE == 0


def open_page(owner_id: int) -> uuid.UUID:
    """A page was served to a signed-in person: its id, and a lease for the time until its socket opens."""
    now = timezone.now()
    expires = now if strict() else now + lease_time()
    return PageLease.objects.create(owner_id=owner_id, opened=now, expires=expires).page_id


def renew(page_ids: list[uuid.UUID]) -> int:
    """These pages are open. One UPDATE for all pages of a server process; a closed page stays closed."""
    expires = timezone.now() + lease_time()
    return PageLease.objects.filter(page_id__in=page_ids, closed=False, expires__lt=expires).update(expires=expires)


def hide(page_id: uuid.UUID) -> None:
    """The page is out of sight on a touch device, where it may be frozen at any moment."""
    _until(page_id, timezone.now() + timedelta(seconds=settings.HIDDEN_GRACE))


def show(page_id: uuid.UUID) -> None:
    """The page is in sight again, and open as any other: the long time that it had while hidden is over."""
    _until(page_id, timezone.now() + lease_time())


def close(page_id: uuid.UUID, *, within: bool = False) -> bool:
    """The page was closed, which is final for it. What it leaves is the time in which a reload opens the next one.

    `within`: it was left for another page of the site. Else the graces of the owner's jobs end with it: from now on
    only their other pages keep them present. False when it was closed before, or never open.
    """
    grace = timedelta(seconds=settings.TAB_CLOSE_GRACE)
    end = timezone.now() + (max(grace, HANDOVER) if within else grace)
    with transaction.atomic():
        closed = _until(page_id, end, closed=True)
        if closed and not within:
            owners = PageLease.objects.filter(page_id=page_id).values("owner")
            begun = Job.objects.filter(owner__in=owners, status__in=UNFINISHED, grace_until__gt=end)
            begun.update(grace_until=end)
    return closed


def _until(page_id: uuid.UUID, end: datetime, *, closed: bool = False) -> bool:
    """One statement: a renewal that comes between must not outlive a close."""
    return bool(PageLease.objects.filter(page_id=page_id, closed=False).update(expires=end, closed=closed))


def is_open(page_id: uuid.UUID, owner_id: int) -> bool:
    """Whether it is a page of this person that was not closed. Its lease may have run out: then it can be renewed."""
    return PageLease.objects.filter(page_id=page_id, owner=owner_id, closed=False).exists()


def stays(owner_id: int) -> bool:
    """Whether somebody who closed a page has another one that is no reload of it."""
    now = timezone.now()
    return PageLease.objects.filter(owner=owner_id, expires__gt=now, opened__lt=now - HANDOVER).exists()


def lease_time() -> timedelta:
    return timedelta(seconds=settings.PAGE_LEASE)


def first_grace(owner_id: int) -> datetime:
    """Until when nobody judges the owner of a job that begins now. Who has a page open needs no time to open one, and
    by closing it ends the job, however new that is.
    """
    now = timezone.now()
    here = PageLease.objects.filter(owner=owner_id, expires__gt=now).exists()
    return now if here else now + lease_time()


def at_stake(owner_id: int) -> QuerySet[Job]:
    """The jobs that end when their owner leaves."""
    return Job.objects.filter(owner=owner_id, status__in=UNFINISHED, keep_running=False)


def abandoned(now: datetime | None = None) -> QuerySet[Job]:
    """Unfinished jobs, not to be kept running, whose owners are absent."""
    now = now or timezone.now()
    live = PageLease.objects.filter(owner=OuterRef("pk"), expires__gt=now)
    # By owner: they are few, and so are those who are absent; jobs that wait may be thousands.
    absent = get_user_model().objects.filter(~Exists(live))
    unfinished = Job.objects.filter(status__in=UNFINISHED, keep_running=False, grace_until__lt=now)
    return unfinished.filter(owner__in=absent.values("pk"))


def why_absent(job_id: uuid.UUID) -> Reason:
    """How the owner of an abandoned job left: what became of the page that stood for them longest."""
    last = PageLease.objects.filter(owner__jobs=job_id).order_by("expires").last()
    return Reason.PAGES_CLOSED if last and last.closed else Reason.NO_SIGN_OF_LIFE


def forgive(now: datetime, since: datetime | None = None) -> None:
    """Forgive the silence of a gap that began at `since` (None: not known): nobody could renew a lease meanwhile.

    Pages that were open then get a fresh lease, those that had just been closed the time to reload them. Jobs get a
    fresh lease time unless their owner closed a page after the job's own grace had begun: pages decide about those.
    """
    until = now + lease_time()
    closed = PageLease.objects.filter(owner=OuterRef("owner"), closed=True, expires__gte=OuterRef("grace_until"))
    unfinished = Job.objects.filter(~Exists(closed), status__in=UNFINISHED, grace_until__lt=until)
    unfinished.update(grace_until=until)
    pages = PageLease.objects.filter(expires__gt=since) if since else PageLease.objects.all()
    pages.filter(closed=False, expires__lt=until).update(expires=until)
    reloaded = now + max(timedelta(seconds=settings.TAB_CLOSE_GRACE), HANDOVER)
    pages.filter(closed=True, expires__lt=reloaded).update(expires=reloaded)


@dataclass(slots=True)
class AbsenceDetector:
    """One reaper's eye on the clocks and on the web servers. Several may judge side by side."""

    _wall: float = 0.0
    _steady: float = 0.0
    _blind: bool = True
    _gap: float = 0.0
    _judged: datetime | None = None

    @property
    def just_back(self) -> bool:
        """Whether there was a gap so lately that workers, too, have had no time to give a sign of life."""
        return bool(self._gap) and time.monotonic() - self._gap < STALE.total_seconds()

    def abandoned_jobs(self) -> list[uuid.UUID]:
        """The abandoned jobs, as far as they may be judged now. Call it at least once a second."""
        now = timezone.now()
        if self._missed_something() or not _has_witness(now):
            self._blind = True
        elif self._blind:
            forgive(now, self._judged)
            self._blind, self._judged = False, now
        else:
            found = list(abandoned(now).values_list("pk", flat=True))
            self._judged = now
            return found
        return []

    def _missed_something(self) -> bool:
        """This pass is late, or the clock was set: whoever tried to show presence meanwhile could not be seen.

        The steady clock stops while the machine sleeps, the wall clock does not.
        """
        wall, steady = time.time(), time.monotonic()
        passed, apart = steady - self._steady, (wall - self._wall) - (steady - self._steady)
        first, self._wall, self._steady = not self._wall, wall, steady
        missed = passed > MAX_GAP_SECONDS or abs(apart) > MAX_GAP_SECONDS
        if missed and not first:
            self._gap = steady
        return missed


def _has_witness(now: datetime) -> bool:
    """Whether a web server is there with which pages can renew their leases."""
    return Process.objects.filter(cluster=Process.WEB, seen__gt=now - MAX_WEB_SILENCE).exists()
