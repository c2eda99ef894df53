"""Registration of WhisperX: Whisper with voice detection, batches and forced alignment, on a CPU or a CUDA GPU.

Nothing is downloaded here: WhisperX reads models from directories that `manage.py fetch_models` filled.
"""

from __future__ import annotations

from jobs.engines.spec import TranscriberSpec
from jobs.engines.whisperx.options import LABEL, Options, readiness
from jobs.pipeline.protocols import Transcriber

__all__ = ["ENGINE", "LANGUAGES", "Options", "create", "languages", "readiness"]

_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fil fo fr gl gu ha haw he hi hr ht hu hy "
    "id is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd "
    "si sk sl sn so sq sr su sv sw ta te tg th tk tr tt uk ur uz vi yi yo yue zh"
)
LANGUAGES = frozenset(_CODES.split())
"""Languages that Whisper was trained on (faster_whisper.tokenizer), with CLDR's codes for Javanese and Filipino."""


def languages(options: Options) -> frozenset[str]:
    """Languages of the model: English for names that end in “.en”, else all of Whisper's."""
    return frozenset({"en"}) if options.model.endswith(".en") else LANGUAGES


def create(options: Options) -> Transcriber:
    """Make the transcriber; its model is loaded by the first window."""
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
