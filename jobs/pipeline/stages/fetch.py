"""The first stage: a file or a link becomes a video that was looked at and is within the limits."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.pipeline.download import client as link
from jobs.pipeline.download.client import LinkOptions, is_link
from jobs.pipeline.errors import EmptyFile, NoSuchFile, NotAFile, PipelineError, SourceError
from jobs.pipeline.media import encode
from jobs.pipeline.media.atomic_files import writing
from jobs.pipeline.media.description import Media
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.protocols import Progress, ignore_progress

__all__ = ["Fetched", "Limits", "LinkOptions", "fetch", "is_link"]

_DOWNLOAD_SHARE = 0.95
"""Of the whole; the rest is merging picture and sound."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """`path` of a local source is that of the person's own file: read it, never write or remove it.

    `language` is the code that the site names for the speech, if it does.
    """

    path: Path
    media: Media
    title: str
    language: str | None = None


def fetch(
    source: str,
    directory: Path,
    *,
    name: str = "",
    limits: Limits = Limits(),
    options: LinkOptions = LinkOptions(),
    progress: Progress = ignore_progress,
) -> Fetched:
    """The video `source`: the path of a file, which is used where it is, or a link, downloaded into `directory`.

    `name` is what the person calls a file that we keep under another name.

    `directory` must exist. However this ends, `directory` holds the whole video `source.*` or nothing new. Raises
    SourceError for what is wrong with the source, HostError for what is wrong here.
    """
    if is_link(source):
        return _fetch_link(source, directory, limits, options, progress)
    with _named(name):
        fetched = _fetch_file(source, limits)
    progress(1.0)
    if not name:
        return fetched
    return replace(fetched, media=replace(fetched.media, name=name), title=Path(name).stem)


def _fetch_file(source: str, limits: Limits) -> Fetched:
    path = Path(source).absolute()
    try:
        size = _size(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        raise NoSuchFile(path=source) from None
    except OSError as error:
        missing = error.errno in {errno.ENAMETOOLONG, errno.ELOOP}
        raise (NoSuchFile if missing else NotAFile)(path=source, detail=error.strerror or "") from None
    if size == 0:
        raise EmptyFile(path=source)
    limits.check_size(size, path.name)
    found = encode.probe(path)
    limits.check(found, path.name)
    return Fetched(path=path, media=found, title=path.stem)


def _size(path: Path) -> int:
    """In bytes, of a regular file that can be opened (a pipe, which may wait, is not). Raises OSError."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file")
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size


def _fetch_link(source: str, directory: Path, limits: Limits, options: LinkOptions, progress: Progress) -> Fetched:
    rising = _never_falling(progress)
    with _workshop(directory) as work:
        loaded = link.download(
            source, work, limits=limits, options=options, progress=lambda share: rising(share * _DOWNLOAD_SHARE)
        )
        limits.check_size(sum(file.stat().st_size for file in loaded.files), loaded.title)
        with _named(loaded.title):
            found, *_ = [_checked(file, limits) for file in loaded.files]
            whole = _merge(loaded, work, rising)
            if len(loaded.files) > 1:
                found = _checked(whole, limits)
        path = directory / f"source{loaded.suffix}"
        with writing(directory):
            whole.replace(path)
    progress(1.0)
    named = replace(found, name=loaded.title)
    return Fetched(path=path, media=named, title=loaded.title, language=loaded.language)


def _checked(file: Path, limits: Limits) -> Media:
    found = encode.probe(file)
    limits.check(found, file.name)
    return found


@contextmanager
def _named(title: str) -> Iterator[None]:
    """Errors name the title: nobody knows our names for the files."""
    try:
        yield
    except PipelineError as error:
        ours = {"name", "path"} if isinstance(error, SourceError) else {"name"}
        names = dict.fromkeys(ours & error.params.keys(), title)
        if not (names and title):
            raise
        raise type(error)(detail=error.detail, **{**error.params, **names}) from None


def _merge(loaded: link.Download, work: Path, progress: Progress) -> Path:
    if len(loaded.files) == 1:
        return loaded.files[0]
    whole = work / f"whole{loaded.suffix}"
    picture, sound = loaded.files
    encode.merge(
        picture, sound, whole, progress=lambda share: progress(_DOWNLOAD_SHARE + (1 - _DOWNLOAD_SHARE) * share)
    )
    return whole


@contextmanager
def _workshop(directory: Path) -> Iterator[Path]:
    """A directory inside `directory` for all that is unfinished; gone at the end, however it ends."""
    with writing(directory):
        work = Path(tempfile.mkdtemp(prefix=".fetch-", dir=directory))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _never_falling(progress: Progress) -> Progress:
    """`progress` without the steps back that estimates of a size make."""
    highest = 0.0

    def rising(share: float) -> None:
        nonlocal highest
        if share > highest:
            highest = share
            progress(share)

    return rising
