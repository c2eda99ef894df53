"""A web server on 127.0.0.1 that serves a video correctly, or with one of many faults.

Each page is a method named after its path: /video.mp4 → `video`. What a test wants served stands in attributes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_MPEG_URL = "application/vnd.apple.mpegurl"


class WebServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, video_bytes: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.video_bytes = video_bytes
        self.sound_bytes = b""
        self.playlist = ""
        self.manifest = ""
        self.captions = ""
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []
        self.sent = 0
        self.cookies: list[str] = []
        self.closing = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def url(self, path: str) -> str:
        return f"http://{self.endpoint}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what these tests are about."""


@contextmanager
def serving(video_bytes: bytes = b"") -> Iterator[WebServer]:
    server = WebServer(video_bytes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Pages(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:  # the base class names it
        parts = urlsplit(self.path)
        self.server.asked.append(parts.path)
        self.server.cookies.append(self.headers.get("Cookie", ""))
        if parts.path in self.server.texts:
            kind = _MPEG_URL if parts.path.endswith(".m3u8") else "text/plain"
            self._answer(200, self.server.texts[parts.path].encode(), kind)
            return
        page = getattr(self, re.split(r"[./]", parts.path[1:])[0], None)
        with suppress(ConnectionError):
            page(parse_qs(parts.query)) if page else self._answer(404, b"no such page")

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Tests read `asked` instead."""

    def _answer(self, status: int, body: bytes, kind: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _begin(self, kind: str = "video/mp4", **headers: str) -> None:
        """An answer that does not say how long it is."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    # Pages that behave

    def video(self, _: dict[str, list[str]]) -> None:
        body, asked = self.server.video_bytes, re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return self._answer(200, body, "video/mp4")
        start, end = int(asked[1]), int(asked[2] or len(body) - 1)
        headers = {"Content-Range": f"bytes {start}-{end}/{len(body)}", "Accept-Ranges": "bytes"}
        return self._answer(206, body[start : end + 1], "video/mp4", **headers)

    def sound(self, _: dict[str, list[str]]) -> None:
        self._answer(200, self.server.sound_bytes, "audio/mp4")

    def unmeasured(self, _: dict[str, list[str]]) -> None:
        self._begin()
        self.wfile.write(self.server.video_bytes)

    def playlist(self, _: dict[str, list[str]]) -> None:
        self._answer(200, self.server.playlist.encode(), _MPEG_URL)

    def manifest(self, _: dict[str, list[str]]) -> None:
        self._answer(200, self.server.manifest.encode(), "application/dash+xml")

    def captions(self, _: dict[str, list[str]]) -> None:
        self._answer(200, self.server.captions.encode(), "text/vtt")

    def film(self, query: dict[str, list[str]]) -> None:
        """A page with the video, or that in `video`, and captions for each `language=address` in `captions`."""
        pairs = [each.partition("=") for each in query.get("captions", ())]
        tags = "".join(f'<track kind="subtitles" srclang="{code}" src="{address}">' for code, _, address in pairs)
        source = query.get("video", ["/video.mp4"])[0]
        video = f'<video><source src="{source}" type="video/mp4">{tags}</video>'
        self._answer(200, f"<!DOCTYPE html><html><title>A film</title>{video}</html>".encode())

    def redirect(self, query: dict[str, list[str]]) -> None:
        self._answer(302, b"", Location=query["to"][0])

    # Pages that do not

    def html(self, _: dict[str, list[str]]) -> None:
        self._answer(200, b"<!DOCTYPE html><html><title>A page</title><p>No video here.</p></html>")

    def text(self, _: dict[str, list[str]]) -> None:
        self._answer(200, b"just words, nothing else " * 40, "video/mp4")

    def embeds(self, query: dict[str, list[str]]) -> None:
        """A page with one <video> for each address in `of`."""
        tags = "".join(f'<video src="{address}"></video>' for address in query["of"])
        self._answer(200, f"<!DOCTYPE html><html><title>A page with videos</title>{tags}</html>".encode())

    def status(self, query: dict[str, list[str]]) -> None:
        self._answer(int(query["code"][0]), b"<html>no</html>")

    def loop(self, _: dict[str, list[str]]) -> None:
        self._answer(302, b"", Location="/loop")

    def empty(self, _: dict[str, list[str]]) -> None:
        self._answer(200, b"", "video/mp4")

    def endless(self, query: dict[str, list[str]]) -> None:
        self._begin(query.get("kind", ["video/mp4"])[0])
        self.wfile.write(query.get("first", [""])[0].encode())
        block = b"\0" * (1 << 16)
        while not self.server.closing.is_set():
            self.wfile.write(block)
            self.server.sent += len(block)

    def cut(self, _: dict[str, list[str]]) -> None:
        """State twice the length that is sent, then close."""
        body = self.server.video_bytes
        self._begin(Content_Length=str(2 * len(body)))
        self.wfile.write(body)

    def slow(self, _: dict[str, list[str]]) -> None:
        """Accept the connection and send nothing."""
        self.server.closing.wait(30)

    def drip(self, _: dict[str, list[str]]) -> None:
        """A byte every 50 ms: never silent for long enough to time out, never done."""
        self._begin()
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"\0")
