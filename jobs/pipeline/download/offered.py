"""The captions that a site offers, as the download child tells of them, and those that are wanted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.pipeline import errors
from jobs.pipeline.download import request
from jobs.pipeline.text.languages import language

_LANGUAGES = 100  # that are told of


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptionWish:
    """The captions of the site that are wanted; the fields are those of `Request`."""

    kind: request.Captions = ""
    language: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Captions:
    """Captions that were chosen: their language, whether a machine made them, and the file; None: it cannot be had."""

    language: str
    machine: bool
    path: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Offered:
    """Facts that the site of a link tells, as language codes: the language that is spoken, empty if it does not; those
    of the captions by people and by machine; and the captions that were chosen.
    """

    spoken: str = ""
    people: tuple[str, ...] = ()
    machine: tuple[str, ...] = ()
    captions: Captions | None = None


def offered_by(done: Mapping[str, Any], directory: Path) -> Offered:
    """Check what the child tells. It names no path: only the file `captions` in `directory` is used."""
    path, told = directory / "captions", done.get("captions")
    captions = None
    if isinstance(told, dict) and (code := known_language(told.get("language"))):
        whole = told.get("ok") is True and path.is_file() and not path.is_symlink()
        captions = Captions(language=code, machine=told.get("machine") is True, path=path if whole else None)
    return Offered(
        spoken=known_language(done.get("stated")),
        people=_known_languages(done.get("people")),
        machine=_known_languages(done.get("machine")),
        captions=captions,
    )


def known_language(code: object) -> str:
    """The language code that a child names; empty if it is none."""
    try:
        return language(str(code)).code if code else ""
    except errors.UnknownLanguage:
        return ""


def _known_languages(codes: object) -> tuple[str, ...]:
    known = map(known_language, codes[:_LANGUAGES]) if isinstance(codes, list) else ()
    return tuple(dict.fromkeys(code for code in known if code))
