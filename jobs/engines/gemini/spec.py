"""Google's Gemini, as it is chosen; how it is asked is in `gemini_model`."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field

from jobs.engines.llm.batches import BATCH_LINES
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.errors import NotReady
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Translator

LABEL = "Gemini"


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    api_key: str = field(
        default="", repr=False, metadata={"help": "Key, from https://aistudio.google.com/apikey.", "secret": True}
    )
    model: str = field(
        default="gemini-flash-latest",
        metadata={"help": "Model. The default is Google's newest Flash; those with a number are retired after months."},
    )
    endpoint: str = field(default="", metadata={"help": "Address of the service, if it is not Google's own."})
    proxy: str = field(
        default="",
        repr=False,
        metadata={"help": "Proxy for Gemini alone, such as http://user:password@host:port.", "secret": True},
    )
    timeout: float = field(default=120.0, metadata={"help": "Seconds without an answer until a request is given up."})
    batch_lines: int = field(default=BATCH_LINES, metadata={"help": "Subtitle lines a request."})
    max_tokens: int = field(default=0, metadata={"help": "Tokens a job may use, in and out together; 0 for no cap."})


def _installed() -> bool:
    try:
        return importlib.util.find_spec("google.generativeai") is not None
    except ModuleNotFoundError:  # there is no package "google" at all
        return False


def readiness(options: Options) -> Readiness:
    if not _installed():
        remedy = "pip install -r requirements/base.txt"
        return Readiness(ready=False, reason=_("Its Python package is not installed."), remedy=remedy)
    if not options.api_key:
        return Readiness(ready=False, reason=_("No key is set."), remedy=_("set GEMINI_API_KEY"))
    return Readiness(ready=True, detail=f"model {options.model}")


def create(options: Options) -> Translator:
    """Raises NotReady without a key."""
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
)
