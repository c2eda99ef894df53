"""Options of the PocketSphinx transcriber: it has none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """An empty set of settings, because each engine has a class of options."""
