"""One stage of one job: claim it, start its child, relay what it says, stop it, record how it ended.

All in one thread that never waits long: it watches the child's pipes, gives signs of life, and looks whether the stage
has to stop. Whatever ends a stage, its process group is empty before its row says so; if we are killed, the shim ends
the group and the reaper finds the row.
"""

from __future__ import annotations

import logging
import selectors
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from jobs import cues, lifecycle, models
from jobs.intake.options import is_in_target, mode_of, options_of, untranslated_note
from jobs.lifecycle import Claim, IllegalTransition, LostAttempt
from jobs.lifecycle.changes import POLL_INTERVAL, POLL_INTERVAL_WITH_LISTEN, ChangeListener
from jobs.lifecycle.db_retry import patiently
from jobs.models import Artifact, Job, Process, Queue, StageRun
from jobs.pipeline.errors import PipelineError, StageDied, StageTimedOut, from_record
from jobs.pipeline.filenames import shortened
from jobs.pipeline.media.atomic_files import refusal
from jobs.pipeline.media.description import Media
from jobs.pipeline.media.limits import duration_text
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process import messages
from jobs.pipeline.process.messages import Run, TranslateTask
from jobs.pipeline.stage import Stage, time_limit
from jobs.queueing import quotas
from jobs.queueing.processes import BEAT
from jobs.storage import artifacts, deletion
from jobs.worker import report, stage_tasks, usage
from jobs.worker.child import Child, Undying, Warm
from jobs.worker.cue_stream import Translation
from jobs.worker.disk_waits import wait_for

log = logging.getLogger("jobs.worker.supervisor")

WRITE = 0.5
"""Seconds between two writes of a stage's progress: pages need no more, and a database has other work."""


class Supervisor:
    """Runs stages in one worker process or thread, one at a time. When `leaving` is set it puts its stage back."""

    def __init__(self, worker: Process | None = None, leaving: Event | None = None) -> None:
        self._worker, self._leaving = worker, leaving or Event()
        self._warm = Warm()
        self._changes = ChangeListener()

    def run_next(self, queue: str) -> bool:
        """Run the next ready stage of `queue` to its end. False when there is none, or the disk is not there."""
        if not artifacts.is_present():
            return False
        self._changes.descriptor()  # listens before there is a job to hear of
        claim = lifecycle.claim(queue, self._worker, running_limit=settings.LIMIT_RUNNING)
        if claim:
            _Course(claim, self._warm if queue == Queue.SPEECH else None, self._changes, self._leaving).run()
        return claim is not None

    def close(self) -> None:
        """End the warm child."""
        self._warm.drop()
        self._changes.close()


class _Stop(Exception):
    """The stage has to stop: its job ends, the attempt is lost, or who runs it leaves."""


