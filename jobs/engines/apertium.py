"""Apertium, the rule-based translator, as Debian packages it: no key, no download, demo quality.

The `apertium` command reads and writes text. The lines of a sentence are joined before the call, because grammar needs
whole sentences, and the translation is split over the same lines afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, islice

from jobs.engines.llm.answers import is_echo, may_stay_untranslated
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.errors import CannotTranslate, EngineError, NotReady
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.media.ffmpeg import dying_with_us
from jobs.pipeline.protocols import Batch, Brief, Line, Readiness, Translation
from jobs.pipeline.text.languages import Language, language
from jobs.pipeline.text.sentence_split import sentences, split_by_shares

_CODES = {
    "af": "afr", "an": "arg", "ar": "ara", "be": "bel", "bg": "bul", "br": "bre", "ca": "cat", "cs": "ces",
    "cy": "cym", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "eo": "epo", "es": "spa", "eu": "eus",
    "fa": "fas", "fi": "fin", "fr": "fra", "gl": "glg", "hi": "hin", "hr": "hbs_HR", "id": "ind", "is": "isl",
    "it": "ita", "kk": "kaz", "mk": "mkd", "ms": "msa", "mt": "mlt", "nb": "nob", "nl": "nld", "nn": "nno",
    "no": "nob", "oc": "oci", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sc": "srd", "sl": "slv",
    "sr": "hbs_SR", "sv": "swe", "tr": "tur", "tt": "tat", "uk": "ukr", "ur": "urd",
}  # fmt: skip
"""Language codes (ISO 639-1) to Apertium's (ISO 639-3); its old pairs are named by two letters as well."""

_SENTENCES = 100
"""Sentences per call: starting the command takes about 0.3 s, each sentence about a millisecond."""

_CALL_TIMEOUT = 120.0
"""Seconds after which a call is ended as hung: 100 sentences take half a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Settings of the engine."""

    command: str = field(default="apertium", metadata={"help": "The apertium command, or its path."})


class Apertium:
    """The translator (see protocols.Translator). Raises NotReady when it is made without Apertium."""

    name = "apertium"

    def __init__(self, options: Options) -> None:
        state = readiness(options)
        if not state.ready:
            raise NotReady(engine=ENGINE.label, reason=state.reason, remedy=state.remedy)
        self._command = options.command
        self._said = ""

    def translate(self, lines: Sequence[Line], brief: Brief, done: Mapping[int, str]) -> Iterator[Batch]:
        """Translate whole sentences that hold a line not in `done`, 100 sentences per batch. Lines in a language from
        which no pair is installed are flagged `untranslated`.

        Raises CannotTranslate for a pair that is not installed, EngineError when the command fails.
        """
        source, target = language(brief.source), language(brief.target)
        if _pair(self._command, brief.source, brief.target) is None:
            raise CannotTranslate(engine=ENGINE.label, source=source.name, target=target.name)
        todo = [run for run in sentences(lines) if any(line.id not in done for line in run)]
        for code, group in groupby(todo, key=lambda run: run[0].language or brief.source):
            pair, runs = _pair(self._command, code, brief.target), iter(group)
            while some := list(islice(runs, _SENTENCES)):
                texts = self._run(pair, [_sentence(run) for run in some]) if pair else [""] * len(some)
                answers = [
                    answer for run, text in zip(some, texts, strict=True) for answer in _answers(run, text, target)
                ]
                yield Batch(translations=tuple(answer for answer in answers if answer.id not in done))

    def _run(self, pair: str, texts: Sequence[str]) -> list[str]:
        """Translate each text. Some pairs join lines that have certain signs, or fail at them: then each sentence is
        translated by itself, and one that fails even so has no text. Raises EngineError if all of them fail.
        """
        found = self._lines(pair, texts)
        if found is None or len(found) != len(texts):
            alone = [self._lines(pair, [text]) for text in texts]
            said = [[line for line in lines or () if line.strip()] for lines in alone]
            found = [lines[0] if len(lines) == 1 else "" for lines in said]
            if not any(found):
                raise EngineError(engine=ENGINE.label, detail=self._said or "The command returned no fitting lines.")
        return found

    def _lines(self, pair: str, texts: Sequence[str]) -> list[str] | None:
        """Call the command with one text a line: `-f line` keeps the number of lines, mostly. None if it fails."""
        try:
            ended = subprocess.run(
                dying_with_us([self._command, "-u", "-f", "line", pair]),
                input="\n".join(texts) + "\n",
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=_CALL_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(engine=ENGINE.label, detail=str(error)) from None
        self._said = ended.stderr[-500:]
        return None if ended.returncode else ended.stdout.removesuffix("\n").split("\n")


def _answers(run: Sequence[Line], text: str, target: Language) -> Iterator[Translation]:
    """Split `text`, the translation of the sentence in `run`, over its lines.

    Apertium repeats words that it does not know: a sentence that comes back unchanged is flagged `untranslated`.
    """
    text = _with_full_stop(" ".join(text.split()), _sentence(run))
    if not text or (is_echo(_sentence(run), text) and not may_stay_untranslated(text, target)):
        yield from (Translation(id=line.id, text="", flags=("untranslated",)) for line in run)
        return
    parts = split_by_shares(text, [len(line.text) for line in run], target)
    yield from (Translation(id=line.id, text=part) for line, part in zip(run, parts, strict=True))


def _with_full_stop(text: str, source: str) -> str:
    """Restore the full stop at the end, which `-f line` drops."""
    return f"{text}." if text and source.endswith(".") and not text.endswith(".") else text


def _sentence(run: Sequence[Line]) -> str:
    return " ".join(" ".join(line.text for line in run).split())


@cache
def _pairs(command: str) -> frozenset[str]:
    """Names of the installed pairs, such as `eng-spa`. Raises OSError when the command does not exist."""
    ended = subprocess.run(
        dying_with_us([command, "-l"]), capture_output=True, text=True, timeout=_CALL_TIMEOUT, check=False
    )
    return frozenset(ended.stdout.split())


def _pair(command: str, source: str, target: str) -> str | None:
    installed = _pairs(command)
    names = (f"{one}-{other}" for one in _names(source) for other in _names(target))
    return next((name for name in names if name in installed), None)


def _names(code: str) -> list[str]:
    """Apertium's possible names of a language, the most exact first."""
    primary, _, region = language(code).code.partition("-")
    long = _CODES.get(primary, primary)
    exact = [f"{long}_{region}"] if region else []
    return [*exact, long, long.split("_")[0], primary]


def readiness(options: Options) -> Readiness:
    """Check that the command and at least one pair of languages are installed."""
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
