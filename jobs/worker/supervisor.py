"""Claims the next ready stage of a queue and runs it to its end."""

from __future__ import annotations

from threading import Event

from django.conf import settings

from jobs import lifecycle
from jobs.lifecycle.changes import ChangeListener
from jobs.models import Process, Queue
from jobs.storage import artifacts
from jobs.worker.child import WarmChild
from jobs.worker.stage_runner import StageRunner


class Supervisor:
    """Runs stages in one worker process or thread, one at a time. When `leaving` is set the running stage is stopped
    and becomes ready again for another worker.
    """

    def __init__(self, worker: Process | None = None, leaving: Event | None = None) -> None:
        self._worker, self._leaving = worker, leaving or Event()
        self._warm = WarmChild()
        self._changes = ChangeListener()

    def run_next(self, queue: str) -> bool:
        """Run the next ready stage of `queue` to its end. False when there is none, or the disk is not mounted."""
        if not artifacts.is_present():
            return False
        self._changes.descriptor()  # LISTEN must begin before the claim, so that no change is missed
        claim = lifecycle.claim(queue, self._worker, running_limit=settings.LIMIT_RUNNING)
        if claim:
            StageRunner(claim, self._warm if queue == Queue.SPEECH else None, self._changes, self._leaving).run()
        return claim is not None

    def close(self) -> None:
        """End the warm child and close the connection that listens."""
        self._warm.drop()
        self._changes.close()
