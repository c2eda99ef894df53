"""Error rates, loops, pieces, CPU time and memory of ours next to the bare engines, file by file in turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tests.quality.engines import REFERENCES, Heard, Session
from tests.quality.material import LANGUAGES, VOICES, Clip, long_form, made, recordings
from tests.quality.rows import Row, at_most, info
from tests.quality.scoring import Errors, character_errors, loops, normalise, word_errors

SECTION = "recognition"
WORSE = 0.5
"""Points of WER by which ours may be worse than the better reference, per language."""
GROSSLY_WORSE = 5.0
"""The same in the short form, whose few words make a single one count for a point."""

Answers = dict[str, list[tuple[Clip, Heard]]]


def measure(session: Session) -> list[Row]:
    """Measure the speech set; its short form is two recordings, and ours against WhisperX."""
    session.rest()
    engines = ("ours", "whisperx") if session.quick else ("ours", *REFERENCES)
    answers: Answers = defaultdict(list)
    for clip in _clips(quick=session.quick):
        for name, heard in session.in_turns(clip, engines).items():
            answers[name].append((clip, heard))
    allowed = GROSSLY_WORSE if session.quick else WORSE
    rows = [row for language in _languages(answers) for row in _error_rates(answers, language, allowed)]
    return [*rows, *_loops(answers), *_costs(answers, quick=session.quick)]


def _clips(*, quick: bool) -> list[Clip]:
    if quick:
        return [clip for clip in recordings() if clip.name in ("jfk", "sonnet1")]
    return [
        *recordings(),
        *(made(language, voice=voice) for language in LANGUAGES for voice in VOICES),
        long_form("en", 600.0),
    ]


def _languages(answers: Answers) -> list[str]:
    return list(dict.fromkeys(clip.language for clip, _ in answers["ours"]))


def _error_rates(answers: Answers, language: str, allowed: float) -> list[Row]:
    words = {name: _sum(word_errors, found, language).percent for name, found in answers.items()}
    characters = {name: _sum(character_errors, found, language).percent for name, found in answers.items()}
    best = min(rate for name, rate in words.items() if name != "ours")
    return [
        *(info(SECTION, f"WER {language}, {name} (%)", rate) for name, rate in words.items()),
        *(info(SECTION, f"CER {language}, {name} (%)", rate) for name, rate in characters.items()),
        at_most(SECTION, f"WER {language}, ours minus the best (points)", words["ours"] - best, allowed),
    ]


def _sum(count: object, found: Sequence[tuple[Clip, Heard]], language: str) -> Errors:
    assert callable(count)
    total = Errors(errors=0, length=0)
    for clip, heard in found:
        if clip.language == language:
            total += count(clip.text, heard.text)
    return total


def _loops(answers: Answers) -> list[Row]:
    rows = [
        info(SECTION, f"words in loops, {name}", sum(looped(clip, heard) for clip, heard in found))
        for name, found in answers.items()
    ]
    unflagged = sum(looped(clip, heard, unflagged=True) for clip, heard in answers["ours"])
    return [*rows, at_most(SECTION, "words in loops, ours, not flagged", unflagged, 0)]


def looped(clip: Clip, heard: Heard, *, unflagged: bool = False) -> int:
    """Words in later turns of loops that the speech lacks; with `unflagged` only those of cues without `unsure`."""
    words = [(word, bool(one.get("unsure"))) for one in heard.texts for word in normalise(one["text"])]
    said = sum(loops(normalise(clip.text)))
    marked = zip(loops([word for word, _ in words]), (unsure for _, unsure in words), strict=True)
    return max(0, sum(loop and not (unflagged and unsure) for loop, unsure in marked) - said)


def _costs(answers: Answers, *, quick: bool) -> list[Row]:
    cpu = {name: sum(heard.cpu for _, heard in found) for name, found in answers.items()}
    pieces = {name: sum(heard.pieces for _, heard in found) for name, found in answers.items()}
    seconds = sum(clip.seconds for clip, _ in answers["ours"])
    rows = [info(SECTION, "seconds of sound", seconds)]
    rows += [info(SECTION, f"CPU, {name} (s)", used) for name, used in cpu.items()]
    rows += [info(SECTION, f"pieces decoded, {name}", count) for name, count in pieces.items()]
    rows += [info(SECTION, f"peak memory, {name} (MB)", found[-1][1].peak) for name, found in answers.items()]
    if quick:  # a few short files say little about costs
        return rows
    return [
        *rows,
        at_most(SECTION, "CPU, ours to WhisperX's", cpu["ours"] / cpu["whisperx"], 1.05),
        at_most(SECTION, "pieces decoded, ours to WhisperX's", pieces["ours"] / pieces["whisperx"], 1.1),
    ]
