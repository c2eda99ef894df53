"""Registration of pyannote's diarizer, the pipeline that WhisperX uses."""

from __future__ import annotations

from jobs.engines.pyannote.options import LABEL, Options, readiness
from jobs.engines.spec import DiarizerSpec
from jobs.pipeline.protocols import Diarizer

__all__ = ["ENGINE", "Options", "create", "readiness"]


def create(options: Options) -> Diarizer:
    """Make the diarizer; its model is loaded, and fetched if need be, by the first audio."""
    from jobs.engines.pyannote.client import Pyannote

    return Pyannote(options)


ENGINE = DiarizerSpec(name="pyannote", label=LABEL, options=Options, readiness=readiness, create=create)
