"""Runs one claimed stage: starts its child, relays the child's reports, records the result.

All of it happens in one thread that never blocks for long. However a stage ends, its process group is empty before its
row says so; if this process is killed, the group leader kills the group and the reaper takes the stage over.
"""

from __future__ import annotations

import logging
import selectors
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

from django.db import InterfaceError, OperationalError

from jobs.lifecycle import Claim, IllegalTransition, LostAttempt
from jobs.lifecycle.changes import POLL_INTERVAL, POLL_INTERVAL_WITH_LISTEN, ChangeListener
from jobs.models import Job
from jobs.pipeline.errors import PipelineError, StageDied, StageTimedOut
from jobs.pipeline.media.limits import duration_text
from jobs.pipeline.process import messages
from jobs.pipeline.process.messages import Run, TranslateTask
from jobs.pipeline.stage import time_limit
from jobs.queueing.processes import HEARTBEAT_INTERVAL
from jobs.storage import artifacts
from jobs.worker import stage_tasks
from jobs.worker.child import Child, GroupStillRunning, WarmChild
from jobs.worker.cue_stream import CueStream
from jobs.worker.stage_recorder import StageRecorder
from jobs.worker.timers import Timer
from jobs.worker.usage import CallLedger

log = logging.getLogger(__name__)

PROGRESS_INTERVAL = 0.5
"""Seconds between two writes of a stage's progress: enough for pages, and light for the database."""


class StageMustStop(Exception):
    """Raised when the job of the stage ends, or its worker process is to end."""


