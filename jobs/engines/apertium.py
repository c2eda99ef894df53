"""Apertium, the rule-based translator, as Debian packages it: no key, no download, demo quality.

The `apertium` command reads text and writes text. Sentences are put together from their cues before, since grammar
needs them whole, and divided again after.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from jobs.engines.llm.answers import may_stay, same
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.errors import CannotTranslate, EngineError, NotReady
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.media.ffmpeg import dying_with_us
from jobs.pipeline.protocols import Batch, Brief, Line, Readiness, Translation
from jobs.pipeline.text.languages import Language, language
from jobs.pipeline.text.sentence_split import divide, sentences

_CODES = {
    "af": "afr", "an": "arg", "ar": "ara", "be": "bel", "bg": "bul", "br": "bre", "ca": "cat", "cs": "ces",
    "cy": "cym", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "eo": "epo", "es": "spa", "eu": "eus",
    "fa": "fas", "fi": "fin", "fr": "fra", "gl": "glg", "hi": "hin", "hr": "hbs_HR", "id": "ind", "is": "isl",
    "it": "ita", "kk": "kaz", "mk": "mkd", "ms": "msa", "mt": "mlt", "nb": "nob", "nl": "nld", "nn": "nno",
    "no": "nob", "oc": "oci", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sc": "srd", "sl": "slv",
    "sr": "hbs_SR", "sv": "swe", "tr": "tur", "tt": "tat", "uk": "ukr", "ur": "urd",
}  # fmt: skip
"""Our codes to Apertium's, which are of ISO 639-3; old pairs are named by two letters as well."""

_SENTENCES = 100
"""Sentences a call: starting the command takes about 0.3 s, each sentence about a millisecond."""

_SECONDS = 120.0
"""After which a call has hung: 100 sentences take half a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    command: str = field(default="apertium", metadata={"help": "The apertium command, or its path."})


class Apertium:
    """Implements protocols.Translator."""

    name = "apertium"

    def __init__(self, options: Options) -> None:
        state = readiness(options)
        if not state.ready:
            raise NotReady(engine=ENGINE.label, reason=state.reason, remedy=state.remedy)
        self._command = options.command

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        """Raises CannotTranslate for a pair that is not installed, EngineError when the command fails."""
        source, target = language(brief.source), language(brief.target)
        pair = _pair(self._command, brief.source, brief.target)
        if pair is None:
            raise CannotTranslate(engine=ENGINE.label, source=source.name, target=target.name)
        todo = iter([run for run in sentences(lines) if any(line.id not in done for line in run)])
        while some := list(islice(todo, _SENTENCES)):
            texts = self._run(pair, [_whole(run) for run in some])
            answers = [answer for run, text in zip(some, texts, strict=True) for answer in _answers(run, text, target)]
            yield Batch(translations=tuple(answer for answer in answers if answer.id not in done))

    def _run(self, pair: str, texts: Sequence[str]) -> list[str]:
        """One text out for each text in: both are lines, and `-f line` keeps their number."""
        try:
            ended = subprocess.run(
                dying_with_us([self._command, "-u", "-f", "line", pair]),
                input="\n".join(texts) + "\n",
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(engine=ENGINE.label, detail=str(error)) from None
        found = ended.stdout.removesuffix("\n").split("\n")
        if ended.returncode or len(found) != len(texts):
            raise EngineError(engine=ENGINE.label, detail=ended.stderr[-500:] or f"{len(found)} lines of {len(texts)}")
        return found


def _answers(run: Sequence[Line], text: str, target: Language) -> Iterator[Translation]:
    """`text`, the translation of the sentence that `run` makes, over its lines. Words it did not know stay as they are;
    a sentence of nothing else is no translation."""
    text = _ended(" ".join(text.split()), _whole(run))
    if not text or (same(_whole(run), text) and not may_stay(text, target)):
        yield from (Translation(id=line.id, text="", flags=("untranslated",)) for line in run)
        return
    parts = divide(text, [len(line.text) for line in run], target)
    yield from (Translation(id=line.id, text=part) for line, part in zip(run, parts, strict=True))


def _ended(text: str, source: str) -> str:
    """`text` with the full stop that `-f line` takes for an artefact of its own and drops."""
    return f"{text}." if text and source.endswith(".") and not text.endswith(".") else text


def _whole(run: Sequence[Line]) -> str:
    return " ".join(" ".join(line.text for line in run).split())


@cache
def _pairs(command: str) -> frozenset[str]:
    """The pairs that are installed, such as `eng-spa`. Raises OSError where there is no such command."""
    ended = subprocess.run(
        dying_with_us([command, "-l"]), capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    return frozenset(ended.stdout.split())


def _pair(command: str, source: str, target: str) -> str | None:
    installed = _pairs(command)
    names = (f"{one}-{other}" for one in _names(source) for other in _names(target))
    return next((name for name in names if name in installed), None)


def _names(code: str) -> list[str]:
    """What Apertium may call a language, the most exact name first."""
    primary, _, region = language(code).code.partition("-")
    long = _CODES.get(primary, primary)
    exact = [f"{long}_{region}"] if region else []
    return [*exact, long, long.split("_")[0], primary]


def readiness(options: Options) -> Readiness:
    remedy = "apt install apertium apertium-eng-spa"
    if shutil.which(options.command) is None:
        return Readiness(ready=False, reason=_("Apertium is not installed."), remedy=remedy)
    if not _pairs(options.command):
        return Readiness(ready=False, reason=_("Apertium has no languages installed."), remedy=remedy)
    return Readiness(ready=True, detail=", ".join(sorted(_pairs(options.command))))


def _can(options: Options, source: str, target: str) -> bool:
    return readiness(options).ready and _pair(options.command, source, target) is not None


ENGINE = TranslatorSpec(
    name="apertium",
    label="Apertium",
    options=Options,
    readiness=readiness,
    can=_can,
    create=Apertium,
    demo=True,
)
