"""Where a job's files live: `MEDIA_ROOT/jobs/<job>/<attempt>/…`, published by an Artifact row that names them.

Only creation makes a job's directory. Each attempt works in a directory of its own below it, so that a late writer of a
lost attempt overwrites nothing, and finds nothing to write to once the job's directory was moved into the trash.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from jobs.models import Artifact, Job, StageRun, StageStatus
from jobs.pipeline.errors import HostError
from jobs.pipeline.media.atomic_files import refusal
from jobs.storage import installation
from jobs.storage.installation import Disk

log = logging.getLogger(__name__)


def job_dir(job_id: uuid.UUID) -> Path:
    """The job's directory."""
    return _jobs() / str(job_id)


def make_job_dir(job_id: uuid.UUID) -> None:
    """Called once, before the job's row is written. Raises StorageAway, DiskFull, Unwritable.

    The place of all jobs comes with the very first one. If it is missing later, the disk is not mounted, and a new one
    would lie hidden below the mount.
    """
    try:
        if not _jobs().is_dir() and not Job.objects.exists():
            _jobs().mkdir(parents=True, exist_ok=True)
        if installation.look() == Disk.NEW and not connection.in_atomic_block:
            installation.mark()
        installation.require()
        job_dir(job_id).mkdir()
    except OSError as error:
        raise refusal(error, job_dir(job_id)) from None


def is_present() -> bool:
    """Whether the disk with the jobs is there, and not another one or an empty directory in its place."""
    return installation.is_right()


def disk() -> Path | None:
    """A directory on the disk of the jobs: theirs; before the first job, the nearest one in which it can be made.

    None where no job can be stored: the disk is not mounted or read-only, or something else has the name.
    """
    place = _jobs()
    if not place.is_dir():
        if Job.objects.exists():
            return None
        place = next(each for each in (place, *place.parents) if os.path.lexists(each))
    return place if place.is_dir() and os.access(place, os.W_OK | os.X_OK) else None


def make_attempt_dir(job_id: uuid.UUID, attempt: uuid.UUID) -> Path:
    """A new directory for one attempt. Raises Unwritable where the job's own is gone, DiskFull."""
    place = job_dir(job_id) / str(attempt)
    try:
        place.mkdir()
    except OSError as error:
        raise refusal(error, place) from None
    return place


def clear(job_id: uuid.UUID, attempt: uuid.UUID) -> None:
    """Remove what an attempt left that was not published. Its group must be empty."""
    place = job_dir(job_id) / str(attempt)
    if not Artifact.objects.filter(job=job_id, name__startswith=f"{attempt}/").exists():
        shutil.rmtree(place, ignore_errors=True)


def clear_lost(job_id: uuid.UUID) -> None:
    """Remove what a process left that was killed half way."""
    for room, kept in lost(job_id).items():
        with suppress(FileNotFoundError):  # Somebody else is at it.
            _empty(room, kept)


def lost(job_id: uuid.UUID) -> dict[Path, set[str]]:
    """Directories of attempts that are over in which more lies than was published; the names of what was.

    The order matters: an attempt runs before it has a directory, and has published when it runs no more.
    """
    there = {
        place: set(_names(place)) for place in _attempt_dirs(job_id)
    }  # of these, what is published may come a moment later
    running = StageRun.objects.filter(job=job_id, status=StageStatus.RUNNING).values_list("attempt", flat=True)
    at_work = {str(attempt) for attempt in running}
    published = set(Artifact.objects.filter(job=job_id).values_list("name", flat=True))
    kept = {place: {Path(name).name for name in published if Path(name).parent.name == place.name} for place in there}
    over = [place for place in there if place.name not in at_work]
    return {place: kept[place] for place in over if there[place] - kept[place] or not kept[place]}


def _attempt_dirs(job_id: uuid.UUID) -> list[Path]:
    """The directories of all attempts: what was uploaded lies beside them."""
    return [job_dir(job_id) / name for name in _names(job_dir(job_id)) if _is_attempt(name)]


