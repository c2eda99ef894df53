"""Which disk belongs to this installation: an id in a row of the database, and in a file beside the jobs' directories.

A disk that is not mounted leaves an empty directory in its place, and MEDIA_ROOT may name another installation's. On
such a disk every result seems to be deleted, and every file to belong to nobody. So where the two ids do not agree
nothing is begun, deleted or called cancelled.

The row comes first, then the file, then the word in the row that the file is there: whoever is killed in between is
followed by one who goes on, and a file without its row is never of our making.
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
"""The name of the file. It has no dot in front, so that `cp jobs/*` takes it along."""

LOOKED_AT = 100
"""How many of the newest jobs with files tell whether a disk without a known id is the right one."""

_KEPT = 2.0
"""Seconds for which pages believe what they were told of the disk."""


class Disk(StrEnum):
    """What the disk at MEDIA_ROOT is to this installation."""

    RIGHT = "right"
    NEW = "new"
    """It bears no id of ours yet, and nothing speaks against it: see `is_right`."""
    AWAY = "away"
    """There is no place for jobs: it is not mounted."""
    UNREADABLE = "unreadable"
    UNMARKED = "unmarked"
    """It bears no id, although the files of this installation lie on a disk that does, or are not here."""
    OTHER = "other"
    """It bears the id of another installation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Of the newest jobs with files: how many there are in the database, and how many of them have a directory here."""

    known: int
    here: int

    @property
    def fit(self) -> bool:
        """Whether most of them are here: a few may have been deleted by hand."""
        return 2 * self.here >= self.known


def place() -> Path:
    """Where the directories of all jobs lie."""
    return Path(settings.MEDIA_ROOT) / "jobs"


def look() -> Disk:
    """What the disk is. Changes nothing."""
    if not place().is_dir():
        return Disk.AWAY
    try:
        mark = _read()
    except (OSError, ValueError):
        return Disk.UNREADABLE
    row = Installation.objects.first()
    if row and row.disk == mark:
        return Disk.RIGHT if row.marked else Disk.NEW
    if mark is None:
        fits = not Job.objects.exists() if row and row.marked else files().fit
        return Disk.NEW if fits else Disk.UNMARKED
    if row and row.marked:
        return Disk.OTHER
    found = files()  # the database is older than the id: it was restored, or is another installation's
    return Disk.NEW if found.known and found.fit else Disk.OTHER


def files() -> Files:
    """Of the newest jobs with files, how many have their directory on this disk."""
    published = Artifact.objects.filter(job=OuterRef("pk"))
    newest = Job.objects.filter(Exists(published)).order_by("-created").values_list("pk", flat=True)[:LOOKED_AT]
    known = [place() / str(job_id) for job_id in newest]
    return Files(known=len(known), here=sum(directory.is_dir() for directory in known))


def is_right() -> bool:
    """Whether the disk of this installation is there. One that is new to it is marked first."""
    found = look()
    if found == Disk.NEW and not connection.in_atomic_block:  # what a transaction writes may be undone
        try:
            mark()
        except OSError as error:
            log.warning("Disk not marked as belonging to this installation: %s", error)
            return False
        found = look()
    return found in {Disk.RIGHT, Disk.NEW}


def require() -> None:
    """Raises StorageAway where the disk of this installation is not there."""
    if not is_right():
        raise StorageAway


_lately: dict[Path, tuple[float, bool]] = {}


def was_right_lately() -> bool:
    """Whether it was there a moment ago: for pages, which ask often."""
    asked, right = _lately.get(place(), (-_KEPT, True))
    if time.monotonic() - asked > _KEPT:
        right = look() in {Disk.RIGHT, Disk.NEW}
        _lately[place()] = (time.monotonic(), right)
    return right


def mark() -> None:
    """Give the disk and the database one id, unless they have one. Raises OSError."""
    there = _read()
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"disk": there or uuid.uuid4()})
    if there is None:
        _write(row.disk, over=False)
    elif not row.marked and row.disk != there:
        Installation.objects.filter(pk=1, marked=False).update(disk=there)
    if (now := _read()) and Installation.objects.filter(pk=1, disk=now, marked=False).update(marked=True):
        log.info("Disk marked as belonging to this installation: %s", place())


def adopt() -> None:
    """Make the disk this installation's, whatever it was: a person says so. It gets a new id, so that an installation
    to which it belonged before stops. Raises OSError.
    """
    place().mkdir(parents=True, exist_ok=True)
    new = uuid.uuid4()
    Installation.objects.update_or_create(pk=1, defaults={"disk": new, "marked": False})
    _write(new, over=True)
    Installation.objects.filter(pk=1, disk=new).update(marked=True)


def _read() -> uuid.UUID | None:
    """The id that the disk bears, if it bears one. Raises OSError, ValueError for anything else in that file."""
    try:
        return uuid.UUID((place() / MARKER).read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None


def _write(disk: uuid.UUID, *, over: bool) -> None:
    """The whole file or nothing; `over`: in place of another one. Raises OSError."""
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
    """Under its name, unless another process was faster."""
    try:
        (place() / MARKER).hardlink_to(part)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        part.replace(place() / MARKER)


def _sync(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # not every file system can do so for a directory
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
    """What is wrong with the disk, in English, for those who run the site; empty when nothing is, or the first job is
    still to come.
    """
    found = look()
    sentence = "" if found == Disk.AWAY and not Job.objects.exists() else PROBLEMS.get(found, "")
    return sentence.format(place=place(), marker=MARKER)
