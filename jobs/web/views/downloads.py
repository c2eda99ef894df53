"""Published files of a job, whole or a byte range (RFC 9110); sent by nginx where X_ACCEL_REDIRECT is set."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from jobs.i18n.formats import sentence_of
from jobs.models import Artifact, Job, SourceKind
from jobs.pipeline.errors import StorageAway
from jobs.pipeline.filenames import result_file, result_name
from jobs.storage import artifacts, installation
from jobs.web.content_disposition import content_disposition
from jobs.web.permissions import job_for
from jobs.web.problems import RETRY_AFTER

CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip; charset=utf-8",
    ".ass": "text/x-ssa; charset=utf-8",
}
"""Content types by suffix. Any other file is sent as application/octet-stream, so that no upload is shown as a page."""

_INTERNAL = {"audio"}
"""Kinds of artifacts that are not served."""

_CHUNK_BYTES = 256 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class _OpenFile:
    """An open file of `size` bytes, last changed at `changed` (seconds since 1970). `title` and `ending` are its name.

    `linked`: it was opened through a symbolic link that the site made to a local file.
    """

    file: BinaryIO
    path: Path
    title: str
    ending: str
    size: int
    changed: float
    etag: str
    linked: bool


@require_safe
async def media(request: HttpRequest, job_id: uuid.UUID, kind: str) -> HttpResponseBase:
    """The file of `kind`; with `?download=1` as an attachment with a descriptive name."""
    user = await request.auser()
    try:
        found = await sync_to_async(_find)(user, job_id, kind)
    except StorageAway as away:
        headers = {"Retry-After": RETRY_AFTER, "Cache-Control": "no-store"}
        return HttpResponse(sentence_of(away), status=503, content_type="text/plain; charset=utf-8", headers=headers)
    try:
        response = await _respond(request, found)
    except BaseException:
        found.file.close()
        raise
    if not response.streaming:
        found.file.close()
    response["Cache-Control"] = "private, no-cache"  # the file behind an address can change
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _find(user: Any, job_id: uuid.UUID, kind: str) -> _OpenFile:
    """Open the file. Raises Http404 when there is none or `user` may not see the job, StorageAway while its disk
    is away.
    """
    job = job_for(user, job_id)
    artifact = job.artifacts.filter(kind=kind).exclude(kind__in=_INTERNAL).first()
    if artifact is None:
        raise Http404
    path = artifacts.job_dir(job.pk) / artifact.name
    linked = kind == "source" and job.source_kind in {SourceKind.FILE, SourceKind.SAMPLE}
    file = _open(path, linked)
    facts = os.fstat(file.fileno())
    title, ending = _name(job, artifact)
    return _OpenFile(
        file=file,
        path=path,
        title=title,
        ending=ending,
        size=facts.st_size,
        changed=facts.st_mtime,
        etag=f'"{artifact.pk:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"',
        linked=linked,
    )


def _open(path: Path, linked: bool) -> BinaryIO:
    """Open a regular file, and follow a symbolic link only if `linked`. Raises Http404, or StorageAway while its disk
    is away.
    """
    follow = 0 if linked else os.O_NOFOLLOW
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | follow)
    except OSError:
        installation.require()
        raise Http404 from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Http404
    return os.fdopen(file, "rb", buffering=0)


def _name(job: Job, artifact: Artifact) -> tuple[str, str]:
    """The title and the ending of the name under which a browser stores a file."""
    title = result_name(job.title or Path(job.source).stem)
    if artifact.kind == "source":
        return title, Path(artifact.name).suffix
    return title, result_file(title, artifact.kind, artifact.name, job.target).removeprefix(title)


async def _respond(request: HttpRequest, found: _OpenFile) -> HttpResponseBase:
    headers = {
        "Content-Type": CONTENT_TYPES.get(found.path.suffix.lower(), "application/octet-stream"),
        "Content-Disposition": content_disposition(
            found.title, found.ending, download=bool(request.GET.get("download"))
        ),
    }
    if settings.X_ACCEL_REDIRECT and not found.linked:  # nginx may not be allowed to read the target of a link
        return HttpResponse(headers={**headers, "X-Accel-Redirect": _internal_address(found.path)})
    headers |= {"Accept-Ranges": "bytes", "ETag": found.etag, "Last-Modified": http_date(found.changed)}
    unchanged = get_conditional_response(request, found.etag, int(found.changed), HttpResponse(headers=headers))
    if unchanged is not None and unchanged.status_code != 200:
        return unchanged
    return _ranged(request, found, headers)


def _internal_address(path: Path) -> str:
    """The internal nginx address of the file."""
    return settings.X_ACCEL_REDIRECT.rstrip("/") + "/" + quote(str(path.relative_to(settings.MEDIA_ROOT)))


def _ranged(request: HttpRequest, found: _OpenFile, headers: dict[str, str]) -> HttpResponseBase:
    requested = _range(request, found)
    if requested is None:
        first, last, status = 0, found.size - 1, 200
    else:
        first, last, status = *requested, 206
        if first > last:
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{found.size}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{found.size}"
    headers["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    return StreamingHttpResponse(_FileChunks(found.file, first, last - first + 1), status=status, headers=headers)


def _range(request: HttpRequest, found: _OpenFile) -> tuple[int, int] | None:
    """The first and the last byte requested; the first is after the last when the range is empty. None: the whole file.

    Several ranges get the whole file, which RFC 9110 allows.
    """
    parts = re.fullmatch(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", request.headers.get("Range", ""))
    if request.method != "GET" or not parts or not _is_current(request.headers.get("If-Range"), found):
        return None
    first, last = parts.groups()
    if (first and last and int(first) > int(last)) or (not first and not last):
        return None
    end = found.size - 1
    if not first:
        return max(0, found.size - int(last)), end
    return int(first), min(int(last), end) if last else end


def _is_current(known: str | None, found: _OpenFile) -> bool:
    """Whether `known`, an If-Range header, names this version of the file; True without one."""
    return known is None or known in {found.etag, http_date(found.changed)}


class _FileChunks:
    """`count` bytes of a file from `first` on, read in threads; closes the file at the end or on disconnect."""

    def __init__(self, file: BinaryIO, first: int, count: int) -> None:
        self._file, self._first, self._count = file, first, count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            await asyncio.to_thread(self._file.seek, self._first)
            left = self._count
            while left and (chunk := await asyncio.to_thread(self._file.read, min(_CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Close the file; Django calls it when a response ends early."""
        self._file.close()
