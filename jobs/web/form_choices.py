"""Choices of the new-job form; languages depend on the engines that are ready."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jobs.engines.registry import DIARIZERS, TRANSLATORS
from jobs.engines.selection import AUTO
from jobs.i18n.formats import digits, language_name, sentence_of
from jobs.intake.options import JobOptions
from jobs.intake.submit import refuse_engines
from jobs.pipeline.errors import NotReady, PipelineError
from jobs.web.forms import (
    COLOURS,
    COMMON_LANGUAGES,
    LOOKS,
    MODES,
    MOST_SPEAKERS,
    POSITIONS,
    SIZES,
    SPEAKERS,
    SUBTITLES,
    TONES,
    WORDS,
)

_CACHE_SECONDS = 60
"""Seconds for which the available languages are cached: finding them looks for programs and models on the disk."""


def available_targets() -> frozenset[str]:
    """Codes of `COMMON_LANGUAGES` into which the ready engines can translate."""
    found: frozenset[str] | None = cache.get("available_targets")
    if found is None:
        found = frozenset(code for code in COMMON_LANGUAGES if not _refusal(code))
        cache.set("available_targets", found, _CACHE_SECONDS)
    return found


def initial_values() -> dict[str, Any]:
    """Initial field values. The target is Persian, unless the ready engines handle other languages only."""
    available = available_targets()
    first = "fa" if "fa" in available or not available else next(code for code in COMMON_LANGUAGES if code in available)
    return {"to": first, "mode": "burn", "look": "box", "size": "medium", "position": "bottom", "formality": "auto"}


def template_choices() -> dict[str, Any]:
    """The (value, label) pairs of each list, and `missing`: a sentence on what Persian still needs."""
    available = available_targets()
    languages = [(code, language_name(code, get_language())) for code in COMMON_LANGUAGES]
    refusal = _refusal("fa")
    return {
        "targets": [(code, name, code in available) for code, name in languages],
        "sources": languages,
        "missing": _missing(refusal) if refusal else "",
        "modes": MODES.items(),
        "looks": LOOKS.items(),
        "sizes": SIZES.items(),
        "positions": POSITIONS.items(),
        "tones": TONES.items(),
        "speakers": speakers(),
        "colours": COLOURS.items(),
        "words": WORDS.items(),
        "subtitles": SUBTITLES.items(),
        "language_model": has_language_model(),
    }


def has_language_model() -> bool:
    """Whether a language model may translate, so that briefs and careful translations are offered."""
    return any(
        spec.language_model and spec.readiness(settings.ENGINE_OPTIONS[spec.name]).ready
        for spec in TRANSLATORS
        if settings.TRANSLATOR in {AUTO, spec.name}
    )


def speakers() -> list[tuple[str, str]]:
    """The (value, label) pairs of the list of speakers; empty while no engine that tells them apart is ready."""
    if not any(spec.readiness(settings.ENGINE_OPTIONS[spec.name]).ready for spec in DIARIZERS):
        return []
    words = [(value, str(label)) for value, label in SPEAKERS.items()]
    numbers = [(str(count), digits(str(count))) for count in range(1, MOST_SPEAKERS + 1)]
    return [*words, *numbers]


def _missing(refusal: PipelineError) -> str:
    """A sentence for the administrator on what is missing to translate videos into Persian."""
    sentence = sentence_of(refusal)
    if refusal.params.get("engine") not in {spec.label for spec in TRANSLATORS} or type(refusal) is not NotReady:
        return sentence
    step = _("To translate into Persian, set a Gemini key or the address of your own model.")
    return f"{step} {sentence}"


def _refusal(target: str) -> PipelineError | None:
    """The error that starting a job into `target` would raise, for speech in an unknown language; None if none."""
    try:
        refuse_engines(JobOptions(target=target, transcriber=settings.TRANSCRIBER, translator=settings.TRANSLATOR))
    except PipelineError as error:
        return error
    return None
