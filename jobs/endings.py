"""The end of a cancelled job: its files, then the word."""

from __future__ import annotations

import logging
import uuid

from jobs import artifacts, lifecycle

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
