"""The engines there are. The order is that of `auto`: the first that is ready and can do the languages is taken."""

from __future__ import annotations

from jobs.engines import apertium, gemini, openai_compatible, pocketsphinx, whisperx
from jobs.engines.spec import Spec, TranscriberSpec, TranslatorSpec

TRANSCRIBERS: tuple[TranscriberSpec, ...] = (whisperx.ENGINE, pocketsphinx.ENGINE)
TRANSLATORS: tuple[TranslatorSpec, ...] = (gemini.ENGINE, openai_compatible.ENGINE, apertium.ENGINE)
SPECS: tuple[Spec, ...] = (*TRANSCRIBERS, *TRANSLATORS)
