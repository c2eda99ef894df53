"""Accounting of the tokens and seconds that engines consume."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs import lifecycle
from jobs.lifecycle import Claim
from jobs.lifecycle.db_retry import with_retry
from jobs.models import Call, CallStatus, Job, UsageEntry
from jobs.pipeline.errors import ErrorRecord
from jobs.pipeline.process.messages import TranslateTask
from jobs.pipeline.protocols import CallEnd, Usage
from jobs.queueing import caps


def account(job: Job, stage: str, **used: Any) -> None:
    """Add to the UsageEntry of a stage and its engine. Call it in the transaction that saves the result."""
    engine = job.engines.get(stage)
    if engine and any(used.values()):
        row, _ = UsageEntry.objects.get_or_create(
            job=job, stage=stage, engine=engine, defaults={"owner_id": job.owner_id}
        )
        sums = {name: F(name) + amount for name, amount in used.items()}
        UsageEntry.objects.filter(pk=row.pk).update(at=timezone.now(), **sums)


class CallLedger:
    """Writes the calls of one attempt to translate into the ledger, each before it is made.

    So a call is never forgotten: of a process that is killed, the call in flight stays with what was expected of it.
    """

    def __init__(self, claim: Claim, task: TranslateTask) -> None:
        self._claim = claim
        self._engine, self._model = task.engine or "", str(task.options.get("model", ""))
        self._engine_tokens = int(task.options.get("max_tokens") or 0)
        self._call = uuid.uuid4()

    def begin(self, expected: Usage) -> ErrorRecord | None:
        """Write the next call; None when it may be made, else the error of a cap. Raises LostAttempt."""
        self._call = uuid.uuid4()
        return self._begin(self._call, expected)

    @with_retry
    def _begin(self, call_id: uuid.UUID, expected: Usage) -> ErrorRecord | None:
        with lifecycle.fenced(self._claim.attempt) as (job, _):
            if Call.objects.filter(pk=call_id).exists():
                return None  # written already: the answer of the database was lost
            reached = caps.refusal(job, self._model, expected, self._engine_tokens)
            if reached is None:
                caps.write_call(call_id, job, self._engine, self._model, expected)
            return reached.record() if reached else None

    def end(self, used: Usage, way: CallEnd) -> None:
        """Write what the call used. It was made, so this is written under a lost attempt, too."""
        self._end(self._call, used, CallStatus(way))

    @with_retry
    def _end(self, call_id: uuid.UUID, used: Usage, status: CallStatus) -> None:
        with transaction.atomic():
            call = caps.correct_call(call_id, used, status)
            if call and call.job:
                tokens = {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
                account(call.job, self._claim.stage, **tokens)

    def add(self, job: Job, used: Usage) -> None:
        """Write calls that an engine without a meter reports with its translations, in the transaction that saves
        them.
        """
        if used != Usage():
            call_id = uuid.uuid4()
            caps.write_call(call_id, job, self._engine, self._model, used)
            caps.correct_call(call_id, used, CallStatus.COUNTED)
            account(job, self._claim.stage, input_tokens=used.input_tokens, output_tokens=used.output_tokens)
