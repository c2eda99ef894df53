"""Request bodies in memory: the directory of temporary files may be full or read-only while the jobs' disk is not."""

from __future__ import annotations

import io
from typing import Any

from daphne.http_protocol import WebRequest


def keep_in_memory(max_bytes: int) -> None:
    """Make daphne keep request bodies of up to `max_bytes` in memory.

    Twisted would write those of 100 kB and more to a temporary file, which daphne then reads into memory all the same.
    """
    usual = WebRequest.gotLength

    def got_length(self: Any, length: int | None) -> None:
        if length is not None and length <= max_bytes:
            self.content = io.BytesIO()
        else:
            usual(self, length)

    WebRequest.gotLength = got_length
