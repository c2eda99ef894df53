"""The reaper. It may run in any number of copies, and be killed at any moment.

One sweep takes over stages of dead workers, finishes cancellations, cancels the jobs of absent owners, expires uploads,
lets jobs go on whose cap was raised, reissues lost tickets, and kills a cluster that takes no tickets any more, for
supervisord to start it again.
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
from jobs.queueing import caps, processes, tickets
from jobs.queueing.processes import STALE, host
from jobs.queueing.scheduling import fair_order
from jobs.storage import artifacts, deletion

log = logging.getLogger("jobs.worker.reaper")

SWEEP_INTERVAL = 1.0
"""Seconds between two sweeps."""

PRESENCE_INTERVAL = 0.25
"""Seconds between two checks for absent owners: a job is cancelled within a second after its grace."""

LOST_HOST_SILENCE = timedelta(seconds=60)
"""A stage of another machine without a heartbeat for this long counts as dead."""

SWEEP_TIMEOUT = 300.0
"""Seconds after which an unfinished sweep counts as hanging: deleting many large files can take minutes."""


PAUSED_AT_ONCE = 20
"""Paused jobs of which one sweep looks whether they may go on."""

STUCK_BEFORE_KILL = timedelta(seconds=5)
"""Time for which a cluster must be stuck in every sweep before it is killed."""


@dataclass(slots=True)
class Reaper:
    """Repeated sweeps, with more frequent checks for absent owners between them."""

    _absence: AbsenceDetector = field(default_factory=AbsenceDetector)
    _stuck_since: dict[str, datetime] = field(default_factory=dict)
    _swept: float = field(default_factory=time.monotonic)
    _disk: bool | None = None

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set. While the database is unavailable sweeps are skipped."""
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
                log.exception("Sweep failed")  # an error with one job must not stop the sweeps

    def sweep(self) -> None:
        """Do one sweep."""
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
        go_on_paused()
        discard_unsettled()
        reissue_tickets()
        self.end_stuck_clusters()

    def _check_disk(self) -> None:
        """Log when the disk disappears or returns, and update the pages, which say that their jobs wait for it."""
        there = artifacts.is_present()
        if self._disk not in {None, there}:
            log.warning(
                "The disk with the files is %s.", "there again" if there else "not there: everything waits for it"
            )
            lifecycle.refresh_pages()
        self._disk = there

    def cancel_abandoned(self) -> None:
        """Cancel the jobs whose owners are absent, and those whose command was killed."""
        ended = [
            job_id for job_id in deserted() if lifecycle.cancel(job_id, actor=PRESENCE, reason=Reason.COMMAND_KILLED)
        ]
        ended += [job_id for job_id in self._absence.abandoned_jobs() if _abandon(job_id)]
        for job_id in ended:  # after all cancellations: deleting files takes longer
            deletion.finish(job_id)

    def lives(self) -> bool:
        """Whether the last sweep started less than SWEEP_TIMEOUT ago; only then are heartbeats written."""
        return time.monotonic() - self._swept < SWEEP_TIMEOUT

    def end_stuck_clusters(self) -> None:
        """Kill stuck clusters of this machine: Django-Q can deadlock when an idle worker is killed."""
        now, stuck = timezone.now(), tickets.stuck_clusters()
        for queue in Queue.values:
            if (queue, host()) not in stuck:
                self._stuck_since.pop(queue, None)
            elif now - self._stuck_since.setdefault(queue, now) > STUCK_BEFORE_KILL:
                del self._stuck_since[queue]
                _end_cluster(queue)


def dead_stages(*, by_silence: bool = True) -> QuerySet[StageRun]:
    """Running stages whose worker is dead. `by_silence`: a stale heartbeat is enough, except just after a gap."""
    now = timezone.now()
    silent = Q(heartbeat__lt=now - STALE, host__in=("", host())) | Q(heartbeat__lt=now - LOST_HOST_SILENCE)
    gone = [
        worker.pk for worker in Process.objects.filter(stages__status=StageStatus.RUNNING) if processes.is_gone(worker)
    ]
    dead = Q(worker__in=gone) | silent if by_silence else Q(worker__in=gone)
    return StageRun.objects.filter(dead, status=StageStatus.RUNNING)


