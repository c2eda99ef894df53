"""Download by yt-dlp, in the child process behind the network guard: look up the link, choose formats, save them.

It never starts ffmpeg: separate streams stay separate files named 0 and 1, which the parent merges.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import yt_dlp.globals
from yt_dlp import YoutubeDL
from yt_dlp.networking._requests import RequestsRH
from yt_dlp.networking.exceptions import RequestError
from yt_dlp.utils import DownloadError, YoutubeDLError

from jobs.pipeline.download import captions
from jobs.pipeline.download.errors import error_for
from jobs.pipeline.download.formats import SORT, choose, fits, is_dubbed, sound_language, sound_of, suffix
from jobs.pipeline.download.request import Request
from jobs.pipeline.errors import BrokenDownload, DeadLink, LiveStream, NoVideoAtLink, SeveralVideos
from jobs.pipeline.media.limits import Limits

Info = Mapping[str, Any]
Send = Callable[[dict[str, Any]], None]

_PAGE_BYTES = 32 << 20
"""Most bytes of a page or playlist that are read into memory. The largest real ones are a tenth of it."""
_BLOCK_BYTES = 64 << 10
_RETRIES = 3
_CAPTION_BYTES = 40 << 20
"""Most bytes of captions, as of a subtitle file that people bring."""
_CAPTION_SECONDS = 300.0
"""Longest time for captions, which may come in thousands of pieces."""
_SHOWN = 100
"""Languages of captions that are told."""
_LIVE = {"is_live", "is_upcoming", "post_live"}
_SHARES = {1: (1.0,), 2: (0.9, 0.1)}
"""Shares of the files in the progress, by number of files: sound is about a tenth of the bytes."""


def download(request: Request, send: Send, after_captions: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Download files 0 (and 1) into the request's directory. Returns the message of which `client.Download` is made.

    `send` gets messages about the progress; `after_captions` is called when captions were downloaded, or could not be.
    Raises PipelineError.
    """
    meter = _Meter(request.limits, send)
    try:
        return _download(request, meter, after_captions)
    except (YoutubeDLError, RequestError, OSError) as error:
        found = error_for(_message(error), hide=(str(request.directory), request.proxy))
        raise BrokenDownload(detail=found.detail) if isinstance(found, DeadLink) and meter.received else found from None


def _download(request: Request, meter: _Meter, after_captions: Callable[[], object]) -> dict[str, Any]:
    with _Downloader(_settings(request, meter)) as downloader:
        info = _look_up(downloader, request.link)
        title = str(info.get("title") or info.get("id") or "video")
        chosen = _accept(info, title, request.limits, request.spoken)
        told = _captions(downloader, info, chosen, request, meter)
        after_captions()
        meter.expect(title, len(chosen))
        for number, each in enumerate(chosen):
            meter.begin(number)
            _save(downloader, {**info, **each}, request.directory / str(number))
    return {"title": title, "files": len(chosen), "suffix": suffix(chosen), **_told(info, chosen), **told}


def _told(info: Info, chosen: Sequence[Info]) -> dict[str, Any]:
    """Facts about the chosen formats: the language of their sound, whether it is dubbed, whether they are segmented."""
    sound = sound_of(chosen)
    return {
        "language": sound_language(sound, info.get("formats") or []) if sound else "",
        "dubbed": bool(sound and is_dubbed(sound, info.get("language"))),
        "segmented": any(each.get("protocol") not in {"http", "https"} for each in chosen),
    }


def _captions(
    downloader: YoutubeDL, info: Info, chosen: Sequence[Info], request: Request, meter: _Meter
) -> dict[str, Any]:
    """Download the captions that the request asks for into the file `captions`; returns facts on those of the site.

    A failure is one of these facts, not an error: the video is worth having without them.
    """
    stated = captions.stated_language(info, sound_of(chosen))
    if not request.captions:
        return {"stated": stated}
    found = captions.offers(info)
    spoken, strict = request.spoken or stated, request.captions == "people"
    offer = captions.choose(found, spoken=spoken, wanted=request.caption_language, target=request.target, strict=strict)
    facts: dict[str, Any] = {
        "stated": stated,
        "people": list(dict.fromkeys(each.language for each in found if not each.machine))[:_SHOWN],
        "machine": list(dict.fromkeys(each.language for each in found if each.machine))[:_SHOWN],
    }
    if offer is None:
        return facts
    path = request.directory / "captions"
    meter.begin_captions()
    try:
        if isinstance(offer.file.get("data"), str):
            path.write_text(offer.file["data"][:_CAPTION_BYTES], encoding="utf-8", errors="replace")
        else:
            headers = {"http_headers": info.get("http_headers") or {}}
            downloader.dl(str(path), {**headers, **offer.file})  # what it returns says nothing for WebVTT in pieces
    except (YoutubeDLError, RequestError, OSError, CaptionsTooLarge):
        path.unlink(missing_ok=True)
    return {
        **facts,
        "captions": {
            "language": offer.language,
            "machine": offer.machine,
            "ok": path.is_file() and path.stat().st_size > 0,
        },
    }


class CaptionsTooLarge(Exception):
    """Raised when captions are larger, or take longer, than is reasonable."""


class _Downloader(YoutubeDL):  # type: ignore[misc]  # yt-dlp has no types
    """yt-dlp with a single network backend: requests, which supports http and https only, on Python's sockets."""

    def build_request_director(self, _: object, preferences: object = None) -> Any:
        return super().build_request_director([RequestsRH], preferences)

    def urlopen(self, request: Any) -> Any:
        response = super().urlopen(request)
        response.read = _bounded(response.read)
        return response


