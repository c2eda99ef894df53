"""Writes the progress and the result of a running stage into the database, under its attempt.

Each public method is idempotent and is repeated while the database is unavailable (`db_retry`). All raise LostAttempt
after another worker has taken the stage over, unless they say otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import F

from jobs import cues, lifecycle, models
from jobs.intake.options import is_in_target, mode_of, options_of, untranslated_note
from jobs.lifecycle import Claim, LostAttempt
from jobs.lifecycle.db_retry import with_retry
from jobs.models import Artifact, Job, StageRun
from jobs.pipeline.errors import CapReached, ErrorRecord, PipelineError, StageDied, from_record
from jobs.pipeline.filenames import shortened
from jobs.pipeline.media.atomic_files import refusal
from jobs.pipeline.media.streams import Media
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process import messages
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.cue import Cue
from jobs.queueing import quotas
from jobs.storage import artifacts, deletion
from jobs.worker import report, usage
from jobs.worker.disk_waits import wait_for

log = logging.getLogger(__name__)


class StageRecorder:
    """The writer of one claimed stage."""

    def __init__(self, claim: Claim) -> None:
        self._claim, self._attempt = claim, claim.attempt
        self._recognised = 0.0

    @with_retry
    def load(self) -> tuple[Job, StageRun]:
        """Load the rows of the job and of the stage."""
        run = StageRun.objects.filter(attempt=self._attempt).select_related("job").first()
        if run is None:
            raise LostAttempt
        self._recognised = run.checkpoint.get("until", 0.0)
        return run.job, run

    # While it runs

    @with_retry
    def must_stop(self) -> bool:
        """Whether the stage must stop: see `lifecycle.must_stop`."""
        return lifecycle.must_stop(self._claim)

    @with_retry
    def group(self, group: int, started: int) -> None:
        """Record the process group of the stage; `started` is its leader's start, in clock ticks after the boot."""
        lifecycle.record_group(self._attempt, group, started)

    @with_retry
    def engine(self, name: str) -> None:
        """Record the engine that the stage uses, for the job's page."""
        with lifecycle.fenced(self._attempt) as (job, _):
            engines = {**job.engines, self._claim.stage: name}
            Job.objects.filter(pk=job.pk).update(**models.bumped(engines=engines))

    @with_retry
    def heartbeat(self, progress: float | None = None, step: str | None = None) -> None:
        """Write a heartbeat, with the share of the stage that is done, 0 to 1, when it has grown, and its step when
        that has changed.
        """
        lifecycle.heartbeat(self._attempt, progress, step)

    @with_retry
    def note(self, code: str, params: dict[str, str]) -> None:
        """Add a note for the job's page, unless it is there already."""
        self._add_note(code, params)

    def _add_note(self, code: str, params: dict[str, str]) -> None:
        with lifecycle.fenced(self._attempt) as (job, _):
            note = {"code": code, "params": params}
            if note not in job.notes:
                Job.objects.filter(pk=job.pk).update(**models.bumped(notes=[*job.notes, note]))

    @with_retry
    def existing(self, part: messages.Existing) -> None:
        """Save cues of subtitles that are there already, in place of those from the first of them on that an earlier
        attempt, or a repeated call, has left.
        """
        with lifecycle.fenced(self._attempt) as (job, _):
            job.cues.filter(number__gte=part.cues[0].id).delete()
            models.Cue.objects.bulk_create([self._row(job, cue, part.language) for cue in part.cues])
            Job.objects.filter(pk=job.pk).update(**models.bumped())

    @with_retry
    def window(self, window: messages.Window) -> None:
        """Save the cues of a recognised window, and count its seconds of sound as usage."""
        following = window.cues[-1].id + 1 if window.cues else None
        with lifecycle.fenced(self._attempt) as (job, _):
            is_new = lifecycle.commit_window(
                self._attempt,
                [self._row(job, cue, window.language) for cue in window.cues],
                until=window.end,
                language=window.language,
                heard=window.heard,
                following=following,
                passages=[asdict(passage) for passage in window.passages],
            )
            if is_new:
                usage.account(job, self._claim.stage, seconds=max(0.0, window.end - self._recognised))
        self._recognised = window.end

    def _row(self, job: Job, cue: Cue, language: str) -> models.Cue:
        """The row of a recognised cue; one in the target language needs no translation."""
        is_caption = is_in_target(options_of(job.options), cue.language or language)
        return (cues.as_caption_row if is_caption else cues.as_row)(cue, job)

    # The end

    def finish(self, done: messages.Done) -> None:
        """Publish the files of a finished stage and open the next. A file that cannot be published fails the stage."""
        try:
            self._publish(done)
        except PipelineError as error:
            self.fail(error.record())
        except OSError as error:
            self.fail(refusal(error, artifacts.job_dir(self._claim.job_id)).record())

    def _publish(self, done: messages.Done) -> None:
        files = artifacts.unsaved_rows(self._claim.job_id, self._attempt, done.files)
        artifacts.delete_unneeded(self._claim.job_id, self._attempt, done.files.values())
        if self._claim.stage == Stage.FETCH:
            self._finish_fetch(done, files, self._settle_fetch(done.outcome, files))
        else:
            self._finish_stage(done, files, self._settle_speech() if self._claim.stage == Stage.TRANSCRIBE else {})
        if self._claim.stage == Stage.TRANSCRIBE:
            self._drop_audio()
        self._finish_cancel()

    @with_retry
    def _settle_fetch(self, outcome: dict[str, Any], files: Sequence[Artifact]) -> dict[str, Any]:
        """Adapt the job to the video that was fetched; returns the fields it gives the job.

        Raises NoVideoStream, DailyMinutes, StorageFull.
        """
        media = messages.from_builtins(Media, outcome["media"])
        size = sum(file.size for file in files if file.kind == "source")
        with lifecycle.fenced(self._attempt) as (job, _):
            quotas.check_found(job, new_bytes=size)
            Job.objects.filter(pk=job.pk).update(seconds=media.duration)
            self._set_frame_rate(job, media)
        options = options_of(job.options)
        if mode_of(options, media) != options.mode:
            self._add_note(NoteCode.SOUND_ONLY, {})
            lifecycle.skip_stage(self._attempt, Stage.RENDER)
        return {"title": shortened(outcome["title"], 300), "seconds": media.duration}

    def _set_frame_rate(self, job: Job, media: Media) -> None:
        """Set the times of subtitles that are counted in frames, and do not say how many a second has, by the video."""
        assumed = next((note for note in job.notes if note["code"] == NoteCode.FRAME_RATE_ASSUMED), None)
        if assumed is None or media.video is None or not media.video.fps:
            return
        times = float(assumed["params"]["rate"]) / media.video.fps
        job.cues.update(start=F("start") * times, end=F("end") * times)
        told = {
            "code": NoteCode.FRAME_RATE_OF_VIDEO,
            "params": {"rate": f"{media.video.fps:.3f}".rstrip("0").rstrip(".")},
        }
        notes = [told if note is assumed else note for note in job.notes]
        Job.objects.filter(pk=job.pk).update(**models.bumped(notes=notes))

    @with_retry
    def _finish_fetch(self, done: messages.Done, files: Sequence[Artifact], fields: dict[str, Any]) -> None:
        """Finish the fetch stage, together with the choice of the words: another attempt might choose others."""
        with lifecycle.fenced(self._attempt) as (job, _):
            found = {} if options_of(job.options).brought else self._settle_existing(job, done.outcome)
            self._finish(done, files, {**fields, **found})  # without retries of its own: the transaction is repeated

    def _settle_existing(self, job: Job, outcome: dict[str, Any]) -> dict[str, Any]:
        """Leave out recognition, and the translation if it is needless, where subtitles that are there are used; else
        remove what an earlier attempt left of some. Returns the fields it gives the job.
        """
        used = (outcome.get("existing") or {}).get("used")
        for note in outcome.get("notes", ()):
            self._add_note(**note)
        if not used:
            job.cues.all().delete()
            return {}
        lifecycle.skip_stage(self._attempt, Stage.TRANSCRIBE)
        is_all_in_target = not job.cues.filter(answered=False).exists()
        if is_all_in_target and lifecycle.skip_stage(self._attempt, Stage.TRANSLATE):
            self._add_note(**untranslated_note(options_of(job.options), heard=False))
        return {"spoken": used["language"]}

    @with_retry
    def _settle_speech(self) -> dict[str, Any]:
        """Leave out the translation of a job whose speech is all in the target language; returns the field with the
        language in which most is said.
        """
        with lifecycle.fenced(self._attempt) as (job, _):
            options = options_of(job.options)
            is_all_in_target = job.cues.exists() and not job.cues.filter(answered=False).exists()
            if is_all_in_target and lifecycle.skip_stage(self._attempt, Stage.TRANSLATE):
                self._add_note(**untranslated_note(options, heard=True))
            for code, params in report.speech_notes(job):
                self._add_note(code, params)
            return {"spoken": cues.main_language(job) or job.spoken}

    @with_retry
    def _finish_stage(self, done: messages.Done, files: Sequence[Artifact], fields: dict[str, Any]) -> None:
        self._finish(done, files, fields)

    def _finish(self, done: messages.Done, files: Sequence[Artifact], fields: dict[str, Any]) -> None:
        lifecycle.finish_stage(
            self._attempt, outcome=done.outcome, artifacts=files, job_fields=fields, result=report.report_of
        )

    def fail(self, record: ErrorRecord) -> None:
        """Fail the stage. It is repeated when its process died, waits when the disk is the cause, and pauses at a cap.
        An error of an engine or a service is final, because the child has retried already.
        """
        error, wait = self._disk_wait(from_record(record))
        facts = {"job": str(self._claim.job_id), "stage": self._claim.stage, "attempt": str(self._attempt)}
        what = "paused" if isinstance(error, CapReached) else "failed"
        log.warning("%s: %s %s", what, error, error.detail[-500:], extra=facts)
        self._clear_files()
        if isinstance(error, CapReached):
            self._pause_stage(error.record())
        else:
            self._fail_stage(error.record(), again=isinstance(error, StageDied), wait=wait)
        self._finish_cancel()

    @with_retry
    def _pause_stage(self, record: ErrorRecord) -> None:
        lifecycle.pause_stage(self._attempt, record)

    @with_retry
    def _disk_wait(self, error: PipelineError) -> tuple[PipelineError, timedelta | None]:
        return wait_for(self._claim, error)

    @with_retry
    def _fail_stage(self, record: ErrorRecord, *, again: bool, wait: timedelta | None) -> None:
        lifecycle.fail_stage(self._attempt, record, again=again, wait=wait)

    def stop(self) -> None:
        """End a stage that had to stop. Never raises LostAttempt: another worker continues a lost stage."""
        self._clear_files()
        with suppress(LostAttempt):
            self._stop_stage()
        self._finish_cancel()

    @with_retry
    def _stop_stage(self) -> None:
        lifecycle.stop_stage(self._attempt)

    @with_retry
    def _clear_files(self) -> None:
        artifacts.delete_attempt_dir(self._claim.job_id, self._attempt)

    @with_retry
    def _drop_audio(self) -> None:
        artifacts.delete_published(self._claim.job_id, "audio")

    @with_retry
    def _finish_cancel(self) -> None:
        deletion.finish(self._claim.job_id)
