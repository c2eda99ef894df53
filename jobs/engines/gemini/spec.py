"""Registration of Google's Gemini as a translator; the requests to it are in `client`."""

from __future__ import annotations

import importlib.util

from jobs.engines.gemini.options import LABEL, Options
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.errors import NotReady
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Translator

__all__ = ["ENGINE", "Options", "create", "readiness"]


def _installed() -> bool:
    try:
        return importlib.util.find_spec("google.generativeai") is not None
    except ModuleNotFoundError:  # no package "google" at all
        return False


def readiness(options: Options) -> Readiness:
    """Check that the package is installed and a key is set, without asking the service."""
    if not _installed():
        remedy = "pip install -r requirements/base.txt"
        return Readiness(ready=False, reason=_("Its Python package is not installed."), remedy=remedy)
    if not options.api_key:
        return Readiness(ready=False, reason=_("No key is set."), remedy=_("set GEMINI_API_KEY"))
    return Readiness(ready=True, detail=f"model {options.model}")


def create(options: Options) -> Translator:
    """Make the translator. Raises NotReady without the package or a key."""
    state = readiness(options)
    if not state.ready:
        raise NotReady(engine=LABEL, reason=state.reason, remedy=state.remedy)
    from jobs.engines.gemini.client import translator

    return translator(options)


ENGINE = TranslatorSpec(
    name="gemini",
    label=LABEL,
    options=Options,
    readiness=readiness,
    can=lambda *_: True,
    create=create,
    paid=True,
    language_model=True,
)
