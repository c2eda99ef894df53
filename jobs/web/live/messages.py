"""What open pages are told: whole snapshots, changes of jobs, captions that are new or newly translated. JSON texts."""

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
from jobs.web.serializers import brief, cue_of, snapshot

log = logging.getLogger(__name__)

WHOLE = ("stages", "artifacts")
"""What a snapshot needs beside the row."""

OVERLAP = timedelta(seconds=10)
"""A change can be committed so long after the time it bears; so far the clocks of machines may be apart, too."""

ALIVE = '{"type": "alive"}'
"""Said to every page now and then, so that it can tell a socket that is silent from one that is dead."""


@dataclass(eq=False, kw_only=True, slots=True)
class Page:
    """An open page with its socket. `job_id`: whose page it is. `known`: the number up to which the page has all cues
    of that job, translated. `hidden`: its lease is not renewed meanwhile.
    """

    page_id: uuid.UUID
    owner_id: int
    language: str
    job_id: uuid.UUID | None
    channel: str
    known: int = 0
    hidden: bool = False


Said = list[tuple[Page, str]]


@dataclass(slots=True)
class Changes:
    """Which jobs have another version than when they were looked at last."""

    _seen: dict[uuid.UUID, int] = field(default_factory=dict)
    _looked: datetime | None = None

    def of(self, pages: Sequence[Page], heard: set[str] | None) -> list[Job]:
        """Those that somebody watches, among those that were `heard` of; None: among all. With stages and files."""
        owners, jobs = {page.owner_id for page in pages}, {page.job_id for page in pages}

        def is_news(job_id: uuid.UUID, version: int, owner_id: int) -> bool:
            return self._seen.get(job_id) != version and (owner_id in owners or job_id in jobs)

        wanted = [row[0] for row in self._lately() if is_news(*row)] if heard is None else heard
        found = Job.objects.filter(pk__in=wanted).select_related("owner")
        news = [job for job in found if is_news(job.pk, job.version, job.owner_id)]
        prefetch_related_objects(news, *WHOLE)
        self._seen |= {job.pk: job.version for job in news}
        return news

    def _lately(self) -> list[tuple[uuid.UUID, int, int]]:
        """Id, version and owner of each job that changed since the last look; what was seen of others is forgotten."""
        now = timezone.now()
        since = (self._looked or now) - OVERLAP
        rows = list(Job.objects.filter(changed__gte=since).order_by().values_list("pk", "version", "owner"))
        self._seen = {pk: self._seen[pk] for pk, _, _ in rows if pk in self._seen}
        self._looked = now
        return rows


@dataclass(slots=True)
class _Captions:
    """Which cues of a job its pages know: up to the number `top`, those of `open` without a translation."""

    top: int = 0
    open: set[int] = field(default_factory=set)

    def learn(self, cues: Iterable[Cue]) -> None:
        for cue in cues:
            self.top = max(self.top, cue.number)
            (self.open.discard if cue.answered else self.open.add)(cue.number)


