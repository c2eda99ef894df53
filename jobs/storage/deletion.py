"""Deletion of a job's files, and then the change of its row: cancelled, or deleted."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import QuerySet

from jobs import lifecycle
from jobs.lifecycle import IllegalTransition
from jobs.models import FINAL, Job
from jobs.storage import artifacts


def finish(job_id: uuid.UUID) -> bool:
    """Delete the files of a job whose processes have ended, then mark it `cancelled`. True when this call did so.

    Can be called concurrently. A job whose files cannot be deleted yet, or whose disk is not mounted, stays
    `cancelling`; the reaper tries again.
    """
    try:
        return (
            lifecycle.can_finish_cancel(job_id) and artifacts.delete_job_dir(job_id) and lifecycle.finish_cancel(job_id)
        )
    except IllegalTransition:  # it was cancelled and deleted meanwhile
        return False
    except OSError as error:
        artifacts.log_refused(str(job_id), error)
        return False


def delete(job_id: uuid.UUID, due: QuerySet[Job] | None = None) -> bool:
    """Delete an ended job with its files, if it is still among the jobs that are `due`. True when it is deleted.

    The files are moved into the trash in the transaction that deletes the row, which is locked, so that the job cannot
    be retried meanwhile. Deleting them takes seconds and happens after the lock is released.
    """
    due = Job.objects.all() if due is None else due
    try:
        with transaction.atomic():
            ended = due.select_for_update().filter(pk=job_id, status__in=FINAL).first()
            if ended is None or not artifacts.is_present():
                return False
            artifacts.move_to_trash(job_id)
            lifecycle.delete_row(job_id)
    except OSError as error:
        artifacts.log_refused(str(job_id), error)
        return False
    try:
        artifacts.delete_job_dir(job_id)
    except OSError as error:  # the job is gone; its files are in the trash, which every cleanup empties
        artifacts.log_refused(str(job_id), error)
    return True