def deserted() -> list[uuid.UUID]:
    """The ids of unfinished jobs whose command has ended."""
    waiting = Job.objects.filter(status__in=UNFINISHED, client__isnull=False).select_related("client")
    return [job.pk for job in waiting if job.client and processes.is_gone(job.client)]


def _abandon(job_id: uuid.UUID) -> bool:
    """Cancel the job if its owner is still absent. True when it was cancelled."""
    with transaction.atomic():
        absent = abandoned().select_for_update().filter(pk=job_id).exists()
        return absent and lifecycle.cancel(job_id, actor=PRESENCE, reason=why_absent(job_id))


def take_over(run: StageRun, dead: QuerySet[StageRun]) -> None:
    """Kill the process group of a stage that is still `dead`; repeat or fail the stage, or finish the cancellation.

    The group still belongs to that attempt: the attempt is replaced first, and its worker starts nothing without it.
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
    artifacts.delete_attempt_dir(run.job_id, run.attempt)
    deletion.finish(run.job_id)


def _cancelling() -> list[uuid.UUID]:
    return list(Job.objects.filter(status=JobStatus.CANCELLING).values_list("pk", flat=True))


def expire_uploads() -> None:
    """Cancel uploads without a byte for UPLOAD_EXPIRY. Does nothing while the disk, which they need, is not mounted."""
    if not artifacts.is_present():
        return
    old = Job.objects.filter(status=JobStatus.UPLOADING, changed__lt=timezone.now() - lifecycle.UPLOAD_EXPIRY)
    for job_id in list(old.values_list("pk", flat=True)):
        with transaction.atomic():  # its last bytes may have arrived since it was found
            if old.select_for_update().filter(pk=job_id).first():
                lifecycle.cancel(job_id, actor=lifecycle.SYSTEM, reason=Reason.UPLOAD_EXPIRED)
        deletion.finish(job_id)


def go_on_paused() -> None:
    """Let jobs go on that are paused at a cap which was raised, or whose month has ended: a few at once, in random
    order, so that each has its turn.
    """
    paused = StageRun.objects.filter(status=StageStatus.PAUSED).select_related("job")
    for run in paused.order_by("?")[:PAUSED_AT_ONCE]:
        options = settings.ENGINE_OPTIONS.get(run.job.engines.get(run.stage, ""))
        if not caps.still_refused(run.job, run.error or {}, options):
            with suppress(IllegalTransition):
                lifecycle.go_on(run.job_id, actor=lifecycle.SYSTEM)


def discard_unsettled() -> None:
    """Delete jobs whose creation was cut off by the end of its process (see `lifecycle.begin`)."""
    if artifacts.is_present():
        for job_id in lifecycle.discard_unsettled():
            artifacts.delete_job_dir(job_id)


def reissue_tickets() -> None:
    """Issue tickets for queues with fewer tickets than ready stages: a dead worker held some, or the order changed.

    At most one ticket for each live worker: each issues what is needed when it continues.
    """
    if not artifacts.is_present():
        return
    ready = StageRun.objects.filter(status=StageStatus.READY, ready_at__lte=timezone.now()).order_by()
    for queue in Queue.values:
        at_once = max(1, processes.alive(queue).count())
        lacking = ready.filter(queue=queue)[:at_once].count() - tickets.waiting(queue)
        if lacking > 0 and any(
            fair_order(queue, settings.LIMIT_RUNNING)
        ):  # owners at their limit wait for their own jobs
            tickets.issue(queue, lacking)


def _end_cluster(queue: str) -> None:
    for worker in processes.alive(queue).filter(host=host(), cluster_pid__isnull=False):
        pid, started = worker.cluster_pid or 0, worker.cluster_started or 0
        if groups.is_alive(pid, started):
            log.error("cluster %s (pid %s) takes no tickets: killing it", queue, pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # its children die with it (`tasks.connect`)


def _facts(run: StageRun) -> dict[str, str]:
    return {"job": str(run.job_id), "stage": run.stage, "attempt": str(run.attempt)}