@dataclass(slots=True)
class Teller:
    """Makes what pages are told. It remembers which captions the pages of a job know."""

    _captions: dict[uuid.UUID, _Captions] = field(default_factory=dict)

    def greetings(self, pages: Sequence[Page]) -> Said:
        """The whole state, for each of these pages."""
        made: dict[tuple[int, uuid.UUID | None, str, int], str] = {}
        said: Said = []
        for page in pages:
            key = (page.owner_id, page.job_id, page.language, page.known)
            if key in made or _safely(lambda page=page, key=key: made.update({key: self._greeting(page)})):  # type: ignore[misc]
                said.append((page, made[key]))
        return said

    def _greeting(self, page: Page) -> str:
        hello: dict[str, Any] = {"type": "hello", "unfinished": unfinished(page.owner_id), "job": None}
        missing: dict[str, Any] = {"cues": [], "all": True}
        job = next(_read([page.job_id]), None) if page.job_id else None
        if job:
            cues = list(job.cues.all())
            if job.pk not in self._captions:
                self._captions[job.pk] = captions = _Captions()
                captions.learn(cues)
            missing = _missing(cues, page.known)
            with translation.override(page.language):
                hello["job"] = snapshot(job, page.owner_id)
        return _text(hello | missing)

    def changes(self, jobs: Iterable[Job], pages: Sequence[Page]) -> Said:
        """Of these jobs, for all who watch them."""
        watching, owning = _by(pages, lambda page: page.job_id), _by(pages, lambda page: page.owner_id)
        said: Said = []
        for job in jobs:
            _safely(lambda job=job: said.extend(_of_job(job, watching[job.pk], owning[job.owner_id])))  # type: ignore[misc]
            _safely(lambda job=job: said.extend(self._of_cues(job, watching[job.pk])))  # type: ignore[misc]
        return said

    def _of_cues(self, job: Job, pages: Sequence[Page]) -> Said:
        news = self._news(job) if pages else None
        text = _text(news) if news else ""
        return [(page, text) for page in pages if text]

    def _news(self, job: Job) -> dict[str, Any] | None:
        """Cues that are new or answered now; `all`, without any, once those of a cancelled job were deleted."""
        known = self._captions.setdefault(job.pk, _Captions())
        if job.status == JobStatus.CANCELLED and known.top:
            self._captions[job.pk] = _Captions()
            return {"type": "cues", "cues": [], "all": True}
        news = list(job.cues.filter(Q(number__gt=known.top) | Q(number__in=known.open, answered=True)))
        known.learn(news)
        return {"type": "cues", "cues": list(map(cue_of, news))} if news else None

    def deletions(self, pages: Sequence[Page]) -> Said:
        """For pages of jobs that are there no more, once."""
        watching = _by([page for page in pages if page.job_id], lambda page: page.job_id)
        gone = watching.keys() - set(Job.objects.filter(pk__in=watching).values_list("pk", flat=True))
        said = [(page, _text({"type": "gone", "id": str(job_id)})) for job_id in gone for page in watching[job_id]]
        for page, _ in said:
            page.job_id = None
        return said

    def forget_all_but(self, pages: Iterable[Page]) -> None:
        """Captions of jobs that nobody watches any more."""
        watched = {page.job_id for page in pages}
        for job_id in [job_id for job_id in self._captions if job_id not in watched]:
            del self._captions[job_id]


def _missing(cues: Sequence[Cue], known: int) -> dict[str, Any]:
    """The cues that a page lacks which has those up to the number `known`; `all` of them if it has none, or others."""
    whole = known == 0 or known not in {cue.number for cue in cues}
    return {"cues": [cue_of(cue) for cue in cues if whole or cue.number > known], "all": whole}


def unfinished(owner_id: int) -> list[str]:
    """The ids of the jobs that end when this person leaves."""
    return [str(job_id) for job_id in presence.at_stake(owner_id).values_list("pk", flat=True)]


def _of_job(job: Job, watching: Sequence[Page], owning: Sequence[Page]) -> Said:
    """All of it for the pages that show it, a row for the owner's other ones; for the owner, what leaving would end."""
    at_stake = {"unfinished": unfinished(job.owner_id)} if owning else {}
    mine = [page for page in watching if page.owner_id == job.owner_id]
    others = [page for page in watching if page.owner_id != job.owner_id]
    elsewhere = [page for page in owning if page.job_id != job.pk]
    return [
        *_for_each_reader(mine, lambda reader: {"type": "job", "job": snapshot(job, reader), **at_stake}),
        *_for_each_reader(others, lambda reader: {"type": "job", "job": snapshot(job, reader)}),
        *_for_each_reader(elsewhere, lambda _: {"type": "brief", "job": brief(job), **at_stake}),
    ]


def _for_each_reader(pages: Sequence[Page], make: Callable[[int], dict[str, Any]]) -> Said:
    """In the language of the page; several pages of one person are told the same."""
    said: Said = []
    for (reader, language), same in _by(pages, lambda page: (page.owner_id, page.language)).items():
        with translation.override(language):
            text = _text(make(reader))
        said += [(page, text) for page in same]
    return said


def _read(job_ids: Iterable[uuid.UUID]) -> Iterator[Job]:
    """With all that a snapshot needs."""
    return iter(Job.objects.filter(pk__in=list(job_ids)).select_related("owner").prefetch_related(*WHOLE))


def _safely(work: Callable[[], object]) -> bool:
    """What is wrong with one job must not keep pages from hearing of the others."""
    try:
        work()
    except DatabaseTrouble:
        raise
    except Exception:
        log.exception("A page update failed")
        return False
    return True


def _by(pages: Iterable[Page], key: Callable[[Page], Any]) -> defaultdict[Any, list[Page]]:
    found: defaultdict[Any, list[Page]] = defaultdict(list)
    for page in pages:
        found[key(page)].append(page)
    return found


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder)
