"""yt-dlp with our settings, limits and errors, in this process: pages, playlists and faulty servers.

The guard is not up here; what it does is tested through the child in test_link.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.pipeline.download import ytdlp
from jobs.pipeline.download.request import Request
from jobs.pipeline.download.ytdlp import download
from jobs.pipeline.errors import (
    BadCookies,
    BadLink,
    BrokenDownload,
    DeadLink,
    LinkError,
    LiveStream,
    NoVideoAtLink,
    PipelineError,
    SeveralVideos,
    SignInRequired,
    TooLarge,
    TooLong,
    TooManyPixels,
    VideoUnavailable,
)
from jobs.pipeline.media.limits import Limits
from tests.pipeline.web_server import WebServer, serving
from tests.waiting import PATIENCE

# yt-dlp leaves responses open when it fails; in the child the process ends with them
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

MEGABYTE = 1_000_000
HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
END = "#EXT-X-ENDLIST\n"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(bytes(range(256)) * 100) as running:
        yield running


class Fetch:
    """Downloads from one server into one directory."""

    def __init__(self, server: WebServer, directory: Path) -> None:
        self.server, self.directory = server, directory

    def __call__(self, target: str, limits: Limits | None = None, cookies: str | None = None) -> dict[str, Any]:
        request = Request(
            link=self.server.url(target) if target.startswith("/") else target,
            directory=self.directory,
            limits=limits or Limits(),
            timeout=1.0 if target == "/slow" else PATIENCE,
            cookies=cookies,
            proxy="",
            allow_loopback=(),
            deno=None,
        )
        return download(request, lambda _: None)

    @property
    def saved(self) -> bytes:
        return (self.directory / "0").read_bytes()


@pytest.fixture
def fetch(server: WebServer, tmp_path: Path) -> Iterator[Fetch]:
    yield Fetch(server, tmp_path)
    gc.collect()  # here, where what was left open is expected


@pytest.mark.parametrize("page", ["/video.mp4", "/unmeasured.mp4", "/redirect?to=/video.mp4"])
def test_downloads_a_file(fetch: Fetch, page: str) -> None:
    done = fetch(page)
    assert fetch.saved == fetch.server.video_bytes
    assert (done["files"], done["suffix"]) == (1, ".mp4")


def test_downloads_segments_in_order(fetch: Fetch) -> None:
    fetch.server.playlist = f"{HEAD}#EXTINF:1,\n/video.ts\n#EXTINF:1,\n/video.ts?2\n{END}"
    assert fetch("/playlist.m3u8")["files"] == 1
    assert fetch.saved == fetch.server.video_bytes * 2


def test_the_title_is_that_of_the_page(fetch: Fetch) -> None:
    assert fetch(f"/embeds?of={fetch.server.url('/video.mp4')}")["title"].startswith("A page with videos")


def test_the_original_sound_is_downloaded(fetch: Fetch, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a site that offers a larger picture with dubbed sound; yt-dlp sorts its formats with our settings."""
    info = json.loads((data / "links" / "dubbed_formats.json").read_text())
    fetch.server.sound_bytes = b"the original"

    def look_up(downloader: Any, _: str) -> dict[str, Any]:
        for each in info["formats"]:
            each["url"] = fetch.server.url("/sound.m4a" if each["format_id"] == "140-0" else "/video.mp4")
            each.setdefault("http_headers", {})
        found: dict[str, Any] = {**info, "id": "x", "extractor": "x", "extractor_key": "X"}
        downloader.sort_formats(found)
        return found

    monkeypatch.setattr(ytdlp, "_look_up", look_up)
    told = {"title": "Ein Ausflug", "files": 2, "suffix": ".mp4"}
    assert fetch("/x") == {**told, "language": "de", "dubbed": False, "segmented": False, "stated": "de"}
    assert (fetch.directory / "1").read_bytes() == b"the original"


def test_cookies_are_sent(fetch: Fetch) -> None:
    fetch("/video.mp4", cookies="# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\tsecret\n")
    assert set(fetch.server.cookies) == {"session=secret"}


@pytest.mark.parametrize("cookies", ["", '[{"name": "session"}]', "session=secret"])
def test_cookies_that_are_none(fetch: Fetch, cookies: str) -> None:
    with pytest.raises(BadCookies) as caught:
        fetch("/video.mp4", cookies=cookies)
    assert "secret" not in caught.value.detail


# Limits


