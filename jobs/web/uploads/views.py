"""Uploads by tus: the job waits, `uploading`, until the last byte of its file is there. Its id is the upload's."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.translation import gettext as _

from jobs import lifecycle
from jobs.intake import submit
from jobs.models import Job, JobStatus, Reason, SourceKind
from jobs.pipeline.filenames import shortened
from jobs.storage import deletion
from jobs.web.forms import OrderForm
from jobs.web.permissions import job_for
from jobs.web.problems import Problem
from jobs.web.uploads import protocol as tus
from jobs.web.uploads import storage as received

_CAME = {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.FAILED}
"""A job in one of these has its file."""


async def _create(request: HttpRequest, user: Any) -> HttpResponse:
    """POST with Upload-Length and, as Upload-Metadata, `filename` and the fields of the order."""
    size = tus.number(request, "Upload-Length")
    fields = tus.metadata(request.headers.get("Upload-Metadata", ""))
    job = await sync_to_async(_accept)(user, size, fields)
    address = reverse("upload", args=[job.pk])
    return HttpResponse(status=201, headers={"Location": address, "Upload-Expires": _expires(job.changed)})


def _accept(user: Any, size: int, fields: dict[str, str]) -> Job:
    name = PurePosixPath(fields.pop("filename", "").replace("\\", "/")).name
    if not name or not size:
        raise Problem(400, _("Choose a video or audio file that is not empty."))
    form = OrderForm(fields)
    if not form.is_valid():
        raise Problem(400, str(next(iter(form.errors.values()))[0]))
    return submit.accept_upload(
        user, shortened(name, 255), size, form.job_options(), keep_running=form.cleaned_data["keep_running"]
    )


async def _tell(_request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """HEAD: how far it came. Also when all of it did: whoever missed that answer asks again. (GET: with a sentence when
    that cannot be told, which an answer to HEAD has no place for.)
    """
    headers = await sync_to_async(_progress)(await _job(user, job_id), user.get_username())
    return HttpResponse(headers=headers)


def _progress(job: Job, actor: str) -> dict[str, str]:
    if job.status not in {JobStatus.UPLOADING, *_CAME} or job.source_kind != SourceKind.UPLOAD:
        raise received.gone()
    came = job.size if job.status in _CAME else received.size_of(job)
    if job.status == JobStatus.UPLOADING and came == job.size:
        received.settle(job, actor)
    return {
        "Upload-Offset": str(came),
        "Upload-Length": str(job.size),
        "Upload-Metadata": tus.as_metadata(filename=job.source),
        "Upload-Expires": _expires(job.changed),
    }


async def _add(request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """PATCH: the next bytes, at most `tus.CHUNK` of them, at Upload-Offset."""
    job = await _job(user, job_id)
    if request.content_type != tus.CONTENT_TYPE:
        raise Problem(415, _("The content type must be {type}.").format(type=tus.CONTENT_TYPE))
    offset = tus.number(request, "Upload-Offset")
    if job.status != JobStatus.UPLOADING:
        raise received.gone()
    size = await sync_to_async(received.add)(job, offset, request, most=tus.CHUNK, actor=user.get_username())
    return HttpResponse(status=204, headers={"Upload-Offset": str(size), "Upload-Expires": _expires(timezone.now())})


async def _end(_request: HttpRequest, user: Any, job_id: uuid.UUID) -> HttpResponse:
    """DELETE: the upload is not wanted any more, and so the job."""
    job = await _job(user, job_id)
    if job.status != JobStatus.UPLOADING:
        raise received.gone()
    await sync_to_async(_cancel)(job, user.get_username())
    return HttpResponse(status=204)


def _cancel(job: Job, actor: str) -> None:
    if lifecycle.cancel(job.pk, actor=actor, reason=Reason.UPLOAD_WITHDRAWN):
        deletion.finish(job.pk)


async def _job(user: Any, job_id: uuid.UUID) -> Job:
    try:
        return await sync_to_async(job_for)(user, job_id)
    except Http404:
        raise Problem(404, _("Upload not found.")) from None


def _expires(last: datetime) -> str:
    """When the sweeps give up an upload to which nothing was added since `last`."""
    return http_date((last + min(lifecycle.UPLOAD_EXPIRY, timedelta(hours=settings.RETENTION_HOURS))).timestamp())


uploads = tus.resource(POST=_create)
upload = tus.resource(HEAD=_tell, GET=_tell, PATCH=_add, DELETE=_end)