def _is_attempt(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _names(place: Path) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return [found.name for found in place.iterdir()]
    return []


def tidy(job_id: uuid.UUID, attempt: uuid.UUID, kept: Iterable[str]) -> None:
    """Remove everything in an attempt's directory but the files that are about to be published."""
    _empty(job_dir(job_id) / str(attempt), set(kept))


def _empty(room: Path, kept: set[str]) -> None:
    for place in room.iterdir():
        if place.name in kept:
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
    _unmake(room)


def facts(job_id: uuid.UUID, attempt: uuid.UUID, files: Mapping[str, str]) -> list[Artifact]:
    """Rows, not yet saved, for the files that an attempt made: kinds to names in its directory. Raises HostError."""
    found = []
    for kind, name in files.items():
        path = job_dir(job_id) / str(attempt) / name
        if Path(name).name != name or not path.is_file() or path.is_symlink():
            raise HostError(detail=f"The stage reported a file {name!r} that it did not make.")
        found.append(Artifact(kind=kind, name=f"{attempt}/{name}", size=path.stat().st_size))
    return found


def source_name(name: str) -> str:
    """What a file that was brought as `name` is called in the job's directory: its suffix stays if it is a tame one."""
    suffix = Path(name).suffix
    return f"source{suffix}" if re.fullmatch(r"\.[A-Za-z0-9]{1,9}", suffix) else "source"


def path_of(job_id: uuid.UUID, kind: str) -> Path | None:
    """The published file of a kind, if there is one."""
    name = Artifact.objects.filter(job=job_id, kind=kind).values_list("name", flat=True).first()
    return job_dir(job_id) / name if name else None


def drop(job_id: uuid.UUID, *kinds: str) -> None:
    """Files that no stage needs any more: first the row goes, then the file."""
    for artifact in Artifact.objects.filter(job=job_id, kind__in=kinds):
        artifact.delete()
        (job_dir(job_id) / artifact.name).unlink(missing_ok=True)
        _unmake((job_dir(job_id) / artifact.name).parent)


def purge(job_id: uuid.UUID) -> bool:
    """Delete the job's directory: renamed first, so that a late writer finds nothing. Whether all of it is gone.

    It can be repeated, and done by several at once. Files of a disk that is not there are not gone.
    """
    if not is_present():
        return False
    discard(job_id)
    mine = list(trash().glob(f"{job_id}.*"))
    for place in mine:
        remove(place)
    return not job_dir(job_id).exists() and not any(place.exists() for place in mine) and is_present()


def remove(place: Path) -> bool:
    """Delete a directory with all that does not resist; the log says what does. Whether nothing is left."""
    refused: list[OSError] = []

    def note(_act: object, path: str, trouble: Any) -> None:
        error: OSError = trouble[1]
        error.filename = path  # which else is no more than a name
        if not isinstance(error, FileNotFoundError):  # another one is at it
            refused.append(error)

    shutil.rmtree(place, onerror=note)
    there = place.exists()
    if there and refused:
        resists(place.name.partition(".")[0], refused[0])
    return not there


def resists(job_id: str, error: OSError) -> None:
    """The log says which file it is, and why; not where it was to go, which is another place each time."""
    _tell_once(job_id, f"{error.filename}: {error.strerror}" if error.filename else str(error))


@lru_cache(maxsize=1024)
def _tell_once(job_id: str, why: str) -> None:
    """It is tried again every second."""
    log.warning("files cannot be deleted: %s", why, extra={"job": job_id})


def discard(job_id: uuid.UUID) -> None:
    """Move the job's directory into the trash, under a name by which `purge` finds it: the quick half of it."""
    if job_dir(job_id).exists():
        trash().mkdir(exist_ok=True)
    with suppress(FileNotFoundError):  # It is gone, or another one is at it.
        job_dir(job_id).rename(trash() / f"{job_id}.{uuid.uuid4()}")


def _unmake(place: Path) -> None:
    """Remove an attempt's directory in which nothing is left."""
    with suppress(OSError):
        place.rmdir()


def trash() -> Path:
    return Path(settings.MEDIA_ROOT) / ".trash"


def stored(path: Path) -> int:
    """Bytes of all files below a directory that may be vanishing."""
    total = 0
    for directory, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(directory) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def orphans() -> list[Path]:
    """Directories of jobs that no row owns."""
    there, owned = _job_dirs()
    return [place for name, place in there.items() if name not in owned]


def with_files() -> list[uuid.UUID]:
    """The jobs that have a directory."""
    there, owned = _job_dirs()
    return [uuid.UUID(name) for name in owned.intersection(there)]


def _job_dirs() -> tuple[dict[str, Path], set[str]]:
    """What lies in the place of all jobs, by name; the names that jobs own. In this order: a row comes second."""
    there = {place.name: place for place in _jobs().iterdir() if place.is_dir()} if is_present() else {}
    return there, {str(key) for key in Job.objects.values_list("pk", flat=True)} if there else set()


def _jobs() -> Path:
    return installation.place()
