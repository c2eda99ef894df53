"""WhisperX: Whisper with voice detection, batches and forced alignment, on a CPU or a CUDA GPU.

Nothing is downloaded here: models are given to WhisperX as directories that `manage.py fetch_models` filled. Speakers
are not told apart: the models for that are handed out only to those who accept a licence in their own name.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from jobs.engines.spec import TranscriberSpec
from jobs.engines.whisperx import models
from jobs.pipeline.errors import UnknownModel
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Transcriber

LABEL = "WhisperX"

_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fil fo fr gl gu ha haw he hi hr ht hu hy "
    "id is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd "
    "si sk sl sn so sq sr su sv sw ta te tg th tk tr tt uk ur uz vi yi yo yue zh"
)
LANGUAGES = frozenset(_CODES.split())
"""What Whisper was trained on: faster_whisper.tokenizer, with the codes of CLDR for Javanese and Filipino."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    model: str = field(
        default="large-v3-turbo",
        metadata={"help": "Whisper model: a name (manage.py fetch_models --list) or the absolute path of a directory"},
    )
    models_dir: str = field(default="~/.cache/zirnevis/models", metadata={"help": "where fetch_models puts models"})
    device: str = field(default="auto", metadata={"help": "cpu, cuda, or auto: cuda where there is one"})
    compute_type: str = field(
        default="auto", metadata={"help": "number format of CTranslate2; auto: float16 on cuda, int8 on cpu"}
    )
    batch_size: int = field(default=8, metadata={"help": "chunks at once; halved when memory runs out"})
    chunk_size: int = field(
        default=0, metadata={"help": "longest chunk in seconds; 0: 30 with an alignment model, 10 without"}
    )
    threads: int = field(default=0, metadata={"help": "threads on a CPU; 0: as many as it has cores"})
    align: bool = field(default=True, metadata={"help": "word times by alignment, where the language has a model"})
    initial_prompt: str = field(default="", metadata={"help": "a sentence in the style of the speech, with its names"})
    hotwords: str = field(default="", metadata={"help": "words to expect, separated by spaces"})

    @property
    def models(self) -> Path:
        return Path(self.models_dir).expanduser()


def readiness(options: Options) -> Readiness:
    """Cheap: looks for the package and the model's files, loads neither."""
    if importlib.util.find_spec("whisperx") is None:
        return Readiness(ready=False, reason=_("WhisperX is not installed."), remedy="make whisperx")
    try:
        directory = models.whisper_directory(options.model, options.models)
    except UnknownModel as unknown:
        remedy = "python manage.py fetch_models --list"
        return Readiness(
            ready=False, reason=_("WHISPERX_MODEL names no model that there is."), detail=str(unknown), remedy=remedy
        )
    if lacking := models.missing(directory, "whisper"):
        remedy, detail = f"python manage.py fetch_models --model {options.model}", f"{directory} has no {lacking[0]}"
        return Readiness(ready=False, reason=_("Its model is not on disk."), detail=detail, remedy=remedy)
    return Readiness(ready=True, detail=f"model {options.model}")


def languages(options: Options) -> frozenset[str]:
    """Whisper's languages; models whose name ends in “.en” know only English."""
    return frozenset({"en"}) if options.model.endswith(".en") else LANGUAGES


def create(options: Options) -> Transcriber:
    from jobs.engines.whisperx.client import WhisperX

    return WhisperX(options)


ENGINE = TranscriberSpec(
    name="whisperx",
    label=LABEL,
    options=Options,
    readiness=readiness,
    languages=languages,
    create=create,
)
