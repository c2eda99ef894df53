"""Error responses for scripts: problem JSON (RFC 9457) with a sentence in the language of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

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
"""HTTP status by type of error; the first match is used, 500 without one."""


RETRY_AFTER = "30"
"""Retry-After of 503 responses, in seconds: the disk is not available."""


class Problem(Exception):
    """Ends a view with an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        """Names of `headers` are written with underscores for hyphens."""
        self.status, self.sentence, self.headers = status, sentence, headers
        super().__init__(sentence)

    @classmethod
    def from_error(cls, error: PipelineError) -> Problem:
        """The problem that describes a PipelineError, with the status of its type; 503 gets Retry-After."""
        status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
        headers = {"Retry_After": RETRY_AFTER} if status == 503 else {}
        return cls(status, sentence_of(error), **headers)

    def response(self) -> HttpResponse:
        """The response to send."""
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return problem_response(self.status, self.sentence, headers)


def problem_response(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return problem JSON with `sentence` as its `detail`."""
    body = {"status": status, "title": HTTPStatus(status).phrase, "detail": sentence}
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type=CONTENT_TYPE, headers=dict(headers or {})
    )


def wants_json(request: HttpRequest) -> bool:
    """Whether a script sent the request: it asks for JSON, not for a page."""
    return request.headers.get("Accept", "").startswith("application/json")
