"""Speech that is found when it is quiet, or under music, drums, noise and echo.

Found is the share of the speech's time that lies within shown words, each lengthened by 0.25 s; next to it stands the
share that the voice detector alone finds, and Silero's, which faster-whisper carries. The times of made speech are
known; those of recordings are what Silero finds in the clean sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from jobs.pipeline.protocols import SAMPLE_RATE, Samples
from jobs.pipeline.speech.voice_activity import speech_regions
from tests.quality import sound
from tests.quality.engines import Session
from tests.quality.material import Clip, Sentence, made, recordings
from tests.quality.rows import Row, at_least, info

SECTION = "coverage"

Change = Callable[[Samples], Samples]
Spans = Iterable[tuple[float, float]]


def _under(disturbance: Callable[[float], Samples], clean: Samples) -> Samples:
    return sound.under(clean, disturbance(len(clean) / SAMPLE_RATE), 0.0)


CHANGES: dict[str, tuple[Change, float]] = {
    "at its level": (lambda clean: clean, 95.0),
    "at -20 dB": (partial(sound.quieter, decibels=20.0), 95.0),
    "at -30 dB": (partial(sound.quieter, decibels=30.0), 95.0),
    "under drums": (partial(_under, sound.drums), 100.0),
    "under music": (partial(_under, sound.music), 83.19),
    "under noise": (partial(_under, sound.noise), 99.95),
    "in a room with echo": (sound.echoing, 100.0),
}
"""Changes of clean speech (disturbances are as loud as the speech), with the share in percent that the voice detector
has to find. Under disturbances it is what the detector found when this was first measured."""

LEVELS = ("at its level", "at -20 dB", "at -30 dB")
"""Changes under which as large a share needs words. Under disturbances the share with words has no target."""

GROSSLY_LESS = 80.0
"""Least share in percent in the short form, whose single recording says little."""

ROUNDING = 0.5
"""Points that the share of the detector may be lower: other versions of the libraries round otherwise."""

_REACH = 0.25  # seconds around a word that count as found: half of a usual pause between words
_GRID = 100  # marks per second


def measure(session: Session) -> list[Row]:
    """Measure each change; the short form takes one recording at -20 dB."""
    clips = [timed(clip) for clip in recordings() if clip.name in ("sonnet1", "simplicissimus")]
    if session.quick:
        return _change(session, "at -20 dB", clips[:1], least=GROSSLY_LESS)
    clips += [made(language, 8) for language in ("en", "fa")]
    return [row for name in CHANGES for row in _change(session, name, clips)]


def timed(clip: Clip) -> Clip:
    """The recording at the level of made speech, with the times that Silero finds in it."""
    level = sound.leveled(clip.sound, sound.CLEAN)
    spans = _silero(level, speech_pad_ms=0, min_silence_duration_ms=300)
    found = (Sentence(start=start, end=end, text="", language=clip.language) for start, end in spans)
    return replace(clip, sound=level, sentences=tuple(found))


def _change(session: Session, name: str, clips: Iterable[Clip], least: float | None = None) -> list[Row]:
    change, usual = CHANGES[name]
    least = usual if least is None else least
    words, ours, silero = [], [], []
    for clean in clips:
        clip = clean.changed(name.replace(" ", "-"), change)
        heard = session.ours(clip, clip.language)
        words.append(_share(clip, [(one["start"] - _REACH, one["end"] + _REACH) for one in heard.texts]))
        ours.append(_share(clip, [(region.start, region.end) for region in speech_regions(clip.sound)]))
        silero.append(_share(clip, _silero(clip.sound)))
    shown, said, found = f"speech with words {name} (%)", float(np.mean(words)), float(np.mean(ours))
    return [
        at_least(SECTION, shown, said, least) if name in LEVELS else info(SECTION, shown, said),
        at_least(SECTION, f"speech that our detector finds {name} (%)", found, least - ROUNDING),
        info(SECTION, f"  words, the worst clip, {name} (%)", min(words)),
        info(SECTION, f"  our detector, the worst clip, {name} (%)", min(ours)),
        info(SECTION, f"  Silero {name} (%)", float(np.mean(silero))),
    ]


def _share(clip: Clip, spans: Spans) -> float:
    """The share of the speech's time in percent that lies within the spans."""
    speech = _marked(clip.seconds, [(one.start, one.end) for one in clip.sentences])
    return 100.0 * float((speech & _marked(clip.seconds, spans)).sum() / speech.sum())


def _marked(seconds: float, spans: Spans) -> NDArray[np.bool_]:
    marks = np.zeros(round(seconds * _GRID), dtype=np.bool_)
    for start, end in spans:
        marks[max(0, round(start * _GRID)) : max(0, round(end * _GRID))] = True
    return marks


def _silero(samples: Samples, **options: int) -> list[tuple[float, float]]:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    found = get_speech_timestamps(samples, VadOptions(**options))
    return [(one["start"] / SAMPLE_RATE, one["end"] / SAMPLE_RATE) for one in found]
