"""The fetch stage: a file or a link becomes a probed video within the limits."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.pipeline.download import client as link
from jobs.pipeline.download.client import LinkOptions, is_link
from jobs.pipeline.download.offered import CaptionWish, Offered
from jobs.pipeline.errors import (
    DamagedVideo,
    EmptyFile,
    MediaFailed,
    NoSuchFile,
    NotAFile,
    PipelineError,
    SourceError,
)
from jobs.pipeline.media import encode, tracks
from jobs.pipeline.media.atomic_files import writing
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.probe import probe
from jobs.pipeline.media.streams import Media
from jobs.pipeline.protocols import Progress, ignore_progress

__all__ = ["Fetched", "Limits", "LinkOptions", "fetch", "is_link"]

_DOWNLOAD_SHARE = 0.95
"""Share of the download in the progress; merging picture and sound is the rest."""

_CONTAINERS = {"mov": {".mp4", ".m4a", ".mov"}, "matroska": {".mkv", ".webm"}, "mp3": {".mp3"}}
"""Suffixes of the containers of downloads, by the beginning of ffmpeg's name of the container."""

_LOST = 1.0
"""Seconds by which a download may seem shorter in another container: the last frame has no length in some."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A fetched video. The `path` of a local source is the user's own file: never write or delete it.

    `language` and `dubbed` are what the site of a link tells of the sound (see `link.Download`), `offered` what it
    tells of captions.
    """

    path: Path
    media: Media
    title: str
    language: str = ""
    dubbed: bool = False
    offered: Offered = Offered()


def fetch(
    source: str,
    directory: Path,
    *,
    name: str = "",
    limits: Limits = Limits(),
    options: LinkOptions = LinkOptions(),
    spoken: str = "",
    audio_track: str = "",
    captions: CaptionWish = CaptionWish(),
    progress: Progress = ignore_progress,
) -> Fetched:
    """Fetch `source`: the path of a file, which stays where it is, or a link, downloaded into `directory`.

    `name` is the user's name of a file that is stored under another one. `directory` must exist; in the end it holds
    the complete video `source.*` or nothing new. The audio track to transcribe is chosen by `spoken`, the language
    code of the speech if it is known, or `audio_track`, the user's choice (see `media.tracks`). `captions` of the site
    of a link are downloaded as the file `captions`. Raises SourceError for faults of the source, HostError for faults
    of this machine.
    """
    if is_link(source):
        wanted = spoken if audio_track.isdecimal() else audio_track or spoken
        fetched = _fetch_link(source, directory, limits, options, wanted, captions, progress)
        if fetched.language and wanted == audio_track and _is_only(fetched, wanted):
            audio_track = ""
    else:
        with _named(name):
            fetched = _fetch_file(source, limits)
        progress(1.0)
        if name:
            fetched = replace(fetched, media=replace(fetched.media, name=name), title=Path(name).stem)
    media = fetched.media
    track = tracks.choose(media.audio, spoken=spoken or fetched.language, wanted=audio_track, name=media.name)
    return replace(fetched, media=replace(media, chosen=track.index if track else None))


def _is_only(fetched: Fetched, wanted: str) -> bool:
    """Tell whether the only track of a download is in the language `wanted`, as the site says."""
    return len(fetched.media.audio) == 1 and fetched.language.split("-")[0] == wanted.split("-")[0]


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
    return Fetched(path=path, media=_checked(path, limits), title=path.stem)


