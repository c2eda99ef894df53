"""Messages to open pages as JSON texts: snapshots, changes of jobs, captions that are new or newly translated."""

from __future__ import annotations

import json
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error as DatabaseTrouble
from django.db.models import Q, prefetch_related_objects
from django.utils import timezone, translation

from jobs import presence
from jobs.models import Cue, Job, JobStatus
from jobs.web.serializers import brief, cue_data, snapshot

log = logging.getLogger(__name__)

SNAPSHOT_RELATIONS = ("stages", "artifacts")
"""Relations that a snapshot reads beside the row of the job."""

OVERLAP = timedelta(seconds=10)
"""The overlap of two polls: a change can be committed that long after its `changed` time, and the clocks of machines
may differ by as much.
"""

ALIVE = '{"type": "alive"}'
"""Sent to every page periodically, so that it can tell an idle socket from a dead one."""


@dataclass(eq=False, kw_only=True, slots=True)
class Page:
    """An open page with its socket.

    `job_id`: the job that it shows, if any. `known`: the number up to which it has all cues of that job, translated.
    `hidden`: its lease is not renewed.
    """

    page_id: uuid.UUID
    owner_id: int
    language: str
    job_id: uuid.UUID | None
    channel: str
    known: int = 0
    hidden: bool = False


Outbox = list[tuple[Page, str]]
"""Messages to send, each with its page."""


@dataclass(slots=True)
class Changes:
    """Finds jobs whose version differs from the last one that was read."""

    _seen: dict[uuid.UUID, int] = field(default_factory=dict)
    _polled: datetime | None = None

    def watched(self, pages: Sequence[Page], notified: set[str] | None) -> list[Job]:
        """The changed jobs that a page shows or whose owner has a page open, with SNAPSHOT_RELATIONS prefetched.

        Looks among the ids in `notified`; None: among all jobs that changed since the last poll.
        """
        owners, jobs = {page.owner_id for page in pages}, {page.job_id for page in pages}

        def has_changed(job_id: uuid.UUID, version: int, owner_id: int) -> bool:
            return self._seen.get(job_id) != version and (owner_id in owners or job_id in jobs)

        ids = [row[0] for row in self._poll() if has_changed(*row)] if notified is None else notified
        found = Job.objects.filter(pk__in=ids).select_related("owner")
        changed = [job for job in found if has_changed(job.pk, job.version, job.owner_id)]
        prefetch_related_objects(changed, *SNAPSHOT_RELATIONS)
        self._seen |= {job.pk: job.version for job in changed}
        return changed

    def _poll(self) -> list[tuple[uuid.UUID, int, int]]:
        """Id, version and owner of each job that changed since the last poll; forgets the versions of all others."""
        now = timezone.now()
        since = (self._polled or now) - OVERLAP
        rows = list(Job.objects.filter(changed__gte=since).order_by().values_list("pk", "version", "owner"))
        self._seen = {pk: self._seen[pk] for pk, _, _ in rows if pk in self._seen}
        self._polled = now
        return rows


@dataclass(slots=True)
class _Captions:
    """The cues that the pages of a job have: up to the number `top`, those in `open` without a translation."""

    top: int = 0
    open: set[int] = field(default_factory=set)

    def add(self, cues: Iterable[Cue]) -> None:
        """Record cues that are sent."""
        for cue in cues:
            self.top = max(self.top, cue.number)
            (self.open.discard if cue.answered else self.open.add)(cue.number)


