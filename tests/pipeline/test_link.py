"""Links, downloaded by the real yt-dlp in its child process from a server that behaves well or badly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from jobs.pipeline.download import client as link
from jobs.pipeline.download.client import Download, LinkOptions, check_link, is_link
from jobs.pipeline.errors import (
    BadCookies,
    BadLink,
    BrokenDownload,
    DeadLink,
    ForbiddenAddress,
    TooLarge,
)
from jobs.pipeline.media.limits import Limits
from tests.pipeline.web_server import WebServer, serving
from tests.waiting import PATIENCE

MEGABYTE = 1_000_000
HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
END = "#EXT-X-ENDLIST\n"


@pytest.fixture
def video() -> bytes:
    return bytes(range(256)) * 100


@pytest.fixture
def server(video: bytes) -> Iterator[WebServer]:
    with serving(video) as running:
        yield running


class Fetch:
    """Downloads from one server: the only address on this machine that is allowed."""

    def __init__(self, server: WebServer, directory: Path) -> None:
        self.server, self.directory = server, directory
        self.shares: list[float] = []

    def __call__(self, target: str, limits: Limits | None = None, **options: Any) -> Download:
        source = self.server.url(target) if target.startswith("/") else target
        chosen = LinkOptions(
            **{"allow_loopback": (self.server.endpoint,), "timeout": PATIENCE, "idle_timeout": PATIENCE, **options}
        )
        return link.download(
            source, self.directory, limits=limits or Limits(), options=chosen, progress=self.shares.append
        )


@pytest.fixture
def fetch(server: WebServer, tmp_path: Path) -> Fetch:
    return Fetch(server, tmp_path)


# What works


def test_downloads_a_video(fetch: Fetch, video: bytes) -> None:
    loaded = fetch("/video.mp4")
    assert [file.read_bytes() for file in loaded.files] == [video]
    assert (loaded.suffix, loaded.title) == (".mp4", "video")
    assert fetch.shares[-1] == 1.0
    assert all(0 <= share <= 1 for share in fetch.shares)


# Addresses that are not public: the server at 127.0.0.1 is allowed by its port, everything else here is not


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:{port}/video.mp4",
        *(
            pytest.param(address, marks=pytest.mark.soak)  # test_guard has them all, and more
            for address in (
                "http://169.254.169.254/latest/meta-data/",
                "http://[::ffff:127.0.0.1]:{port}/video.mp4",
                "http://0.0.0.0:{port}/video.mp4",
            )
        ),
    ],
)
def test_forbidden_address(fetch: Fetch, address: str) -> None:
    with serving() as other, pytest.raises(ForbiddenAddress):
        fetch(address.format(port=other.server_port))
    assert other.asked == []


def test_forbidden_after_a_redirect(fetch: Fetch) -> None:
    with serving(b"secret") as other, pytest.raises(ForbiddenAddress):
        fetch(f"/redirect?to={quote(other.url('/video.mp4'))}")
    assert other.asked == []
    assert fetch.server.asked == ["/redirect"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("#EXTINF:1,\n{url}/video.ts", marks=pytest.mark.soak),
        '#EXT-X-KEY:METHOD=AES-128,URI="{url}/k"\n#EXTINF:1,\n/video.ts',
    ],
)
def test_forbidden_in_a_playlist(fetch: Fetch, line: str) -> None:
    with serving(b"secret") as other:
        fetch.server.playlist = f"{HEAD}#EXTINF:1,\n/video.ts\n{line.format(url=other.url(''))}\n{END}"
        with pytest.raises(ForbiddenAddress) as caught:
            fetch("/playlist.m3u8")
    assert other.asked == []
    assert caught.value.detail == ""


@pytest.mark.soak
def test_forbidden_in_a_page(fetch: Fetch) -> None:
    with serving() as other, pytest.raises(ForbiddenAddress):
        fetch(f"/embeds?of={quote(other.url('/playlist.m3u8'))}")
    assert other.asked == []


def test_without_the_setting_loopback_is_forbidden(fetch: Fetch) -> None:
    with pytest.raises(ForbiddenAddress):
        fetch("/video.mp4", allow_loopback=())
    assert fetch.server.asked == []


@pytest.mark.parametrize("wide", ["10.0.0.1:80", "127.0.0.1", "example.com:80", "0.0.0.0:80"])
def test_the_test_setting_opens_one_loopback_port_only(fetch: Fetch, wide: str) -> None:
    with pytest.raises(ValueError, match="allow_loopback"):
        fetch("/video.mp4", allow_loopback=(wide,))


def test_a_proxy_may_be_local(fetch: Fetch, video: bytes) -> None:
    with serving(video) as proxy:
        loaded = fetch("http://video.invalid/video.mp4", proxy=proxy.url(""))
    assert loaded.files[0].read_bytes() == video
    assert proxy.asked
    assert fetch.server.asked == []


def test_an_endless_file_stops_at_the_limit(fetch: Fetch) -> None:
    with pytest.raises(TooLarge) as caught:
        fetch("/endless.mp4", Limits(max_bytes=3 * MEGABYTE))
    assert caught.value.params["limit"] == "3 MB"
    assert (fetch.directory / "0").stat().st_size <= 3.1 * MEGABYTE
    assert fetch.server.sent < 30 * MEGABYTE


@pytest.mark.soak
def test_a_failure_crosses_the_pipe(fetch: Fetch) -> None:
    with pytest.raises(DeadLink) as caught:
        fetch("/status?code=404")
    assert "HTTP Error 404" in caught.value.detail


def test_a_server_that_drips_is_given_up(fetch: Fetch) -> None:
    with pytest.raises(BrokenDownload, match="stopped before"):
        fetch("/drip.mp4", idle_timeout=2.0)


@pytest.mark.parametrize("content", [b"\xff\xfe\0", None])
def test_cookies_that_cannot_be_read(fetch: Fetch, tmp_path: Path, content: bytes | None) -> None:
    cookies = tmp_path / "cookies.txt"
    if content is not None:
        cookies.write_bytes(content)
    with pytest.raises(BadCookies):
        fetch("/video.mp4", cookies=cookies)


# What is a link


@pytest.mark.parametrize(
    "source",
    [
        "https://example.com/x",
        " HTTP://example.com",
        "ftp://x/y",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "www.x.y",
    ],
)
def test_is_a_link(source: str) -> None:
    assert is_link(source)


@pytest.mark.parametrize(
    "source", ["video.mp4", "/srv/a.mp4", "./http.mp4", "-x.mp4", "talk: part 1.mp4", "سلام.mp4", ""]
)
def test_is_a_file(source: str) -> None:
    assert not is_link(source)


@pytest.mark.parametrize(
    "source",
    [
        *("ftp://example.com/x.mp4", "file:///etc/passwd", "javascript:alert(1)", "data:video/mp4;base64,AAAA"),
        *("rtmp://example.com/x", "www.example.com/x", "https://", "https:///x", "http://[::1", "http://x:99999/"),
        *("https://user:password@example.com/", "https://exa mple.com/", "https://example.com/\x00", "http://x\ny/"),
        "https://example.com/" + "x" * 5000,
    ],
)
def test_bad_link(source: str) -> None:
    with pytest.raises(BadLink):
        check_link(source)


def test_good_link() -> None:
    assert check_link(" https://example.com/watch?v=1\n") == "https://example.com/watch?v=1"
