"""WhisperX transcriber: recognition in batches, alignment, and its failures as errors of ours.

Importing its packages takes seconds and hundreds of megabytes, so the first window does it.
"""

from __future__ import annotations

import importlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs.engines.whisperx import models
from jobs.engines.whisperx.options import LABEL, Options, readiness
from jobs.engines.whisperx.word_times import words_of
from jobs.pipeline.errors import CannotDetectLanguage, EngineError, NotReady, OutOfMemory
from jobs.pipeline.protocols import Progress, Samples, Word
from jobs.pipeline.speech.voice_activity import speech_regions

_WHISPER_CODES = {"jv": "jw", "fil": "tl"}  # our language code: Whisper's
_MIN_PROBABILITY = 0.2  # of a detected language; below it the detection counts as failed
_UNALIGNED_CHUNK, _ALIGNED_CHUNK = 10, 30  # seconds; without alignment words get their times from the chunk
_MIN_WINDOW, _MAX_WINDOW = 60.0, 300.0  # seconds: long enough to find a silence, short enough to repeat after a crash
_ALIGNING = 0.2  # share of the time that alignment takes


class WhisperX:
    """The transcriber (see protocols.Transcriber). The first window loads its model.

    `window_seconds` holds a full batch. `batch_size` is halved for good when memory runs out.
    """

    name = "whisperx"

    def __init__(self, options: Options) -> None:
        self.options = options
        self.batch_size = max(1, options.batch_size)
        full_batch = self.batch_size * float(options.chunk_size or _ALIGNED_CHUNK)
        self.window_seconds = min(max(full_batch, _MIN_WINDOW), _MAX_WINDOW)
        self._pipeline: Any = None
        self._aligners: dict[str, tuple[Any, dict[str, Any]] | None] = {}

    def detect(self, samples: Samples) -> str:
        """The language code of the speech. Raises CannotDetectLanguage, NotReady, OutOfMemory, EngineError."""
        pipeline = self._load()
        with _failures():
            code, probability, _ = pipeline.model.detect_language(audio=samples)
        if probability < _MIN_PROBABILITY:
            raise CannotDetectLanguage(detail=f"{code}: {probability:.2f}")
        return {whisper: ours for ours, whisper in _WHISPER_CODES.items()}.get(code, str(code))

    def recognise(self, samples: Samples, language: str, progress: Progress) -> Sequence[Word]:
        """The words in `samples`, of shape (n,), with times in seconds. Raises NotReady, OutOfMemory, EngineError."""
        language = language.partition("-")[0]  # Whisper does not know regions or scripts
        pipeline, aligner = self._load(), self._aligner(language)
        share = 1 - _ALIGNING if aligner else 1.0
        progress = _rising(progress)
        segments = self._transcribe(pipeline, samples, language, bool(aligner), _scaled(progress, 0.0, share))
        if aligner and segments:
            segments = self._align(aligner, segments, samples, _scaled(progress, share, 1.0))
        regions = speech_regions(samples)
        progress(1.0)
        return [word for segment in segments for word in words_of(segment, language, regions)]

    def _transcribe(
        self, pipeline: Any, samples: Samples, language: str, aligned: bool, progress: Callable[[float], None]
    ) -> list[dict[str, Any]]:
        chunk = self.options.chunk_size or (_ALIGNED_CHUNK if aligned else _UNALIGNED_CHUNK)
        while True:
            try:
                with _failures():
                    result = pipeline.transcribe(
                        samples,
                        batch_size=self.batch_size,
                        language=_WHISPER_CODES.get(language, language),
                        chunk_size=chunk,
                        progress_callback=progress,
                    )
            except OutOfMemory:
                if self.batch_size == 1:
                    raise
                self.batch_size //= 2
            else:
                return list(result["segments"])

    def _align(
        self, aligner: tuple[Any, dict[str, Any]], segments: list[dict[str, Any]], samples: Samples, progress: Any
    ) -> list[dict[str, Any]]:
        import whisperx

        model, metadata = aligner
        with _failures():
            result = whisperx.align(segments, model, metadata, samples, str(model.device), progress_callback=progress)
        return list(result["segments"])

    def _load(self) -> Any:
        if self._pipeline is None:
            state = readiness(self.options)
            if not state.ready:
                raise NotReady(engine=LABEL, reason=state.reason, remedy=state.remedy, detail=state.detail)
            with _failures(), _quiet():
                self._pipeline = _load(self.options)
        return self._pipeline

    def _aligner(self, language: str) -> tuple[Any, dict[str, Any]] | None:
        """The alignment model of a language, loaded once; None when it is not on disk."""
        if language not in self._aligners:
            directory = models.align_directory(language, self.options.models)
            usable = self.options.align and not models.missing(directory, "align")
            device = _device(self.options)
            with _failures(), _quiet():
                self._aligners = {language: _load_aligner(directory, language, device) if usable else None}
        return self._aligners[language]


