"""The embedded diarizer: local speakers in windows of ten seconds, a vector for each, and clusters of the vectors.

The method is that of pyannote.audio 3: Bredin, "pyannote.audio 2.1 speaker diarization pipeline", Interspeech 2023. One
batch of windows is in memory at a time, and 1 kB for each ten seconds of sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.engines.model_failures import model_failures
from jobs.engines.senko import models
from jobs.engines.senko.clustering import cluster
from jobs.engines.senko.options import LABEL, Options, package, readiness
from jobs.pipeline.errors import NotReady
from jobs.pipeline.protocols import SAMPLE_RATE, Progress, Turn
from jobs.pipeline.speech.voice_activity import runs_of
from jobs.pipeline.speech.windows import Audio, open_audio

_HOP = 5.0  # seconds from one window to the next
_EDGE = (models.WINDOW - _HOP) / 2  # seconds at both ends of a window that its neighbours judge better
_BATCH = 4  # windows at once: 20 s of sound, so that progress is reported often
_SHORTEST = 0.4  # seconds of speech from which a voice can be told
_OWN_VOICE = 1.2  # seconds of speech between two pauses from which its voice is told by itself
_JOINED = 0.5  # seconds: shorter pauses do not end a turn
_BRIEFEST = 0.1  # seconds: shorter turns are errors of the model


@dataclass(frozen=True, kw_only=True, slots=True)
class _Track:
    """One local speaker in one window: where it speaks in the window's own part (pairs of start and end in seconds of
    the audio), the vector of its voice, and the seconds of speech from which that was computed.
    """

    spans: tuple[tuple[float, float], ...]
    vector: NDArray[np.float32]
    seconds: float


class Senko:
    """The diarizer (see protocols.Diarizer). The first audio loads its models."""

    name = "senko"

    def __init__(self) -> None:
        self._models: models.Models | None = None

    def load(self) -> None:
        """Load the model, which takes seconds to minutes. Raises NotReady, OutOfMemory, EngineError."""
        self._load()

    def diarize(self, audio: Path, speakers: int | None, progress: Progress) -> Sequence[Turn]:
        """The turns in `audio`. Raises NotReady, OutOfMemory, EngineError."""
        loaded = self._load()
        tracks: list[_Track] = []
        with model_failures(LABEL), open_audio(audio) as opened:
            starts = _window_starts(opened.length / SAMPLE_RATE)
            for first in range(0, len(starts), _BATCH):
                tracks += _tracks(opened, starts, range(first, min(first + _BATCH, len(starts))), loaded)
                progress(min(1.0, (first + _BATCH) / len(starts)))
            labels = cluster(
                np.array([track.vector for track in tracks], dtype=np.float32),
                np.array([track.seconds for track in tracks], dtype=np.float32),
                speakers,
            )
        return _turns(tracks, [str(label) for label in labels])

    def _load(self) -> models.Models:
        if self._models is None:
            state = readiness(Options())
            if not state.ready:
                raise NotReady(engine=LABEL, reason=state.reason, remedy=state.remedy, detail=state.detail)
            directory = package()
            assert directory, "the engine is ready"
            with model_failures(LABEL):
                self._models = models.Models(directory)
        return self._models


def _window_starts(seconds: float) -> list[float]:
    """The starts of the windows; the last one reaches the end."""
    return [_HOP * at for at in range(max(1, int(np.ceil((seconds - models.WINDOW) / _HOP)) + 1))]


def _tracks(audio: Audio, starts: Sequence[float], batch: range, loaded: models.Models) -> list[_Track]:
    """The tracks of the windows with the indices of `batch`."""
    windows = np.stack([_samples(audio, starts[at]) for at in batch])
    found: list[tuple[tuple[tuple[float, float], ...], NDArray[np.float32]]] = []
    for at, samples, active in zip(batch, windows, loaded.activity(windows), strict=True):
        first = 0.0 if at == 0 else _EDGE
        last = models.WINDOW if at == len(starts) - 1 else models.WINDOW - _EDGE
        if active.any():
            features = loaded.features(samples)
            found += [
                (tuple((start + starts[at], end + starts[at]) for start, end in spans), features[chosen])
                for spans, chosen in _local_speakers(active, len(features), first, last)
            ]
    vectors = loaded.voices([chosen for _, chosen in found])
    return [
        _Track(spans=spans, vector=vector, seconds=len(chosen) / models.FRAMES_A_SECOND)
        for (spans, chosen), vector in zip(found, vectors, strict=True)
    ]


def _samples(audio: Audio, start: float) -> NDArray[np.float32]:
    """The samples of a window; silence after the end of the audio."""
    size = round(models.WINDOW * SAMPLE_RATE)
    samples = audio.read(round(start * SAMPLE_RATE), size)
    return np.pad(samples, (0, size - len(samples)))


def _local_speakers(
    active: NDArray[np.bool_], count: int, first: float, last: float
) -> Iterator[tuple[list[tuple[float, float]], NDArray[np.int64]]]:
    """Spans of local speakers between `first` and `last`, each with the indices of the voice features that tell its
    voice, of which there are `count` in the window.

    A long span tells its own voice, because the model takes similar voices for one; short ones of a local speaker are
    told by all of its speech. Speech of others at the same time is left out.
    """
    middles = np.arange(len(active)) * models.STEP + models.WIDTH / 2
    at = np.clip(np.searchsorted(middles, np.arange(count) / models.FRAMES_A_SECOND), 0, len(active) - 1)
    alone = active.sum(axis=1) == 1
    for speaks in active.T:
        whole, short = _voiced(speaks, alone, at), list[tuple[float, float]]()
        for begin, end in runs_of(speaks):
            start, stop = float(middles[begin]) - models.STEP / 2, float(middles[end - 1]) + models.STEP / 2
            span = max(first, start), min(last, stop)
            if span[1] <= span[0]:
                continue
            within = np.zeros_like(speaks)
            within[begin:end] = True
            own = _voiced(within, alone, at)
            if len(own) >= _OWN_VOICE * models.FRAMES_A_SECOND:
                yield [span], own
            else:
                short.append(span)
        if short and len(whole) >= _SHORTEST * models.FRAMES_A_SECOND:
            yield short, whole


def _voiced(speaks: NDArray[np.bool_], alone: NDArray[np.bool_], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """The indices of the features in which a speaker speaks alone; with others, if that is too little."""
    chosen = np.flatnonzero((speaks & alone)[at])
    return chosen if len(chosen) >= _SHORTEST * models.FRAMES_A_SECOND else np.flatnonzero(speaks[at])


def _turns(tracks: Sequence[_Track], speakers: Sequence[str]) -> list[Turn]:
    """The spans of the tracks as turns in order; those of one speaker with a short pause between them are joined."""
    spans = chain.from_iterable(
        [(speaker, start, end) for start, end in track.spans] for track, speaker in zip(tracks, speakers, strict=True)
    )
    turns: list[Turn] = []
    for speaker, own in groupby(sorted(spans), key=lambda span: span[0]):
        turns += _joined(speaker, [(start, end) for _, start, end in own])
    kept = [turn for turn in turns if turn.end - turn.start >= _BRIEFEST]
    return sorted(kept, key=lambda turn: (turn.start, turn.end, turn.speaker))


def _joined(speaker: str, spans: Sequence[tuple[float, float]]) -> list[Turn]:
    joined: list[Turn] = []
    for start, end in spans:
        if joined and start - joined[-1].end <= _JOINED:
            start, end = joined[-1].start, max(end, joined.pop().end)
        joined.append(Turn(start=start, end=end, speaker=speaker))
    return joined
