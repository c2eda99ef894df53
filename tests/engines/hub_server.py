"""A model hub on this machine, with the part of the real API that `hub` uses, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """`files` maps repository to name to content. What is asked of it is kept in `requests`."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.requests: list[tuple[str, str]] = []  # path, Range
        self.break_after: list[int] = []  # of each next answer with content only so many bytes are sent
        self.status = 200
        self.ranges = True
        self.lie = False  # announce other checksums
        self.endpoint = ""

    def listing(self, repository: str) -> bytes:
        siblings = [
            {"rfilename": name, "size": len(content), **self._large(name, content)}
            for name, content in self.files[repository].items()
        ]
        return json.dumps({"sha": REVISION, "siblings": siblings}).encode()

    def _large(self, name: str, content: bytes) -> dict[str, object]:
        """Large files have their checksum in the listing; the small ones, kept in git, do not."""
        if not name.endswith(".bin"):
            return {}
        return {"lfs": {"sha256": "0" * 64 if self.lie else hashlib.sha256(content).hexdigest()}}


@contextmanager
def running_hub() -> Iterator[FakeHub]:
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            hub.requests.append((path, self.headers.get("Range", "")))
            if hub.status != 200:
                self.send_error(hub.status)
            elif path.startswith("/api/models/"):
                self.answer(200, hub.listing(path.removeprefix("/api/models/")), breakable=False)
            else:
                self.file(path)

        def file(self, path: str) -> None:
            repository, _, place = path.removeprefix("/").partition(f"/resolve/{REVISION}/")
            content = hub.files[repository][place]
            wanted = self.headers.get("Range", "")
            if wanted and hub.ranges:
                first = int(wanted.removeprefix("bytes=").removesuffix("-"))
                self.answer(206, content[first:], breakable=True)
            else:
                self.answer(200, content, breakable=True)

        def answer(self, status: int, content: bytes, *, breakable: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            cut = hub.break_after.pop(0) if breakable and hub.break_after else len(content)
            self.wfile.write(content[:cut])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
