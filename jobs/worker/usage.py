"""Accounting of the tokens and seconds that engines consume."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone

from jobs.models import Job, UsageEntry


def account(job: Job, stage: str, **used: Any) -> None:
    """Add to the UsageEntry of a stage and its engine. Call it in the transaction that saves the result."""
    engine = job.engines.get(stage)
    if engine and any(used.values()):
        row, _ = UsageEntry.objects.get_or_create(
            job=job, stage=stage, engine=engine, defaults={"owner_id": job.owner_id}
        )
        sums = {name: F(name) + amount for name, amount in used.items()}
        UsageEntry.objects.filter(pk=row.pk).update(at=timezone.now(), **sums)
