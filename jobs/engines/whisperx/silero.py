"""Voice activity detection by two detectors: ours, and Silero's model, which faster-whisper ships.

Ours finds speech under music and in reverberation, Silero's speech of any level and none in drums. What either finds is
decoded: a word that is not there is judged later, a word that was not decoded is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.pipeline.protocols import SAMPLE_RATE, Region, Samples
from jobs.pipeline.speech.voice_activity import joined_regions, levelled, speech_regions

_PAUSE = 300  # milliseconds of silence that end a region, as with our detector
_MARGIN = 100  # milliseconds added on both sides


def speech_in(samples: Samples) -> list[Region]:
    """The regions of `samples`, of shape (n,), in which one of the detectors finds speech."""
    return joined_regions([*speech_regions(samples), *silero_regions(samples)])


def silero_regions(samples: Samples) -> list[Region]:
    """The regions in which Silero's model finds speech, once all parts are at one level."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=_PAUSE, speech_pad_ms=_MARGIN)
    found: Sequence[dict[str, int]] = get_speech_timestamps(levelled(samples), options) if len(samples) else []
    return [Region(start=one["start"] / SAMPLE_RATE, end=one["end"] / SAMPLE_RATE) for one in found]
