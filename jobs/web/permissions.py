"""Whose is it? A job, and all that belongs to it, answers its owner and staff; to others it does not exist."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from jobs.models import Job


def jobs_of(user: Any) -> QuerySet[Job]:
    """The jobs that `user` may see: their own, or all for staff. None for somebody who is not signed in."""
    if not user.is_authenticated:
        return Job.objects.none()
    return Job.objects.all() if user.is_staff else Job.objects.filter(owner=user.pk)


def job_for(user: Any, job_id: uuid.UUID) -> Job:
    """The job, if `user` may see it. Raises Http404, whether it is somebody else's or nobody's."""
    job = jobs_of(user).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job
