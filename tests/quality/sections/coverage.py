"""Speech that is found when it is quiet, or under music, drums, noise and echo.

Found is the share of the sentences' time that lies within shown words, each lengthened by 0.25 s; next to it stands the
share that the voice detector alone finds, and Silero's, which faster-whisper carries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from jobs.pipeline.protocols import SAMPLE_RATE, Samples
from jobs.pipeline.speech.voice_activity import speech_regions
from tests.quality import sound
from tests.quality.engines import Session
from tests.quality.material import Clip, made
from tests.quality.rows import Row, at_least, info

SECTION = "coverage"

CHANGES: dict[str, tuple[Callable[[Samples], Samples], float]] = {
    "at its level": (lambda clean: clean, 95.0),
    "at -20 dB": (lambda clean: sound.quieter(clean, 20), 95.0),
    "at -30 dB": (lambda clean: sound.quieter(clean, 30), 95.0),
    "under drums": (lambda clean: sound.under(clean, sound.drums(len(clean) / SAMPLE_RATE), 0), 0.0),
    "under music": (lambda clean: sound.under(clean, sound.music(len(clean) / SAMPLE_RATE), 0), 0.0),
    "under noise": (lambda clean: sound.under(clean, sound.noise(len(clean) / SAMPLE_RATE), 0), 0.0),
    "in a room with echo": (sound.echoing, 0.0),
}
"""Changes of clean speech (disturbances are as loud as the speech), with the least share in percent."""

_REACH = 0.25  # seconds around a word that count as found: half of a usual pause between words
_GRID = 100  # marks per second


def measure(session: Session) -> list[Row]:
    """Measure each change; the short form takes quiet speech at -20 dB in one language."""
    languages = ("en",) if session.quick else ("en", "de", "fa")
    chosen = ("at -20 dB",) if session.quick else tuple(CHANGES)
    return [row for name in chosen for row in _change(session, name, languages)]


def _change(session: Session, name: str, languages: Iterable[str]) -> list[Row]:
    change, least = CHANGES[name]
    words, ours, silero = [], [], []
    for language in languages:
        clip = made(language, 8).changed(name.replace(" ", "-"), change)
        heard = session.ours(clip, language)
        words.append(_share(clip, [(one["start"] - _REACH, one["end"] + _REACH) for one in heard.texts]))
        ours.append(_share(clip, [(region.start, region.end) for region in speech_regions(clip.sound)]))
        silero.append(_share(clip, _silero(clip.sound)))
    return [
        at_least(SECTION, f"speech with words {name} (%)", float(np.mean(words)), least),
        info(SECTION, f"  found by our voice detector {name} (%)", float(np.mean(ours))),
        info(SECTION, f"  found by Silero {name} (%)", float(np.mean(silero))),
    ]


def _share(clip: Clip, spans: Iterable[tuple[float, float]]) -> float:
    """The share of the sentences' time in percent that lies within the spans."""
    speech = _marked(clip.seconds, [(one.start, one.end) for one in clip.sentences])
    return 100.0 * float((speech & _marked(clip.seconds, spans)).sum() / speech.sum())


def _marked(seconds: float, spans: Iterable[tuple[float, float]]) -> NDArray[np.bool_]:
    marks = np.zeros(round(seconds * _GRID), dtype=np.bool_)
    for start, end in spans:
        marks[max(0, round(start * _GRID)) : max(0, round(end * _GRID))] = True
    return marks


def _silero(samples: Samples) -> list[tuple[float, float]]:
    from faster_whisper.vad import get_speech_timestamps

    return [(one["start"] / SAMPLE_RATE, one["end"] / SAMPLE_RATE) for one in get_speech_timestamps(samples)]
