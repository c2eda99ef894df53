"""Options of the WhisperX transcriber, read from environment variables that begin with WHISPERX_, and its readiness."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from jobs.engines.whisperx import models
from jobs.pipeline.errors import UnknownModel
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness

LABEL = "WhisperX"
"""Name of the engine in sentences for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Settings of the engine; none is secret."""

    model: str = field(
        default="large-v3-turbo",
        metadata={"help": "Whisper model: a name (manage.py fetch_models --list) or the absolute path of a directory"},
    )
    models_dir: str = field(default="~/.cache/zirnevis/models", metadata={"help": "where fetch_models puts models"})
    device: str = field(default="auto", metadata={"help": "cpu, cuda, or auto: cuda where there is one"})
    compute_type: str = field(
        default="auto", metadata={"help": "number format of CTranslate2; auto: float16 on cuda, int8 on cpu"}
    )
    batch_size: int = field(default=8, metadata={"help": "pieces at once on a GPU; halved when memory runs out"})
    chunk_size: int = field(default=0, metadata={"help": "longest piece in seconds, up to 30; 0: 30"})
    threads: int = field(default=0, metadata={"help": "threads on a CPU; 0: as many as it has cores"})
    align: bool = field(default=True, metadata={"help": "word times by alignment, where the language has a model"})
    initial_prompt: str = field(default="", metadata={"help": "a sentence in the style of the speech, with its names"})
    hotwords: str = field(default="", metadata={"help": "words to expect, separated by spaces"})

    @property
    def models(self) -> Path:
        """Directory of the models, with `~` expanded."""
        return Path(self.models_dir).expanduser()


def readiness(options: Options) -> Readiness:
    """Check that the package and the model's files are on disk, without loading either."""
    if importlib.util.find_spec("whisperx") is None:
        return Readiness(ready=False, reason=_("WhisperX is not installed."), remedy="make whisperx")
    try:
        directory = models.whisper_directory(options.model, options.models)
    except UnknownModel as unknown:
        remedy = "python manage.py fetch_models --list"
        return Readiness(
            ready=False,
            reason=_("The model named by WHISPERX_MODEL does not exist."),
            detail=str(unknown),
            remedy=remedy,
        )
    if lacking := models.missing(directory, "whisper"):
        remedy, detail = f"python manage.py fetch_models --model {options.model}", f"{directory} has no {lacking[0]}"
        return Readiness(ready=False, reason=_("Its model is not on disk."), detail=detail, remedy=remedy)
    return Readiness(ready=True, detail=f"model {options.model}")
