"""Creation of a job: its directory, its source, its row and its cues, all or nothing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction

from jobs import lifecycle
from jobs.models import Artifact, Cue, Job
from jobs.pipeline.media.atomic_files import refusal
from jobs.pipeline.stage import Stage
from jobs.queueing import quotas
from jobs.storage import artifacts

Bring = Callable[[Path], Artifact]
"""A function that puts the source of a job into the directory of the job, and returns its unsaved row."""

_REST = 0.02
"""Seconds between two portions of cues. A writer that waits for SQLite asks again after 1 to 100 ms."""


def create_job(
    job_id: uuid.UUID,
    *,
    owner: Any,
    bring: Bring | None,
    new_bytes: int,
    cues: Sequence[Cue],
    stages: Sequence[Stage],
    uploaded: bool,
    **fields: Any,
) -> Job:
    """Create a job of `owner`. `bring` puts its source into its directory; it is called before the rows are written.

    Many cues are inserted in portions. If the process ends meanwhile, nothing of the job starts, and the reaper deletes
    it. Raises PipelineErrors of quotas and of the disk, and IllegalTransition if the job was cancelled meanwhile.
    """
    many = len(cues) > lifecycle.PORTION
    settled: dict[str, Any] = {"stages": stages, "actor": owner.get_username(), "uploaded": uploaded}
    fields |= {"id": job_id, "owner": owner}
    with _new_job_dir(job_id) as job_dir:
        with transaction.atomic():
            quotas.check(owner, new_bytes=new_bytes)
            source = bring(job_dir) if bring else None
            job = lifecycle.begin(**fields) if many else lifecycle.create(cues=cues, **settled, **fields)
            if source:
                source.job = job
                source.save()
        if many:
            _add_in_portions(job, cues)
            lifecycle.settle(job, **settled)
    return job


def _add_in_portions(job: Job, cues: Sequence[Cue]) -> None:
    """Add many cues, so that other writers of the database get their turn between the portions."""
    for first in range(0, len(cues), lifecycle.PORTION):
        lifecycle.add_cues(job, cues[first : first + lifecycle.PORTION])
        time.sleep(_REST)


@contextmanager
def _new_job_dir(job_id: uuid.UUID) -> Iterator[Path]:
    """Make the job's directory; delete it again, with the row of the job, when the creation fails."""
    artifacts.make_job_dir(job_id)
    try:
        yield artifacts.job_dir(job_id)
    except OSError as error:
        _discard(job_id)
        raise refusal(error, artifacts.job_dir(job_id)) from None
    except BaseException:
        _discard(job_id)
        raise


def _discard(job_id: uuid.UUID) -> None:
    """Delete what there is of a job whose creation failed. A row that cannot be deleted now is left to the reaper."""
    with suppress(DatabaseError):
        lifecycle.discard_unsettled(job_id)
    artifacts.delete_job_dir(job_id)