def _size(path: Path) -> int:
    """Size in bytes of a regular, readable file. Raises OSError, also for a pipe, which could block."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file")
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size


def _fetch_link(
    source: str,
    directory: Path,
    limits: Limits,
    options: LinkOptions,
    spoken: str,
    captions: CaptionWish,
    progress: Progress,
) -> Fetched:
    rising = _never_falling(progress)
    with _workshop(directory) as work:
        loaded = link.download(
            source,
            work,
            limits=limits,
            options=options,
            spoken=spoken,
            captions=captions,
            progress=lambda share: rising(share * _DOWNLOAD_SHARE),
        )
        limits.check_size(sum(file.stat().st_size for file in loaded.files), loaded.title)
        with _named(loaded.title):
            parts = [_checked(file, limits) for file in loaded.files]
            whole, media, suffix = loaded.files[0], parts[0], loaded.suffix
            if len(parts) > 1:
                whole = _merge(loaded, parts, work, rising)
                media = _checked(whole, limits)
            elif _needs_container(loaded, media):
                whole, media, suffix = _remux(whole, media, work, limits, suffix)
        path = directory / f"source{suffix}"
        with writing(directory):
            whole.replace(path)
            offered = _kept(loaded.offered, directory)
    progress(1.0)
    return Fetched(
        path=path,
        media=replace(media, name=loaded.title),
        title=loaded.title,
        language=loaded.language,
        dubbed=loaded.dubbed,
        offered=offered,
    )


def _kept(offered: Offered, directory: Path) -> Offered:
    """The same, with the file of the captions moved into `directory`."""
    if offered.captions is None or offered.captions.path is None:
        return offered
    place = offered.captions.path.replace(directory / "captions")
    return replace(offered, captions=replace(offered.captions, path=place))


def _needs_container(loaded: link.Download, media: Media) -> bool:
    """Tell whether a download is not a real file of the kind that its name says, or came in segments.

    Segments of HLS put together are an MPEG transport stream or a fragmented MP4, which browsers refuse or which do not
    start at 0. Sound that is a file of its own kind, such as WAV, stays as it is.
    """
    rightly = any(media.container.startswith(kind) and loaded.suffix in names for kind, names in _CONTAINERS.items())
    pieces = loaded.segmented or media.container in {"mpegts", "aac"}
    return pieces or (media.video is not None and not rightly)


def _remux(file: Path, media: Media, work: Path, limits: Limits, suffix: str) -> tuple[Path, Media, str]:
    """Put a download into an MP4 or MKV; returned with its probe and suffix.

    If that fails, or would lose more than a second, the download stays as it is: it can be transcribed all the same.
    """
    try:
        whole = encode.remux(file, work / "whole", media=media)
        found = _checked(whole, limits)
    except (MediaFailed, DamagedVideo):
        return file, media, suffix
    if found.duration < media.duration - _LOST or len(found.audio) < len(media.audio):
        return file, media, suffix
    return whole, found, whole.suffix


def _checked(file: Path, limits: Limits) -> Media:
    media = probe(file)
    limits.check(media, file.name)
    return media


@contextmanager
def _named(title: str) -> Iterator[None]:
    """Put the title into errors, because the user does not know our names of the files."""
    try:
        yield
    except PipelineError as error:
        ours = {"name", "path"} if isinstance(error, SourceError) else {"name"}
        names = dict.fromkeys(ours & error.params.keys(), title)
        if not (names and title):
            raise
        raise type(error)(detail=error.detail, **{**error.params, **names}) from None


def _merge(loaded: link.Download, parts: Sequence[Media], work: Path, progress: Progress) -> Path:
    """Merge the picture and the sound of a download, given their probes."""
    whole = work / f"whole{loaded.suffix}"
    (picture, sound), (media, sound_media) = loaded.files, parts
    encode.merge(
        picture,
        sound,
        whole,
        media=media,
        sound=sound_media,
        progress=lambda share: progress(_DOWNLOAD_SHARE + (1 - _DOWNLOAD_SHARE) * share),
    )
    return whole


@contextmanager
def _workshop(directory: Path) -> Iterator[Path]:
    """Make a directory inside `directory` for unfinished files; always deleted at the end."""
    with writing(directory):
        work = Path(tempfile.mkdtemp(prefix=".fetch-", dir=directory))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _never_falling(progress: Progress) -> Progress:
    """Wrap `progress` so that it never falls when the estimate of a size changes."""
    highest = 0.0

    def rising(share: float) -> None:
        nonlocal highest
        if share > highest:
            highest = share
            progress(share)

    return rising
