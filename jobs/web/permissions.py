"""Access to jobs: the owner and staff see a job and its files; for others it does not exist (404)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from jobs.models import Job


def visible_jobs(user: Any) -> QuerySet[Job]:
    """The jobs that `user` may see: their own, all of them for staff, none for an anonymous user."""
    if not user.is_authenticated:
        return Job.objects.none()
    return Job.objects.all() if user.is_staff else Job.objects.filter(owner=user.pk)


def job_for(user: Any, job_id: uuid.UUID) -> Job:
    """The job, if `user` may see it. Raises Http404 when it does not exist or belongs to another user."""
    job = visible_jobs(user).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job
