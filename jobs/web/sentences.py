"""Sentences in the language of the page: those of the pipeline, translated, then filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language, gettext

from jobs.pipeline.errors import ErrorRecord, PipelineError, from_record


def sentence_of(error: PipelineError) -> str:
    """What a person reads of an error."""
    return gettext(error.sentence).format(**error.params)


def recorded(record: Mapping[str, Any]) -> str:
    """What a person reads of an error that was stored, maybe by another version."""
    try:
        return sentence_of(from_record(cast(ErrorRecord, record)))
    except (KeyError, IndexError, TypeError, ValueError):
        return gettext(PipelineError.sentence)


def noted(note: Mapping[str, Any]) -> str:
    """A note of a job, whose sentence is a template as those of errors are."""
    return gettext(note["sentence"]).format(**note["params"])


def language_name(code: str, shown_in: str | None = None) -> str:
    """“fa” → “Persian”, or «فارسی» on a Persian page. A code that CLDR does not know stays as it is."""
    try:
        name = Locale.parse(code, sep="-").get_display_name(shown_in or get_language() or "en")
    except (ValueError, UnknownLocaleError):
        return code
    return name or code
