"""Links, on this side: start the child that downloads, listen to it, and leave nothing of it behind."""

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
from jobs.pipeline.download.request import Orders
from jobs.pipeline.filenames import shortened
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.protocols import Progress

_ROOT = Path(__file__).parents[3]
_LINE_BYTES = 64 << 10
_LINK_LENGTH = 4096
_COOKIES_BYTES = 1 << 20
_SUFFIXES = {".mp4", ".m4a", ".mov", ".webm", ".mp3", ".mkv"}
_LOOKS_LIKE_A_LINK = re.compile(r"\s*([a-z][a-z0-9+.-]*://|www\.|(javascript|data|blob|mailto|file):)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkOptions:
    """`cookies` is a file in Netscape format, only read. `proxy` is http://, https:// or socks5h://[user:password@]host:port;
    its address may be connected to even when it is not public, and it does the resolving of names from then on.
    `deno` is the one JavaScript runtime that may be started; without it YouTube shows fewer formats (see `link_child`).
    `timeout` is for one connection; `patience` for any sign of life of the whole download; both in seconds.
    `allow_loopback` names loopback endpoints ("127.0.0.1:8000") that may be fetched from: for tests only.
    """

    cookies: Path | None = None
    proxy: str = ""
    deno: Path | None = None
    timeout: float = 20.0
    patience: float = 120.0
    allow_loopback: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """`files` are one file, or a picture and a sound to be merged. `suffix` suits what they make."""

    files: tuple[Path, ...]
    suffix: str
    title: str
    language: str | None


def is_link(source: str) -> bool:
    """Whether `source` is meant as a link, good or bad, rather than as the path of a file."""
    return bool(_LOOKS_LIKE_A_LINK.match(source))


def check_link(link: str) -> str:
    """`link` without the space around it. Raises BadLink unless it is http or https, with a host and no password.

    Links are stored and shown, so they must not carry credentials; those go into the cookies file.
    """
    link = link.strip()
    try:
        parts = urllib.parse.urlsplit(link)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        sound = False
    if not sound or len(link) > _LINK_LENGTH or re.search(r"\s", link) or _CONTROL.search(link):
        raise errors.BadLink
    return link


def download(link: str, directory: Path, *, limits: Limits, options: LinkOptions, progress: Progress) -> Download:
    """The video behind `link`, in files of `directory`, which should be empty and go when they were used.

    Raises LinkError, TooLarge, TooLong, TooManyPixels, HostError. Whatever ends this call ends the child.
    """
    orders = Orders(
        link=check_link(link),
        directory=directory.absolute(),
        limits=limits,
        timeout=options.timeout,
        cookies=_read_cookies(options.cookies),
        proxy=options.proxy,
        allow_loopback=tuple(_loopback(each) for each in options.allow_loopback),
        deno=options.deno,
    )
    with _child(orders) as child:
        assert child.stdout
        for message in _messages(child.stdout, options.patience):
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
    """Raises ValueError for anything but a loopback address with a port, so that the setting cannot open more."""
    parts = urllib.parse.urlsplit(f"//{setting}")
    if parts.hostname not in {"127.0.0.1", "::1"} or parts.port is None:
        raise ValueError(f"allow_loopback takes 127.0.0.1:PORT or [::1]:PORT, not “{setting}”.")
    return endpoint(parts.hostname, parts.port)


@contextmanager
def _child(orders: Orders) -> Iterator[subprocess.Popen[bytes]]:
    """The running child. It stays in our process group, with which whatever it started ends (see `shim`).

    Its stdin stays open: if this process dies the pipe closes, and the child ends itself (`link_child`).
    """
    process = subprocess.Popen(
        [sys.executable, "-B", "-s", "-P", "-m", "jobs.pipeline.download.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # yt-dlp prints cookies it does not understand; errors come as messages
        cwd=orders.directory,
        env=_environment(orders.directory),
    )
    assert process.stdin
    assert process.stdout
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(orders.line())
            process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _environment(directory: Path) -> dict[str, str]:
    """Nothing of ours: no key, no proxy, no home with configuration."""
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


def _messages(pipe: IO[bytes], patience: float) -> Iterator[dict[str, Any]]:
    """The child's messages as they come. Lines that are no JSON object, or too long, are skipped: they are not ours.

    Raises BrokenDownload after `patience` seconds without any.
    """
    pending, skipping = b"", False
    deadline = time.monotonic() + patience
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            block = os.read(pipe.fileno(), _LINE_BYTES)
            if not block:
                return
            *lines, pending = (pending + block).split(b"\n")
            for line in lines[1:] if skipping and lines else lines:
                if message := _parse(line):
                    deadline = time.monotonic() + patience
                    yield message
            skipping = (skipping and not lines) or len(pending) > _LINE_BYTES
            pending = b"" if skipping else pending
    raise errors.BrokenDownload(detail=f"No data arrived for {patience:.0f} seconds.")


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
    """The error that the child reports, if it is one that a link can cause."""
    try:
        error = errors.from_record(record)  # type: ignore[arg-type]  # checked by making it
    except (KeyError, TypeError, AttributeError):
        return errors.LinkError(detail="The download process reported an error that cannot be read.")
    return error if isinstance(error, errors.SourceError | errors.HostError) else errors.LinkError(detail=error.detail)


def _result(done: Mapping[str, Any], directory: Path) -> Download:
    """The child names no path; only these two names in `directory` are looked at."""
    files = tuple(directory / name for name in ("0", "1")[: int(done["files"])])
    if not all(file.is_file() and not file.is_symlink() for file in files):
        raise errors.LinkError(detail="The download process left no file.")
    suffix = done["suffix"] if done["suffix"] in _SUFFIXES else ".mkv"
    title = shortened(" ".join(_CONTROL.sub(" ", str(done["title"])).split()), 200) or "video"
    language = done["language"] if isinstance(done["language"], str) else None
    return Download(files=files, suffix=suffix, title=title, language=language)
