"""Which engines a job uses: those asked for by name, or the first that is ready and can do the languages.

Everything here happens before any work, without loading a model. A source language that is not told yet is None; what
was chosen for it is checked again when it is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.spec import TranscriberSpec, TranslatorSpec
from jobs.pipeline.errors import CannotTranscribe, CannotTranslate, DemoSpeechOnly, NotReady, UnknownEngine
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.text.languages import language

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Engines:
    """What the settings say: a name or `auto` for each role, and the options of every engine by its name."""

    transcriber: str
    translator: str
    options: Mapping[str, Any]

    def choose_transcriber(self, source: str | None) -> TranscriberSpec:
        """The engine that hears `source`, a code, or None when it has to find the language itself.

        Raises UnknownEngine, NotReady, CannotTranscribe.
        """
        candidates = _named(self.transcriber, TRANSCRIBERS)
        ready = [spec for spec in candidates if spec.readiness(self.options[spec.name]).ready]
        able = [spec for spec in ready if source is None or self._hears(spec, source)]
        if able:
            return able[0]
        if ready and source:
            self._refuse_not_ready([spec for spec in candidates if spec not in ready])
            raise self._cannot_transcribe(ready[0], source)
        self._refuse_not_ready(candidates)
        raise AssertionError("an engine is ready or it is not")

    def choose_translator(self, source: str | None, target: str, transcriber: TranscriberSpec | None) -> TranslatorSpec:
        """The engine that turns `source` into `target` (codes). `transcriber` is None where no speech is recognised.

        Raises UnknownEngine, NotReady, CannotTranslate, and DemoSpeechOnly where `auto` would pay for the translation
        of the demo engine's words.
        """
        candidates = _named(self.translator, TRANSLATORS)
        sources = self._sources(source, target, transcriber)
        able = [spec for spec in candidates if any(spec.can(self.options[spec.name], one, target) for one in sources)]
        ready = [spec for spec in able if spec.readiness(self.options[spec.name]).ready]
        if not able:
            raise _cannot_translate(candidates[-1], source or sources[0], target)
        if not ready:
            self._refuse_not_ready(able)
        if transcriber and transcriber.demo and ready[0].paid and self.transcriber == AUTO:
            remedy = _("make whisperx, then: manage.py fetch_models")
            raise DemoSpeechOnly(engine=ready[0].label, remedy=remedy, reason="")
        return ready[0]

    def _hears(self, spec: TranscriberSpec, source: str) -> bool:
        """Engines know languages, not their countries: Portuguese, not that of Brazil."""
        return source.split("-")[0] in spec.languages(self.options[spec.name])

    def _sources(self, source: str | None, target: str, transcriber: TranscriberSpec | None) -> list[str]:
        """The languages that may have to be translated from; the target itself is no reason to translate."""
        if source or transcriber is None:
            return [source or "en"]
        heard = transcriber.languages(self.options[transcriber.name])
        return sorted(heard - {target}) or [target]

    def _refuse_not_ready(self, candidates: Sequence[TranscriberSpec | TranslatorSpec]) -> None:
        for spec in candidates:
            state = spec.readiness(self.options[spec.name])
            if not state.ready:
                raise NotReady(engine=spec.label, reason=state.reason, remedy=state.remedy, detail=state.detail)

    def _cannot_transcribe(self, spec: TranscriberSpec, source: str) -> CannotTranscribe:
        known = ", ".join(sorted(language(code).name for code in spec.languages(self.options[spec.name])))
        return CannotTranscribe(engine=spec.label, language=language(source).name, known=known)


S = TypeVar("S", TranscriberSpec, TranslatorSpec)


def _named(name: str, specs: Sequence[S]) -> Sequence[S]:
    found = [spec for spec in specs if name in {spec.name, AUTO}]
    if not found:
        raise UnknownEngine(engine=name, known=", ".join([AUTO, *(spec.name for spec in specs)]))
    return found


def _cannot_translate(spec: TranslatorSpec, source: str, target: str) -> CannotTranslate:
    return CannotTranslate(engine=spec.label, source=language(source).name, target=language(target).name)
