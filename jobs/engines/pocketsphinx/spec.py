"""Registration of PocketSphinx: English speech with the model inside its wheel; demo quality, no key, no download."""

from __future__ import annotations

import importlib.util

from jobs.engines.pocketsphinx.options import Options
from jobs.engines.spec import TranscriberSpec
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Transcriber

__all__ = ["ENGINE", "Options", "create", "readiness"]


def readiness(_options: Options) -> Readiness:
    """Check that the package is installed."""
    if importlib.util.find_spec("pocketsphinx") is None:
        remedy = "pip install -r requirements/base.txt"
        return Readiness(ready=False, reason=_("PocketSphinx is not installed."), remedy=remedy)
    return Readiness(ready=True, detail="the English model of its wheel")


def create(_options: Options) -> Transcriber:
    """Make the transcriber; its model is loaded by the first window."""
    from jobs.engines.pocketsphinx.client import PocketSphinx

    return PocketSphinx()


ENGINE = TranscriberSpec(
    name="pocketsphinx",
    label="PocketSphinx",
    options=Options,
    readiness=readiness,
    languages=lambda _options: frozenset({"en"}),
    create=create,
    demo=True,
)
