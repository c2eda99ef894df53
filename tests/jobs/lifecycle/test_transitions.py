"""The tables of transitions: what is drawn of them is what they say, and each is taken from each of its states only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from jobs.lifecycle import IllegalTransition, LostAttempt, transitions
from jobs.lifecycle.transitions import (
    JOB_TRANSITIONS,
    NEW,
    SKIPPED,
    STAGE_TRANSITIONS,
    Change,
    JobVerb,
    StageVerb,
    move_job,
    move_stage,
)
from jobs.models import FINAL, Job, JobStatus, StageRun, StageStatus, Transition
from tests.jobs import rows

Arrow = tuple[str, str, str]


def arrows(table: Mapping[JobVerb, Change] | Mapping[StageVerb, Change]) -> set[Arrow]:
    return {(source, str(verb), change.target) for verb, change in table.items() for source in change.sources}


def in_docstring(heading: str) -> set[Arrow]:
    """The lines `verb  from, from  → to` below the heading of the module's docstring."""
    section = re.search(rf"^{heading}:\n\n((?:    .*\n)+)", transitions.__doc__ or "", re.M)
    assert section
    found = re.findall(r"^    (\w+) +(.+?) +→ (\w+)$", section.group(1), re.M)
    assert len(found) == len(section.group(1).splitlines())
    return {(source, verb, target) for verb, sources, target in found for source in sources.split(", ")}


def in_architecture(number: int) -> set[Arrow]:
    """The arrows `from --> to: verb` of a state diagram in docs/architecture.md."""
    page = Path(settings.BASE_DIR, "docs", "architecture.md").read_text()
    diagram = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", page, re.S)[number]
    found = re.findall(r"^ +(\S+) --> (\S+): (\w+)$", diagram, re.M)
    starred = {"[*]": NEW}
    ends = {"[*]": SKIPPED}
    return {(starred.get(source, source), verb, ends.get(target, target)) for source, target, verb in found}


def test_the_docstring_draws_the_tables() -> None:
    assert in_docstring("Jobs") == arrows(JOB_TRANSITIONS)
    assert in_docstring("Stages") == arrows(STAGE_TRANSITIONS)


def test_the_architecture_draws_the_tables() -> None:
    assert in_architecture(0) == arrows(JOB_TRANSITIONS)
    assert in_architecture(1) == arrows(STAGE_TRANSITIONS)


def test_every_verb_and_every_status_is_in_a_table() -> None:
    assert set(JOB_TRANSITIONS) == set(JobVerb)
    assert set(STAGE_TRANSITIONS) == set(StageVerb)
    assert reached(JOB_TRANSITIONS.values()) == {NEW, *JobStatus.values}
    assert reached(STAGE_TRANSITIONS.values()) == {SKIPPED, *StageStatus.values}


def reached(changes: Iterable[Change]) -> set[str]:
    return {status for change in changes for status in (*change.sources, change.target)}


@pytest.mark.django_db
@pytest.mark.parametrize("verb", [verb for verb in JobVerb if NEW not in JOB_TRANSITIONS[verb].sources])
@pytest.mark.parametrize("status", JobStatus)
def test_each_verb_of_a_job_in_each_status(status: JobStatus, verb: JobVerb) -> None:
    job = rows.job()
    Job.objects.filter(pk=job.pk).update(
        status=status, error={}, result={}, ended=job.created if status in FINAL else None
    )
    job.refresh_from_db()
    sources, target = JOB_TRANSITIONS[verb]
    count = Transition.objects.filter(job=job).count()
    fields: dict[str, Any] = {} if target in FINAL else {"ended": None}
    if status in sources:
        move_job(job, verb, **fields)
        told = Transition.objects.filter(job=job).last()
        assert told
        assert (told.from_status, told.to_status) == (status, target)
    else:
        with pytest.raises(IllegalTransition), transaction.atomic():
            move_job(job, verb, **fields)
        assert Transition.objects.filter(job=job).count() == count
    assert rows.status(job.pk) == (target if status in sources else status)


@pytest.mark.django_db
@pytest.mark.parametrize("verb", StageVerb)
@pytest.mark.parametrize("status", StageStatus)
def test_each_verb_of_a_stage_in_each_status(status: StageStatus, verb: StageVerb) -> None:
    job = rows.job()
    run = job.stages.earliest("number")
    held = {"attempt": job.pk, "heartbeat": job.created} if status == StageStatus.RUNNING else {}
    empty = {"attempt": None, "heartbeat": None}
    StageRun.objects.filter(pk=run.pk).update(status=status, **(empty | held), ready_at=job.created)
    run.refresh_from_db()
    sources, target = STAGE_TRANSITIONS[verb]
    taken: dict[str, Any] = {"attempt": job.pk, "heartbeat": job.created} if verb == StageVerb.CLAIM else {}
    if status in sources:
        move_stage(run, verb, **taken)
        left = StageRun.objects.filter(pk=run.pk).values_list("status", flat=True)
        assert list(left) == ([] if target == SKIPPED else [target])
    else:
        with pytest.raises(LostAttempt), transaction.atomic():
            move_stage(run, verb, **taken)
        assert StageRun.objects.get(pk=run.pk).status == status
