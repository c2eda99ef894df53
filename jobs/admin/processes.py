"""Admin page of clusters and workers: queue lengths, live processes and their stages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Prefetch
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs.admin.base import ReadOnly
from jobs.admin.display import ago, stage
from jobs.models import Process, Queue, StageRun, StageStatus
from jobs.queueing import tickets
from jobs.queueing.processes import STALE

_SHOWN_FOR = timedelta(days=1)
"""The time for which a process is listed after its last heartbeat."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterLine:
    """A cluster: numbers of its stages, available tickets and live workers; times as text."""

    name: str
    ready: int
    oldest: str
    running: int
    tickets: int
    workers: int
    last_claim: str

    @property
    def is_unattended(self) -> bool:
        """Whether stages are ready and no worker is alive."""
        return self.ready > 0 and self.workers == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerLine:
    """A process. `stages`: the id of the job and the label of each stage that it runs now."""

    row: Process
    seen: str
    is_stale: bool
    last_claim: str
    stages: list[tuple[uuid.UUID, str]]


def cluster_lines() -> list[ClusterLine]:
    """One line for each cluster, by five queries in all."""
    now = timezone.now()
    stages = StageRun.objects.filter(status__in=(StageStatus.READY, StageStatus.RUNNING)).order_by()
    counts = {
        (queue, status): (count, oldest)
        for queue, status, count, oldest in stages.values_list("queue", "status").annotate(Count("pk"), Min("ready_at"))
    }
    alive = Process.objects.filter(seen__gt=now - STALE).values_list("cluster").annotate(Count("pk"), Max("last_claim"))
    workers: dict[str, tuple[int, datetime | None]] = {cluster: (count, claim) for cluster, count, claim in alive}
    return [_line(queue, counts, *workers.get(queue, (0, None))) for queue in Queue.values]


def _line(
    queue: str, counts: dict[tuple[str, str], tuple[int, datetime]], workers: int, claim: datetime | None
) -> ClusterLine:
    ready, oldest = counts.get((queue, StageStatus.READY), (0, None))
    running, _oldest = counts.get((queue, StageStatus.RUNNING), (0, None))
    return ClusterLine(
        name=queue,
        ready=ready,
        oldest=ago(oldest) if oldest else "",
        running=running,
        tickets=tickets.waiting(queue),
        workers=workers,
        last_claim=ago(claim),
    )


def worker_lines() -> list[WorkerLine]:
    """One line for each process with a heartbeat in the last day, by two queries in all."""
    now = timezone.now()
    running = StageRun.objects.filter(status=StageStatus.RUNNING).only("job", "stage", "worker", "number")
    rows = Process.objects.filter(seen__gt=now - _SHOWN_FOR).order_by("cluster", "host", "-seen")
    return [
        WorkerLine(
            row=row,
            seen=ago(row.seen),
            is_stale=row.seen <= now - STALE,
            last_claim=ago(row.last_claim),
            stages=[(run.job_id, stage(run.stage)) for run in row.stages.all()],
        )
        for row in rows.prefetch_related(Prefetch("stages", running))
    ]


@admin.register(Process)
class ProcessAdmin(ReadOnly):
    """Processes; the list is replaced by the page of clusters and workers."""

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """The page of clusters and workers. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Clusters and workers"),
            "opts": self.opts,
            "clusters": cluster_lines(),
            "workers": worker_lines(),
        }
        return TemplateResponse(request, "admin/jobs/process/change_list.html", context)
