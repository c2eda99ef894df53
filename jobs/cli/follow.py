"""Follows one job by polling its row, and reports changes to an observer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Protocol

from jobs.engines.registry import SPECS
from jobs.intake.options import options_of
from jobs.lifecycle.db_retry import call_with_retry
from jobs.models import FINAL, Job, JobStatus, StageStatus
from jobs.pipeline.notes import template
from jobs.pipeline.stage import STEPS, Stage
from jobs.pipeline.text.languages import language

POLL_INTERVAL = 0.1
"""Seconds between two polls: short for a person at a terminal, and little work for a database."""

_DEMO = "offline demo engine: expect errors"


class JobObserver(Protocol):
    """Receives the changes of a job."""

    def stages(self, stages: Sequence[Stage]) -> None:
        """The stages of the job; called first, and again when a stage is left out."""

    def progress(self, stage: Stage, share: float) -> None:
        """`share` of `stage` is done, 0 to 1."""

    def step(self, stage: Stage, sentence: str) -> None:
        """The step of `stage` that lasts now, such as the loading of a model; empty: it has ended."""

    def working(self, stage: Stage) -> None:
        """`stage` runs. Called at each poll, whether or not something has changed."""

    def note(self, sentence: str) -> None:
        """A sentence about the job that is no error."""


def follow(job_id: uuid.UUID, observer: JobObserver) -> Iterator[Job]:
    """Yield the job at each poll until it has ended or is paused; the last one has that status."""
    reporter = _Reporter(observer)
    while True:
        job = call_with_retry(Job.objects.prefetch_related("stages").get, pk=job_id)
        reporter.report(job)
        yield job
        if job.status in {*FINAL, JobStatus.PAUSED}:
            return
        time.sleep(POLL_INTERVAL)


class _Reporter:
    """Reports to an observer what it has not reported yet."""

    def __init__(self, observer: JobObserver) -> None:
        self._observer = observer
        self._stages: list[Stage] = []
        self._shares: dict[Stage, float] = {}
        self._steps: dict[Stage, str] = {}
        self._notes: set[str] = set()

    def report(self, job: Job) -> None:
        """Report what has changed since the last call."""
        stages = [Stage(run.stage) for run in job.stages.all()]
        if stages != self._stages:
            self._stages = stages
            self._observer.stages(stages)
        for sentence in _notes(job):
            if sentence not in self._notes:
                self._notes.add(sentence)
                self._observer.note(sentence)
        for run in job.stages.all():
            if run.started:
                self._share(Stage(run.stage), 1.0 if run.status == StageStatus.DONE else run.progress)
                self._step(Stage(run.stage), STEPS.get(run.step, ""))
            if run.status == StageStatus.RUNNING:
                self._observer.working(Stage(run.stage))

    def _share(self, stage: Stage, share: float) -> None:
        """Report a stage with 0 first, then increasing shares only."""
        if stage not in self._shares:
            self._observer.progress(stage, 0.0)
            self._shares[stage] = 0.0
        if share > self._shares[stage]:
            self._shares[stage] = share
            self._observer.progress(stage, share)

    def _step(self, stage: Stage, sentence: str) -> None:
        if sentence != self._steps.get(stage, ""):
            self._steps[stage] = sentence
            self._observer.step(stage, sentence)


def _notes(job: Job) -> Iterator[str]:
    demo = {spec.name: spec.label for spec in SPECS if spec.demo}
    for name in job.engines.values():
        if name in demo:
            yield f"{demo[name]} ({_DEMO})"
    options = options_of(job.options)
    is_heard = not options.brought and any(run.stage == Stage.TRANSCRIBE for run in job.stages.all())
    if job.spoken and is_heard and options.spoken is None:
        yield f"Spoken language: {language(job.spoken).name}."
    for note in job.notes:
        yield template(note["code"]).format(**note["params"])
