"""The files of a job: `MEDIA_ROOT/jobs/<job>/<attempt>/…`, each published by an Artifact row with its name.

A job's directory is made only when the job is created. Each attempt works in a directory of its own below it, so that a
late writer of a lost attempt overwrites nothing, and finds no directory after the job's was moved into the trash.
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
    """Make the job's directory, once, before the job's row is written. Raises StorageAway, DiskFull, Unwritable.

    The directory of all jobs is made for the first job only. If it is missing later, the disk is not mounted, and a new
    one would be hidden by the mount.
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
    """Whether the disk with the jobs is mounted, and not another disk or an empty directory in its place."""
    return installation.is_right()


def disk() -> Path | None:
    """The directory of all jobs; before the first job, its nearest existing parent.

    None when no job can be stored: the disk is not mounted or read-only, or the path is not a directory.
    """
    place = _jobs()
    if not place.is_dir():
        if Job.objects.exists():
            return None
        place = next(each for each in (place, *place.parents) if os.path.lexists(each))
    return place if place.is_dir() and os.access(place, os.W_OK | os.X_OK) else None


def make_attempt_dir(job_id: uuid.UUID, attempt: uuid.UUID) -> Path:
    """Make the directory of an attempt and return it. Raises Unwritable when the job's directory is gone, DiskFull."""
    place = job_dir(job_id) / str(attempt)
    try:
        place.mkdir()
    except OSError as error:
        raise refusal(error, place) from None
    return place


def delete_attempt_dir(job_id: uuid.UUID, attempt: uuid.UUID) -> None:
    """Delete the directory of an attempt that published nothing. Its process group must be empty."""
    place = job_dir(job_id) / str(attempt)
    if not Artifact.objects.filter(job=job_id, name__startswith=f"{attempt}/").exists():
        shutil.rmtree(place, ignore_errors=True)


def delete_unpublished(job_id: uuid.UUID) -> None:
    """Delete the unpublished files of ended attempts, which killed processes left behind."""
    for directory, kept in unpublished(job_id).items():
        with suppress(FileNotFoundError):  # another process deletes it
            _delete_contents(directory, kept)


def unpublished(job_id: uuid.UUID) -> dict[Path, set[str]]:
    """Directories of ended attempts with unpublished files, each with the names of its published ones.

    The order of the queries matters: an attempt runs before it has a directory, and publishes before it ends.
    """
    there = {place: set(_names(place)) for place in _attempt_dirs(job_id)}
    running = StageRun.objects.filter(job=job_id, status=StageStatus.RUNNING).values_list("attempt", flat=True)
    at_work = {str(attempt) for attempt in running}
    published = set(Artifact.objects.filter(job=job_id).values_list("name", flat=True))
    kept = {place: {Path(name).name for name in published if Path(name).parent.name == place.name} for place in there}
    over = [place for place in there if place.name not in at_work]
    return {place: kept[place] for place in over if there[place] - kept[place] or not kept[place]}


def _attempt_dirs(job_id: uuid.UUID) -> list[Path]:
    """The directories of all attempts; an uploaded file lies beside them."""
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


def delete_unneeded(job_id: uuid.UUID, attempt: uuid.UUID, kept: Iterable[str]) -> None:
    """Delete everything in an attempt's directory except the files to be published."""
    _delete_contents(job_dir(job_id) / str(attempt), set(kept))


def _delete_contents(directory: Path, kept: set[str]) -> None:
    for place in directory.iterdir():
        if place.name in kept:
            continue
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
    _delete_if_empty(directory)


def unsaved_rows(job_id: uuid.UUID, attempt: uuid.UUID, files: Mapping[str, str]) -> list[Artifact]:
    """Unsaved rows for the files of an attempt, given as names in its directory by kind. Raises HostError."""
    found = []
    for kind, name in files.items():
        path = job_dir(job_id) / str(attempt) / name
        if Path(name).name != name or not path.is_file() or path.is_symlink():
            raise HostError(detail=f"The stage reported a file {name!r} that it did not make.")
        found.append(Artifact(kind=kind, name=f"{attempt}/{name}", size=path.stat().st_size))
    return found


