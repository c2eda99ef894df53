"""The id of the disk with the files: in a row of the database, and in a file beside the jobs' directories.

A disk that is not mounted leaves an empty directory in its place, and MEDIA_ROOT may name another installation's. On
such a disk every result would look deleted, and every file orphaned. So while the two ids differ nothing is started,
deleted or marked as cancelled.

The row is written first, then the file, then the row's `marked`: if a process is killed in between, the next one
continues, and this installation never leaves a file without its row.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef

from jobs.models import Artifact, Installation, Job
from jobs.pipeline.errors import StorageAway

log = logging.getLogger(__name__)

MARKER = "installation.id"
"""The name of the file. It does not start with a dot, so that `cp jobs/*` copies it."""

LOOKED_AT = 100
"""The number of newest jobs with files that are looked for on a disk without a known id."""

_KEPT = 2.0
"""Seconds for which pages use the last result of `look`."""


class Disk(StrEnum):
    """The relation of the disk at MEDIA_ROOT to this installation."""

    RIGHT = "right"
    NEW = "new"
    """It has no id of ours yet, and can be marked: see `look` and `is_right`."""
    AWAY = "away"
    """The directory of all jobs is missing: the disk is not mounted."""
    UNREADABLE = "unreadable"
    UNMARKED = "unmarked"
    """It has no id, although this installation has marked its disk, or the files of its jobs are not on it."""
    OTHER = "other"
    """It has the id of another installation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Counts of the newest jobs with files: `known` in the database, `here` with a directory on this disk."""

    known: int
    here: int

    @property
    def fit(self) -> bool:
        """Whether at least half of them are on this disk: a few may have been deleted by hand."""
        return 2 * self.here >= self.known


def place() -> Path:
    """The directory that holds the directories of all jobs."""
    return Path(settings.MEDIA_ROOT) / "jobs"


def look() -> Disk:
    """Determine the relation of the disk to this installation. Changes nothing."""
    if not place().is_dir():
        return Disk.AWAY
    try:
        row, mark = _row_and_mark()
    except (OSError, ValueError):
        return Disk.UNREADABLE
    if row and row.disk == mark:
        return Disk.RIGHT if row.marked else Disk.NEW
    if mark is None:
        fits = not Job.objects.exists() if row and row.marked else files().fit
        return Disk.NEW if fits else Disk.UNMARKED
    if row and row.marked:
        return Disk.OTHER
    found = files()  # the database is older than the id: it was restored, or is another installation's
    return Disk.NEW if found.known and found.fit else Disk.OTHER


def _row_and_mark() -> tuple[Installation | None, uuid.UUID | None]:
    """The row and the id on the disk, as they were at one moment: another process may mark the disk meanwhile, which
    writes the row, then the id, then the row. Raises as `_read`.
    """
    mark = _read()
    while True:
        row, before = Installation.objects.first(), mark
        mark = _read()
        if mark == before:
            return row, mark


def files() -> Files:
    """Count the newest jobs with files, at most LOOKED_AT, and those whose directory is on this disk."""
    published = Artifact.objects.filter(job=OuterRef("pk"))
    newest = Job.objects.filter(Exists(published)).order_by("-created").values_list("pk", flat=True)[:LOOKED_AT]
    known = [place() / str(job_id) for job_id in newest]
    return Files(known=len(known), here=sum(directory.is_dir() for directory in known))


def is_right() -> bool:
    """Whether the disk of this installation is mounted. A new disk is marked first."""
    found = look()
    if found == Disk.NEW and not connection.in_atomic_block:  # a transaction may be rolled back
        try:
            mark()
        except OSError as error:
            log.warning("Disk not marked as belonging to this installation: %s", error)
            return False
        found = look()
    return found in {Disk.RIGHT, Disk.NEW}


def require() -> None:
    """Raise StorageAway unless the disk of this installation is mounted."""
    if not is_right():
        raise StorageAway


_lately: dict[Path, tuple[float, bool]] = {}


def was_right_lately() -> bool:
    """Whether the disk was right at most `_KEPT` seconds ago: for pages, which ask often."""
    asked, right = _lately.get(place(), (-_KEPT, True))
    if time.monotonic() - asked > _KEPT:
        right = look() in {Disk.RIGHT, Disk.NEW}
        _lately[place()] = (time.monotonic(), right)
    return right


def mark() -> None:
    """Write one id to the disk and to the database, unless they have one. Raises OSError."""
    there = _read()
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"disk": there or uuid.uuid4()})
    if there is None:
        _write(row.disk, over=False)
    elif not row.marked and row.disk != there:
        Installation.objects.filter(pk=1, marked=False).update(disk=there)
    if (now := _read()) and Installation.objects.filter(pk=1, disk=now, marked=False).update(marked=True):
        log.info("Disk marked as belonging to this installation: %s", place())


def adopt() -> None:
    """Assign the disk to this installation without a check, on the request of an operator. It gets a new id, so that an
    installation to which it belonged before stops using it. Raises OSError.
    """
    place().mkdir(parents=True, exist_ok=True)
    new = uuid.uuid4()
    Installation.objects.update_or_create(pk=1, defaults={"disk": new, "marked": False})
    _write(new, over=True)
    Installation.objects.filter(pk=1, disk=new).update(marked=True)


def _read() -> uuid.UUID | None:
    """The id on the disk, or None. Raises OSError; ValueError when the file holds anything else."""
    try:
        return uuid.UUID((place() / MARKER).read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None


def _write(disk: uuid.UUID, *, over: bool) -> None:
    """Write the file atomically; `over`: replace an existing one. Raises OSError."""
    part = place() / f".{MARKER}.{uuid.uuid4()}"
    try:
        with part.open("x", encoding="ascii") as file:
            file.write(f"{disk}\n")
            file.flush()
            os.fsync(file.fileno())
        if over:
            part.replace(place() / MARKER)
        else:
            _publish(part)
        _sync(place())
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path) -> None:
    """Give the finished file its name, unless another process was faster."""
    try:
        (place() / MARKER).hardlink_to(part)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        part.replace(place() / MARKER)


def _sync(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system supports it for a directory
            os.fsync(number)
    finally:
        os.close(number)


PROBLEMS = {
    Disk.AWAY: "{place} is missing: the disk is not mounted, or MEDIA_ROOT names another place.",
    Disk.UNREADABLE: "{place}/{marker} cannot be read, so nobody knows whose disk this is.",
    Disk.UNMARKED: "{place} does not hold the files of this installation: the disk is not mounted, or MEDIA_ROOT names "
    "another place.",
    Disk.OTHER: "{place} belongs to another installation, or to another database of this one.",
}
REMEDY = (
    "mount the right disk, or correct MEDIA_ROOT; until then nothing is begun or deleted. If this is the right disk: "
    "manage.py adopt_disk"
)


def problem() -> str:
    """The problem of the disk as an English sentence for operators; empty when there is none, or before the first
    job.
    """
    found = look()
    sentence = "" if found == Disk.AWAY and not Job.objects.exists() else PROBLEMS.get(found, "")
    return sentence.format(place=place(), marker=MARKER)
