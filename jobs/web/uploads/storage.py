"""The file of an upload while it grows.

It has its final name in the job's directory from the first byte on; it is published by its Artifact row, which is
written in one transaction with the submission of the job. After a kill at any moment, the size of the file is therefore
the progress of the upload, and a complete file without a row only needs that row.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from jobs import lifecycle
from jobs.models import Artifact, Job, JobStatus
from jobs.pipeline.media.atomic_files import refusal
from jobs.storage import artifacts, installation
from jobs.web.problems import Problem

_BUFFER_BYTES = 256 << 10
"""Bytes read and written at a time."""


BLOCK_BYTES = 1 << 20
"""Bytes under one checksum."""

BLOCKS = 256
"""The most checksums of one response: reading that many blocks takes less than a second from most disks."""


class Body(Protocol):
    """A request body that can be read in parts."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; empty at the end."""


def size_of(job: Job) -> int:
    """The number of bytes received and synced to the disk. Raises StorageAway."""
    installation.require()
    try:
        file = os.open(_path(job), os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        size = os.fstat(file).st_size
        os.fsync(file)
        return size
    finally:
        os.close(file)


def append(job: Job, offset: int, body: Body, *, max_bytes: int, actor: str) -> int:
    """Append `body` to the file, whose size must be `offset`; return the new size. Submits the job when it is complete.

    Raises Problem: 409 when the size is another one, 410 when the job waits for no upload, 413 when there are more than
    `max_bytes` bytes or more than announced, 423 while another request appends. Raises StorageAway, DiskFull and
    Unwritable. After an error the file is as it was before.
    """
    with _locked(job) as file:
        size = os.fstat(file).st_size
        if size != offset:
            raise Problem(409, _("The upload does not continue where the server stopped. Refresh the page to resume."))
        size = _append(file, size, body, min(job.size, size + max_bytes), _path(job))
        if not lifecycle.uploaded_more(job.pk):
            raise upload_ended()
        if size == job.size:
            _publish(job, actor)
        return size


def checksums(job: Job, start: int) -> tuple[int, list[int]]:
    """The number of bytes received, and the CRC-32 of each block of BLOCK_BYTES of them from byte `start` on.

    At most BLOCKS checksums; the last block may be shorter. Raises StorageAway, and Problem (410) without a file.
    """
    received = size_of(job)
    end = min(received, start + BLOCKS * BLOCK_BYTES)
    if start >= end:
        return received, []
    try:
        with _path(job).open("rb") as file:
            file.seek(start)
            sizes = (min(BLOCK_BYTES, end - place) for place in range(start, end, BLOCK_BYTES))
            return received, [zlib.crc32(file.read(size)) for size in sizes]
    except FileNotFoundError:
        installation.require()
        raise upload_ended() from None


def submit_if_complete(job: Job, actor: str) -> None:
    """Submit a job whose file is complete: the process that should have done so may have been killed."""
    with suppress(Problem), _locked(job) as file:
        if os.fstat(file).st_size == job.size:
            _publish(job, actor)


def upload_ended() -> Problem:
    """The problem (410) for an upload whose job no longer waits for one."""
    return Problem(410, _("This upload has ended. Start again."))


@contextmanager
def _locked(job: Job) -> Iterator[int]:
    """The descriptor of the file, locked; the kernel releases the lock when the process ends. Raises StorageAway."""
    installation.require()
    with _opened(_path(job)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(423, _("This file is already being uploaded elsewhere. Wait a moment.")) from None
        if not Job.objects.filter(pk=job.pk, status=JobStatus.UPLOADING).exists():
            raise upload_ended()
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    # The directory is not created here: it is renamed away when the job is cancelled.
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except FileNotFoundError:
        installation.require()  # a file is missing also while its disk is away
        raise upload_ended() from None
    except OSError as error:
        installation.require()
        raise refusal(error, path) from None
    try:
        yield file
    finally:
        os.close(file)


def _append(file: int, start: int, body: Body, limit: int, path: Path) -> int:
    """Append and sync; return the new size. Any error truncates the file to `start`."""
    try:
        os.lseek(file, start, os.SEEK_SET)
        return _copy(file, start, body, limit)
    except OSError as error:
        os.ftruncate(file, start)
        raise refusal(error, path) from None
    except BaseException:
        os.ftruncate(file, start)
        raise


def _copy(file: int, size: int, body: Body, limit: int) -> int:
    while chunk := body.read(_BUFFER_BYTES):
        size += len(chunk)
        if size > limit:
            raise Problem(413, _("More data arrived than was announced, or this piece is too large."))
        left = memoryview(chunk)
        while left:
            left = left[os.write(file, left) :]
    os.fsync(file)
    return size


def _publish(job: Job, actor: str) -> None:
    """Submit the job and write the row of its source. Raises Problem (410)."""
    path = _path(job)
    try:
        with transaction.atomic():
            lifecycle.submit(job.pk, actor)
            Artifact.objects.create(job=job, kind="source", name=path.name, size=job.size)
    except lifecycle.IllegalTransition:
        raise upload_ended() from None


def _path(job: Job) -> Path:
    return artifacts.job_dir(job.pk) / artifacts.source_name(job.source)
