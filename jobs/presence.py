"""Presence of owners: one with a live lease on an open page is present. A job whose owner is absent is abandoned.

Leases are renewed by the web server; while it is down, or the machine sleeps, no lease can be renewed, and no owner
counts as absent. After every such gap each page that was open when the gap began gets a new lease. A page that was
closed stays closed, and its owner has only the time to reload it.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from jobs.models import UNFINISHED, Job, PageLease, Process, Reason
from jobs.queueing.processes import STALE

MAX_GAP_SECONDS = 15.0
"""A pause between two checks, or a difference of the clocks, that is longer counts as a gap."""

MAX_WEB_SILENCE = timedelta(seconds=3)
"""A web server without a heartbeat for longer cannot renew leases. It writes one twice a second."""

HANDOVER = timedelta(seconds=5)
"""In strict mode: the age from which another open page keeps jobs running when a page is closed, and the time for which
a page counts as open after it was left for another page of the site.
"""


def strict() -> bool:
    """Whether closing the last page cancels jobs at once. Then a served page counts only when its socket opens."""
    return settings.TAB_CLOSE_GRACE == 0


def open_page(owner_id: int) -> uuid.UUID:
    """Create the lease of a page served to a user, valid until its socket should open. Returns the page's id."""
    now = timezone.now()
    expires = now if strict() else now + lease_time()
    return PageLease.objects.create(owner_id=owner_id, opened=now, expires=expires).page_id


def connect(page_id: uuid.UUID) -> None:
    """Renew the lease of a page that opened its socket. In strict mode its age counts from the first time: the close of
    the page that it replaces may be written long after it was served, but was sent before it could open its socket.
    """
    now = timezone.now()
    served = PageLease.objects.filter(page_id=page_id, closed=False, expires__lte=F("opened"))
    if not served.update(opened=now, expires=now + lease_time()):
        renew([page_id])


def renew(page_ids: list[uuid.UUID]) -> int:
    """Renew the leases of open pages: one UPDATE for all pages of a server process. A closed page stays closed."""
    expires = timezone.now() + lease_time()
    return PageLease.objects.filter(page_id__in=page_ids, closed=False, expires__lt=expires).update(expires=expires)


def hide(page_id: uuid.UUID) -> None:
    """Extend the lease of a hidden page to HIDDEN_GRACE: a touch device may freeze it at any moment."""
    _until(page_id, timezone.now() + timedelta(seconds=settings.HIDDEN_GRACE))


def show(page_id: uuid.UUID) -> None:
    """Give a page that is visible again the lease time of any open page, instead of HIDDEN_GRACE."""
    _until(page_id, timezone.now() + lease_time())


def close(page_id: uuid.UUID, *, within: bool = False) -> bool:
    """Close a page for good. Its lease ends after the time that a reload may take.

    `within`: it was left for another page of the site. Otherwise the grace times of the owner's jobs end as well: from
    now on only other pages keep the owner present. False when it was closed before, or never open.
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
    """Set the end of an open page's lease, in one statement: a concurrent renewal must not undo a close."""
    return bool(PageLease.objects.filter(page_id=page_id, closed=False).update(expires=end, closed=closed))


def is_open(page_id: uuid.UUID, owner_id: int) -> bool:
    """Whether it is a page of this user that was not closed. Its lease may have expired, and can be renewed then."""
    return PageLease.objects.filter(page_id=page_id, owner=owner_id, closed=False).exists()


def stays(owner_id: int) -> bool:
    """Whether an owner who closed a page has another one, which is not a reload of it."""
    now = timezone.now()
    return PageLease.objects.filter(owner=owner_id, expires__gt=now, opened__lt=now - HANDOVER).exists()


def lease_time() -> timedelta:
    """The duration of a lease from its renewal."""
    return timedelta(seconds=settings.PAGE_LEASE)


def first_grace(owner_id: int) -> datetime:
    """The time until which the owner of a new job counts as present: one lease time from now. With a page open it is
    now, so that closing the page cancels even a new job.
    """
    now = timezone.now()
    here = PageLease.objects.filter(owner=owner_id, expires__gt=now).exists()
    return now if here else now + lease_time()


def at_stake(owner_id: int) -> QuerySet[Job]:
    """The jobs that are cancelled when their owner leaves."""
    return Job.objects.filter(owner=owner_id, status__in=UNFINISHED, keep_running=False)


def abandoned(now: datetime | None = None) -> QuerySet[Job]:
    """Unfinished jobs, not to be kept running, whose owners are absent."""
    now = now or timezone.now()
    live = PageLease.objects.filter(owner=OuterRef("pk"), expires__gt=now)
    # By owner, not by job: absent owners are few, waiting jobs may be thousands.
    absent = get_user_model().objects.filter(~Exists(live))
    unfinished = Job.objects.filter(status__in=UNFINISHED, keep_running=False, grace_until__lt=now)
    return unfinished.filter(owner__in=absent.values("pk"))


def why_absent(job_id: uuid.UUID) -> Reason:
    """The reason of an owner's absence: whether the page with the last lease was closed or fell silent."""
    last = PageLease.objects.filter(owner__jobs=job_id).order_by("expires").last()
    return Reason.PAGES_CLOSED if last and last.closed else Reason.NO_SIGN_OF_LIFE


def forgive(now: datetime, since: datetime | None = None) -> None:
    """Extend leases after a gap that began at `since` (None: not known), during which none could be renewed.

    Pages that were open then get a new lease, those that had just been closed the time to reload them. Jobs get a new
    grace time, unless their owner closed a page after the job's own grace had begun: then only pages count.
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
    """Finds abandoned jobs, and none during and just after a gap. Several may work side by side."""

    _wall: float = 0.0
    _steady: float = 0.0
    _blind: bool = True
    _gap: float = 0.0
    _checked: datetime | None = None

    @property
    def just_back(self) -> bool:
        """Whether a gap ended so recently that workers, too, had no time for a heartbeat."""
        return bool(self._gap) and time.monotonic() - self._gap < STALE.total_seconds()

    def abandoned_jobs(self) -> list[uuid.UUID]:
        """The ids of abandoned jobs; none during a gap. Call it at least once a second."""
        now = timezone.now()
        if self._gap_ends() or not _web_server_runs(now):
            self._blind = True
        elif self._blind:
            forgive(now, self._checked)
            self._blind, self._checked = False, now
        else:
            found = list(abandoned(now).values_list("pk", flat=True))
            self._checked = now
            return found
        return []

    def _gap_ends(self) -> bool:
        """Whether a gap ends now: this call is late, or the clock was set or ran on while the machine slept.

        The steady clock stops while the machine sleeps, the wall clock does not.
        """
        wall, steady = time.time(), time.monotonic()
        passed, apart = steady - self._steady, (wall - self._wall) - (steady - self._steady)
        first, self._wall, self._steady = not self._wall, wall, steady
        missed = passed > MAX_GAP_SECONDS or abs(apart) > MAX_GAP_SECONDS
        if missed and not first:
            self._gap = steady
        return missed


def _web_server_runs(now: datetime) -> bool:
    """Whether a web server runs, with which pages can renew their leases."""
    return Process.objects.filter(cluster=Process.WEB, seen__gt=now - MAX_WEB_SILENCE).exists()
