"""The list of all engines, in the order in which `auto` tries them: the first that is ready and fits is used."""

from __future__ import annotations

from jobs.engines import apertium
from jobs.engines.gemini import spec as gemini
from jobs.engines.openai_compatible import spec as openai_compatible
from jobs.engines.pocketsphinx import spec as pocketsphinx
from jobs.engines.pyannote import spec as pyannote
from jobs.engines.senko import spec as senko
from jobs.engines.spec import DiarizerSpec, Spec, TranscriberSpec, TranslatorSpec
from jobs.engines.whisperx import spec as whisperx

TRANSCRIBERS: tuple[TranscriberSpec, ...] = (whisperx.ENGINE, pocketsphinx.ENGINE)
TRANSLATORS: tuple[TranslatorSpec, ...] = (gemini.ENGINE, openai_compatible.ENGINE, apertium.ENGINE)
DIARIZERS: tuple[DiarizerSpec, ...] = (pyannote.ENGINE, senko.ENGINE)
SPECS: tuple[Spec, ...] = (*TRANSCRIBERS, *TRANSLATORS, *DIARIZERS)
