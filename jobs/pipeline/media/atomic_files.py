"""Where files grow until they are whole: a hidden directory beside the results, on the same disk, so that renaming
publishes them.

The directory is locked while its owner lives. What a killed owner left is swept away by the next one.
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

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO}
"""What no other place would help against: files, memory, processes, or a broken disk."""


@contextmanager
def workspace(output: Path) -> Iterator[Path]:
    """A directory below `output`, which is made if it is missing; gone at the end, however it ends.

    An `output` made here is taken away again when nothing was put into it. Raises Unwritable, DiskFull.
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
    """A new work directory and the lock on it. Two processes take turns, so that neither sweeps what the other has
    made and not locked yet."""
    with locked(output):
        sweep(output)
        work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=output))
        lock = os.open(work, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return work, lock


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Within, no other process is within for the same directory."""
    turn = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns the system's refusals to write below `path` into ours."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path) from None


def refusal(error: OSError, path: Path) -> HostError:
    """What the system's refusal to write below `path` is called here."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(detail=str(error))
    if error.errno in _EXHAUSTED:
        return SystemRefused(reason=error.strerror or str(error), detail=str(error))
    return Unwritable(path=str(path), detail=error.strerror or "")


def publish(places: Mapping[Path, Path]) -> None:
    """Rename each file to its place, on the same disk. Where one cannot be, those that are new there go again.

    A file of an earlier run may have been replaced by then, but is never missing. Raises OSError.
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


def sweep(output: Path) -> None:
    """Remove the work directories in `output` whose owner is dead."""
    for work in output.glob(f"{PREFIX}*"):
        try:
            lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # Its owner has just removed it.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(work, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _missing(directory: Path) -> list[Path]:
    """Which of it and its parents are still to be made, innermost first."""
    return [place for place in (directory, *directory.parents) if not place.exists()]


def _unmake(made: list[Path]) -> None:
    for directory in made:
        try:
            directory.rmdir()
        except FileNotFoundError:
            continue  # The way to it could not be made.
        except OSError:
            return  # It holds results.
