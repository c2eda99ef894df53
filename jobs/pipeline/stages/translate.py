"""The translate stage: cues to translated cues, batch by batch.

Every cue ends with a text or with a flag that names the reason, whatever the translator returns, and no cue gets the
text of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.pipeline.errors import NothingTranslated
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
from jobs.pipeline.subtitles.cue import Cue, budget, capacity
from jobs.pipeline.text.display_width import width
from jobs.pipeline.text.languages import Language, language
from jobs.pipeline.text.phrases import ends_sentence
from jobs.pipeline.text.terms import Violation, misused

_FREE = Usage()

_LONG_GAP = 1.0
"""Seconds between two cues that end a sentence even in text with punctuation: a pause of 1.5 s, for half a second of
which the first cue stays on the screen."""

_SHORT_GAP = 0.2
"""Seconds between two cues that end a sentence in text without punctuation, as some recognisers write it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Translated:
    """Some cues with their translation, and the tokens used for it."""

    cues: tuple[Cue, ...]
    usage: Usage = _FREE


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

    Each of them is yielded exactly once. If source and target are one language (see `is_captions`) the translator is
    not called, may be None, and the source becomes the target. Raises what the translator raises, after all that it
    answered, and NothingTranslated if it returned no text for any cue.
    """
    done = done or {}
    wanted = {cue.id: cue for cue in cues if cue.id not in done}
    if translator is None or is_captions(brief):
        yield Translated(cues=tuple(replace(cue, target=cue.source) for cue in wanted.values()))
        progress(1.0)
        return
    left = dict(wanted)
    has_text = any(done.values())
    texts = dict(done)
    asked = lines(cues, target, brief.source)
    for batch in translator.translate(asked, brief, done):
        texts |= {translation.id: translation.text for translation in batch.translations if translation.id in left}
        answered = _with_glossary(_answered(batch, left, target), misused(asked, texts, brief))
        has_text = has_text or any(cue.target or "capped" in cue.flags for cue in answered)
        yield Translated(cues=answered, usage=batch.usage)
        progress(1 - len(left) / len(wanted) if wanted else 1.0)
    if wanted and not has_text:
        raise NothingTranslated(engine=translator.name)
    if left:
        yield Translated(
            cues=tuple(translated_cue(cue, Translation(id=cue.id, text=""), target) for cue in left.values())
        )
    progress(1.0)


def is_captions(brief: Brief) -> bool:
    """Tell whether source and target are the same language in the same script, in any country."""
    source, target = language(brief.source), language(brief.target)
    return (source.code.split("-")[0], source.script) == (target.code.split("-")[0], target.script)


def lines(cues: Sequence[Cue], target: Language, source: str = "") -> list[Line]:
    """Convert cues to lines for a translator: text on one line, its budget in `target`, ends of sentences, and the
    language of those that are not in `source`.
    """
    punctuated = any(ends_sentence(cue.source) for cue in cues)
    gap = _LONG_GAP if punctuated else _SHORT_GAP
    return [
        Line(
            id=cue.id,
            text=" ".join(cue.source.split()),
            budget=budget(cue, target),
            ends_sentence=ends_sentence(cue.source) or following is None or _part(cue, following, gap),
            language=cue.language if cue.language != source else "",
        )
        for cue, following in zip(cues, [*cues, None][1:], strict=True)
    ]


def _with_glossary(cues: Sequence[Cue], wrong: Mapping[int, Sequence[Violation]]) -> tuple[Cue, ...]:
    """The cues with a flag for those in which the glossary is not kept."""
    return tuple(
        replace(cue, flags=tuple(dict.fromkeys([*cue.flags, "glossary"]))) if cue.id in wrong and cue.target else cue
        for cue in cues
    )


def _answered(batch: Batch, left: dict[int, Cue], target: Language) -> tuple[Cue, ...]:
    """The cues that `batch` answers, removed from `left`. Unknown and repeated ids are ignored."""
    return tuple(
        translated_cue(left.pop(translation.id), translation, target)
        for translation in batch.translations
        if translation.id in left
    )


def translated_cue(cue: Cue, answer: Translation, target: Language) -> Cue:
    """The cue with its translation, and with the flags that follow from it."""
    flags = [*answer.flags]
    if not answer.text.strip() and not flags:
        flags.append("untranslated")
    if answer.text and width(answer.text, target) > capacity(cue, target):
        flags.append("too_long")
    return replace(cue, target=answer.text.strip(), flags=tuple(dict.fromkeys([*cue.flags, *flags])))


def _part(cue: Cue, following: Cue, gap: float) -> bool:
    return following.start - cue.end >= gap or (cue.speaker, cue.language) != (following.speaker, following.language)
