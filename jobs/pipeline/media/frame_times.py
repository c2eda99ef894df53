"""Times of frames from ffmpeg's framecrc listing, and the frame rate that they give."""

from __future__ import annotations

import re
from itertools import pairwise


def frame_times(listing: str) -> list[float]:
    """Parse the framecrc listing of one stream into the times of its frames in seconds, sorted."""
    base = re.search(r"^#tb 0: (\d+)/(\d+)", listing, re.MULTILINE)
    if not base:
        return []
    unit = int(base.group(1)) / int(base.group(2))
    rows = (line.split(",") for line in listing.splitlines() if line and not line.startswith("#"))
    return sorted(int(row[2]) * unit for row in rows if "NOPTS" not in row[2])


def pace(times: list[float]) -> tuple[float, bool]:
    """Frames per second, and whether the rate varies by more than the rounding of times to milliseconds."""
    steps = sorted(later - earlier for earlier, later in pairwise(times) if later > earlier)
    if not steps:
        return 0.0, False
    typical = steps[len(steps) // 2]
    uneven = [step for step in steps if abs(step - typical) > max(0.0021, 0.1 * typical)]
    return len(steps) / sum(steps), len(uneven) > 0
