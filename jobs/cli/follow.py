"""Watching one job from the command line: what changed since the last look, told to a display."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Protocol

from jobs.engines.registry import SPECS
from jobs.intake.options import options_of
from jobs.lifecycle.db_retry import call_with_retry
from jobs.models import FINAL, Job, StageStatus
from jobs.pipeline.notes import template
from jobs.pipeline.stage import Stage
from jobs.pipeline.text.languages import language

POLL_INTERVAL = 0.1
"""Seconds between two looks: a person at a terminal sees no difference, and a database hardly any work."""

_DEMO = "offline demo engine: expect errors"


class Listener(Protocol):
    """Who is told."""

    def stages(self, stages: Sequence[Stage]) -> None:
        """The stages of the job: told first, and again when one is left out."""

    def progress(self, stage: Stage, share: float) -> None:
        """`share` of `stage` is done, 0 to 1."""

    def note(self, sentence: str) -> None:
        """Something worth knowing that is no error."""


def follow(job_id: uuid.UUID, listener: Listener) -> Iterator[Job]:
    """The job at each look, until it has ended; the last one is final."""
    seen = _Seen(listener)
    while True:
        job = call_with_retry(Job.objects.prefetch_related("stages").get, pk=job_id)
        seen.look(job)
        yield job
        if job.status in FINAL:
            return
        time.sleep(POLL_INTERVAL)


class _Seen:
    """What has been told already."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._stages: list[Stage] = []
        self._shares: dict[Stage, float] = {}
        self._notes: set[str] = set()

    def look(self, job: Job) -> None:
        stages = [Stage(run.stage) for run in job.stages.all()]
        if stages != self._stages:
            self._stages = stages
            self._listener.stages(stages)
        for sentence in _notes(job):
            if sentence not in self._notes:
                self._notes.add(sentence)
                self._listener.note(sentence)
        for run in job.stages.all():
            if run.started:
                self._share(Stage(run.stage), 1.0 if run.status == StageStatus.DONE else run.progress)

    def _share(self, stage: Stage, share: float) -> None:
        """Every stage that began is told to have begun, and none goes backwards."""
        if stage not in self._shares:
            self._listener.progress(stage, 0.0)
            self._shares[stage] = 0.0
        if share > self._shares[stage]:
            self._shares[stage] = share
            self._listener.progress(stage, share)


def _notes(job: Job) -> Iterator[str]:
    demo = {spec.name: spec.label for spec in SPECS if spec.demo}
    for name in job.engines.values():
        if name in demo:
            yield f"{demo[name]} ({_DEMO})"
    if job.spoken and options_of(job.options).spoken is None and not options_of(job.options).brought:
        yield f"Spoken language: {language(job.spoken).name}."
    for note in job.notes:
        yield template(note["code"]).format(**note["params"])
