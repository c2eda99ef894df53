"""Options of pyannote's diarizer, read from environment variables that begin with PYANNOTE_, and its readiness."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness

LABEL = "pyannote"
"""Name of the engine in sentences for people."""

MODEL = "pyannote/speaker-diarization-community-1"
"""The pipeline that is fetched with a token: WhisperX's default."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Settings of the engine."""

    model: str = field(
        default="", metadata={"help": "directory of a pyannote pipeline (with its config.yaml), used without a token"}
    )
    token: str = field(
        default="", metadata={"help": "Hugging Face token, to fetch the pipeline at the first use", "secret": True}
    )
    device: str = field(default="auto", metadata={"help": "cpu, cuda, or auto: cuda where there is one"})


def readiness(options: Options) -> Readiness:
    """Check that WhisperX is installed and that the model is on disk or can be fetched, without loading anything."""
    if importlib.util.find_spec("whisperx") is None:
        return Readiness(ready=False, reason=_("WhisperX is not installed."), remedy="make whisperx")
    if options.model:
        config = Path(options.model).expanduser() / "config.yaml"
        if config.is_file():
            return Readiness(ready=True, detail=f"model {options.model}")
        reason = _("The directory named by PYANNOTE_MODEL contains no pipeline.")
        return Readiness(ready=False, reason=reason, detail=str(config), remedy=_("correct PYANNOTE_MODEL"))
    if options.token:
        return Readiness(ready=True, detail=f"model {MODEL}")
    reason = _("Neither its model nor a token is set.")
    return Readiness(ready=False, reason=reason, remedy=_("set PYANNOTE_MODEL or PYANNOTE_TOKEN"))
