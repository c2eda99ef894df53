"""The sections of `make quality`, by name and in their order.

A section is a module with `measure(session: Session) -> list[Row]`; `session.quick` asks for its short form. To add
one, write the module and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.quality.engines import Session
from tests.quality.rows import Row
from tests.quality.sections import (
    coverage,
    files,
    first_caption,
    languages,
    layout,
    media,
    names,
    recognition,
    servers,
    silence,
    speakers,
    timing,
    translation,
    translation_cost,
)

SECTIONS: Mapping[str, Callable[[Session], list[Row]]] = {
    "recognition": recognition.measure,
    "coverage": coverage.measure,
    "languages": languages.measure,
    "timing": timing.measure,
    "silence": silence.measure,
    "first_caption": first_caption.measure,
    "names": names.measure,
    "media": media.measure,
    "speakers": speakers.measure,
    "translation": translation.measure,
    "layout": layout.measure,
    "servers": servers.measure,
    "translation_cost": translation_cost.measure,
    "files": files.measure,
}

QUICK = ("recognition", "coverage", "silence", "translation", "layout")
"""Sections of `--quick`, each in its short form."""
