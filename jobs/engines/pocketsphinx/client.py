"""PocketSphinx transcriber: decodes the regions with speech and adds capitals and full stops at pauses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from pocketsphinx import Decoder

from jobs.pipeline.protocols import SAMPLE_RATE, Hints, Progress, Region, Samples, Word
from jobs.pipeline.speech.voice_activity import speech_regions

_PAUSE = 0.5
"""Seconds of silence that end a sentence: PocketSphinx recognises no punctuation."""

_CHUNK = SAMPLE_RATE  # samples in one call, 1 s: the decoder holds the GIL for about a third of a second
_FRAMES = 100  # frames of the decoder per second
_MEAN, _SEARCH = "mean", "_default"  # names of the search that only measures and of the one that recognises
_CONTEXT = 0.2  # seconds of audio decoded on both sides of a region
_CAPITALS = {"i": "I", "i'm": "I'm", "i'll": "I'll", "i've": "I've", "i'd": "I'd"}


class PocketSphinx:
    """The transcriber (see protocols.Transcriber). The first window loads its model."""

    name = "pocketsphinx"
    window_seconds = 60.0
    piece_seconds = 0.0

    def __init__(self) -> None:
        self._decoder: Any = None

    def load(self) -> None:
        """Load the model."""
        self._load()

    def speech(self, samples: Samples) -> list[Region]:
        """The regions of `samples` with speech."""
        return speech_regions(samples)

    def recognise(
        self,
        samples: Samples,
        regions: Sequence[Region],
        hints: Hints,  # noqa: ARG002
        progress: Progress,
    ) -> Sequence[Word]:
        """The English words in the `regions` of `samples`, of shape (n,), with times in seconds from its start."""
        parts = [_cut(samples, region) for region in regions]
        if not parts:
            progress(1.0)
            return []
        decoder = self._load()
        mean = _cepstral_mean(decoder, np.concatenate(parts))
        words: list[Word] = []
        for region, part in zip(regions, parts, strict=True):
            decoder.set_cmn(mean)
            words += _decode(decoder, part, max(0.0, region.start - _CONTEXT))
            progress(min(1.0, region.end * SAMPLE_RATE / len(samples)))
        progress(1.0)
        return _sentences(words)

    def _load(self) -> Any:
        if self._decoder is None:
            self._decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
            self._decoder.add_keyphrase(_MEAN, "zoology")  # any word will do: the cheapest search
            self._decoder.activate_search(_SEARCH)
        self._decoder.reinit_feat()  # forget the noise estimate of the last window
        return self._decoder


def _cut(samples: Samples, region: Region) -> Samples:
    first = max(0, int((region.start - _CONTEXT) * SAMPLE_RATE))
    return samples[first : int((region.end + _CONTEXT) * SAMPLE_RATE)]


def _chunks(samples: Samples) -> list[bytes]:
    """Split `samples` into equal parts of about a second, as 16-bit PCM bytes."""
    parts = np.array_split((samples * 32767).astype("<i2"), max(1, round(len(samples) / _CHUNK)))
    return [part.tobytes() for part in parts]


def _cepstral_mean(decoder: Any, speech: Samples) -> str:
    """Measure the mean cepstrum of all speech in the window, as text for `set_cmn`.

    It describes voice and microphone. Without it the decoder adapts during the window and makes errors at its start.
    """
    decoder.activate_search(_MEAN)
    means = []
    for chunk in _chunks(speech):
        decoder.start_utt()
        decoder.process_raw(chunk, no_search=True, full_utt=True)
        decoder.end_utt()
        means.append([float(number) for number in decoder.get_cmn(False).split(",")])
    decoder.activate_search(_SEARCH)
    return ",".join(f"{number:.5f}" for number in np.mean(means, axis=0))


def _decode(decoder: Any, samples: Samples, start: float) -> list[Word]:
    """The words of one region of speech, without the decoder's marks for silence and noise."""
    decoder.start_utt()
    for chunk in _chunks(samples):
        decoder.process_raw(chunk, no_search=False, full_utt=False)
    decoder.end_utt()
    return [
        Word(
            text=segment.word.partition("(")[0],  # "read(2)" is the second pronunciation of “read”
            start=start + segment.start_frame / _FRAMES,
            end=start + (segment.end_frame + 1) / _FRAMES,
            confidence=min(1.0, segment.prob),
            language="en",
        )
        for segment in decoder.seg() or ()
        if segment.word[0] not in "<["
    ]


def _sentences(words: Sequence[Word]) -> list[Word]:
    """Add a full stop before each pause and a capital after it."""
    if not words:
        return []
    pauses = [after.start - before.end >= _PAUSE for before, after in pairwise(words)]
    return [
        Word(
            text=_written(word.text, first=first, last=last),
            start=word.start,
            end=word.end,
            confidence=word.confidence,
            language=word.language,
        )
        for word, first, last in zip(words, [True, *pauses], [*pauses, True], strict=True)
    ]


def _written(text: str, *, first: bool, last: bool) -> str:
    text = _CAPITALS.get(text, text)
    text = text[:1].upper() + text[1:] if first else text
    return text + "." if last else text