def _load(options: Options) -> Any:
    import whisperx

    _disable_telemetry()
    device = _device(options)
    return whisperx.load_model(
        str(models.whisper_directory(options.model, options.models)),
        device,
        compute_type=_compute_type(options, device),
        asr_options={"initial_prompt": options.initial_prompt or None, "hotwords": options.hotwords or None},
        vad_method="pyannote",
        local_files_only=True,
        threads=options.threads or os.cpu_count() or 1,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the packages' messages on loading: torchcodec reads files, which is not needed for arrays."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*torchcodec is not installed", UserWarning)
        yield
    for verbose in ("whisperx", "lightning.pytorch"):  # one of them logs to standard output, which is not its own
        logging.getLogger(verbose).setLevel(logging.ERROR)


def _disable_telemetry() -> None:
    """Switch off the usage reports that pyannote.audio, the voice detector, sends by default."""
    from pyannote.audio.telemetry import set_telemetry_metrics

    set_telemetry_metrics(False)


def _load_aligner(directory: Path, language: str, device: str) -> tuple[Any, dict[str, Any]]:
    from nltk.tokenize.punkt import PunktSentenceTokenizer
    from whisperx import alignment

    # align() splits segments into sentences, which are not used here, with a model that NLTK would download in the
    # middle of the job. An untrained splitter serves as well.
    alignment.nltk_load = lambda _resource: PunktSentenceTokenizer()
    model, metadata = alignment.load_align_model(
        language, device, model_name=str(directory.resolve()), model_cache_only=True
    )
    return model, metadata


def _device(options: Options) -> str:
    import torch

    if options.device != "auto":
        return options.device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _compute_type(options: Options, device: str) -> str:
    """The configured number format, else float16 on GPUs that support it and int8 on a CPU."""
    if options.compute_type != "auto":
        return options.compute_type
    wanted = "float16" if device == "cuda" else "int8"
    supported = importlib.import_module("ctranslate2").get_supported_compute_types(device)
    return wanted if wanted in supported else "default"


@contextmanager
def _failures() -> Iterator[None]:
    """Turn failures of the libraries into OutOfMemory or EngineError."""
    try:
        yield
    except MemoryError as failure:
        raise OutOfMemory(engine=LABEL, detail=str(failure)) from failure
    except (RuntimeError, ValueError) as failure:
        text = str(failure)
        kind = OutOfMemory if any(sign in text.lower() for sign in _MEMORY_SIGNS) else EngineError
        raise kind(engine=LABEL, detail=text) from failure


_MEMORY_SIGNS = ("out of memory", "bad_alloc", "failed to allocate", "not enough memory", "cudnn_status_alloc_failed")


def _rising(progress: Progress) -> Progress:
    """Progress that does not fall when a batch that ran out of memory is repeated."""
    most = 0.0

    def report(share: float) -> None:
        nonlocal most
        most = max(most, share)
        progress(most)

    return report


def _scaled(progress: Progress, first: float, last: float) -> Callable[[float], None]:
    """Map WhisperX's percentages to the range from `first` to `last`; its last batches may report more than 100."""
    return lambda percent: progress(first + (last - first) * min(percent / 100, 1.0))