def test_endless_segments_stop_at_the_limit(fetch: Fetch) -> None:
    fetch.server.playlist = f"{HEAD}#EXTINF:1,\n/video.ts\n#EXTINF:1,\n/endless.ts\n{END}"
    with pytest.raises(TooLarge):
        fetch("/playlist.m3u8", Limits(max_bytes=3 * MEGABYTE))


def test_many_small_segments_add_up(fetch: Fetch) -> None:
    fetch.server.video_bytes = b"\0" * 100_000
    fetch.server.playlist = HEAD + "#EXTINF:1,\n/video.ts\n" * 50 + END
    with pytest.raises(TooLarge):
        fetch("/playlist.m3u8", Limits(max_bytes=MEGABYTE))
    assert fetch.server.asked.count("/video.ts") < 15


def test_an_endless_page_is_not_read_to_its_end(fetch: Fetch) -> None:
    with pytest.raises(NoVideoAtLink, match="contains no video") as caught:
        fetch("/endless?kind=text/html&first=%3C!DOCTYPE%20html%3E%3Chtml%3E")
    assert "larger than 32 MB" in caught.value.detail


def test_too_long_is_told_before_the_download(fetch: Fetch) -> None:
    fetch.server.playlist = HEAD + "#EXTINF:1800,\n/video.ts\n" * 20 + END
    with pytest.raises(TooLong) as caught:
        fetch("/playlist.m3u8", Limits(max_seconds=4 * 3600))
    assert (caught.value.params["actual"], caught.value.params["limit"]) == ("10 h", "4 h")
    assert "/video.ts" not in fetch.server.asked


def test_too_sharp_is_told_before_the_download(fetch: Fetch) -> None:
    fetch.server.playlist = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=7680x4320\n/manifest.m3u8\n"
    with pytest.raises(TooManyPixels) as caught:
        fetch("/playlist.m3u8")
    assert caught.value.params["actual"] == "7680 × 4320 (33.2 megapixels)"


def test_another_scheme_after_a_redirect(fetch: Fetch) -> None:
    with pytest.raises(BadLink):
        fetch("/redirect?to=ftp://127.0.0.1/x.mp4")


def test_a_file_in_a_playlist(fetch: Fetch) -> None:
    fetch.server.playlist = f"{HEAD}#EXTINF:1,\n/video.ts\n#EXTINF:1,\nfile:///etc/passwd\n{END}"
    with pytest.raises(BadLink):
        fetch("/playlist.m3u8")


# What fails


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("/html", NoVideoAtLink),
        ("/status?code=404", DeadLink),
        ("/status?code=410", DeadLink),
        ("/status?code=500", DeadLink),
        ("/status?code=401", SignInRequired),
        ("/status?code=403", VideoUnavailable),
        ("/embeds?of=rtmp://a.invalid/a", NoVideoAtLink),
        ("/loop", DeadLink),
        ("/slow", DeadLink),
        ("/cut.mp4", BrokenDownload),
        ("/empty.mp4", BrokenDownload),
        ("/embeds?of=http://a.invalid/a.mp4&of=http://a.invalid/b.mp4", SeveralVideos),
        ("http://nowhere.invalid/", DeadLink),
    ],
)
def test_failure(fetch: Fetch, page: str, kind: type[PipelineError]) -> None:
    with pytest.raises(PipelineError) as caught:
        fetch(page)
    assert type(caught.value) is kind, caught.value.detail
    assert str(fetch.directory) not in f"{caught.value}{caught.value.detail}"


def test_nothing_listens(fetch: Fetch) -> None:
    with serving() as gone:
        pass
    with pytest.raises(DeadLink):
        fetch(gone.url("/video.mp4"))


def test_a_missing_segment_breaks_the_download(fetch: Fetch) -> None:
    fetch.server.playlist = f"{HEAD}#EXTINF:1,\n/video.ts\n#EXTINF:1,\n/status?code=404\n{END}"
    with pytest.raises(BrokenDownload):
        fetch("/playlist.m3u8")


def test_a_playlist_without_an_end_is_a_live_stream(fetch: Fetch) -> None:
    fetch.server.playlist = f"{HEAD}#EXTINF:1,\n/video.ts\n"
    with pytest.raises(LiveStream):
        fetch("/playlist.m3u8")


def test_what_only_ffmpeg_could_download_fails(fetch: Fetch) -> None:
    fetch.server.playlist = f'{HEAD}#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/k"\n#EXTINF:1,\n/video.ts\n{END}'
    with pytest.raises(LinkError):
        fetch("/playlist.m3u8")
