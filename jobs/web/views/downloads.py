"""Published files of a job: whole or a range of them (RFC 9110), by us or, where it is in front, by nginx."""

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
from django.utils.http import content_disposition_header, http_date
from django.views.decorators.http import require_safe

from jobs.models import Artifact, Job, SourceKind
from jobs.pipeline.filenames import result_file, result_name
from jobs.storage import artifacts
from jobs.web.permissions import job_for

TYPES = {
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
"""What a browser is told. Anything else that somebody uploads is bytes to it, never a page."""

_INTERNAL = {"audio"}
"""Kinds that only the stages need."""

_PIECE = 256 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """An open file of `size` bytes, last changed at `changed` (seconds since 1970)."""

    file: BinaryIO
    path: Path
    name: str
    size: int
    changed: float
    etag: str
    linked: bool


@require_safe
async def media(request: HttpRequest, job_id: uuid.UUID, kind: str) -> HttpResponseBase:
    """The file of `kind`; with `?download=1` to be kept, under a name that says what it is."""
    user = await request.auser()
    found = await sync_to_async(_find)(user, job_id, kind)
    try:
        answer = await _answer(request, found)
    except BaseException:
        found.file.close()
        raise
    if not answer.streaming:
        found.file.close()
    answer["Cache-Control"] = "private, no-cache"  # a file may be made anew under the same address
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _find(user: Any, job_id: uuid.UUID, kind: str) -> _Found:
    """Raises Http404 when there is no such file, or none for `user`."""
    job = job_for(user, job_id)
    artifact = job.artifacts.filter(kind=kind).exclude(kind__in=_INTERNAL).first()
    if artifact is None:
        raise Http404
    path = artifacts.home(job.pk) / artifact.name
    linked = kind == "source" and job.source_kind in {SourceKind.FILE, SourceKind.SAMPLE}
    file = _open(path, linked)
    facts = os.fstat(file.fileno())
    return _Found(
        file=file,
        path=path,
        name=_name(job, artifact),
        size=facts.st_size,
        changed=facts.st_mtime,
        etag=f'"{artifact.pk:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}"',
        linked=linked,
    )


def _open(path: Path, linked: bool) -> BinaryIO:
    """Only a regular file; through a link only where we have made it ourselves, to the video that was named."""
    follow = 0 if linked else os.O_NOFOLLOW
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | follow)
    except OSError:
        raise Http404 from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Http404
    return os.fdopen(file, "rb", buffering=0)


def _name(job: Job, artifact: Artifact) -> str:
    name = result_name(job.title or Path(job.source).stem)
    if artifact.kind == "source":
        return name + Path(artifact.name).suffix
    return result_file(name, artifact.kind, artifact.name, job.target)


async def _answer(request: HttpRequest, found: _Found) -> HttpResponseBase:
    headers = {
        "Content-Type": TYPES.get(found.path.suffix.lower(), "application/octet-stream"),
        "Content-Disposition": content_disposition_header(bool(request.GET.get("download")), found.name) or "inline",
    }
    if settings.X_ACCEL_REDIRECT and not found.linked:  # what is linked to may be closed to nginx
        return HttpResponse(headers={**headers, "X-Accel-Redirect": _below(found.path)})
    headers |= {"Accept-Ranges": "bytes", "ETag": found.etag, "Last-Modified": http_date(found.changed)}
    unchanged = get_conditional_response(request, found.etag, int(found.changed), HttpResponse(headers=headers))
    if unchanged is not None and unchanged.status_code != 200:
        return unchanged
    return _ranged(request, found, headers)


def _below(path: Path) -> str:
    """The address under which nginx, and only nginx, finds the file."""
    return settings.X_ACCEL_REDIRECT.rstrip("/") + "/" + quote(str(path.relative_to(settings.MEDIA_ROOT)))


def _ranged(request: HttpRequest, found: _Found, headers: dict[str, str]) -> HttpResponseBase:
    wanted = _range(request, found)
    if wanted is None:
        first, last, status = 0, found.size - 1, 200
    else:
        first, last, status = *wanted, 206
        if first > last:
            return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{found.size}"})
        headers["Content-Range"] = f"bytes {first}-{last}/{found.size}"
    headers["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    return StreamingHttpResponse(_Pieces(found.file, first, last - first + 1), status=status, headers=headers)


def _range(request: HttpRequest, found: _Found) -> tuple[int, int] | None:
    """The first and the last byte that are wanted, the first behind the last where there are none; None: all of them.

    Of several ranges at once nobody gets several parts: the whole is an answer too.
    """
    wanted = re.fullmatch(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", request.headers.get("Range", ""))
    if request.method != "GET" or not wanted or not _is_current(request.headers.get("If-Range"), found):
        return None
    first, last = wanted.groups()
    if (first and last and int(first) > int(last)) or (not first and not last):
        return None
    end = found.size - 1
    if not first:
        return max(0, found.size - int(last)), end
    return int(first), min(int(last), end) if last else end


def _is_current(known: str | None, found: _Found) -> bool:
    """Whether who has a part of the file, as `known` says, has a part of this one."""
    return known is None or known in {found.etag, http_date(found.changed)}


class _Pieces:
    """Bytes of a file, read piece by piece by other threads. Closes it at the end, or when the client goes."""

    def __init__(self, file: BinaryIO, first: int, count: int) -> None:
        self._file, self._first, self._count = file, first, count

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            await asyncio.to_thread(self._file.seek, self._first)
            left = self._count
            while left and (piece := await asyncio.to_thread(self._file.read, min(_PIECE, left))):
                left -= len(piece)
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        self._file.close()
