"""pyannote's diarizer: the pipeline that WhisperX uses, and its failures as errors of ours."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.engines.model_failures import model_failures
from jobs.engines.pyannote.options import LABEL, MODEL, Options, readiness
from jobs.pipeline.errors import NotReady
from jobs.pipeline.protocols import Progress, Turn
from jobs.pipeline.speech.windows import open_audio


class Pyannote:
    """The diarizer (see protocols.Diarizer). The first audio loads its model. All samples are in memory at once."""

    name = "pyannote"

    def __init__(self, options: Options) -> None:
        self._options = options
        self._pipeline: Any = None

    def load(self) -> None:
        """Load the model, which takes seconds to minutes. Raises NotReady, OutOfMemory, EngineError."""
        self._load()

    def diarize(self, audio: Path, speakers: int | None, progress: Progress) -> Sequence[Turn]:
        """The turns in `audio`. Raises NotReady, OutOfMemory, EngineError."""
        pipeline = self._load()
        with open_audio(audio) as opened:
            samples = opened.read(0, opened.length)
        with model_failures(LABEL):
            rows = pipeline(
                samples,
                num_speakers=speakers,
                progress_callback=lambda percent: progress(min(percent / 100, 1.0)),
            ).to_dict("records")
        return [Turn(start=float(row["start"]), end=float(row["end"]), speaker=str(row["speaker"])) for row in rows]

    def _load(self) -> Any:
        if self._pipeline is None:
            state = readiness(self._options)
            if not state.ready:
                raise NotReady(engine=LABEL, reason=state.reason, remedy=state.remedy, detail=state.detail)
            with model_failures(LABEL):
                self._pipeline = _load(self._options)
        return self._pipeline


def _load(options: Options) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchcodec reads files, which is not needed for arrays
        from pyannote.audio.telemetry import set_telemetry_metrics
        from whisperx.diarize import DiarizationPipeline

    set_telemetry_metrics(False)
    device = options.device
    if device == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    model = str(Path(options.model).expanduser()) if options.model else MODEL
    return DiarizationPipeline(model_name=model, token=options.token or None, device=device)
