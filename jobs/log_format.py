"""The format of log lines: time, level, logger, sentence, then name=value fields.

A line that a visitor can cause (a wrong host, a broken request, an unknown address) has no traceback, and there are at
most LINES_A_MINUTE of them a minute, so that invalid requests cannot fill the disk.
"""

from __future__ import annotations

import copy
import logging
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FIELDS = ("job", "stage", "attempt", "actor", "reason")

LINES_A_MINUTE = 30
"""Lines of one logger and level that visitors can cause."""

_LONGEST = 300
"""Characters of a refused request that are logged."""

_OF_SERVERS = ("django.", "daphne.", "jobs.web", "asyncio", "twisted")
"""Loggers whose lines visitors can cause."""


class FieldFormatter(logging.Formatter):
    """Appends those of FIELDS that the record has (by `extra`) and that are not empty."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, without the traceback of a refused request."""
        return super().format(_in_one_line(record) if _is_refusal(record) else record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """The message, and the fields after it."""
        # Without line breaks, so that a user name cannot forge log lines.
        found = ((name, " ".join(str(vars(record).get(name) or "").split())) for name in FIELDS)
        fields = [f"{name}={shlex.quote(value)}" for name, value in found if value]
        left_out = vars(record).get("left_out", 0)
        more = [f"({left_out} lines like it were left out)"] if left_out else []
        return " ".join([super().formatMessage(record), *more, *fields])


class Bounded(logging.Filter):
    """Passes LINES_A_MINUTE of each logger and level of a server; the next line after that has the number left out."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        if not record.name.startswith(_OF_SERVERS):
            return True
        key, now = (record.name, record.levelno), time.monotonic()
        with self._lock:
            began, count = self._seen.get(key, (now, 0))
            if now - began >= 60:
                record.left_out = max(0, count - LINES_A_MINUTE)
                began, count = now, 0
            self._seen[key] = began, count + 1
        return count < LINES_A_MINUTE


def _is_refusal(record: logging.LogRecord) -> bool:
    """Whether a visitor's request was refused: an error of theirs, not of ours."""
    if record.name.startswith(("django.security", "daphne.http_protocol", "daphne.ws_protocol")):
        return True
    return record.name == "django.request" and int(vars(record).get("status_code") or 500) < 500


def _in_one_line(record: logging.LogRecord) -> logging.LogRecord:
    """The record without its traceback. Daphne writes it into the message, whose last line names the error."""
    found = copy.copy(record)
    lines = [line for line in record.getMessage().splitlines() if line.strip()] or [""]
    message = lines[-1] if lines[0].startswith("Traceback") else " ".join(lines)
    found.msg = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
    found.args, found.exc_info, found.exc_text, found.stack_info = (), None, None, None
    return found


@contextmanager
def silenced(quiet: bool = True) -> Iterator[None]:
    """Silence the log of `jobs`, unless `quiet` is False: it is for servers, commands have a display."""
    logger = logging.getLogger("jobs")
    level = logger.level
    logger.setLevel(logging.CRITICAL if quiet else level)
    try:
        yield
    finally:
        logger.setLevel(level)
