"""Registration of servers with OpenAI's chat completions: OpenAI, OpenRouter, or a local Ollama, vLLM or llama.cpp.

The engine counts as paid, although a local server costs nothing: the address does not tell, and a paid service taken
for a free one is the worse mistake. The requests are in `client`.
"""

from __future__ import annotations

from jobs.engines.openai_compatible.options import LABEL, Options, host, is_address, label
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.errors import NotReady
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.protocols import Readiness, Translator

__all__ = ["ENGINE", "Options", "create", "readiness"]


def readiness(options: Options) -> Readiness:
    """Check that an address and a model are set, without asking the server."""
    if not options.base_url:
        return Readiness(ready=False, reason=_("No address is set."), remedy=_("set OPENAI_COMPATIBLE_BASE_URL"))
    if not is_address(options.base_url):
        return Readiness(
            ready=False, reason=_("The address is invalid."), remedy=_("correct OPENAI_COMPATIBLE_BASE_URL")
        )
    if not options.model:
        return Readiness(ready=False, reason=_("No model is chosen."), remedy=_("set OPENAI_COMPATIBLE_MODEL"))
    return Readiness(ready=True, detail=f"model {options.model} at {host(options.base_url)}")


def create(options: Options) -> Translator:
    """Make the translator. Raises NotReady without an address and a model."""
    state = readiness(options)
    if not state.ready:
        raise NotReady(engine=label(options), reason=state.reason, remedy=state.remedy)
    from jobs.engines.openai_compatible.client import translator

    return translator(options)


ENGINE = TranslatorSpec(
    name="openai_compatible",
    label=LABEL,
    options=Options,
    readiness=readiness,
    can=lambda *_: True,
    create=create,
    paid=True,
    language_model=True,
)
