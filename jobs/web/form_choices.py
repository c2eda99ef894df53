"""What the form of a new job offers: the languages that the engines at hand can translate into."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jobs.engines.registry import TRANSLATORS
from jobs.i18n.formats import language_name, sentence_of
from jobs.intake.options import JobOptions
from jobs.intake.submit import refuse_engines
from jobs.pipeline.errors import NotReady, PipelineError
from jobs.web.forms import COMMON, LOOKS, MODES, POSITIONS, SIZES, SUBTITLES, TONES

_KEPT = 60
"""Seconds for which a process remembers what the engines can do: it looks for programs and models on the disk."""


def able() -> frozenset[str]:
    """The codes of `COMMON` into which a video can be translated here and now."""
    found: frozenset[str] | None = cache.get("able")
    if found is None:
        found = frozenset(code for code in COMMON if not _refused(code))
        cache.set("able", found, _KEPT)
    return found


def preselected() -> dict[str, Any]:
    """Persian comes first, unless this installation can do other languages only."""
    can = able()
    first = "fa" if "fa" in can or not can else next(code for code in COMMON if code in can)
    return {"to": first, "mode": "burn", "look": "box", "size": "medium", "position": "bottom", "formality": "auto"}


def shown() -> dict[str, Any]:
    """For the template: pairs of values and words, and what Persian still needs."""
    can = able()
    named = [(code, language_name(code, get_language())) for code in COMMON]
    refusal = _refused("fa")
    return {
        "targets": [(code, name, code in can) for code, name in named],
        "sources": named,
        "missing": _missing(refusal) if refusal else "",
        "modes": MODES.items(),
        "looks": LOOKS.items(),
        "sizes": SIZES.items(),
        "positions": POSITIONS.items(),
        "tones": TONES.items(),
        "subtitles": SUBTITLES.items(),
    }


def _missing(refusal: PipelineError) -> str:
    """What keeps videos from being translated into Persian, for whoever can change it."""
    sentence = sentence_of(refusal)
    if refusal.params.get("engine") not in {spec.label for spec in TRANSLATORS} or type(refusal) is not NotReady:
        return sentence
    step = _("To translate into Persian, set a Gemini key or the address of your own model.")
    return f"{step} {sentence}"


def _refused(target: str) -> PipelineError | None:
    """Why a video in an unknown language cannot be translated into `target`."""
    try:
        refuse_engines(JobOptions(target=target, transcriber=settings.TRANSCRIBER, translator=settings.TRANSLATOR))
    except PipelineError as error:
        return error
    return None