def source_name(name: str) -> str:
    """The name in the job's directory for a source file `name`: `source` with its suffix, if that is alphanumeric."""
    suffix = Path(name).suffix
    return f"source{suffix}" if re.fullmatch(r"\.[A-Za-z0-9]{1,9}", suffix) else "source"


def path_of(job_id: uuid.UUID, kind: str) -> Path | None:
    """The path of the published file of a kind, or None."""
    name = Artifact.objects.filter(job=job_id, kind=kind).values_list("name", flat=True).first()
    return job_dir(job_id) / name if name else None


def delete_published(job_id: uuid.UUID, *kinds: str) -> None:
    """Delete the published files of these kinds, which no stage needs any more: first the row, then the file."""
    for artifact in Artifact.objects.filter(job=job_id, kind__in=kinds):
        artifact.delete()
        (job_dir(job_id) / artifact.name).unlink(missing_ok=True)
        _delete_if_empty((job_dir(job_id) / artifact.name).parent)


def delete_job_dir(job_id: uuid.UUID) -> bool:
    """Delete the job's directory; it is renamed first, so that a late writer finds no directory. True when all is gone.

    Can be repeated, also concurrently. False while the disk is not mounted.
    """
    if not is_present():
        return False
    move_to_trash(job_id)
    mine = list(trash().glob(f"{job_id}.*"))
    for place in mine:
        delete_tree(place)
    return not job_dir(job_id).exists() and not any(place.exists() for place in mine) and is_present()


def delete_tree(place: Path) -> bool:
    """Delete a directory as far as possible; a refused deletion is logged. True when nothing is left."""
    refused: list[OSError] = []

    def note(_act: object, path: str, trouble: Any) -> None:
        error: OSError = trouble[1]
        error.filename = path  # the whole path: rmtree gives only the name
        if not isinstance(error, FileNotFoundError):  # another process deleted it
            refused.append(error)

    shutil.rmtree(place, onerror=note)
    there = place.exists()
    if there and refused:
        log_refused(place.name.partition(".")[0], refused[0])
    return not there


def log_refused(job_id: str, error: OSError) -> None:
    """Log the file that cannot be deleted, and why; without the target in the trash, whose name differs each time."""
    _tell_once(job_id, f"{error.filename}: {error.strerror}" if error.filename else str(error))


@lru_cache(maxsize=1024)
def _tell_once(job_id: str, why: str) -> None:
    """Log once per job and cause: the deletion is repeated every second."""
    log.warning("files cannot be deleted: %s", why, extra={"job": job_id})


def move_to_trash(job_id: uuid.UUID) -> None:
    """Move the job's directory into the trash, where `delete_job_dir` finds it: the quick half of a deletion."""
    if job_dir(job_id).exists():
        trash().mkdir(exist_ok=True)
    with suppress(FileNotFoundError):  # gone, or another process moves it
        job_dir(job_id).rename(trash() / f"{job_id}.{uuid.uuid4()}")


def _delete_if_empty(place: Path) -> None:
    """Delete an attempt's directory if it is empty."""
    with suppress(OSError):
        place.rmdir()


def trash() -> Path:
    """The directory that holds deleted jobs until their files are removed."""
    return Path(settings.MEDIA_ROOT) / ".trash"


def bytes_below(path: Path) -> int:
    """Bytes of all files below a directory, which may be deleted meanwhile."""
    total = 0
    for directory, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(directory) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def orphans() -> list[Path]:
    """Directories in the directory of all jobs without a job's row."""
    there, owned = _job_dirs()
    return [place for name, place in there.items() if name not in owned]


def with_files() -> list[uuid.UUID]:
    """The ids of the jobs that have a directory."""
    there, owned = _job_dirs()
    return [uuid.UUID(name) for name in owned.intersection(there)]


def _job_dirs() -> tuple[dict[str, Path], set[str]]:
    """The directories of jobs by name, and the names with a row. Directories come first, as rows are written last."""
    there = {place.name: place for place in _jobs().iterdir() if place.is_dir()} if is_present() else {}
    return there, {str(key) for key in Job.objects.values_list("pk", flat=True)} if there else set()


def _jobs() -> Path:
    return installation.place()
