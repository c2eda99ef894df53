"""Selection of a job's engines: the ones named, or the first that is ready and serves the languages.

Selection happens before any work and loads no model. A source language that is to be detected is None; the choice is
checked again when the language is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jobs.engines.registry import DIARIZERS, TRANSCRIBERS, TRANSLATORS
from jobs.engines.spec import DiarizerSpec, Spec, TranscriberSpec, TranslatorSpec
from jobs.pipeline.errors import CannotTranscribe, CannotTranslate, DemoSpeechOnly, NotReady, UnknownEngine
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.text.languages import language

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The configured engines: a name or `auto` for each role, and the options of every engine by its name."""

    transcriber: str
    translator: str
    options: Mapping[str, Any]

    def choose_transcriber(self, source: str | None) -> TranscriberSpec:
        """The speech engine for `source`: a language code, or None to let the engine detect it.

        Raises UnknownEngine, NotReady, CannotTranscribe.
        """
        candidates = _named(self.transcriber, TRANSCRIBERS)
        ready = [spec for spec in candidates if spec.readiness(self.options[spec.name]).ready]
        able = [spec for spec in ready if source is None or self._can_transcribe(spec, source)]
        if able:
            return able[0]
        if ready and source:
            self._refuse_not_ready([spec for spec in candidates if spec not in ready])
            raise self._cannot_transcribe(ready[0], source)
        self._refuse_not_ready(candidates)
        raise AssertionError("unreachable: some candidate was not ready")

    def choose_translator(self, source: str | None, target: str, transcriber: TranscriberSpec | None) -> TranslatorSpec:
        """The translation engine from `source` to `target` (codes); `transcriber` is None for uploaded subtitles.

        Raises UnknownEngine, NotReady, CannotTranslate, and DemoSpeechOnly when `auto` would pay for translating the
        transcript of the demo speech engine.
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

    def choose_diarizer(self) -> DiarizerSpec:
        """The first speaker engine that is ready. Raises NotReady, with what the last one, which is free, lacks."""
        for spec in DIARIZERS:
            if spec.readiness(self.options[spec.name]).ready:
                return spec
        self._refuse_not_ready(DIARIZERS[-1:])
        raise AssertionError("unreachable: the last engine was not ready")

    def _can_transcribe(self, spec: TranscriberSpec, source: str) -> bool:
        """Compare without the country, since engines know languages only: `pt`, not `pt-BR`."""
        return source.split("-")[0] in spec.languages(self.options[spec.name])

    def _sources(self, source: str | None, target: str, transcriber: TranscriberSpec | None) -> list[str]:
        """Languages that may have to be translated from: `source`, else those of the transcriber without the target."""
        if source or transcriber is None:
            return [source or "en"]
        known = transcriber.languages(self.options[transcriber.name])
        return sorted(known - {target}) or [target]

    def _refuse_not_ready(self, candidates: Sequence[Spec]) -> None:
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