@dataclass(slots=True)
class MessageBuilder:
    """Builds the messages to pages, and remembers which captions the pages of a job have."""

    _captions: dict[uuid.UUID, _Captions] = field(default_factory=dict)

    def snapshots(self, pages: Sequence[Page]) -> Outbox:
        """`hello`, the whole state, for each of these pages; the same text for equal owner, job and language."""
        made: dict[tuple[int, uuid.UUID | None, str, int], str] = {}
        outbox: Outbox = []
        for page in pages:
            key = (page.owner_id, page.job_id, page.language, page.known)
            if key in made or _safely(lambda page=page, key=key: made.update({key: self._hello(page)})):  # type: ignore[misc]
                outbox.append((page, made[key]))
        return outbox

    def _hello(self, page: Page) -> str:
        hello: dict[str, Any] = {"type": "hello", "unfinished": unfinished(page.owner_id), "job": None}
        missing: dict[str, Any] = {"cues": [], "all": True}
        job = next(_read([page.job_id]), None) if page.job_id else None
        if job:
            cues = list(job.cues.all())
            if job.pk not in self._captions:
                self._captions[job.pk] = captions = _Captions()
                captions.add(cues)
            missing = _missing_cues(cues, page.known)
            with translation.override(page.language):
                hello["job"] = snapshot(job, page.owner_id)
        return _text(hello | missing)

    def changes(self, jobs: Iterable[Job], pages: Sequence[Page]) -> Outbox:
        """Messages about these jobs and their new cues, for all pages that show them or belong to their owners."""
        watching, owning = _group_by(pages, lambda page: page.job_id), _group_by(pages, lambda page: page.owner_id)
        outbox: Outbox = []
        for job in jobs:
            _safely(lambda job=job: outbox.extend(_job_messages(job, watching[job.pk], owning[job.owner_id])))  # type: ignore[misc]
            _safely(lambda job=job: outbox.extend(self._cue_messages(job, watching[job.pk])))  # type: ignore[misc]
        return outbox

    def _cue_messages(self, job: Job, pages: Sequence[Page]) -> Outbox:
        news = self._new_cues(job) if pages else None
        text = _text(news) if news else ""
        return [(page, text) for page in pages if text]

    def _new_cues(self, job: Job) -> dict[str, Any] | None:
        """Cues that are new or newly translated; an empty list with `all` once those of a cancelled job are deleted."""
        known = self._captions.setdefault(job.pk, _Captions())
        if job.status == JobStatus.CANCELLED and known.top:
            self._captions[job.pk] = _Captions()
            return {"type": "cues", "cues": [], "all": True}
        news = list(job.cues.filter(Q(number__gt=known.top) | Q(number__in=known.open, answered=True)))
        known.add(news)
        return {"type": "cues", "cues": list(map(cue_data, news))} if news else None

    def deletions(self, pages: Sequence[Page]) -> Outbox:
        """`gone` for pages whose jobs were deleted. Clears their `job_id`, so that each gets it once."""
        watching = _group_by([page for page in pages if page.job_id], lambda page: page.job_id)
        gone = watching.keys() - set(Job.objects.filter(pk__in=watching).values_list("pk", flat=True))
        outbox = [(page, _text({"type": "gone", "id": str(job_id)})) for job_id in gone for page in watching[job_id]]
        for page, _ in outbox:
            page.job_id = None
        return outbox

    def forget_all_but(self, pages: Iterable[Page]) -> None:
        """Forget the captions of jobs that none of these pages shows."""
        watched = {page.job_id for page in pages}
        for job_id in [job_id for job_id in self._captions if job_id not in watched]:
            del self._captions[job_id]


def _missing_cues(cues: Sequence[Cue], known: int) -> dict[str, Any]:
    """The `cues` above the number `known`; with `all`, every cue, when the page has none or others."""
    whole = known == 0 or known not in {cue.number for cue in cues}
    return {"cues": [cue_data(cue) for cue in cues if whole or cue.number > known], "all": whole}


def unfinished(owner_id: int) -> list[str]:
    """The ids of the jobs that are cancelled when this user leaves."""
    return [str(job_id) for job_id in presence.at_stake(owner_id).values_list("pk", flat=True)]


def _job_messages(job: Job, watching: Sequence[Page], owning: Sequence[Page]) -> Outbox:
    """A snapshot for pages that show the job, a row for other pages of its owner.

    Pages of the owner also get the ids of the jobs that are cancelled when they leave.
    """
    at_stake = {"unfinished": unfinished(job.owner_id)} if owning else {}
    mine = [page for page in watching if page.owner_id == job.owner_id]
    others = [page for page in watching if page.owner_id != job.owner_id]
    elsewhere = [page for page in owning if page.job_id != job.pk]
    return [
        *_for_each_viewer(mine, lambda viewer: {"type": "job", "job": snapshot(job, viewer), **at_stake}),
        *_for_each_viewer(others, lambda viewer: {"type": "job", "job": snapshot(job, viewer)}),
        *_for_each_viewer(elsewhere, lambda _: {"type": "brief", "job": brief(job), **at_stake}),
    ]


def _for_each_viewer(pages: Sequence[Page], make: Callable[[int], dict[str, Any]]) -> Outbox:
    """Messages in the language of each page, built once for all pages of one person in one language."""
    outbox: Outbox = []
    for (viewer, language), same in _group_by(pages, lambda page: (page.owner_id, page.language)).items():
        with translation.override(language):
            text = _text(make(viewer))
        outbox += [(page, text) for page in same]
    return outbox


def _read(job_ids: Iterable[uuid.UUID]) -> Iterator[Job]:
    """The jobs with SNAPSHOT_RELATIONS prefetched."""
    return iter(Job.objects.filter(pk__in=list(job_ids)).select_related("owner").prefetch_related(*SNAPSHOT_RELATIONS))


def _safely(work: Callable[[], object]) -> bool:
    """Run `work`; log any error but one of the database, so that one faulty job does not stop the updates of others."""
    try:
        work()
    except DatabaseTrouble:
        raise
    except Exception:
        log.exception("A page update failed")
        return False
    return True


def _group_by(pages: Iterable[Page], key: Callable[[Page], Any]) -> defaultdict[Any, list[Page]]:
    found: defaultdict[Any, list[Page]] = defaultdict(list)
    for page in pages:
        found[key(page)].append(page)
    return found


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder)
