"""Atomic publication of files: they are written in a hidden directory on the same disk and renamed when complete.

The directory is locked while its owner runs. Directories of killed owners are deleted by the next owner.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jobs.pipeline.errors import DiskFull, HostError, SystemRefused, Unwritable

PREFIX = ".zirnevis-work-"
"""Beginning of the names of work directories."""

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO}
"""Refusals that another directory would not avoid: open files, memory, processes, or a broken disk."""


@contextmanager
def workspace(output: Path) -> Iterator[Path]:
    """Make a work directory below `output`, which is created if it is missing; always deleted at the end.

    If `output` was created here and stays empty it is deleted as well. Raises Unwritable, DiskFull, SystemRefused.
    """
    made = _missing(output)
    try:
        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
            work, lock = _claim(output)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
            os.close(lock)
    finally:
        _unmake(made)


def _claim(output: Path) -> tuple[Path, int]:
    """Make a work directory and lock it. One process at a time, or one could delete what another has not locked yet."""
    with locked(output):
        delete_abandoned(output)
        work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=output))
        lock = os.open(work, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return work, lock


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold an exclusive lock on `directory` (flock); waits while another process holds it."""
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn every OSError inside the context into the error of `refusal`."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path) from None


def refusal(error: OSError, path: Path) -> HostError:
    """Convert an OSError from writing below `path` to DiskFull, SystemRefused or Unwritable."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(detail=str(error))
    if error.errno in _EXHAUSTED:
        return SystemRefused(reason=error.strerror or str(error), detail=str(error))
    return Unwritable(path=str(path), detail=error.strerror or "")


def publish(places: Mapping[Path, Path]) -> None:
    """Rename each file to its place, on the same disk. If one fails, files that are new at their place are deleted.

    Files of an earlier run may be replaced by then, but are never missing. Raises OSError.
    """
    for place in places.values():
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, f"There is a directory at {place}")
    new = [place for place in places.values() if not place.exists()]
    try:
        for path, place in places.items():
            path.replace(place)
    except BaseException:
        for place in new:
            place.unlink(missing_ok=True)
        raise


def delete_abandoned(output: Path) -> None:
    """Delete the work directories in `output` whose owner has ended."""
    for work in output.glob(f"{PREFIX}*"):
        try:
            lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # its owner has just deleted it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(work, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _missing(directory: Path) -> list[Path]:
    """The directory and its parents that do not exist, innermost first."""
    return [place for place in (directory, *directory.parents) if not place.exists()]


def _unmake(made: list[Path]) -> None:
    for directory in made:
        try:
            directory.rmdir()
        except FileNotFoundError:
            continue  # it was never created
        except OSError:
            return  # it holds results
