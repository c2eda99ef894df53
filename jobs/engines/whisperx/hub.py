"""Download of models from the Hugging Face hub or a mirror of it, over plain HTTP.

The sizes are known before the download, an interrupted download is resumed, and large files are checked by SHA-256.
`huggingface_hub` is not used: it comes with the optional WhisperX packages only, and models can be fetched before them.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from jobs.engines.whisperx.models import Model, publish, wanted
from jobs.pipeline.errors import DiskFull, ServiceDown, ServiceError, ServiceSlow, Unwritable

ENDPOINT = "https://huggingface.co"

_TIMEOUT = (10, 60)  # seconds to connect, and between two reads
_PIECE = 1 << 16  # bytes per read: at most this much is lost when the connection breaks
_ATTEMPTS = 5  # per file
WAIT = 1.0  # seconds before the second attempt, doubled before each further one


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """A file of a repository. `size` is in bytes; `sha256` is empty for small files, for which the hub names none."""

    name: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files of a model at one revision of its repository."""

    model: Model
    revision: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def listing(model: Model, *, endpoint: str = ENDPOINT) -> Listing:
    """Ask the hub for the files of `model` and their sizes. Raises ServiceDown, ServiceSlow, ServiceError."""
    with _failures(endpoint):
        answer = requests.get(f"{endpoint}/api/models/{model.repository}", params={"blobs": "true"}, timeout=_TIMEOUT)
        answer.raise_for_status()
        found = answer.json()
        files = {entry["rfilename"]: entry for entry in found["siblings"]}
        return Listing(
            model=model,
            revision=found["sha"],
            files=tuple(_remote(files[name]) for name in wanted(list(files), model.kind)),
        )


def download(found: Listing, models: Path, advance: Callable[[int], None], *, endpoint: str = ENDPOINT) -> Path:
    """Download a model into its directory below `models`, which is created by a rename once it is complete.

    Resumes an earlier download of the same revision. `advance` is called with the bytes added, negative when a file
    starts again. Raises ServiceDown, ServiceSlow, ServiceError, DiskFull, Unwritable.
    """
    target = found.model.directory(models)
    coming = target.with_name(f".{target.name}.{found.revision[:12]}.coming")
    with _failures(endpoint):
        coming.mkdir(parents=True, exist_ok=True)
        for file in found.files:
            url = f"{endpoint}/{found.model.repository}/resolve/{found.revision}/{quote(file.name)}"
            _fetch(url, file, coming / file.name, advance)
        publish(coming, target)
    return target


def free_bytes(directory: Path) -> int:
    """Free bytes on the disk of `directory`, which need not exist yet."""
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free


def _remote(entry: dict[str, object]) -> RemoteFile:
    large = entry.get("lfs")
    sha256 = str(large.get("sha256", "")) if isinstance(large, dict) else ""
    return RemoteFile(name=str(entry["rfilename"]), size=int(str(entry["size"])), sha256=sha256)


def _fetch(url: str, file: RemoteFile, target: Path, advance: Callable[[int], None]) -> None:
    """Download and check one file, in at most five attempts that each resume the last one."""
    if target.exists() and target.stat().st_size == file.size:
        advance(file.size)
        return
    part = target.with_name(f"{target.name}.part")
    advance(part.stat().st_size if part.exists() else 0)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _append(url, file, part, advance)
            break
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            if attempt == _ATTEMPTS:
                raise
            time.sleep(WAIT * 2 ** (attempt - 1))
    _check(file, part)
    part.replace(target)


def _append(url: str, file: RemoteFile, part: Path, advance: Callable[[int], None]) -> None:
    """Download the rest of `part`, or all of it when the server ignores the Range header."""
    there = part.stat().st_size if part.exists() else 0
    if there >= file.size > 0:
        return
    headers = {"Range": f"bytes={there}-"} if there else {}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        answer.raise_for_status()
        if there and answer.status_code != requests.codes.partial_content:
            advance(-there)
            there = 0
        with part.open("ab" if there else "wb") as out:
            for piece in answer.iter_content(_PIECE):
                out.write(piece)
                advance(len(piece))


def _check(file: RemoteFile, part: Path) -> None:
    """Compare size and checksum with the listing. Deletes the file and raises ServiceError when they differ."""
    with part.open("rb") as whole:
        sha256 = hashlib.file_digest(whole, "sha256").hexdigest() if file.sha256 else ""
    if part.stat().st_size != file.size or sha256 != file.sha256:
        part.unlink()
        raise ServiceError(engine="The model hub", detail=f"The downloaded file {file.name} is damaged.")


@contextmanager
def _failures(endpoint: str) -> Iterator[None]:
    hub = f"The model hub at {urlsplit(endpoint).netloc}"
    try:
        yield
    except requests.Timeout as failure:
        raise ServiceSlow(engine=hub, detail=str(failure)) from failure
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as failure:
        raise ServiceDown(engine=hub, detail=str(failure)) from failure
    except (requests.RequestException, KeyError, ValueError) as failure:
        raise ServiceError(engine=hub, detail=str(failure)) from failure
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(detail=str(failure)) from failure
        raise Unwritable(path=failure.filename, detail=str(failure)) from failure
