"""The list of jobs: which of them, in which order."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from jobs.models import UNFINISHED, Job, JobStatus

PAGE = 20
"""Jobs on a page of the list."""

LONGEST = 200
"""Characters of a search: SQLite refuses to compare with a text of many thousands."""

FILTERS = {
    "running": gettext_lazy("Running"),
    "done": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
}
_STATUSES = {
    "running": [*UNFINISHED, JobStatus.CANCELLING],
    "done": [JobStatus.COMPLETED],
    "failed": [JobStatus.FAILED, JobStatus.CANCELLED],
}


def searched(found: QuerySet[Job], wanted: str, search: str) -> QuerySet[Job]:
    """Those that a filter wants (an unknown one wants all) and in whose name the words stand; the newest first."""
    if wanted in _STATUSES:
        found = found.filter(status__in=_STATUSES[wanted])
    for word in search[:LONGEST].split()[:10]:
        found = found.filter(Q(title__icontains=word) | Q(source__icontains=word))
    return found.order_by("-created")
