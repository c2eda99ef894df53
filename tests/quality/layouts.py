"""Words with times as cues of lines: by ours and by the writers of WhisperX, stable-ts and openai-whisper."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jobs.pipeline.protocols import Word
from jobs.pipeline.subtitles.segmentation import segment
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.line_breaking import wrap
from tests.quality.taggers import folder, module

LINE, LINES = 42, 2
SENTENCE_ENDS = (".", "!", "?", "؟", "…", '."', '!"', '?"', ".»", "؟»")
_CLAUSE_ENDS = (",", ";", ":", "،", "؛", "—")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A cue as it is shown: times in seconds, lines of text."""

    start: float
    end: float
    lines: tuple[str, ...]


def spoken(text: str, *, seed: int = 8) -> list[Word]:
    """The words of `text` as a person says them: 14 to 17 characters a second, changing by the sentence, with pauses of
    0.15 to 0.35 s after clauses and 0.4 to 0.9 s after sentences."""
    chance = random.Random(seed)
    words, at, rate = [], 0.5, 15.0
    for word in text.split():
        end = at + (len(word) + 1) / rate
        words.append(Word(text=word, start=round(at, 3), end=round(end, 3)))
        at = end
        if word.endswith(SENTENCE_ENDS):
            at, rate = end + chance.uniform(0.4, 0.9), chance.uniform(14.0, 17.0)
        elif word.endswith(_CLAUSE_ENDS):
            at = end + chance.uniform(0.15, 0.35)
    return words


def ours(words: Sequence[Word], code: str) -> list[Shown]:
    """Our cues, in the lines that files and pictures get."""
    own = language(code)
    return [
        Shown(start=cue.start, end=cue.end, lines=tuple(wrap(cue.source, own).split("\n")))
        for cue in segment(words, own)
    ]


def whisperx(words: Sequence[Word], code: str) -> list[Shown]:
    """WhisperX's writer of SRT with lines of 42 characters, two a cue."""
    from whisperx.utils import WriteSRT

    options = {"max_line_width": LINE, "max_line_count": LINES, "highlight_words": False}
    found = WriteSRT(".").iterate_result({"language": code, "segments": _segments(words, "")}, options)
    return [_shown(*cue) for cue in found]


def openai_whisper(words: Sequence[Word], code: str) -> list[Shown]:
    """The writer of SRT of openai-whisper with lines of 42 characters, two a cue."""
    writer = module(folder("whisper") / "utils.py").WriteSRT(".")
    result = {"language": code, "segments": _segments(words, " ")}
    return [_shown(*cue) for cue in writer.iterate_result(result, max_line_width=LINE, max_line_count=LINES)]


def stable_ts(words: Sequence[Word], code: str) -> list[Shown]:
    """stable-ts with segments of 42 characters at most, which have one line each."""
    result = _stable_whisper().WhisperResult({"language": code, "segments": _segments(words, " ")})
    result.split_by_length(max_chars=LINE)
    return [Shown(start=one.start, end=one.end, lines=(one.text.strip(),)) for one in result.segments]


PEERS: Mapping[str, Callable[[Sequence[Word], str], list[Shown]]] = {
    "whisperx 42x2": whisperx,
    "stable-ts split 42": stable_ts,
    "openai-whisper 42x2": openai_whisper,
}


def _stable_whisper() -> Any:
    """The package, told that there is no openai-whisper: of that only one file can be used (see requirements)."""
    kept = sys.modules.get("whisper")
    sys.modules["whisper"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("stable_whisper")
    finally:
        del sys.modules["whisper"]
        if kept is not None:
            sys.modules["whisper"] = kept


def _segments(words: Sequence[Word], space: str) -> list[dict[str, Any]]:
    """The words in the form of recognisers: a segment a sentence; `space` begins each word."""
    found: list[dict[str, Any]] = []
    for run in sentences(words):
        timed = [{"word": space + one.text, "start": one.start, "end": one.end, "probability": 1.0} for one in run]
        text = space + " ".join(one.text for one in run)
        found.append({"start": run[0].start, "end": run[-1].end, "text": text, "words": timed})
    return found


def sentences(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The words in runs that end with a sentence."""
    ends = [at for at, word in enumerate(words, start=1) if word.text.endswith(SENTENCE_ENDS)]
    for first, last in pairwise(dict.fromkeys([0, *ends, len(words)])):
        yield words[first:last]


def _shown(start: str, end: str, text: str) -> Shown:
    return Shown(start=_seconds(start), end=_seconds(end), lines=tuple(line.strip() for line in text.split("\n")))


def _seconds(clock: str) -> float:
    total = 0.0
    for part in clock.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total
