"""The end of a job: its files, then the word."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import QuerySet

from jobs import lifecycle
from jobs.lifecycle import IllegalTransition
from jobs.models import FINAL, Job
from jobs.storage import artifacts


def finish(job_id: uuid.UUID) -> bool:
    """Make a job `cancelled` whose processes are gone. Several may try at once. Whether it is so now, by us.

    Files that cannot be deleted yet, or whose disk is not there, keep it `cancelling`: the sweep tries again.
    """
    try:
        return lifecycle.can_finish_cancel(job_id) and artifacts.purge(job_id) and lifecycle.finish_cancel(job_id)
    except IllegalTransition:  # it has been ended and deleted meanwhile
        return False
    except OSError as error:
        artifacts.resists(str(job_id), error)
        return False


def delete(job_id: uuid.UUID, due: QuerySet[Job] | None = None) -> bool:
    """Delete an ended job, if it is still among those that are `due`, with its files. Whether it is gone.

    The files leave their place together with the row, which is locked, so that the job cannot begin again. Deleting
    them takes seconds: not while others wait. What a killed process leaves of them lies in the trash.
    """
    due = Job.objects.all() if due is None else due
    try:
        with transaction.atomic():
            ended = due.select_for_update().filter(pk=job_id, status__in=FINAL).first()
            if ended is None or not artifacts.is_present():
                return False
            artifacts.discard(job_id)
            lifecycle.delete_row(job_id)
    except OSError as error:
        artifacts.resists(str(job_id), error)
        return False
    try:
        artifacts.purge(job_id)
    except OSError as error:  # the job is gone; what resists lies in the trash, which every sweep empties
        artifacts.resists(str(job_id), error)
    return True
