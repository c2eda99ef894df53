"""Any server that speaks OpenAI's chat completions: OpenAI itself, OpenRouter, or a local Ollama, vLLM or llama.cpp.

Counted as paid, although a local one costs nothing: what an address leads to cannot be known, and taking a paid service
for a free one is the worse mistake. How it is asked is in `openai_compatible_model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from jobs.engines.llm.batches import BATCH_LINES
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.errors import NotReady
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Translator


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    base_url: str = field(
        default="", metadata={"help": "Address up to and with /v1, such as http://localhost:11434/v1 for Ollama."}
    )
    model: str = field(default="", metadata={"help": "Model, as the server names it."})
    api_key: str = field(default="", repr=False, metadata={"help": "Key, if the server wants one.", "secret": True})
    proxy: str = field(
        default="",
        repr=False,
        metadata={"help": "Proxy for this server alone, such as http://user:password@host:port.", "secret": True},
    )
    timeout: float = field(default=180.0, metadata={"help": "Seconds without an answer until a request is given up."})
    batch_lines: int = field(default=BATCH_LINES, metadata={"help": "Subtitle lines a request; small models like 20."})
    max_tokens: int = field(default=0, metadata={"help": "Tokens a job may use, in and out together; 0 for no cap."})


def label(options: Options) -> str:
    """What the server is called in sentences for people."""
    return _host(options.base_url) or ENGINE.label


def _host(address: str) -> str:
    """What people call the server: host and port, without the password that an address may hold. "" for no address."""
    return urlsplit(address).netloc.rpartition("@")[2] if _readable(address) else ""


def _readable(address: str) -> bool:
    """Whether `address` has the parts of one. Only reading the port tells whether it is a number."""
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def readiness(options: Options) -> Readiness:
    if not options.base_url:
        return Readiness(ready=False, reason=_("No address is set."), remedy=_("set OPENAI_COMPATIBLE_BASE_URL"))
    if not _readable(options.base_url):
        return Readiness(
            ready=False, reason=_("The address is not one."), remedy=_("correct OPENAI_COMPATIBLE_BASE_URL")
        )
    if not options.model:
        return Readiness(ready=False, reason=_("No model is chosen."), remedy=_("set OPENAI_COMPATIBLE_MODEL"))
    return Readiness(ready=True, detail=f"model {options.model} at {_host(options.base_url)}")


def create(options: Options) -> Translator:
    """Raises NotReady without an address and a model."""
    state = readiness(options)
    if not state.ready:
        raise NotReady(engine=label(options), reason=state.reason, remedy=state.remedy)
    from jobs.engines.openai_compatible.client import translator

    return translator(options)


ENGINE = TranslatorSpec(
    name="openai_compatible",
    label="OpenAI-compatible server",
    options=Options,
    readiness=readiness,
    can=lambda *_: True,
    create=create,
    paid=True,
)
