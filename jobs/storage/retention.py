"""Cleanup: deletes expired results, incomplete uploads, files without a row, rows without their files, old rows.

Each job is checked again under its lock before it is deleted, so a cleanup is safe beside running jobs and other
cleanups. It is also safe to kill: files are moved into the trash together with the deletion of their row, and every
cleanup empties the trash.
"""

from __future__ import annotations

import logging
import math
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from jobs import lifecycle
from jobs.models import FINAL, UNFINISHED, Job, JobStatus, PageLease, Process, Reason, Transition, TranslationCache
from jobs.pipeline.media.limits import bytes_text
from jobs.storage import artifacts, deletion

log = logging.getLogger(__name__)

YOUNG = timedelta(hours=1)
"""The age up to which a directory without a row is kept: a job may be in creation, whose row is written second."""

_T = TypeVar("_T")

SCHEDULED = 30.0
"""Seconds of a scheduled cleanup, which occupies a worker; the rest is left for the next one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """The options of a cleanup: `dry` only counts; no removal starts after `until`, a time of the monotonic clock."""

    dry: bool
    until: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Freed:
    """The number of things of a kind that were removed, or would be, and the bytes that this frees on the disk."""

    kind: str
    count: int
    size: int = 0

    def told(self, *, dry_run: bool = False) -> str:
        """One line of text for a person."""
        would = "would be " if dry_run else ""
        freed = f", {bytes_text(self.size)} {would}freed" if self.size else ""
        return f"{self.kind}: {self.count} {would}removed{freed}"


def clean_up(
    older_than: timedelta, *, dry_run: bool = False, orphans_only: bool = False, seconds: float = math.inf
) -> list[Freed]:
    """Delete everything that is due, or only count it (`dry_run`). `older_than`: the time since the last edit of a
    result, or the last byte of an upload. After `seconds` no further removal starts.

    A removal that fails is logged and tried again by the next cleanup.
    """
    way = _Way(dry=dry_run, until=time.monotonic() + seconds)
    if not artifacts.is_present():  # only on the right disk are missing and orphaned files real
        if Job.objects.exists():
            log.warning("Cleanup skipped: the disk of this installation is missing")
        return [] if orphans_only else [_rows(kind, old, way) for kind, old in _old()]
    if orphans_only:
        return [_orphans(way)]
    before = timezone.now() - older_than
    past = Job.objects.filter(status__in=FINAL, pinned=False, edited__lt=before)
    half = _half_uploads(before)
    paused = Job.objects.filter(
        status=JobStatus.PAUSED, pinned=False, changed__lt=timezone.now() - timedelta(days=settings.PAUSED_DAYS)
    )
    lost = Job.objects.filter(status=JobStatus.COMPLETED).exclude(pinned=False, edited__lt=before)
    return [
        *(_rows(kind, old, way) for kind, old in _old()),
        _orphans(way),
        _jobs("incomplete uploads", half, _end_upload, way),
        _jobs("jobs paused for too long", paused, _end_paused, way),
        _jobs("expired results", past, deletion.delete, way),
        _jobs("results without files", lost, deletion.delete, way, only=_has_no_files),
        _each("trash", _below(artifacts.trash()), artifacts.bytes_below, artifacts.delete_tree, way),
        _leftovers(past | half, way),
    ]


def scheduled() -> str:
    """Clean up, as Django-Q's schedule calls it. Returns a summary, which is stored with the task."""
    found = [
        freed.told() for freed in clean_up(timedelta(hours=settings.RETENTION_HOURS), seconds=SCHEDULED) if freed.count
    ]
    return "; ".join(found) or "nothing to remove"


# Jobs: each is checked again under its lock, for it may have been edited, pinned or retried since it was found


def _jobs(
    kind: str,
    due: QuerySet[Job],
    remove: Callable[[uuid.UUID, QuerySet[Job]], bool],
    way: _Way,
    only: Callable[[uuid.UUID], bool] = lambda _: True,
) -> Freed:
    found = list(due.values_list("pk", flat=True))
    return _each(kind, found, _size_of, lambda one: remove(one, due), way, only)


def _locked(job_id: uuid.UUID, due: QuerySet[Job]) -> bool:
    """Whether the job is still due. Its row is locked until the transaction ends."""
    return due.select_for_update().filter(pk=job_id).first() is not None


def _half_uploads(before: datetime) -> QuerySet[Job]:
    """Uploads without a byte since `before`, and cancelled uploads whose files may still exist."""
    given_up = Transition.objects.filter(
        job=OuterRef("pk"), from_status=JobStatus.UPLOADING, to_status=JobStatus.CANCELLING
    )
    silent = Q(status=JobStatus.UPLOADING, changed__lt=before)
    return Job.objects.filter(silent | Q(Exists(given_up), status=JobStatus.CANCELLING))


