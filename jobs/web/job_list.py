"""Filtering, searching and ordering of the job list."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from jobs.models import CANCELLABLE, Job, JobStatus

PAGE_SIZE = 20
"""Jobs on one page of the list."""

MAX_SEARCH_LENGTH = 200
"""Characters of a search that are used: SQLite refuses LIKE patterns of more than 50,000 bytes."""

FILTERS = {
    "running": gettext_lazy("Running"),
    "done": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
}
_STATUSES = {
    "running": [*CANCELLABLE, JobStatus.CANCELLING],
    "done": [JobStatus.COMPLETED],
    "failed": [JobStatus.FAILED, JobStatus.CANCELLED],
}


def filter_jobs(jobs: QuerySet[Job], status_filter: str, search: str) -> QuerySet[Job]:
    """Jobs that match `status_filter` (a key of FILTERS; any other value matches all) and contain every word of
    `search` (the first ten) in their title or source; newest first.
    """
    if status_filter in _STATUSES:
        jobs = jobs.filter(status__in=_STATUSES[status_filter])
    for word in search[:MAX_SEARCH_LENGTH].split()[:10]:
        jobs = jobs.filter(Q(title__icontains=word) | Q(source__icontains=word))
    return jobs.order_by("-created")
