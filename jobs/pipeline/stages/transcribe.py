"""The transcribe stage: audio to words, window by window."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from jobs.pipeline.errors import CannotDetectLanguage, NoSpeech
from jobs.pipeline.protocols import SAMPLE_RATE, Progress, Samples, Transcriber, Window, Word, ignore_progress
from jobs.pipeline.speech.hallucinations import spoken
from jobs.pipeline.speech.voice_activity import Region, speech_regions
from jobs.pipeline.speech.windows import Stretch, open_audio, stretches

DETECTION = 30.0
"""Seconds of speech used to detect the language: Whisper uses no more."""


def transcribe(
    audio: Path,
    transcriber: Transcriber,
    *,
    name: str,
    language: str | None = None,
    start: float = 0.0,
    offset: float = 0.0,
    heard: bool = False,
    progress: Progress = ignore_progress,
) -> Iterator[Window]:
    """Yield the windows of `audio` (WAV, 16 kHz, mono, 16 bit) in order, each as soon as it is recognised.

    Times are seconds from the video's start, which is `offset` seconds before the first sample; audio before it is left
    out. To continue after a crash, pass the `end` of the last window as `start`, its language, and whether any window
    so far had words (`heard`): the windows that follow are the same as without the crash.

    Without a `language` it is detected in the first window with speech, and again in the next one if that had no words.
    The language of windows before is empty. Raises NoSpeech(name) at the end if no window had words, and what the
    transcriber raises.
    """
    begin = max(0.0, -offset)
    with open_audio(audio) as opened:
        seconds = max(opened.length / SAMPLE_RATE, 1e-6)
        for stretch in stretches(
            opened, begin=begin, start=max(begin, start - offset), longest=transcriber.window_seconds
        ):
            part = _part(progress, stretch, seconds)
            found, words = _recognise(stretch.samples, transcriber, language, part)
            heard = heard or bool(words)
            language = found if words else language
            yield _window(stretch, words, found, offset)
            part(1.0)
    if not heard:
        raise NoSpeech(name=name)
    progress(1.0)


def _recognise(
    samples: Samples, transcriber: Transcriber, language: str | None, progress: Progress
) -> tuple[str, list[Word]]:
    """The language and the words of a window; windows without speech are not given to the engine."""
    regions = speech_regions(samples)
    if not regions:
        return language or "", []
    try:
        language = language or transcriber.detect(_speech(samples, regions))
    except CannotDetectLanguage:  # such as music: a later window may have speech
        return "", []
    return language, spoken(_tidy(transcriber.recognise(samples, language, progress), samples), regions)


def _speech(samples: Samples, regions: Sequence[Region]) -> Samples:
    """The first 30 seconds of speech, of shape (n,)."""
    parts = [samples[int(part.start * SAMPLE_RATE) : int(part.end * SAMPLE_RATE)] for part in regions]
    return np.concatenate(parts)[: int(DETECTION * SAMPLE_RATE)]


def _tidy(words: Sequence[Word], samples: Samples) -> list[Word]:
    """The words with text, in NFC, with times inside the samples that never decrease."""
    tidy: list[Word] = []
    earliest, latest = 0.0, len(samples) / SAMPLE_RATE
    for word in words:
        if text := unicodedata.normalize("NFC", word.text).strip():
            earliest = min(max(word.start, earliest), latest)
            end = min(max(word.end, earliest), latest)
            tidy.append(_moved(word, text, earliest, end))
    return tidy


def _window(stretch: Stretch, words: Sequence[Word], language: str, offset: float) -> Window:
    shift = stretch.start + offset
    return Window(
        start=round(shift, 3),
        end=round(stretch.end + offset, 3),
        language=language,
        words=tuple(_moved(word, word.text, word.start + shift, word.end + shift) for word in words),
    )


def _moved(word: Word, text: str, start: float, end: float) -> Word:
    return Word(text=text, start=round(start, 3), end=round(end, 3), confidence=word.confidence, speaker=word.speaker)


def _part(progress: Progress, stretch: Stretch, seconds: float) -> Callable[[float], None]:
    """Map the progress of one window to the progress of the stage."""
    return lambda share: progress(min(1.0, (stretch.start + share * (stretch.end - stretch.start)) / seconds))
