"""The end of a cancelled job: its files, then the word."""

from __future__ import annotations

import uuid

from jobs import artifacts, lifecycle


def finish(job_id: uuid.UUID) -> bool:
    """Make a job `cancelled` whose processes are gone. Several may try at once. Whether it is so now, by us."""
    return lifecycle.cancellable_now(job_id) and artifacts.purge(job_id) and lifecycle.cancelled(job_id)