def _end_upload(job_id: uuid.UUID, due: QuerySet[Job]) -> bool:
    return _cancel(job_id, due, Reason.UPLOAD_EXPIRED)


def _end_paused(job_id: uuid.UUID, due: QuerySet[Job]) -> bool:
    return _cancel(job_id, due, Reason.PAUSE_EXPIRED)


def _cancel(job_id: uuid.UUID, due: QuerySet[Job], reason: Reason) -> bool:
    with transaction.atomic():
        if _locked(job_id, due):
            lifecycle.cancel(job_id, actor=lifecycle.SYSTEM, reason=reason)
    return deletion.finish(job_id)


def _has_no_files(job_id: uuid.UUID) -> bool:
    """Whether the job's directory is missing while the disk is mounted."""
    return not artifacts.job_dir(job_id).exists() and artifacts.is_present()


# Files, and old rows


def _orphans(way: _Way) -> Freed:
    return _each("orphaned directories", _old_orphans(), _size_of, _delete_orphan, way)


def _old_orphans() -> Iterator[uuid.UUID]:
    """Orphaned directories older than YOUNG that are named like a job: anything else was not made by this program."""
    for place in artifacts.orphans():
        with suppress(ValueError, FileNotFoundError):
            job_id = uuid.UUID(place.name)
            age = time.time() - place.lstat().st_mtime
            if place == artifacts.job_dir(job_id) and place.is_dir() and age > YOUNG.total_seconds():
                yield job_id


def _size_of(job_id: uuid.UUID) -> int:
    return artifacts.bytes_below(artifacts.job_dir(job_id))


def _delete_orphan(job_id: uuid.UUID) -> bool:
    return not Job.objects.filter(pk=job_id).exists() and artifacts.delete_job_dir(job_id)


def _leftovers(whole: QuerySet[Job], way: _Way) -> Freed:
    """Delete files that no row names from the directories of jobs, except jobs that are deleted as a `whole`.

    Every directory is checked, which may take longer than the cleanup may last: in random order, so that each is
    reached by some cleanup.
    """
    going = set(whole.values_list("pk", flat=True))
    kind, found = "leftovers of killed processes", [job_id for job_id in artifacts.with_files() if job_id not in going]
    random.shuffle(found)
    return _each(kind, found, _size_of_leftovers, _clear_leftovers, way, lambda one: bool(artifacts.unpublished(one)))


def _size_of_leftovers(job_id: uuid.UUID) -> int:
    found = artifacts.unpublished(job_id)
    kept = sum((place / name).lstat().st_size for place, names in found.items() for name in names)
    return sum(map(artifacts.bytes_below, found)) - kept


def _clear_leftovers(job_id: uuid.UUID) -> bool:
    artifacts.delete_unpublished(job_id)
    return not artifacts.unpublished(job_id)


def _below(place: Path) -> list[Path]:
    return list(place.iterdir()) if place.is_dir() else []


def _old() -> list[tuple[str, QuerySet[Any]]]:
    """Old rows by kind. A command writes no heartbeat while it waits for its job, so its row is kept until then."""
    now = timezone.now()
    day = now - timedelta(days=1)
    waits = Job.objects.filter(client=OuterRef("pk"), status__in=UNFINISHED)
    return [
        ("expired page leases", PageLease.objects.filter(expires__lt=day)),
        ("unused cached translations", TranslationCache.objects.filter(used__lt=now - timedelta(days=90))),
        ("ended processes", Process.objects.filter(~Exists(waits), seen__lt=day)),
    ]


def _rows(kind: str, old: QuerySet[Any], way: _Way) -> Freed:
    return Freed(kind=kind, count=old.count() if way.dry else old.delete()[0])


def _each(
    kind: str,
    found: Iterable[_T],
    size_of: Callable[[_T], int],
    remove: Callable[[_T], bool],
    way: _Way,
    only: Callable[[_T], bool] = lambda _: True,
) -> Freed:
    """Remove one after another; a removal that fails does not stop the others."""
    count = size = 0
    for one in found:
        if time.monotonic() > way.until:
            break
        try:
            if not only(one):
                continue
            bytes_of_it = size_of(one)
            if not (way.dry or remove(one)):
                log.info("%s: %s kept", kind, one)
                continue
        except (OSError, lifecycle.IllegalTransition) as error:
            log.warning("%s: %s could not be removed: %s", kind, one, error)
            continue
        count, size = count + 1, size + bytes_of_it
    return Freed(kind=kind, count=count, size=size)
