"""Where files grow until they are whole: a hidden directory beside the results, on the same disk, so that renaming
publishes them.

The directory holds a locked file while its owner lives. What a killed owner left is swept away by the next one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.pipeline.errors import DiskFull, Unwritable

PREFIX = ".zirnevis-work-"
_LOCK = "lock"


@contextmanager
def workspace(output: Path) -> Iterator[Path]:
    """A directory below `output`, which is made if it is missing; gone at the end, however it ends.

    An `output` made here is taken away again when nothing was put into it. Raises Unwritable, DiskFull.
    """
    with writing(output):
        made = _make(output)
        sweep(output)
        work = Path(tempfile.mkdtemp(prefix=PREFIX, dir=output))
    lock = os.open(work / _LOCK, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)
        _unmake(made)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns the system's refusals to write below `path` into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from None
        raise Unwritable(path=str(path), detail=error.strerror or "") from None


def sweep(output: Path) -> None:
    """Remove the work directories in `output` whose owner is dead."""
    for work in output.glob(f"{PREFIX}*"):
        try:
            lock = os.open(work / _LOCK, os.O_RDWR)
        except OSError:
            continue  # Its owner is about to lock it, or has just removed it.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(work, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _make(directory: Path) -> list[Path]:
    """The directories that were made, innermost first."""
    missing = [place for place in (directory, *directory.parents) if not place.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    return missing


def _unmake(made: list[Path]) -> None:
    for directory in made:
        try:
            directory.rmdir()
        except OSError:
            return  # It holds results.
