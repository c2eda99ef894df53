"""The sweep: what nobody else looks after. It may run in any number of copies, and be killed at any moment.

One pass: stages whose worker died are taken over, jobs that are to be cancelled are ended, presence is judged, uploads
that never end are given up, lost tickets are issued anew, and a cluster that takes no tickets any more is ended, for
supervisord to begin it again.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from jobs import lifecycle
from jobs.lifecycle import PRESENCE, IllegalTransition, LostAttempt
from jobs.models import UNFINISHED, Job, JobStatus, Process, Queue, Reason, StageRun, StageStatus
from jobs.pipeline.errors import StageDied
from jobs.pipeline.process import groups
from jobs.presence import AbsenceDetector, abandoned, why_absent
from jobs.queueing import processes, tickets
from jobs.queueing.processes import STALE, host
from jobs.queueing.scheduling import fair_order
from jobs.storage import artifacts, deletion

log = logging.getLogger("jobs.worker.reaper")

SWEEP_INTERVAL = 1.0
"""Seconds between two passes."""

PRESENCE_INTERVAL = 0.25
"""Seconds between two looks for absent owners: closing the last tab ends a job within a second of the grace."""

LOST_HOST_SILENCE = timedelta(seconds=60)
"""After so long without a sign from a stage of another machine, that machine is taken for dead."""

SWEEP_TIMEOUT = 300.0
"""Seconds after which a pass that has not ended counts as hanging: to delete many large files may well take minutes."""


STUCK_BEFORE_KILL = timedelta(seconds=5)
"""For so long a cluster must be stuck, pass after pass, before it is ended."""


@dataclass(slots=True)
class Reaper:
    """Passes, one after the other."""

    _absence: AbsenceDetector = field(default_factory=AbsenceDetector)
    _stuck_since: dict[str, datetime] = field(default_factory=dict)
    _swept: float = field(default_factory=time.monotonic)
    _disk: bool | None = None

    def run(self, stop: threading.Event) -> None:
        """Pass after pass until `stop` is set. A database that is away is waited for."""
        rest = 0.0
        while not stop.wait(PRESENCE_INTERVAL):
            rest -= PRESENCE_INTERVAL
            try:
                close_old_connections()
                self.cancel_abandoned()
                if rest <= 0:
                    rest = SWEEP_INTERVAL
                    self.sweep()
            except DatabaseTrouble:
                log.warning("Sweep skipped: the database does not respond")
                with suppress(DatabaseTrouble):
                    connection.close()
            except OSError as error:
                log.warning("Disk error: %s", error)
            except Exception:
                log.exception("Sweep failed")  # what is wrong with one job must not keep others from their end

    def sweep(self) -> None:
        """One whole pass."""
        self._swept = time.monotonic()
        self.cancel_abandoned()
        dead = dead_stages(by_silence=not self._absence.just_back)
        for run in list(dead):
            take_over(run, dead)
        for job_id in _cancelling():
            deletion.finish(job_id)
        self.cancel_abandoned()
        self._check_disk()
        expire_uploads()
        reissue_tickets()
        self.end_stuck_clusters()

    def _check_disk(self) -> None:
        """Jobs wait for a disk that is away: their pages say so."""
        there = artifacts.is_present()
        if self._disk not in {None, there}:
            log.warning(
                "The disk with the files is %s.", "there again" if there else "not there: everything waits for it"
            )
            lifecycle.refresh_pages()
        self._disk = there

    def cancel_abandoned(self) -> None:
        """End the jobs whose owners left, and those whose command was killed, which is certain at once."""
        ended = [
            job_id for job_id in deserted() if lifecycle.cancel(job_id, actor=PRESENCE, reason=Reason.COMMAND_KILLED)
        ]
        ended += [job_id for job_id in self._absence.abandoned_jobs() if _abandon(job_id)]
        for job_id in ended:  # what takes longer: others may come back meanwhile
            deletion.finish(job_id)

    def lives(self) -> bool:
        """Whether one pass follows the other."""
        return time.monotonic() - self._swept < SWEEP_TIMEOUT

    def end_stuck_clusters(self) -> None:
        """Clusters of this machine that leave tickets lying: Django-Q can deadlock when an idle worker is killed."""
        now, stuck = timezone.now(), tickets.stuck_clusters()
        for queue in Queue.values:
            if (queue, host()) not in stuck:
                self._stuck_since.pop(queue, None)
            elif now - self._stuck_since.setdefault(queue, now) > STUCK_BEFORE_KILL:
                del self._stuck_since[queue]
                _end_cluster(queue)


def dead_stages(*, by_silence: bool = True) -> QuerySet[StageRun]:
    """Running stages that nobody runs any more. After a gap silence proves nothing: who slept could not speak."""
    now = timezone.now()
    silent = Q(heartbeat__lt=now - STALE, host__in=("", host())) | Q(heartbeat__lt=now - LOST_HOST_SILENCE)
    gone = [
        worker.pk for worker in Process.objects.filter(stages__status=StageStatus.RUNNING) if processes.is_gone(worker)
    ]
    dead = Q(worker__in=gone) | silent if by_silence else Q(worker__in=gone)
    return StageRun.objects.filter(dead, status=StageStatus.RUNNING)


def deserted() -> list[uuid.UUID]:
    """Unfinished jobs of commands that run no more."""
    waiting = Job.objects.filter(status__in=UNFINISHED, client__isnull=False).select_related("client")
    return [job.pk for job in waiting if job.client and processes.is_gone(job.client)]


def _abandon(job_id: uuid.UUID) -> bool:
    """Cancel the job if its owner is still absent: the list of those may have become old."""
    with transaction.atomic():
        absent = abandoned().select_for_update().filter(pk=job_id).exists()
        return absent and lifecycle.cancel(job_id, actor=PRESENCE, reason=why_absent(job_id))


def take_over(run: StageRun, dead: QuerySet[StageRun]) -> None:
    """End what is left of a stage that is `dead` still, then repeat it, or fail it, or let its job be cancelled.

    Who is killed here is who worked for that very attempt: as it was taken away from them they have begun nothing else.
    """
    assert run.attempt, "a running stage has one"
    attempt = lifecycle.take_over(run.attempt, dead)
    if attempt is None:
        return
    here = run.host in {"", host()} and run.boot_id in {"", groups.boot_id()}
    if run.group and here and not groups.end_recorded_group(run.group, run.group_started or 0, timeout=3.0):
        log.error("process group %s is still running after SIGKILL", run.group, extra=_facts(run))
        return
    error = StageDied(detail=f"The worker that ran this stage died ({run.worker or run.host or 'unknown'}).")
    with suppress(LostAttempt, IllegalTransition):
        lifecycle.fail_stage(attempt, error.record(), again=True)
    artifacts.clear(run.job_id, run.attempt)
    deletion.finish(run.job_id)


def _cancelling() -> list[uuid.UUID]:
    return list(Job.objects.filter(status=JobStatus.CANCELLING).values_list("pk", flat=True))


def expire_uploads() -> None:
    """Uploads to which nothing was added for a day, as long as it could have been."""
    if not artifacts.is_present():
        return
    old = Job.objects.filter(status=JobStatus.UPLOADING, changed__lt=timezone.now() - lifecycle.UPLOAD_EXPIRY)
    for job_id in list(old.values_list("pk", flat=True)):
        with transaction.atomic():  # its last piece may have come since it was found
            if old.select_for_update().filter(pk=job_id).first():
                lifecycle.cancel(job_id, actor=lifecycle.SYSTEM, reason=Reason.UPLOAD_EXPIRED)
        deletion.finish(job_id)


def reissue_tickets() -> None:
    """A queue with more ready stages than tickets gets the missing ones: a dead worker took some with it, or whose turn
    it is has changed. As many as there are workers do: each of these goes on with what is ready then.
    """
    if not artifacts.is_present():
        return
    ready = StageRun.objects.filter(status=StageStatus.READY, ready_at__lte=timezone.now()).order_by()
    for queue in Queue.values:
        at_once = max(1, processes.alive(queue).count())
        lacking = ready.filter(queue=queue)[:at_once].count() - tickets.waiting(queue)
        if lacking > 0 and any(fair_order(queue, settings.LIMIT_RUNNING)):  # owners at their limit wait for themselves
            tickets.issue(queue, lacking)


def _end_cluster(queue: str) -> None:
    for worker in processes.alive(queue).filter(host=host(), cluster_pid__isnull=False):
        pid, started = worker.cluster_pid or 0, worker.cluster_started or 0
        if groups.is_alive(pid, started):
            log.error("cluster %s (pid %s) takes no tickets: killing it", queue, pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # its children follow it (`tasks`)


def _facts(run: StageRun) -> dict[str, str]:
    return {"job": str(run.job_id), "stage": run.stage, "attempt": str(run.attempt)}
