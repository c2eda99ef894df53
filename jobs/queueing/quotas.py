"""Quotas of an owner: jobs at once, minutes in a day, bytes on the disk. Checked before any byte is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Sum
from django.utils import timezone

from jobs.models import Artifact, Job, JobStatus, OwnerLimits, UsageEntry
from jobs.pipeline.errors import DailyMinutes, StorageFull, TooManyJobs
from jobs.pipeline.media.limits import bytes_text, duration_text

DAY = timedelta(hours=24)


def check(owner: AbstractBaseUser, *, new_bytes: int = 0) -> None:
    """Check that `owner` may have one more job, with a file of `new_bytes` (0: not known yet).

    Call it inside the transaction that creates the job: it locks the owner, so that two concurrent uploads cannot both
    take the last place. Raises TooManyJobs, DailyMinutes, StorageFull.
    """
    limits = _limits(owner)
    _check_queue(owner, _limit(limits.queued, settings.LIMIT_QUEUED))
    _check_minutes(owner, _limit(limits.minutes_a_day, settings.LIMIT_MINUTES_A_DAY))
    _check_storage(owner, _limit(limits.stored_bytes, settings.LIMIT_STORED_BYTES), new_bytes)


def check_retry(owner: AbstractBaseUser) -> None:
    """Check that one more job of `owner` may be queued; call it as `check`. Raises TooManyJobs."""
    _check_queue(owner, _limit(_limits(owner).queued, settings.LIMIT_QUEUED))


def check_found(job: Job, new_bytes: int) -> None:
    """Check the quotas again after the fetch, when length and size (`new_bytes`) of the video are known. Call it inside
    the transaction that saves the length. Raises DailyMinutes, StorageFull.
    """
    limits = _limits(job.owner)
    _check_minutes(job.owner, _limit(limits.minutes_a_day, settings.LIMIT_MINUTES_A_DAY), but=job)
    if new_bytes:
        _check_storage(job.owner, _limit(limits.stored_bytes, settings.LIMIT_STORED_BYTES), new_bytes)


def _limits(owner: AbstractBaseUser) -> OwnerLimits:
    """The limits of `owner`, whose row is locked until the transaction ends."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=owner.pk)
    return OwnerLimits.objects.filter(owner=owner.pk).first() or OwnerLimits()


def _limit(own: int | None, common: int) -> int:
    """The owner's own limit, or else the common one; 0: no limit."""
    return common if own is None else own


def _check_queue(owner: AbstractBaseUser, limit: int) -> None:
    count = Job.objects.filter(owner=owner.pk, status__in=(JobStatus.UPLOADING, JobStatus.QUEUED)).count()
    if limit and count >= limit:
        raise TooManyJobs(count=count, limit=limit)


def _check_minutes(owner: AbstractBaseUser, limit: int, but: Job | None = None) -> None:
    """Check the minutes of all jobs `but` one. An owner with any minutes left may start one more job of any length. The
    recognised seconds of deleted jobs count, too.
    """
    if not limit:
        return
    since = timezone.now() - DAY
    jobs = Job.objects.filter(owner=owner.pk, created__gt=since)
    used = _sum(jobs.exclude(pk=but.pk) if but else jobs, "seconds")
    used += _sum(UsageEntry.objects.filter(owner=owner.pk, at__gt=since, job=None), "seconds")
    if used >= 60 * limit:
        raise DailyMinutes(used=duration_text(used), limit=duration_text(60 * limit))


def _check_storage(owner: AbstractBaseUser, limit: int, new_bytes: int) -> None:
    """Check stored bytes plus announced sizes of running uploads. A file of unknown size counts as one byte."""
    if not limit:
        return
    stored = _sum(Artifact.objects.filter(job__owner=owner.pk), "size")
    stored += _sum(Job.objects.filter(owner=owner.pk, status=JobStatus.UPLOADING), "size")
    if stored + max(new_bytes, 1) > limit:
        raise StorageFull(stored=bytes_text(int(stored)), limit=bytes_text(limit))


def _sum(rows: Any, field: str) -> float:
    return rows.aggregate(total=Sum(field))["total"] or 0
