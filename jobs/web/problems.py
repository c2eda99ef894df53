"""Answers that refuse: problem JSON (RFC 9457) with a sentence in the language of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpResponse

from jobs.i18n.formats import sentence_of
from jobs.pipeline.errors import (
    BadInput,
    DiskFull,
    EngineError,
    PipelineError,
    QuotaError,
    StorageAway,
    StorageFull,
    TooLarge,
)

CONTENT_TYPE = "application/problem+json"

_STATUSES: tuple[tuple[type[PipelineError], int], ...] = (
    (TooLarge, 413),
    (StorageFull, 413),
    (QuotaError, 429),
    (DiskFull, 507),
    (StorageAway, 503),
    (BadInput, 400),
    (EngineError, 400),
)
"""The first that fits. Anything else is our own fault."""


RETRY_AFTER = "30"
"""Seconds after which to ask again where a disk is away."""


class Problem(Exception):
    """Ends a view with this status and sentence."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        """An underscore in the name of a header stands for a hyphen."""
        self.status, self.sentence, self.headers = status, sentence, headers
        super().__init__(sentence)

    @classmethod
    def of(cls, error: PipelineError) -> Problem:
        """What a refusal of the pipeline is called on the web."""
        status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
        headers = {"Retry_After": RETRY_AFTER} if status == 503 else {}
        return cls(status, sentence_of(error), **headers)

    def answer(self) -> HttpResponse:
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return answer(self.status, self.sentence, headers)


def answer(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The refusal itself."""
    body = {"status": status, "title": HTTPStatus(status).phrase, "detail": sentence}
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type=CONTENT_TYPE, headers=dict(headers or {})
    )
