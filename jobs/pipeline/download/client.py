"""Client of the download child: starts it, reads its messages, and ends it."""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from jobs.pipeline import errors
from jobs.pipeline.download.network_guard import Endpoint, endpoint
from jobs.pipeline.download.offered import CaptionWish, Offered, known_language, offered_by
from jobs.pipeline.download.request import Request
from jobs.pipeline.filenames import shortened
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.protocols import Progress

_ROOT = Path(__file__).parents[3]
_LINE_BYTES = 64 << 10  # longest message
_LINK_LENGTH = 4096  # characters
_COOKIES_BYTES = 1 << 20
_SUFFIXES = {".mp4", ".m4a", ".mov", ".webm", ".mp3", ".mkv"}
_LOOKS_LIKE_A_LINK = re.compile(r"\s*([a-z][a-z0-9+.-]*://|www\.|(javascript|data|blob|mailto|file):)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkOptions:
    """Settings of downloads.

    `cookies` is a file in Netscape format, only read. `proxy` is http://, https:// or
    socks5h://[user:password@]host:port; its address need not be public, and it resolves the names in links. `deno` is
    the JavaScript runtime that may be started; without it YouTube offers fewer formats (see `download.child`).
    `timeout` is the seconds that one connection may be silent, `idle_timeout` the seconds without any message of the
    child. `allow_loopback` names loopback endpoints ("127.0.0.1:8000") that may be downloaded from, for tests only.
    """

    cookies: Path | None = None
    proxy: str = ""
    deno: Path | None = None
    timeout: float = 20.0
    idle_timeout: float = 120.0
    allow_loopback: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """A finished download: one file, or a picture and a sound to be merged into a file with `suffix`.

    `language` is the code of the language of the sound, if the site tells several apart; `dubbed`: it is not the
    original; `segmented`: it came in pieces that were put together.
    """

    files: tuple[Path, ...]
    suffix: str
    title: str
    language: str = ""
    dubbed: bool = False
    segmented: bool = False
    offered: Offered = Offered()


def is_link(source: str) -> bool:
    """Tell whether `source` is meant as a link, valid or not, rather than as the path of a file."""
    return bool(_LOOKS_LIKE_A_LINK.match(source))


def check_link(link: str) -> str:
    """Return `link` without surrounding spaces. Raises BadLink unless it is http(s) with a host and no password.

    Links are stored and shown, so they must not contain credentials; those belong into the cookies file.
    """
    link = link.strip()
    try:
        parts = urllib.parse.urlsplit(link)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        valid = False
    if not valid or len(link) > _LINK_LENGTH or re.search(r"\s", link) or _CONTROL.search(link):
        raise errors.BadLink
    return link


def download(
    link: str,
    directory: Path,
    *,
    limits: Limits,
    options: LinkOptions,
    progress: Progress,
    spoken: str = "",
    captions: CaptionWish = CaptionWish(),
) -> Download:
    """Download the video behind `link` into `directory`, which should be empty and be deleted after use.

    `spoken` is the language code of the speech, if it is known: sound in it is preferred. `captions` of the site are
    downloaded as well; without them the video still is. The child ends with this call. Raises LinkError, TooLarge,
    TooLong, TooManyPixels, HostError.
    """
    request = Request(
        link=check_link(link),
        directory=directory.absolute(),
        limits=limits,
        timeout=options.timeout,
        cookies=_read_cookies(options.cookies),
        proxy=options.proxy,
        allow_loopback=tuple(_loopback(each) for each in options.allow_loopback),
        deno=options.deno,
        spoken=spoken,
        captions=captions.kind,
        caption_language=captions.language,
        target=captions.target,
    )
    with _child(request) as child:
        assert child.stdout
        for message in _messages(child.stdout, options.idle_timeout):
            if "progress" in message:
                _report(progress, message["progress"])
            elif "error" in message:
                raise _error(message["error"])
            elif "done" in message:
                return _result(message["done"], directory)
    raise errors.LinkError(detail=f"The download process ended without an answer, with exit code {child.returncode}.")


def _read_cookies(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(_COOKIES_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise errors.BadCookies from None


def _loopback(setting: str) -> Endpoint:
    """Parse an endpoint of `allow_loopback`. Raises ValueError unless it is a loopback address with a port."""
    parts = urllib.parse.urlsplit(f"//{setting}")
    if parts.hostname not in {"127.0.0.1", "::1"} or parts.port is None:
        raise ValueError(f"allow_loopback takes 127.0.0.1:PORT or [::1]:PORT, not “{setting}”.")
    return endpoint(parts.hostname, parts.port)


@contextmanager
def _child(request: Request) -> Iterator[subprocess.Popen[bytes]]:
    """Start the child, and kill it at the end. It stays in our process group, whose leader ends what it started.

    Its stdin stays open: if this process ends, the pipe closes and the child ends itself (see `download.child`).
    """
    process = subprocess.Popen(
        [sys.executable, "-B", "-s", "-P", "-m", "jobs.pipeline.download.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # yt-dlp prints cookies it does not understand; errors come as messages
        cwd=request.directory,
        env=_environment(request.directory),
    )
    assert process.stdin
    assert process.stdout
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(request.line())
            process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _environment(directory: Path) -> dict[str, str]:
    """The child's environment, without keys, proxies or a home directory with configuration."""
    return {
        "PYTHONPATH": str(_ROOT),
        "PATH": "/nonexistent",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "DENO_DIR": str(directory),
        "DENO_NO_UPDATE_CHECK": "1",
        "LANG": "C.UTF-8",
        "YTDLP_NO_PLUGINS": "1",
    }


def _messages(pipe: IO[bytes], timeout: float) -> Iterator[dict[str, Any]]:
    """Yield the child's messages as they come. Lines that are not a JSON object, or too long, are skipped.

    Raises BrokenDownload after `timeout` seconds without a message.
    """
    pending, skipping = b"", False
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            block = os.read(pipe.fileno(), _LINE_BYTES)
            if not block:
                return
            *lines, pending = (pending + block).split(b"\n")
            for line in lines[1:] if skipping and lines else lines:
                if message := _parse(line):
                    deadline = time.monotonic() + timeout
                    yield message
            skipping = (skipping and not lines) or len(pending) > _LINE_BYTES
            pending = b"" if skipping else pending
    raise errors.BrokenDownload(detail=f"No data arrived for {timeout:.0f} seconds.")


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _report(progress: Progress, share: object) -> None:
    if isinstance(share, int | float) and 0 <= share <= 1:
        progress(share)


def _error(record: object) -> errors.PipelineError:
    """The error that the child reports; LinkError if a link cannot cause it."""
    try:
        error = errors.from_record(record)  # type: ignore[arg-type]  # checked by making it
    except (KeyError, TypeError, AttributeError):
        return errors.LinkError(detail="The download process reported an error that cannot be read.")
    return error if isinstance(error, errors.SourceError | errors.HostError) else errors.LinkError(detail=error.detail)


def _result(done: Mapping[str, Any], directory: Path) -> Download:
    """Build the result. The child names no path: only the files "0" and "1" in `directory` are used."""
    files = tuple(directory / name for name in ("0", "1")[: int(done["files"])])
    if not all(file.is_file() and not file.is_symlink() for file in files):
        raise errors.LinkError(detail="The download process left no file.")
    suffix = done["suffix"] if done["suffix"] in _SUFFIXES else ".mkv"
    title = shortened(" ".join(_CONTROL.sub(" ", str(done["title"])).split()), 200) or "video"
    return Download(
        files=files,
        suffix=suffix,
        title=title,
        language=known_language(done.get("language")),
        dubbed=done.get("dubbed") is True,
        segmented=done.get("segmented") is True,
        offered=offered_by(done, directory),
    )
