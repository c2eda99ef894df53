"""Entry point of the child process that runs stages: `python -m jobs.engines IN OUT`.

IN and OUT are the numbers of open file descriptors: commands are read from IN, reports written to OUT.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jobs.engines.registry import DIARIZERS, TRANSCRIBERS, TRANSLATORS
from jobs.engines.spec import DiarizerSpec, TranscriberSpec, TranslatorSpec
from jobs.pipeline.protocols import Diarizer, Transcriber, Translator
from jobs.pipeline.stages.host import serve

S = TypeVar("S", TranscriberSpec, TranslatorSpec, DiarizerSpec)


@dataclass
class Registered:
    """Factory of engines by name. The last transcriber is kept, because loading its model takes seconds to minutes."""

    _kept: tuple[str, Any, Transcriber] | None = field(default=None, init=False)

    def transcriber(self, name: str, options: dict[str, Any]) -> Transcriber:
        """Return the transcriber `name`: the last one again if name and options are the same. Raises EngineError."""
        spec = _named(name, TRANSCRIBERS)
        wanted = spec.options(**options)
        if self._kept is None or self._kept[:2] != (name, wanted):
            self._kept = None  # free the old model before the new one is loaded
            self._kept = (name, wanted, spec.create(wanted))
        return self._kept[2]

    def translator(self, name: str, options: dict[str, Any]) -> Translator:
        """Make the translator `name`. Raises EngineError."""
        spec = _named(name, TRANSLATORS)
        return spec.create(spec.options(**options))

    def diarizer(self, name: str, options: dict[str, Any]) -> Diarizer:
        """Make the diarizer `name`. Raises EngineError."""
        spec = _named(name, DIARIZERS)
        return spec.create(spec.options(**options))


def _named(name: str, specs: tuple[S, ...]) -> S:
    (found,) = (spec for spec in specs if spec.name == name)
    return found


if __name__ == "__main__":
    for end in sys.argv[1:3]:
        os.set_inheritable(int(end), False)  # programs that an engine starts must not hold these pipes open
    with os.fdopen(int(sys.argv[1]), "rb") as inbox, os.fdopen(int(sys.argv[2]), "wb") as outbox:
        serve(inbox, outbox, Registered())
