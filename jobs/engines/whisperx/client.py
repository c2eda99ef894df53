"""WhisperX transcriber: recognition in pieces of up to 30 seconds, alignment, and its failures as errors of ours.

Importing its packages takes seconds and hundreds of megabytes, so the first window does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from jobs.engines.model_failures import model_failures
from jobs.engines.whisperx import models
from jobs.engines.whisperx.decoding import LONGEST, NO_SPEECH, Decoded, Decoder, Encoded, Hint
from jobs.engines.whisperx.language_codes import our_code
from jobs.engines.whisperx.language_detection import Spoken, as_detected, in_named_language, in_one_language_each
from jobs.engines.whisperx.loading import device_of, load_aligner, load_whisper, quiet
from jobs.engines.whisperx.options import LABEL, Options, readiness
from jobs.engines.whisperx.silero import silero_regions, speech_in
from jobs.engines.whisperx.word_times import aligned_words, attended_words
from jobs.pipeline.errors import NotReady, OutOfMemory
from jobs.pipeline.protocols import Hints, Progress, Region, Samples, Word, ignore_progress
from jobs.pipeline.speech.pieces import Piece, pieces_of
from jobs.pipeline.speech.voice_activity import levelled, overlap

T = TypeVar("T")

_CPU_WINDOW, _GPU_WINDOW = 85.0, 240.0  # seconds: about three and eight pieces
_CPU_BATCH = 1  # pieces at once: more are little faster there, and the progress would stand still for longer
_HEARD = 0.6  # seconds of speech without a word that are decoded again by themselves
_COVERED = 0.2  # share of a region that words have to cover, or it counts as without
_REST = 12.0  # seconds of a piece of such speech, which often is in another language than the speech around it
_ENCODING, _ALIGNING = 0.3, 0.2  # shares of the time of a window

_failures = partial(model_failures, LABEL, (RuntimeError, ValueError))


class WhisperX:
    """The transcriber (see protocols.Transcriber). The first window loads its model.

    `batch_size` is halved for good when memory runs out.
    """

    name = "whisperx"

    def __init__(self, options: Options) -> None:
        self.options = options
        self.batch_size = max(1, options.batch_size)
        self.window_seconds = _CPU_WINDOW if options.device == "cpu" else _GPU_WINDOW
        self.piece_seconds = min(options.chunk_size or LONGEST, LONGEST)
        self._decoder: Decoder | None = None
        self._aligners: dict[str, tuple[Any, dict[str, Any]] | None] = {}

    def load(self) -> None:
        """Load the model, which takes seconds to minutes. Raises NotReady, OutOfMemory, EngineError."""
        self._load()

    def speech(self, samples: Samples) -> list[Region]:
        """The regions of `samples` in which one of two detectors finds speech."""
        return speech_in(samples)

    def recognise(
        self, samples: Samples, regions: Sequence[Region], hints: Hints, progress: Progress
    ) -> Sequence[Word]:
        """The words in the `regions` of `samples`, of shape (n,), with times in seconds. Raises NotReady, OutOfMemory,
        EngineError.
        """
        decoder, progress = self._load(), _rising(progress)
        hint = _hint(self.options, hints)
        spoken = self._divide(decoder, samples, regions, hints, _scaled(progress, 0.0, _ENCODING))
        words = self._words(decoder, spoken, samples, regions, hint, _scaled(progress, _ENCODING, 1.0 - _ALIGNING))
        words += self._words_of_the_rest(decoder, words, samples, regions, hints, hint)
        progress(1.0)
        if hints.language:
            words = as_detected(words, spoken)
        return sorted(words, key=lambda word: word.start)

    # Pieces and their languages

    def _divide(
        self,
        decoder: Decoder,
        samples: Samples,
        regions: Sequence[Region],
        hints: Hints,
        progress: Progress,
        *,
        longest: float = LONGEST,
    ) -> list[Spoken]:
        """The speech in encoded pieces of one language each, at most `longest` seconds long."""
        pieces = pieces_of(samples, regions, longest=min(longest, self.piece_seconds))
        encoded = self._encode(decoder, pieces, samples, progress)
        if hints.language:
            return in_named_language(decoder, pieces, encoded, regions, hints.language)
        return in_one_language_each(
            decoder,
            pieces,
            encoded,
            regions,
            expected=hints.expected,
            encode=lambda parts: self._encode(decoder, parts, samples, ignore_progress),
        )

    def _encode(self, decoder: Decoder, pieces: Sequence[Piece], samples: Samples, progress: Progress) -> list[Encoded]:
        sounds = [piece.sound(samples) for piece in pieces]
        return self._in_batches(sounds, lambda batch: decoder.encode(batch), progress)

    # Text

    def _words(
        self,
        decoder: Decoder,
        spoken: Sequence[Spoken],
        samples: Samples,
        regions: Sequence[Region],
        hint: Hint,
        progress: Progress,
        *,
        again: bool = True,
    ) -> list[Word]:
        """The words of pieces, decoded language by language; `again`: with further attempts for weak texts."""
        words: list[Word] = []
        done, by_language = 0, sorted(spoken, key=lambda one: one.language)
        for language, group in groupby(by_language, key=lambda one: one.language):
            mine = list(group)
            first, last = done / len(spoken), (done + len(mine)) / len(spoken)
            decoded = self._in_batches(
                mine,
                lambda batch, language=language: decoder.decode(  # type: ignore[misc]
                    [one.encoded for one in batch],
                    language,
                    [one.piece.seconds for one in batch],
                    hint,
                    again=again,
                ),
                _scaled(progress, first, last),
            )
            words += self._timed(mine, decoded, language, samples, regions)
            done += len(mine)
        return words

    def _timed(
        self,
        spoken: Sequence[Spoken],
        decoded: Sequence[Decoded],
        language: str,
        samples: Samples,
        regions: Sequence[Region],
    ) -> list[Word]:
        """The words of texts in one language, with times from an alignment model where there is one."""
        ours = our_code(language)
        sure = silero_regions(samples) if any(each.is_weak for each in decoded) else []
        believed = [
            (one.piece, each)
            for one, each in zip(spoken, decoded, strict=True)
            if not (each.is_weak and (each.no_speech > NO_SPEECH or not _lies_in(one.piece, sure)))
        ]
        aligner = self._aligner(ours) if believed else None
        if aligner is None:
            return [word for piece, each in believed for word in attended_words(each, piece, ours, regions)]
        return [
            word for piece, each in believed for word in self._aligned(aligner, piece, each, ours, samples, regions)
        ]

    def _aligned(
        self,
        aligner: tuple[Any, dict[str, Any]],
        piece: Piece,
        decoded: Decoded,
        language: str,
        samples: Samples,
        regions: Sequence[Region],
    ) -> list[Word]:
        import whisperx

        model, metadata = aligner
        segment = {"text": decoded.text, "start": 0.0, "end": piece.seconds}
        with _failures():
            result = whisperx.align([segment], model, metadata, piece.sound(samples), str(model.device))
        return aligned_words(result["segments"], decoded, piece, language, regions)

    def _words_of_the_rest(
        self,
        decoder: Decoder,
        words: Sequence[Word],
        samples: Samples,
        regions: Sequence[Region],
        hints: Hints,
        hint: Hint,
    ) -> list[Word]:
        """The words of speech that gave none, such as the far side of a telephone call, or speech after a pause at
        which the model stopped: packed into pieces of its own and decoded again, with its level raised.
        """
        times = [Region(start=word.start, end=max(word.end, word.start + 0.01)) for word in words]
        rest = [
            region
            for region in regions
            if region.end - region.start >= _HEARD
            and overlap(region.start, region.end, times) < _COVERED * (region.end - region.start)
        ]
        if not rest:
            return []
        near = Hints(language=hints.language, expected=_spoken_near(words, rest[0].start) or hints.expected)
        raised = levelled(samples)
        spoken = self._divide(decoder, raised, rest, near, ignore_progress, longest=_REST)
        return self._words(decoder, spoken, raised, rest, hint, ignore_progress, again=False)

    # Memory

    def _in_batches(
        self, things: Sequence[T], act: Callable[[Sequence[T]], Sequence[Any]], progress: Progress
    ) -> list[Any]:
        """The results of `act` on batches of `things`; a batch for which memory does not suffice is halved."""
        results: list[Any] = []
        while len(results) < len(things):
            try:
                with _failures():
                    results += act(things[len(results) : len(results) + self.batch_size])
            except OutOfMemory:
                if self.batch_size == 1:
                    raise
                self.batch_size //= 2
            else:
                progress(len(results) / len(things))
        return results

    def _load(self) -> Decoder:
        if self._decoder is None:
            state = readiness(self.options)
            if not state.ready:
                raise NotReady(engine=LABEL, reason=state.reason, remedy=state.remedy, detail=state.detail)
            with _failures(), quiet():
                self._decoder = Decoder(load_whisper(self.options))
            if device_of(self.options) == "cpu":
                self.window_seconds, self.batch_size = _CPU_WINDOW, _CPU_BATCH
        return self._decoder

    def _aligner(self, language: str) -> tuple[Any, dict[str, Any]] | None:
        """The alignment model of a language; None when it is not on disk. The last two stay in memory, so that a video
        in two languages does not load one at each change.
        """
        if language not in self._aligners:
            directory = models.align_directory(language, self.options.models)
            usable = self.options.align and not models.missing(directory, "align")
            device = device_of(self.options)
            with _failures(), quiet():
                last = dict(list(self._aligners.items())[-1:])
                self._aligners = {**last, language: load_aligner(directory, language, device) if usable else None}
        return self._aligners[language]


def _lies_in(piece: Piece, regions: Sequence[Region]) -> bool:
    """Whether there is speech in a piece by a stricter detector, which the rhythm of drums does not deceive."""
    return any(overlap(span.start, span.end, regions) > 0 for span in piece.spans)


def _spoken_near(words: Sequence[Word], time: float) -> str:
    return min(words, key=lambda word: abs(word.start - time)).language if words else ""


def _hint(options: Options, hints: Hints) -> Hint:
    """The words and the text to expect: those of the site's settings, and those of the job."""
    words = filter(None, (options.hotwords, ", ".join(hints.terms)))
    topic = filter(None, (options.initial_prompt, hints.topic))
    return Hint(hotwords=" ".join(words), prompt=" ".join(topic))


def _rising(progress: Progress) -> Progress:
    """Progress that does not fall when a batch that ran out of memory is repeated."""
    most = 0.0

    def report(share: float) -> None:
        nonlocal most
        most = max(most, share)
        progress(most)

    return report


def _scaled(progress: Progress, first: float, last: float) -> Progress:
    """Map a share to the range from `first` to `last`."""
    return lambda share: progress(first + (last - first) * share)
