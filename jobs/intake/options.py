"""The options of a job, as they are stored with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from jobs.engines.selection import Engines
from jobs.pipeline.errors import NoVideoStream
from jobs.pipeline.media.streams import Media
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process.messages import from_builtins, to_builtins
from jobs.pipeline.protocols import Brief, Formality, Mode
from jobs.pipeline.speech.speakers import Speakers
from jobs.pipeline.stage import Stage
from jobs.pipeline.stages.translate import is_captions
from jobs.pipeline.stages.words import AUTO, SPEECH, SUBTITLES, Wish, wish_of
from jobs.pipeline.subtitles.style import Style
from jobs.pipeline.text.languages import language


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOptions:
    """The options of a job. `target` and `spoken` are language codes; `spoken` is None when the language is to be
    detected. `brought`: the text comes from the owner's own subtitles, in `spoken`. Engines are names or `auto`.
    `whole_subtitles`: those that do not fit two lines are not divided in time; `unrepaired_subtitles`: neither their
    letters nor their punctuation are repaired.
    `audio_track` is the number or the language of the audio track to transcribe; empty: chosen automatically. `words`
    says whether subtitles that are there already take the place of recognition (see `stages.words`). `notes` are
    remarks on terms of the glossary. `reads_first`: the translator makes a brief of the whole transcript before it
    translates; `careful`: it revises what it translates.
    """

    target: str
    spoken: str | None = None
    brought: bool = False
    whole_subtitles: bool = False
    unrepaired_subtitles: bool = False
    style: Style = Style()
    bilingual: bool = False
    mode: Mode = "burn"
    formality: Formality = "auto"
    glossary: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    topic: str = ""
    reads_first: bool = False
    careful: bool = False
    transcriber: str = "auto"
    translator: str = "auto"
    speakers: Speakers = "off"
    cookies: Path | None = None
    audio_track: str = ""
    words: str = AUTO

    @property
    def told_apart(self) -> Speakers:
        """Whether speakers are told apart: colours for them need it, too."""
        coloured = self.style.colours == "speaker-colours"
        return "auto" if coloured and self.speakers == "off" else self.speakers

    @property
    def wish(self) -> Wish:
        """The source of the words. Speakers are told apart by their voices, so they need speech."""
        wish = wish_of(self.words)
        needs_speech = wish.mode == AUTO and self.told_apart != "off"
        return Wish(mode=SPEECH) if needs_speech else wish

    @property
    def needs_speech(self) -> bool:
        """Whether speech may have to be recognised."""
        return not self.brought and self.wish.mode != SUBTITLES

    def as_json(self) -> dict[str, Any]:
        """The options as JSON values; `options_of` reads them."""
        found: dict[str, Any] = to_builtins(self)
        return found


def options_of(stored: dict[str, Any]) -> JobOptions:
    """The options from JSON values made by `as_json`."""
    return from_builtins(JobOptions, stored)


def audio_track(given: str) -> str:
    """The choice of an audio track as it is stored: a number from 1 on, or a language code; empty for none.

    Raises UnknownLanguage.
    """
    given = given.strip()
    number = int(given) if given.isdecimal() else 0
    return str(number) if number else language(given).code if given else ""


def stages_of(options: JobOptions) -> list[Stage]:
    """The stages that a job with these options needs. `translate` may be removed later, when recognition finds that
    the speech is in the target language.
    """
    without = set() if options.needs_speech else {Stage.TRANSCRIBE}
    without |= {Stage.TRANSLATE} if is_in_target(options, known_language(options)) else set()
    without |= {Stage.RENDER} if options.mode == "none" else set()
    return [stage for stage in Stage if stage not in without]


def known_language(options: JobOptions) -> str:
    """The language code of the speech, or of the owner's own subtitles; empty: not known yet, as that of subtitles that
    are to be found.
    """
    if not options.brought and not options.needs_speech:
        return ""
    return options.spoken or (options.target if options.brought else "")


def is_in_target(options: JobOptions, spoken: str) -> bool:
    """Whether text in the language `spoken` needs no translation."""
    return bool(spoken) and is_captions(Brief(source=spoken, target=options.target))


def untranslated_note(options: JobOptions, *, heard: bool) -> dict[str, Any]:
    """The note for a job whose text is in the target language: a NoteCode and its parameters. `heard`: the text is of
    recognised speech.
    """
    code = NoteCode.SPEECH_IN_TARGET if heard else NoteCode.SUBTITLES_IN_TARGET
    return {"code": code, "params": {"language": language(options.target).name}}


def engines_of(options: JobOptions) -> Engines:
    """The choice of engines for these options, with the engine options of the settings."""
    return Engines(transcriber=options.transcriber, translator=options.translator, options=settings.ENGINE_OPTIONS)


def mode_of(options: JobOptions, media: Media) -> Mode:
    """The render mode for `media`: `none` for sound without a picture. Raises NoVideoStream for mode `soft`."""
    if media.video or options.mode == "none":
        return options.mode
    if options.mode == "soft":
        raise NoVideoStream(name=media.name)
    return "none"
