"""Timers of the loop that supervises a stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timer:
    """A timer on the monotonic clock, counted from its last restart."""

    last: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds since the last restart, or since the timer was made."""
        return time.monotonic() - self.last

    def is_due(self, every: float) -> bool:
        """Whether `every` seconds have passed since the last restart."""
        return self.elapsed() >= every

    def restart(self) -> None:
        """Count from now."""
        self.last = time.monotonic()
