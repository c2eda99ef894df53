"""PocketSphinx: English speech with the model inside its wheel. Demo quality, no key, no download."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from jobs.engines.spec import TranscriberSpec
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Transcriber


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """There is nothing to set."""


def readiness(_options: Options) -> Readiness:
    if importlib.util.find_spec("pocketsphinx") is None:
        remedy = "pip install -r requirements/base.txt"
        return Readiness(ready=False, reason=_("PocketSphinx is not installed."), remedy=remedy)
    return Readiness(ready=True, detail="the English model of its wheel")


def create(_options: Options) -> Transcriber:
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
