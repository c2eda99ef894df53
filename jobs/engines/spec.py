"""How an engine presents itself: its name, its options, and what it can do before anything heavy is loaded.

An engine module defines one `ENGINE`, a TranscriberSpec or a TranslatorSpec. Heavy packages wait for its `create`:
that imports them, or a second module that does, so that the registry stays cheap to read. Options are a frozen
dataclass of str, int, float, bool; every field has a default and `metadata={"help": ...}`, plus `"secret": True`
where it must never be shown. The environment variable of a field is NAME_FIELD in capitals: `GEMINI_API_KEY`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from jobs.pipeline.protocols import Readiness, Transcriber, Translator


@dataclass(frozen=True, kw_only=True)
class TranscriberSpec:
    """`demo` engines need no key and no download, and their quality is for trying the product out.

    `languages` gives the codes the engine can transcribe with these options, without loading a model.
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
    """`can(options, source, target)` tells whether the pair of codes is served. `paid` engines cost money per line."""

    name: str
    label: str
    options: type[Any]
    readiness: Callable[[Any], Readiness]
    can: Callable[[Any, str, str], bool]
    create: Callable[[Any], Translator]
    demo: bool = False
    paid: bool = False


Spec = TranscriberSpec | TranslatorSpec


def variable(spec: Spec, field: Field[Any]) -> str:
    """The environment variable of one option."""
    return f"{spec.name}_{field.name}".upper()


def read_options(spec: Spec, environ: Mapping[str, str]) -> Any:
    """The options of `spec` as `environ` sets them; an unset or empty variable keeps the default.

    Raises ValueError, naming the variable, for a number that is none.
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