class _Course:
    """One claimed stage, from the claim to its end."""

    def __init__(self, claim: Claim, warm: Warm | None, changes: ChangeListener, leaving: Event) -> None:
        self._claim, self._warm, self._changes, self._leaving = claim, warm, changes, leaving
        self._attempt = str(claim.attempt)
        self._job = Job.objects.get(pk=claim.job_id)
        self._began = self._beaten = self._looked = self._written = time.monotonic()
        self._share, self._shown = 0.0, 0.0
        self._heard = 0.0
        self._child: Child | None = None
        self._translation: Translation | None = None
        self._facts = {"job": str(claim.job_id), "stage": claim.stage, "attempt": self._attempt}

    def run(self) -> None:
        """Never raises for what goes wrong in the stage, or what its child makes up; for a database that is gone it
        does. A stage whose processes do not die stays `running`: the reaper goes on with it.
        """
        try:
            self._run()
        except Undying:
            log.exception("Stage processes could not be ended", extra=self._facts)

    def _run(self) -> None:
        try:
            self._record(self._attempted())
        except Undying:
            raise
        except (LostAttempt, IllegalTransition, _Stop):
            self._stopped()
        except (OperationalError, InterfaceError):
            self._end_child()
            raise
        except Exception:
            self._surprised()
        except BaseException:
            self._end_child()
            raise

    def _attempted(self) -> messages.Done | messages.Failed:
        try:
            return self._work()
        except PipelineError as error:
            self._end_child()
            return messages.Failed(self._attempt, error.record())
        except OSError as error:
            self._end_child()
            lost = StageDied(detail=f"The stage could not be started: {error}")
            return messages.Failed(self._attempt, lost.record())

    # The work

    def _work(self) -> messages.Done | messages.Failed:
        run = StageRun.objects.filter(attempt=self._claim.attempt).first()
        if run is None:
            raise LostAttempt
        self._heard = run.checkpoint.get("until", 0.0)
        task = stage_tasks.task_for(self._job, run)
        self._name_engine(task)
        room = artifacts.room(self._claim.job_id, self._claim.attempt)
        limits = stage_tasks.limits_for(self._claim.stage, self._job.seconds)
        self._child = child = self._warm.take(limits) if self._warm else Child(limits)
        patiently(lambda: lifecycle.record_group(self._claim.attempt, child.group, child.started))
        child.begin()
        child.send(Run(self._attempt, room, task))
        if isinstance(task, TranslateTask):
            self._translation = Translation(self._claim, self._job, task)
            self._translation.hand_over(child)
        return self._relay(child)

    def _relay(self, child: Child) -> messages.Done | messages.Failed:
        """Listen until the child is done; meanwhile everything that has to happen now and then."""
        with selectors.DefaultSelector() as selector:
            selector.register(child.reports, selectors.EVENT_READ)
            selector.register(child.errors, selectors.EVENT_READ)
            while True:
                with self._watching(selector, child):
                    ready = {key.fd for key, _ in selector.select(POLL_INTERVAL)}
                child.push()
                if child.errors in ready and not child.hear():
                    selector.unregister(child.errors)
                for report in child.read() if child.reports in ready else ():
                    if isinstance(report, messages.Done | messages.Failed) and report.attempt == self._attempt:
                        return report
                    self._take(report)
                self._now_and_then(child)

    @contextmanager
    def _watching(self, selector: selectors.BaseSelector, child: Child) -> Iterator[None]:
        """Besides: room in the pipe for what waits to be said, and word of a change of the job."""
        extra = {child.orders_to_push: selectors.EVENT_WRITE, self._changes.descriptor(): selectors.EVENT_READ}
        watched = {number: events for number, events in extra.items() if number is not None}
        for number, events in watched.items():
            selector.register(number, events)
        yield
        for number in watched:
            selector.unregister(number)

    def _now_and_then(self, child: Child) -> None:
        now = time.monotonic()
        if self._leaving.is_set():
            raise _Stop
        if not child.alive:
            raise StageDied(detail=child.tail())
        if now - self._began > (limit := time_limit(self._claim.stage, self._job.seconds)):
            raise StageTimedOut(limit=duration_text(limit), detail=child.tail())
        told = str(self._claim.job_id) in self._changes.jobs()
        pause = POLL_INTERVAL_WITH_LISTEN if self._changes.descriptor() is not None else POLL_INTERVAL
        if told or now - self._looked >= pause:
            self._looked = now
            if patiently(lambda: lifecycle.must_stop(self._claim)):
                raise _Stop
            if translation := self._translation:
                patiently(lambda: translation.hand_over(child))
        if now - self._written >= WRITE and self._share > self._shown:
            self._show()
        elif now - self._beaten >= BEAT:
            self._beaten = now
            patiently(lambda: lifecycle.heartbeat(self._claim.attempt))

    def _show(self) -> None:
        self._written = self._beaten = time.monotonic()
        self._shown = self._share
        patiently(lambda: lifecycle.heartbeat(self._claim.attempt, min(self._shown, 1.0)))

    # What the child says

    def _take(self, report: messages.Report) -> None:
        if report.attempt != self._attempt:
            return  # of the warm child's last stage, whose end it had reported
        match report:
            case messages.Progress():
                self._share = max(self._share, report.share)
            case messages.Note():
                patiently(lambda: self._note(report.code, report.params))
            case messages.Window():
                patiently(lambda: self._keep_window(report))
            case messages.Translated():
                translation = self._translation
                assert translation, "only a translating child translates"
                patiently(lambda: translation.keep(report))
                self._share = max(self._share, translation.share())

    def _note(self, code: str, params: dict[str, str]) -> None:
        with lifecycle.fenced(self._claim.attempt) as (job, _):
            note = {"code": code, "params": params}
            if note not in job.notes:
                Job.objects.filter(pk=job.pk).update(**models.bumped(notes=[*job.notes, note]))

    def _keep_window(self, window: messages.Window) -> None:
        following = window.cues[-1].id + 1 if window.cues else None
        with lifecycle.fenced(self._claim.attempt) as (job, _):
            as_row = cues.as_row if self._is_translated(window) else cues.as_caption_row
            news = lifecycle.commit_window(
                self._claim.attempt,
                [as_row(cue, self._job) for cue in window.cues],
                until=window.end,
                language=window.language,
                heard=window.heard,
                following=following,
            )
            if news:
                usage.account(job, self._claim.stage, seconds=max(0.0, window.end - self._heard))
        self._heard = window.end

    def _is_translated(self, window: messages.Window) -> bool:
        """Whether the job translates what is heard. The first words tell their language: if it is the target language,
        that stage is left out, for all that follows.
        """
        options = options_of(self._job.options)
        in_target = bool(window.cues) and is_in_target(options, window.language)
        if in_target and lifecycle.skip_stage(self._claim.attempt, Stage.TRANSLATE):
            self._note(**untranslated_note(options))
        return StageRun.objects.filter(job=self._claim.job_id, stage=Stage.TRANSLATE).exists()

    # The end

    def _record(self, last: messages.Done | messages.Failed) -> None:
        if self._warm is None:
            self._end_child()
        if isinstance(last, messages.Failed):
            self._failed(last)
        else:
            try:
                self._done(last)
            except PipelineError as error:
                self._failed(messages.Failed(self._attempt, error.record()))
            except OSError as error:
                refused = refusal(error, artifacts.home(self._claim.job_id))
                self._failed(messages.Failed(self._attempt, refused.record()))

    def _failed(self, last: messages.Failed) -> None:
        error, wait = patiently(lambda: wait_for(self._claim, from_record(last.error)))
        log.warning("failed: %s %s", error, error.detail[-500:], extra=self._facts)
        patiently(lambda: artifacts.clear(self._claim.job_id, self._claim.attempt))
        # What an engine or a disk refused was asked for often enough; who died may have better luck.
        died = isinstance(error, StageDied)
        patiently(lambda: lifecycle.fail_stage(self._claim.attempt, error.record(), again=died, wait=wait))
        patiently(lambda: deletion.finish(self._claim.job_id))

    def _done(self, last: messages.Done) -> None:
        files = artifacts.facts(self._claim.job_id, self._claim.attempt, last.files)
        artifacts.tidy(self._claim.job_id, self._claim.attempt, last.files.values())
        fields = self._settle_fetch(last.outcome, files) if self._claim.stage == Stage.FETCH else {}
        patiently(
            lambda: lifecycle.finish_stage(
                self._claim.attempt,
                outcome=last.outcome,
                artifacts=files,
                job_fields=fields,
                result=report.report_of,
            )
        )
        if self._claim.stage == Stage.TRANSCRIBE:
            patiently(lambda: artifacts.drop(self._claim.job_id, "audio"))
        patiently(lambda: deletion.finish(self._claim.job_id))

    def _settle_fetch(self, outcome: dict[str, Any], files: Sequence[Artifact]) -> dict[str, Any]:
        """What the video is, decides what can be made of it. Raises NoVideoStream, DailyMinutes, StorageFull."""
        media, options = messages.from_builtins(Media, outcome["media"]), options_of(self._job.options)
        patiently(lambda: self._take_in(media.duration, sum(file.size for file in files if file.kind == "source")))
        if mode_of(options, media) != options.mode:
            patiently(lambda: self._note(NoteCode.SOUND_ONLY, {}))
            patiently(lambda: lifecycle.skip_stage(self._claim.attempt, Stage.RENDER))
        return {"title": shortened(outcome["title"], 300), "seconds": media.duration}

    def _take_in(self, seconds: float, size: int) -> None:
        """Now it is known what the video takes of what its owner may have. An upload was counted as it came, and the
        sound goes again once it was heard.
        """
        with lifecycle.fenced(self._claim.attempt) as (job, _):
            quotas.check_found(job, new_bytes=size)
            Job.objects.filter(pk=job.pk).update(seconds=seconds)

    def _surprised(self) -> None:
        """Nobody foresaw this: a report that makes no sense here, or a mistake of ours. Another try may go well."""
        self._end_child()
        log.exception("Stage supervision failed", extra=self._facts)
        lost = StageDied(detail=traceback.format_exc()[-4000:].replace("\0", "\N{REPLACEMENT CHARACTER}"))
        with suppress(LostAttempt):
            self._failed(messages.Failed(self._attempt, lost.record()))

    def _stopped(self) -> None:
        self._end_child()
        patiently(lambda: artifacts.clear(self._claim.job_id, self._claim.attempt))
        with suppress(LostAttempt):
            patiently(lambda: lifecycle.stop_stage(self._claim.attempt))
        patiently(lambda: deletion.finish(self._claim.job_id))

    def _end_child(self) -> None:
        """Back when nobody of its group runs."""
        if self._child is None:
            return
        if self._warm:
            self._warm.drop()
        else:
            self._child.end()
        self._child = None

    def _name_engine(self, task: messages.Task) -> None:
        """Which engine is at work stands on the job."""
        if name := stage_tasks.engine_of(task):
            with lifecycle.fenced(self._claim.attempt) as (job, _):
                engines = {**job.engines, self._claim.stage: name}
                Job.objects.filter(pk=job.pk).update(**models.bumped(engines=engines))
