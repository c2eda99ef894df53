"""The file of an upload, as it grows.

It lies in the job's directory under its last name from the first byte on: what publishes it is its row, which is
written together with the word that the job may begin. So whatever is killed at whatever moment, the size of the file
tells how far the upload came, and a file that is whole without a row wants only that row.
"""

from __future__ import annotations

import fcntl
import os
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

_PIECE = 256 << 10
"""Bytes read and written at a time."""


class Body(Protocol):
    """What a request brings."""

    def read(self, size: int, /) -> bytes: ...


def size_of(job: Job) -> int:
    """How many bytes came, and are on the disk to stay. Raises StorageAway."""
    installation.require()
    try:
        file = os.open(_place(job), os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        size = os.fstat(file).st_size
        os.fsync(file)
        return size
    finally:
        os.close(file)


def add(job: Job, offset: int, body: Body, *, most: int, actor: str) -> int:
    """Put what `body` brings at the end of the file, which has to be at `offset`; the size that it has then.

    When that is all of it, the job is queued. Raises Problem: 409 when the file ends elsewhere, 410 when the job waits
    for nothing, 413 when there are more than `most` bytes or more than were promised, 423 while somebody else adds to
    it. Raises StorageAway, DiskFull, Unwritable. Then the file is as it was.
    """
    with _held(job) as file:
        size = os.fstat(file).st_size
        if size != offset:
            raise Problem(409, _("The upload does not continue where the server stopped. Refresh the page to resume."))
        size = _append(file, size, body, min(job.size, size + most), _place(job))
        if not lifecycle.uploaded_more(job.pk):
            raise gone()
        if size == job.size:
            _publish(job, actor)
        return size


def settle(job: Job, actor: str) -> None:
    """Queue a job whose file is whole: who was to do so was killed, or is about to."""
    with suppress(Problem), _held(job) as file:
        if os.fstat(file).st_size == job.size:
            _publish(job, actor)


def gone() -> Problem:
    return Problem(410, _("This upload has ended. Start again."))


@contextmanager
def _held(job: Job) -> Iterator[int]:
    """The file, open and locked; the lock goes with the process that has it. The directory is never made here: it is
    renamed away when the job is cancelled. While its disk is away, it is not gone.
    """
    installation.require()
    with _opened(_place(job)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(423, _("This file is already being uploaded elsewhere. Wait a moment.")) from None
        if not Job.objects.filter(pk=job.pk, status=JobStatus.UPLOADING).exists():
            raise gone()
        yield file


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    try:
        file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except FileNotFoundError:
        installation.require()
        raise gone() from None
    except OSError as error:
        installation.require()
        raise refusal(error, place) from None
    try:
        yield file
    finally:
        os.close(file)


def _append(file: int, start: int, body: Body, limit: int, place: Path) -> int:
    """The size that the file has then, on the disk to stay. What goes wrong leaves it at `start`."""
    try:
        os.lseek(file, start, os.SEEK_SET)
        return _copy(file, start, body, limit)
    except OSError as error:
        os.ftruncate(file, start)
        raise refusal(error, place) from None
    except BaseException:
        os.ftruncate(file, start)
        raise


def _copy(file: int, size: int, body: Body, limit: int) -> int:
    while piece := body.read(_PIECE):
        size += len(piece)
        if size > limit:
            raise Problem(413, _("More data arrived than was announced, or this piece is too large."))
        left = memoryview(piece)
        while left:
            left = left[os.write(file, left) :]
    os.fsync(file)
    return size


def _publish(job: Job, actor: str) -> None:
    place = _place(job)
    try:
        with transaction.atomic():
            lifecycle.submit(job.pk, actor)
            Artifact.objects.create(job=job, kind="source", name=place.name, size=job.size)
    except lifecycle.IllegalTransition:
        raise gone() from None


def _place(job: Job) -> Path:
    return artifacts.home(job.pk) / artifacts.source_name(job.source)
