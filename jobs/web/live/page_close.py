"""A person leaves a page. The judge of `presence` does the rest, unless there is no grace: then the jobs end here."""

from __future__ import annotations

import uuid

from jobs import lifecycle, presence
from jobs.models import Reason


def closed(owner_id: int, page_id: uuid.UUID, *, within: bool = False) -> None:
    """This page of the owner's was closed; `within`: for another page of the site. Saying it twice changes nothing."""
    if presence.close(page_id, within=within) and presence.strict() and not within and not presence.stays(owner_id):
        for job_id in list(presence.at_stake(owner_id).values_list("pk", flat=True)):
            lifecycle.cancel(job_id, actor=lifecycle.PRESENCE, reason=Reason.PAGES_CLOSED)
