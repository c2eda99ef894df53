"""The end of a job: its files, then the word."""

from __future__ import annotations

import logging
import uuid

from django.db import transaction

from jobs import artifacts, lifecycle
from jobs.models import FINAL, Job

log = logging.getLogger(__name__)


def finish(job_id: uuid.UUID) -> bool:
    """Make a job `cancelled` whose processes are gone. Several may try at once. Whether it is so now, by us.

    Files that cannot be deleted yet, or whose disk is not there, keep it `cancelling`: the sweep tries again.
    """
    try:
        return lifecycle.cancellable_now(job_id) and artifacts.purge(job_id) and lifecycle.cancelled(job_id)
    except OSError as error:
        log.warning("its files cannot be deleted: %s", error, extra={"job": str(job_id)})
        return False


def delete(job_id: uuid.UUID) -> bool:
    """Delete an ended job with its files. Whether all of it is gone.

    The row is locked, so that the job cannot begin again while its files go.
    """
    with transaction.atomic():
        ended = Job.objects.select_for_update().filter(pk=job_id, status__in=FINAL).exists()
        return ended and artifacts.purge(job_id) and lifecycle.forget(job_id)
