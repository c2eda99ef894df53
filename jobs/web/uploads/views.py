"""The tus endpoints. A job is `uploading` until its file is complete; its id is that of the upload."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.translation import gettext as _

from jobs import lifecycle
from jobs.intake import submit
from jobs.models import Job, JobStatus, Reason, SourceKind
from jobs.pipeline.filenames import shortened
from jobs.storage import deletion
from jobs.web.forms import JobOptionsForm
from jobs.web.permissions import job_for
from jobs.web.problems import Problem
from jobs.web.uploads import protocol as tus
from jobs.web.uploads import storage

_RECEIVED = {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.COMPLETED, JobStatus.FAILED}
"""Statuses of jobs whose file is complete."""


async def _create(request: HttpRequest, user: Any) -> HttpResponse:
    """POST with Upload-Length; Upload-Metadata has `filename` and the fields of JobOptionsForm."""
    size = tus.byte_count(request, "Upload-Length")
    fields = tus.parse_metadata(request.headers.get("Upload-Metadata", ""))
    job = await sync_to_async(_accept)(user, size, fields)
    address = reverse("upload", args=[job.pk])
    return HttpResponse(status=201, headers={"Location": address, "Upload-Expires": _expires(job.changed)})


def _accept(user: Any, size: int, fields: dict[str, str]) -> Job:
    name = PurePosixPath(fields.pop("filename", "").replace("\\", "/")).name
    if not name or not size:
        raise Problem(400, _("Choose a video or audio file that is not empty."))
    form = JobOptionsForm(fields, owner=user)
    if not form.is_valid():
        raise Problem(400, str(next(iter(form.errors.values()))[0]))
    return submit.accept_upload(user, shortened(name, 255), size, form.job_options(), **form.job_fields())


async def _offset(_request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """HEAD: the progress, also after the last byte, for a client that missed that response.

    GET does the same; its errors have a sentence in the body, which a response to HEAD cannot carry.
    """
    headers = await sync_to_async(_progress)(await _job(user, job_id), user.get_username())
    return HttpResponse(headers=headers)


def _progress(job: Job, actor: str) -> dict[str, str]:
    if job.status not in {JobStatus.UPLOADING, *_RECEIVED} or job.source_kind != SourceKind.UPLOAD:
        raise storage.upload_ended()
    size = job.size if job.status in _RECEIVED else storage.size_of(job)
    if job.status == JobStatus.UPLOADING and size == job.size:
        storage.submit_if_complete(job, actor)
    return {
        "Upload-Offset": str(size),
        "Upload-Length": str(job.size),
        "Upload-Metadata": tus.format_metadata(filename=job.source),
        "Upload-Expires": _expires(job.changed),
    }


async def _append(request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """PATCH: at most `tus.MAX_CHUNK_BYTES` more bytes, at Upload-Offset."""
    job = await _job(user, job_id)
    if request.content_type != tus.CONTENT_TYPE:
        raise Problem(415, _("The content type must be {type}.").format(type=tus.CONTENT_TYPE))
    offset = tus.byte_count(request, "Upload-Offset")
    if job.status != JobStatus.UPLOADING:
        raise storage.upload_ended()
    actor = user.get_username()
    size = await sync_to_async(storage.append)(job, offset, request, max_bytes=tus.MAX_CHUNK_BYTES, actor=actor)
    return HttpResponse(status=204, headers={"Upload-Offset": str(size), "Upload-Expires": _expires(timezone.now())})


async def _terminate(_request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """DELETE: cancels the upload and its job."""
    job = await _job(user, job_id)
    if job.status != JobStatus.UPLOADING:
        raise storage.upload_ended()
    await sync_to_async(_cancel)(job, user.get_username())
    return HttpResponse(status=204)


async def _checksums(request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """GET: checksums of the received part from byte `from` on (0 without it), to recognise its file.

    `received` is the number of bytes that have arrived; the checksums may cover fewer: then ask for the rest.
    """
    job = await _job(user, job_id)
    if job.status != JobStatus.UPLOADING or job.source_kind != SourceKind.UPLOAD:
        raise storage.upload_ended()
    start = request.GET.get("from", "0")
    if not re.fullmatch(r"[0-9]{1,18}", start):
        raise Problem(400, _("The request is invalid."))
    return JsonResponse(await sync_to_async(_checksums_from)(job, int(start)))


def _checksums_from(job: Job, start: int) -> dict[str, Any]:
    received, found = storage.checksums(job, start)
    return {"received": received, "block": storage.BLOCK_BYTES, "checksums": found}


def _cancel(job: Job, actor: str) -> None:
    if lifecycle.cancel(job.pk, actor=actor, reason=Reason.UPLOAD_WITHDRAWN):
        deletion.finish(job.pk)


async def _job(user: Any, job_id: uuid.UUID) -> Job:
    try:
        job = await sync_to_async(job_for)(user, job_id)
    except Http404:
        raise Problem(404, _("Upload not found.")) from None
    if job.status == JobStatus.UPLOADING and not await job.stages.aexists():  # it is not settled (`lifecycle.begin`)
        raise Problem(404, _("Upload not found."))
    return job


def _expires(last: datetime) -> str:
    """The time, as an HTTP date, at which an upload without data since `last` is cancelled."""
    return http_date((last + min(lifecycle.UPLOAD_EXPIRY, timedelta(hours=settings.RETENTION_HOURS))).timestamp())


uploads = tus.resource(POST=_create)
upload = tus.resource(HEAD=_offset, GET=_offset, PATCH=_append, DELETE=_terminate)
checksums = tus.resource(GET=_checksums)
