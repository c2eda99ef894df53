"""Waiting for what other processes, threads and browsers do, on a machine of any speed.

A limit says when a test gives up; it is never what the test measures. Where something must not be slow, the slow way is
made longer than `PATIENCE`, or CPU time is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 90.0
"""Seconds to wait for what takes one on an idle machine. Only a test that fails waits so long."""

LONG = 5 * PATIENCE
"""The same for the work of engines and ffmpeg. They are nice to others: on a busy machine all others come first."""

T = TypeVar("T")


def until(
    found: Callable[[], T | None], patience: float = PATIENCE, every: float | None = None, what: object = ""
) -> T:
    """Return what `found` returns as soon as that is true.

    Fails after `patience` seconds, with `what`, or with what it returns by then if it is callable. It is asked every so
    many seconds; if that is not given, the longer it takes, the more seldom: asking costs time of the processor, too.
    """
    began = time.monotonic()
    while not (answer := found()):
        waited = time.monotonic() - began
        assert waited < patience, f"not within {patience} s: {what() if callable(what) else what}"
        time.sleep(min(max(waited / 20, 0.01), 0.1) if every is None else every)
    return answer
