"""Request to the download child: one JSON line on stdin, so that cookies appear in no command line and no file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from jobs.pipeline.download.network_guard import Endpoint
from jobs.pipeline.media.limits import Limits

Captions = Literal["people", "any", ""]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A download to make into `directory`. `cookies` is the text of a cookies file, `timeout` in seconds of silence.

    `spoken` is the language code of the speech, if it is known. `captions` are those of the site to download as well:
    those by `people` in the spoken language only, or `any`, then those in the language `caption_language` if it is
    given, and those in the language `target` last; empty: none.
    """

    link: str
    directory: Path
    limits: Limits
    timeout: float
    cookies: str | None
    proxy: str
    allow_loopback: tuple[Endpoint, ...]
    deno: Path | None
    spoken: str = ""
    captions: Captions = ""
    caption_language: str = ""
    target: str = ""

    def line(self) -> bytes:
        """Encode as one JSON line, newline included."""
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Request:
        """Decode the result of `line`. Raises ValueError, KeyError or TypeError."""
        fields: dict[str, Any] = json.loads(line)
        fields["limits"] = Limits(**fields["limits"])
        fields["directory"] = Path(fields["directory"])
        fields["deno"] = Path(fields["deno"]) if fields["deno"] else None
        fields["allow_loopback"] = tuple((host, port) for host, port in fields["allow_loopback"])
        return cls(**fields)
