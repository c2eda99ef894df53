"""The transcribe stage: audio to words, window by window."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.pipeline.errors import NoSpeech
from jobs.pipeline.protocols import (
    SAMPLE_RATE,
    Hints,
    Passage,
    Progress,
    Region,
    Samples,
    Transcriber,
    Window,
    Word,
    ignore_progress,
)
from jobs.pipeline.speech.hallucinations import judge
from jobs.pipeline.speech.pieces import full_until
from jobs.pipeline.speech.voice_activity import overlap
from jobs.pipeline.speech.windows import Stretch, on_grid, open_audio, stretch_at

UNHEARD = 1.0
"""Seconds of speech without a word that are reported."""

OTHER = 6.0
"""Seconds of speech in another language than the named one that are reported."""

_PASSAGE_TEXT = 200
"""Characters of removed text that are reported for one passage."""


def transcribe(
    audio: Path,
    transcriber: Transcriber,
    *,
    name: str,
    hints: Hints = Hints(),  # noqa: B008 - frozen
    start: float = 0.0,
    offset: float = 0.0,
    heard: bool = False,
    progress: Progress = ignore_progress,
) -> Iterator[Window]:
    """Yield the windows of `audio` (WAV, 16 kHz, mono, 16 bit) in order, each as soon as it is recognised.

    Times are seconds from the video's start, which is `offset` seconds before the first sample; audio before it is left
    out. To continue after a crash, pass the `end` of the last window as `start`, its language as `hints.expected`, and
    whether any window so far had words (`heard`): the windows that follow are the same as without the crash.

    Without `hints.language` each stretch of speech is recognised in the language that is detected in it. The language
    of windows before the first words is empty. Raises NoSpeech(name) at the end if no window had words, and what the
    transcriber raises.
    """
    begin = max(0.0, -offset)
    transcriber.load()
    with open_audio(audio) as opened:
        seconds = max(opened.length / SAMPLE_RATE, 1e-6)
        position = on_grid(max(begin, start - offset))
        while stretch := stretch_at(opened, position, begin=begin, longest=transcriber.window_seconds):
            stretch, regions = _with_regions(stretch, transcriber, is_last=stretch.following >= opened.length)
            position = stretch.following
            part = _part(progress, stretch, seconds)
            window = _recognise(stretch, regions, transcriber, hints, offset, part)
            heard = heard or bool(window.words)
            hints = replace(hints, expected=window.language or hints.expected)
            yield window
            part(1.0)
    if not heard:
        raise NoSpeech(name=name)
    progress(1.0)


def passages(window: Window) -> Iterator[Passage]:
    """The passages of a window to be checked, in order: removed words, those without a pause joined, and speech without
    words.
    """
    for words in _utterances(window.removed):
        text = " ".join(word.text for word in words)
        yield Passage(kind="removed", start=words[0].start, end=words[-1].end, text=text[:_PASSAGE_TEXT])
    for region in window.unheard:
        yield Passage(kind="unheard", start=region.start, end=region.end)
    for words in _utterances(window.other):
        if words[-1].end - words[0].start >= OTHER:
            yield Passage(kind="other", start=words[0].start, end=words[-1].end, text=words[0].language)


def _utterances(words: Sequence[Word]) -> list[list[Word]]:
    joined: list[list[Word]] = []
    for word in words:
        if joined and word.start - joined[-1][-1].end < UNHEARD:
            joined[-1].append(word)
        else:
            joined.append([word])
    return joined


def _with_regions(stretch: Stretch, transcriber: Transcriber, *, is_last: bool) -> tuple[Stretch, list[Region]]:
    """The window with its regions of speech, without a piece at its end that the next window would fill."""
    regions = list(transcriber.speech(stretch.samples))
    if is_last or not transcriber.piece_seconds:
        return stretch, regions
    whole = stretch
    stretch = whole.until(full_until(whole.samples, regions, longest=transcriber.piece_seconds))
    end = stretch.end - stretch.start
    return stretch, [Region(start=one.start, end=min(one.end, end)) for one in regions if one.start < end]


def _recognise(
    stretch: Stretch,
    regions: Sequence[Region],
    transcriber: Transcriber,
    hints: Hints,
    offset: float,
    progress: Progress,
) -> Window:
    """The words of one window; without speech in it nothing is recognised."""
    if not regions:
        return _window(stretch, [], [], [], hints, offset)
    found = _tidy(transcriber.recognise(stretch.samples, regions, hints, progress), stretch.samples)
    kept, removed = judge(found, regions)
    return _window(stretch, kept, removed, _unheard(kept, regions), hints, offset)


def _unheard(words: Sequence[Word], regions: Sequence[Region]) -> list[Region]:
    """The regions of speech in which no word lies."""
    spoken = [Region(start=word.start, end=max(word.end, word.start + 0.01)) for word in words]
    return [
        region
        for region in regions
        if region.end - region.start >= UNHEARD and not overlap(region.start, region.end, spoken)
    ]


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


def _window(
    stretch: Stretch,
    words: Sequence[Word],
    removed: Sequence[Word],
    unheard: Sequence[Region],
    hints: Hints,
    offset: float,
) -> Window:
    shift = stretch.start + offset
    language = _main_language(words) or hints.language or hints.expected

    def in_video(of: Sequence[Word]) -> tuple[Word, ...]:
        return tuple(
            _moved(replace(word, language=word.language or language), word.text, word.start + shift, word.end + shift)
            for word in of
        )

    other: list[Word] = []
    if hints.language:
        base = hints.language.partition("-")[0]
        other = [word for word in words if word.language not in {"", base, hints.language}]
        words, language = [replace(word, language=hints.language) for word in words], hints.language
    return Window(
        start=round(shift, 3),
        end=round(stretch.end + offset, 3),
        language=language if words else hints.expected,
        words=in_video(words),
        removed=in_video(removed),
        other=in_video(other),
        unheard=tuple(
            Region(start=round(region.start + shift, 3), end=round(region.end + shift, 3)) for region in unheard
        ),
    )


def _main_language(words: Sequence[Word]) -> str:
    """The language in which most letters are spoken; empty when the engine detects none."""
    letters = Counter[str]()
    for word in words:
        letters[word.language] += len(word.text)
    return max(letters, key=lambda language: letters[language]) if letters else ""


def _moved(word: Word, text: str, start: float, end: float) -> Word:
    return replace(word, text=text, start=round(start, 3), end=round(end, 3))


def _part(progress: Progress, stretch: Stretch, seconds: float) -> Callable[[float], None]:
    """Map the progress of one window to the progress of the stage."""
    return lambda share: progress(min(1.0, (stretch.start + share * (stretch.end - stretch.start)) / seconds))