def _bounded(read: Callable[[int], bytes]) -> Callable[[int | None], bytes]:
    """Wrap `read` so that a page of endless length fails. Files are read in blocks, which _Meter counts."""

    def bounded(amount: int | None = None) -> bytes:
        if amount is not None:
            return read(amount)
        page = bytearray()
        while block := read(_BLOCK_BYTES):
            page += block
            if len(page) > _PAGE_BYTES:
                raise NoVideoAtLink(detail=f"The page is larger than {_PAGE_BYTES >> 20} MB.")
        return bytes(page)

    return bounded


def _settings(request: Request, meter: _Meter) -> dict[str, Any]:
    """yt-dlp's parameters, documented in its class YoutubeDL; others keep their default, which is off."""
    yt_dlp.globals.plugin_dirs.value = []
    return {
        "logger": _Logger(meter.send),
        "progress_hooks": [meter],
        "color": "never",
        "noprogress": True,
        "cachedir": False,
        "format": lambda context: iter(context["formats"][-1:]),  # `_accept` makes the real choice
        "format_sort": SORT,
        "writesubtitles": bool(request.captions),  # extractors look for them only then
        "writeautomaticsub": bool(request.captions),
        "noplaylist": True,
        "playlist_items": "1,2",  # enough to tell that there are several
        "extract_flat": "in_playlist",
        "external_downloader": "native",
        "ffmpeg_location": "/nonexistent",
        "fixup": "never",
        "js_runtimes": {"deno": {"path": str(request.deno)}} if request.deno else {},
        "proxy": request.proxy,  # empty: no proxy, even if the environment names one
        "cookiefile": None if request.cookies is None else StringIO(request.cookies),
        "socket_timeout": request.timeout,
        "retries": _RETRIES,
        "fragment_retries": _RETRIES,
        "extractor_retries": 1,
        "file_access_retries": 0,
        "skip_unavailable_fragments": False,
        "nopart": True,
        "continuedl": False,
        "updatetime": False,
        "buffersize": _BLOCK_BYTES,
        "noresizebuffer": True,
    }


class _Logger:
    """Logger of yt-dlp that sends a keep-alive message for every line, without its text."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def debug(self, _: str) -> None:
        self._send({"alive": True})

    info = warning = error = debug


def _look_up(downloader: YoutubeDL, link: str) -> Info:
    """The only video behind `link`. A page that embeds a single video counts as that video."""
    info = downloader.extract_info(link, download=False)
    while info and info.get("_type") in {"playlist", "multi_video"}:
        info = _only_entry(downloader, info)
    if not info:
        raise NoVideoAtLink
    if info.get("is_live") or info.get("live_status") in _LIVE:
        raise LiveStream
    return dict(info)


def _only_entry(downloader: YoutubeDL, playlist: Info) -> Info | None:
    """The only video of a playlist, with the playlist's title, which is the page's if a page embeds the video."""
    entries = [entry for entry in playlist.get("entries") or () if entry]
    if len(entries) > 1:
        raise SeveralVideos
    if not entries:
        return None
    entry = entries[0]
    if entry.get("_type", "video") != "video":
        entry = downloader.process_ie_result(entry, download=False) or {}
    return {**entry, "title": playlist.get("title") or entry.get("title")}


def _accept(info: Info, title: str, limits: Limits, spoken: str = "") -> Sequence[Info]:
    """Choose the formats. Raises NoVideoAtLink, and limits exceeded before the first byte: TooLong and the like."""
    limits.check_duration(info.get("duration") or 0, title)
    formats = info.get("formats") or []
    chosen = choose(formats, limits.max_pixels, spoken)
    if all(each.get("vcodec") == "none" for each in chosen):
        for each in formats:
            if not fits(each, limits.max_pixels):
                limits.check_picture(each["width"], each["height"], title)
    if not chosen:
        raise NoVideoAtLink(detail="No format can be downloaded over HTTP.")
    limits.check_size(sum(each.get("filesize") or 0 for each in chosen), title)
    return chosen


def _save(downloader: YoutubeDL, info: Info, path: Path) -> None:
    done, _ = downloader.dl(str(path), dict(info))
    if not done or not path.is_file():
        raise DownloadError("The downloaded file is empty")


class _Meter:
    """Counts the bytes of all files and segments and raises TooLarge at the limit: servers need not state a size."""

    def __init__(self, limits: Limits, send: Send) -> None:
        self.send = send
        self._limits = limits
        self._bytes = [0]
        self._number = 0
        self._captions_until = 0.0

    @property
    def received(self) -> int:
        """Bytes of the video received so far."""
        return sum(self._bytes)

    def expect(self, title: str, files: int) -> None:
        self._title = title
        self._shares = _SHARES[files]
        self._bytes = [0] * files

    def begin(self, number: int) -> None:
        self._number = number
        self._captions_until = 0.0

    def begin_captions(self) -> None:
        self._captions_until = time.monotonic() + _CAPTION_SECONDS

    def __call__(self, status: Mapping[str, Any]) -> None:
        if self._captions_until:
            self._count_captions(status.get("downloaded_bytes") or 0)
            return
        self._bytes[self._number] = max(self._bytes[self._number], status.get("downloaded_bytes") or 0)
        self._limits.check_size(self.received, self._title)
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        share = min(1.0, self._bytes[self._number] / total) if total else 0.0
        before = sum(self._shares[: self._number])
        self.send({"progress": before + self._shares[self._number] * share})

    def _count_captions(self, received: int) -> None:
        self.send({"alive": True})
        if received > _CAPTION_BYTES or time.monotonic() > self._captions_until:
            raise CaptionsTooLarge


def _message(error: BaseException) -> str:
    """The message of an error with that of its cause, which yt-dlp often leaves out of its own message."""
    cause = error.exc_info[1] if isinstance(error, DownloadError) and error.exc_info else None
    return str(error) if cause is None or str(cause) in str(error) else f"{error} {cause}"
