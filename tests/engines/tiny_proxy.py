"""An HTTP proxy on 127.0.0.1 for http addresses that records its targets."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from tests.waiting import PATIENCE


class TinyProxy:
    """Use as a context manager. `targets` are the whole addresses that were asked for."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.targets))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler(targets: list[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            targets.append(self.path)
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            beyond = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
            beyond.request("POST", f"{address.path}?{address.query}".rstrip("?"), body, dict(self.headers))
            answer = beyond.getresponse()
            payload = answer.read()
            beyond.close()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Suppress the log on the terminal."""

    return Handler
