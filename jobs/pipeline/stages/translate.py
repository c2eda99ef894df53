"""The translation stage: cues in, translated cues out, batch by batch.

Whatever the translator does, every cue it is given ends with a text or with a flag that says why not, and no cue ever
gets what belongs to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.pipeline.errors import BadGlossary, NoSuchFile, NotAFile, NothingTranslated
from jobs.pipeline.protocols import (
    Batch,
    Brief,
    Line,
    Progress,
    Translation,
    Translator,
    Usage,
    ignore_progress,
)
from jobs.pipeline.subtitles.segmentation import Cue, budget, capacity
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import Language, language
from jobs.pipeline.text.phrases import ends_sentence

_FREE = Usage()

_LONG_GAP = 1.0
"""Seconds between two cues that part sentences even where there is punctuation: a pause of 1.5 s, of which the first
cue stays half a second on the screen."""

_SHORT_GAP = 0.2
"""The same for recognisers that write no punctuation: their pauses are their sentences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Translated:
    """Some cues with their translation, and what it took. `captions` when source and target are one language."""

    cues: tuple[Cue, ...]
    usage: Usage = _FREE
    captions: bool = False


def translate(
    cues: Sequence[Cue],
    translator: Translator | None,
    brief: Brief,
    *,
    target: Language,
    done: Mapping[int, str] | None = None,
    progress: Progress = ignore_progress,
) -> Iterator[Translated]:
    """Translate those of `cues` whose id is not in `done`, which maps ids to texts of an earlier run.

    Each of them is given back exactly once. Without a language to translate into (see `is_captions`) the translator is
    not called, may be None, and the source is the target. Raises what the translator raises, after all it answered, and
    NothingTranslated when it has no text for any cue.
    """
    done = done or {}
    wanted = {cue.id: cue for cue in cues if cue.id not in done}
    if translator is None or is_captions(brief):
        yield Translated(cues=tuple(replace(cue, target=cue.source) for cue in wanted.values()), captions=True)
        progress(1.0)
        return
    left = dict(wanted)
    told = any(done.values())
    for batch in translator.translate(lines(cues, target), brief, done):
        answered = _answered(batch, left, target)
        told = told or any(cue.target or "capped" in cue.flags for cue in answered)
        yield Translated(cues=answered, usage=batch.usage)
        progress(1 - len(left) / len(wanted) if wanted else 1.0)
    if wanted and not told:
        raise NothingTranslated(engine=translator.name)
    if left:
        yield Translated(cues=tuple(_with(cue, Translation(id=cue.id, text=""), target) for cue in left.values()))
    progress(1.0)


def is_captions(brief: Brief) -> bool:
    """Whether source and target are the same language in the same script, in whatever country."""
    source, target = language(brief.source), language(brief.target)
    return (source.code.split("-")[0], source.script) == (target.code.split("-")[0], target.script)


def lines(cues: Sequence[Cue], target: Language) -> list[Line]:
    """What a translator is told of `cues`: text on one line, how much of `target` can be read, where sentences end."""
    punctuated = any(ends_sentence(cue.source) for cue in cues)
    gap = _LONG_GAP if punctuated else _SHORT_GAP
    return [
        Line(
            id=cue.id,
            text=" ".join(cue.source.split()),
            budget=budget(cue, target),
            ends_sentence=ends_sentence(cue.source) or following is None or _part(cue, following, gap),
        )
        for cue, following in zip(cues, [*cues, None][1:], strict=True)
    ]


def glossary(path: Path) -> tuple[tuple[str, str], ...]:
    """The terms of a file. Raises NoSuchFile, NotAFile, BadGlossary."""
    return terms(_lines_of(path), path.name)


def terms(lines: Iterable[str], name: str) -> tuple[tuple[str, str], ...]:
    """The terms of “term = translation” lines; blank lines and those that begin with # are skipped.

    A term that comes twice keeps its last translation. Raises BadGlossary, which says where it is in `name`.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        term, equals, translation = (part.strip() for part in line.partition("="))
        if not (term and equals and translation):
            raise BadGlossary(line=number, name=name)
        found[term] = translation
    return tuple(found.items())


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise NoSuchFile(path=str(path)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadGlossary(line=line, name=path.name, detail="The file is not UTF-8.") from None
    except OSError as error:
        raise NotAFile(path=str(path), detail=error.strerror or "") from None


def _answered(batch: Batch, left: dict[int, Cue], target: Language) -> tuple[Cue, ...]:
    """The cues that `batch` answers, taken out of `left`. An id that nobody asked for, or again, is not listened to."""
    return tuple(
        _with(left.pop(translation.id), translation, target)
        for translation in batch.translations
        if translation.id in left
    )


def _with(cue: Cue, answer: Translation, target: Language) -> Cue:
    flags = [*answer.flags]
    if not answer.text.strip() and not flags:
        flags.append("untranslated")
    if answer.text and width(answer.text, target) > capacity(cue, target):
        flags.append("too_long")
    return replace(cue, target=answer.text.strip(), flags=tuple(dict.fromkeys([*cue.flags, *flags])))


def _part(cue: Cue, following: Cue, gap: float) -> bool:
    return following.start - cue.end >= gap or cue.speaker != following.speaker
