"""Descriptions of engines: name, options, readiness and languages, all available without loading a model.

An engine module defines one `ENGINE`, a TranscriberSpec, a TranslatorSpec or a DiarizerSpec. Only `create` imports
heavy packages, by itself or through a `client` module, so that importing the registry stays cheap. Options are a frozen
dataclass of str, int, float and bool; every field has a default and `metadata={"help": ...}`, plus `"secret": True` for
values that must never be shown, and `"aside": True` for those on which no result depends. The environment variable of a
field is NAME_FIELD in capitals: `GEMINI_API_KEY`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from jobs.pipeline.protocols import Diarizer, Readiness, Transcriber, Translator


@dataclass(frozen=True, kw_only=True)
class TranscriberSpec:
    """Description of a speech engine.

    `languages(options)` returns the codes it can transcribe, without loading a model; `readiness(options)` is as cheap.
    `demo` engines need no key and no download, and are good enough to try the product only.
    """

    name: str
    label: str
    options: type[Any]
    readiness: Callable[[Any], Readiness]
    languages: Callable[[Any], frozenset[str]]
    create: Callable[[Any], Transcriber]
    demo: bool = False


@dataclass(frozen=True, kw_only=True)
class TranslatorSpec:
    """Description of a translation engine.

    `can(options, source, target)` tells whether it serves the pair of codes. `paid` engines cost money per line. A
    `language_model` can read the transcript for a brief, and revise its translation.
    """

    name: str
    label: str
    options: type[Any]
    readiness: Callable[[Any], Readiness]
    can: Callable[[Any, str, str], bool]
    create: Callable[[Any], Translator]
    demo: bool = False
    paid: bool = False
    language_model: bool = False


@dataclass(frozen=True, kw_only=True)
class DiarizerSpec:
    """Description of a speaker engine, which serves every language."""

    name: str
    label: str
    options: type[Any]
    readiness: Callable[[Any], Readiness]
    create: Callable[[Any], Diarizer]
    demo: bool = False


Spec = TranscriberSpec | TranslatorSpec | DiarizerSpec


def variable(spec: Spec, field: Field[Any]) -> str:
    """Name of the environment variable of one option."""
    return f"{spec.name}_{field.name}".upper()


def read_options(spec: Spec, environ: Mapping[str, str]) -> Any:
    """Read the options of `spec` from `environ`; an unset or empty variable keeps the default.

    Raises ValueError, naming the variable, when a number cannot be parsed.
    """
    return spec.options(
        **{
            field.name: _parse(variable(spec, field), environ[variable(spec, field)], type(field.default))
            for field in fields(spec.options)
            if environ.get(variable(spec, field))
        }
    )


def _parse(name: str, text: str, kind: type[Any]) -> Any:
    if kind is bool:
        return text.strip().lower() in {"1", "true", "yes", "on"}
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, not “{text}”.") from None
