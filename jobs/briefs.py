"""The brief of a job as it is stored: a document with the number of its revision."""

from __future__ import annotations

import uuid
from typing import Any

from jobs.models import Job, bumped
from jobs.pipeline.process.messages import from_builtins, to_builtins
from jobs.pipeline.protocols import Document

_REVISION = "revision"


def document_of(job: Job) -> Document | None:
    """The brief of a job; None if it has none."""
    return _split(job.brief)[1]


def revision_of(job: Job) -> int:
    """The number of the revision of a job's brief; 0 if it has none."""
    return _split(job.brief)[0]


def newest(job_id: uuid.UUID) -> tuple[int, Document | None]:
    """The revision and the document of a job's brief as they are in the database; (0, None) if it has none."""
    return _split(Job.objects.filter(pk=job_id).values_list("brief", flat=True).first())


def as_stored(document: Document, revision: int = 1) -> dict[str, Any]:
    """The value of `Job.brief` for a document."""
    return {**to_builtins(document), _REVISION: revision}


def save(job_id: uuid.UUID, document: Document, after: int) -> bool:
    """Store a document as the revision that follows `after`. False, and no change, if there is another revision."""
    known = Job.objects.filter(pk=job_id)
    known = known.filter(brief__revision=after) if after else known.filter(brief__isnull=True)
    return bool(known.update(**bumped(brief=as_stored(document, after + 1))))


def _split(stored: dict[str, Any] | None) -> tuple[int, Document | None]:
    if not stored:
        return 0, None
    fields = {name: value for name, value in stored.items() if name != _REVISION}
    return stored[_REVISION], from_builtins(Document, fields)
