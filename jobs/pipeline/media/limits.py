"""Limits on the size, length and resolution of a video, and readable texts of such numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jobs.pipeline.errors import TooLarge, TooLong, TooManyPixels, TooShort
from jobs.pipeline.media.streams import Media


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Largest accepted file in bytes, duration in seconds, and picture in pixels (width times height).

    The numbers are the defaults of the settings MAX_MEGABYTES, MAX_MINUTES and MAX_PIXELS.
    """

    max_bytes: int = 4096 << 20
    max_seconds: float = 4 * 3600
    max_pixels: int = 3840 * 2160

    def check_size(self, size: int, name: str) -> None:
        """Check a size in bytes. Raises TooLarge."""
        if size > self.max_bytes:
            raise self.too_large(name)

    def check_duration(self, seconds: float, name: str) -> None:
        """Check a duration in seconds. Raises TooLong."""
        if seconds > self.max_seconds:
            raise TooLong(name=name, actual=duration_text(math.ceil(seconds)), limit=duration_text(self.max_seconds))

    def check_picture(self, width: int, height: int, name: str) -> None:
        """Check a picture's size in pixels. Raises TooManyPixels."""
        if width * height > self.max_pixels:
            actual = f"{width} × {height} ({pixels_text(width * height)})"
            raise TooManyPixels(name=name, actual=actual, limit=pixels_text(self.max_pixels))

    def check(self, media: Media, name: str) -> None:
        """Check a probed file against all limits. Raises TooLarge, TooShort, TooLong or TooManyPixels."""
        self.check_size(media.size, name)
        if media.duration <= 0:
            raise TooShort(name=name)
        self.check_duration(media.duration, name)
        if media.video:
            self.check_picture(media.video.width, media.video.height, name)

    def too_large(self, name: str) -> TooLarge:
        """Make the error for a file beyond the limit."""
        return TooLarge(name=name, limit=bytes_text(self.max_bytes))


def bytes_text(size: int) -> str:
    """Format a size in decimal units, as file managers do: 4_000_000_000 → 4 GB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{_short(size / factor)} {unit}"
    return f"{size} bytes"


def duration_text(seconds: float) -> str:
    """Format a duration in at most two units: 36_000 → 10 h; 5_430 → 1 h 30 min; 75 → 1 min 15 s."""
    whole = max(1, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes) + [f"{rest} s"] * bool(rest)
    return " ".join(parts[:2])


def pixels_text(pixels: int) -> str:
    """Format a number of pixels: 8_294_400 → 8.3 megapixels."""
    return f"{_short(pixels / 1e6)} megapixels"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
