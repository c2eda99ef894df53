"""The time that a stage has been running, and an estimate of the time it has left."""

from __future__ import annotations

import time

from jobs.pipeline.stage import Stage

_MIN_SECONDS = 2.0
"""Seconds of a stage after which the time left is estimated from its speed."""

GRACE = 15.0
"""Seconds that a stage may take longer than estimated before the estimate counts as wrong."""

LATE = "longer than usual"
"""Said instead of an estimate that has run out."""


class StageClock:
    """Measures how long each stage has been running, and estimates its time left from its speed."""

    def __init__(self) -> None:
        self._began: dict[Stage, float] = {}
        self._changed: dict[Stage, tuple[float, float]] = {}

    def see(self, stage: Stage, share: float) -> None:
        """Take note of the share of `stage` that is done; the first call is its begin."""
        now = time.monotonic()
        self._began.setdefault(stage, now)
        self._changed[stage] = share, now

    def spent(self, stage: Stage) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._began[stage]

    def share(self, stage: Stage) -> float:
        """The share of the stage that is done."""
        return self._changed[stage][0]

    def left(self, stage: Stage) -> float | None:
        """Seconds until the stage ends at its speed up to the last change, below -GRACE when that estimate has run
        out; None during its first _MIN_SECONDS.
        """
        share, changed = self._changed[stage]
        spent = changed - self._began[stage]
        if share == 0 or spent < _MIN_SECONDS:
            return None
        return spent * (1 - share) / share - (time.monotonic() - changed)

    def left_text(self, stage: Stage) -> str:
        """The time left in words, after a comma; empty while there is no estimate."""
        left = self.left(stage)
        if left is None:
            return ""
        return f", about {minutes_text(max(0.0, left))} left" if left >= -GRACE else f", {LATE}"


def minutes_text(seconds: float) -> str:
    """A length of time in minutes and seconds, such as 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