class StageRunner:
    """One claimed stage, from its claim to its end. `warm` is the child kept between stages, for the speech queue."""

    def __init__(self, claim: Claim, warm: WarmChild | None, changes: ChangeListener, leaving: Event) -> None:
        self._claim, self._warm, self._changes, self._leaving = claim, warm, changes, leaving
        self._attempt = str(claim.attempt)
        self._facts = {"job": str(claim.job_id), "stage": claim.stage, "attempt": self._attempt}
        self._recorder = StageRecorder(claim)
        self._child: Child | None = None
        self._cue_stream: CueStream | None = None
        self._progress, self._written_progress = 0.0, 0.0
        self._step, self._written_step = "", ""
        self._running, self._poll, self._write, self._heartbeat = Timer(), Timer(), Timer(), Timer()

    def run(self) -> None:
        """Run the stage to its end. Raises only when the database stays unavailable: then the reaper takes the stage
        over, as it does when its processes survive SIGKILL.
        """
        try:
            self._run()
        except GroupStillRunning:
            log.exception("Stage processes could not be ended", extra=self._facts)

    def _run(self) -> None:
        try:
            last = self._work()
            self._release_child()
            self._record(last)
        except GroupStillRunning:
            raise
        except (LostAttempt, IllegalTransition, StageMustStop):
            self._end_child()
            self._recorder.stop()
        except (OperationalError, InterfaceError):
            self._end_child()
            raise
        except Exception:
            self._end_child()
            self._fail_unexpectedly()
        except BaseException:
            self._end_child()
            raise

    def _work(self) -> messages.Done | messages.Failed:
        """The last message of the child, or a Failed of ours when there is none."""
        try:
            job, task = self._prepare()
            child = self._start_child(job, task)
            return self._relay(child, time_limit(self._claim.stage, job.seconds))
        except PipelineError as error:
            self._end_child()
            return messages.Failed(self._attempt, error.record())
        except OSError as error:
            self._end_child()
            died = StageDied(detail=f"The stage could not be started: {error}")
            return messages.Failed(self._attempt, died.record())

    # Starting the child

    def _prepare(self) -> tuple[Job, messages.Task]:
        job, run = self._recorder.load()
        task = stage_tasks.task_for(job, run)
        if name := stage_tasks.engine_of(task):
            self._recorder.engine(name)
        return job, task

    def _start_child(self, job: Job, task: messages.Task) -> Child:
        """Start the child with `task`. Its process group is recorded before it does anything."""
        directory = artifacts.make_attempt_dir(self._claim.job_id, self._claim.attempt)
        limits = stage_tasks.limits_for(self._claim.stage, job.seconds)
        self._child = child = self._warm.take(limits) if self._warm else Child(limits)
        self._recorder.group(child.group, child.started)
        child.begin()
        child.send(Run(self._attempt, directory, task))
        if isinstance(task, TranslateTask):
            self._cue_stream = CueStream(self._claim, job, task, CallLedger(self._claim, task))
            self._cue_stream.send_new(child)
        return child

    # Relaying its reports

    def _relay(self, child: Child, limit: float) -> messages.Done | messages.Failed:
        """Read the child's messages until its last one. Raises StageMustStop, StageDied, StageTimedOut (after `limit`
        seconds) and LostAttempt.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(child.reports, selectors.EVENT_READ)
            selector.register(child.errors, selectors.EVENT_READ)
            while True:
                with self._watching(selector, child):
                    ready = {key.fd for key, _ in selector.select(POLL_INTERVAL)}
                child.push()
                if child.errors in ready and not child.read_errors():
                    selector.unregister(child.errors)
                for message in child.read_reports() if child.reports in ready else ():
                    if isinstance(message, messages.Done | messages.Failed) and message.attempt == self._attempt:
                        return message
                    self._take(message, child)
                self._check(child, limit)
                self._look_for_changes(child)
                self._send_heartbeat()

    @contextmanager
    def _watching(self, selector: selectors.BaseSelector, child: Child) -> Iterator[None]:
        """Watch also for room in the pipe, while commands wait to be sent, and for notifications of changes."""
        extra = {child.commands_to_push: selectors.EVENT_WRITE, self._changes.descriptor(): selectors.EVENT_READ}
        watched = {number: events for number, events in extra.items() if number is not None}
        for number, events in watched.items():
            selector.register(number, events)
        yield
        for number in watched:
            selector.unregister(number)

    def _take(self, message: messages.Report, child: Child) -> None:
        if message.attempt != self._attempt:
            return  # from the warm child's last stage, after its last message
        match message:
            case messages.Progress():
                self._progress = max(self._progress, message.share)
            case messages.Step():
                self._step = message.name or ""
            case messages.Note():
                self._recorder.note(message.code, message.params)
            case messages.Existing():
                self._recorder.existing(message)
            case messages.Window():
                self._recorder.window(message)
            case messages.Briefed() | messages.Translated() | messages.Call() | messages.Called():
                assert self._cue_stream, "only a translating child sends these"
                self._take_translation(message, self._cue_stream, child)

    def _take_translation(
        self,
        message: messages.Briefed | messages.Translated | messages.Call | messages.Called,
        stream: CueStream,
        child: Child,
    ) -> None:
        match message:
            case messages.Briefed():
                stream.keep_brief(message)
            case messages.Translated():
                stream.keep(message)
                self._progress = max(self._progress, stream.share())
            case messages.Call():
                child.send(messages.Leave(self._attempt, stream.ledger.begin(message.expected)))
            case messages.Called():
                stream.ledger.end(message.used, message.way)

    def _check(self, child: Child, limit: float) -> None:
        if self._leaving.is_set():
            raise StageMustStop
        if not child.alive:
            raise StageDied(detail=child.last_errors())
        if self._running.elapsed() > limit:
            raise StageTimedOut(limit=duration_text(limit), detail=child.last_errors())

    def _look_for_changes(self, child: Child) -> None:
        """Stop if the job ends, and send new cues: after a notification of a change, and at intervals without one."""
        changed = str(self._claim.job_id) in self._changes.jobs()
        listens = self._changes.descriptor() is not None
        if not changed and not self._poll.is_due(POLL_INTERVAL_WITH_LISTEN if listens else POLL_INTERVAL):
            return
        self._poll.restart()
        if self._recorder.must_stop():
            raise StageMustStop
        if self._cue_stream:
            self._cue_stream.send_new(child)

    def _send_heartbeat(self) -> None:
        has_grown, is_other_step = self._progress > self._written_progress, self._step != self._written_step
        if (has_grown or is_other_step) and self._write.is_due(PROGRESS_INTERVAL):
            self._write.restart()
            self._heartbeat.restart()
            self._written_progress, self._written_step = self._progress, self._step
            self._recorder.heartbeat(
                min(self._progress, 1.0) if has_grown else None, self._step if is_other_step else None
            )
        elif self._heartbeat.is_due(HEARTBEAT_INTERVAL):
            self._heartbeat.restart()
            self._recorder.heartbeat()

    # Its end

    def _record(self, last: messages.Done | messages.Failed) -> None:
        if isinstance(last, messages.Done):
            self._recorder.finish(last)
        else:
            self._recorder.fail(last.error)

    def _fail_unexpectedly(self) -> None:
        """Fail the stage after an unexpected message or a bug of ours, and allow another attempt."""
        log.exception("Stage supervision failed", extra=self._facts)
        detail = traceback.format_exc()[-4000:].replace("\0", "\N{REPLACEMENT CHARACTER}")
        with suppress(LostAttempt):
            self._recorder.fail(StageDied(detail=detail).record())

    def _release_child(self) -> None:
        """Keep the warm child for the next stage; end any other."""
        if self._warm:
            self._child = None
        else:
            self._end_child()

    def _end_child(self) -> None:
        """End the child. Returns when no process of its group runs. Raises GroupStillRunning."""
        child, self._child = self._child, None
        if child is None:
            return
        if self._warm:
            self._warm.drop()
        else:
            child.end()
