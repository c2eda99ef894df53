"""Timers of the loop that supervises a stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timer:
    """Something that is done every so many seconds of the monotonic clock, counted from the last time."""

    last: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds since it was done, or since the timer was made."""
        return time.monotonic() - self.last

    def is_due(self, every: float) -> bool:
        """Whether `every` seconds have passed."""
        return self.elapsed() >= every

    def restart(self) -> None:
        """Count from now."""
        self.last = time.monotonic()
