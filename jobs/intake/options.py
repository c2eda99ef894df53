"""What a person asks for, as it is kept with the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from jobs.engines.selection import Engines
from jobs.pipeline.errors import NoVideoStream
from jobs.pipeline.media.description import Media
from jobs.pipeline.process.messages import plain, shaped
from jobs.pipeline.protocols import Formality, Mode
from jobs.pipeline.stage import Stage
from jobs.pipeline.subtitles.style import Style


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOptions:
    """`target` and `spoken` are codes; `spoken` is None where the language is to be told. `brought`: the words come
    from subtitles of the person, in `spoken`. Engines are names or `auto`.
    """

    target: str
    spoken: str | None = None
    brought: bool = False
    style: Style = Style()
    bilingual: bool = False
    mode: Mode = "burn"
    formality: Formality = "auto"
    glossary: tuple[tuple[str, str], ...] = ()
    topic: str = ""
    transcriber: str = "auto"
    translator: str = "auto"
    cookies: Path | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(self)
        return found


def options_of(stored: dict[str, Any]) -> JobOptions:
    """The options that `as_json` gave."""
    return shaped(JobOptions, stored)


def stages_of(options: JobOptions) -> list[Stage]:
    """The stages that a job with this options goes through."""
    without = {Stage.TRANSCRIBE} if options.brought else set()
    without |= {Stage.RENDER} if options.mode == "none" else set()
    return [stage for stage in Stage if stage not in without]


def engines_of(options: JobOptions) -> Engines:
    return Engines(transcriber=options.transcriber, translator=options.translator, options=settings.ENGINE_OPTIONS)


def mode_of(options: JobOptions, media: Media) -> Mode:
    """What can be rendered: of sound alone, subtitles. Raises NoVideoStream."""
    if media.video or options.mode == "none":
        return options.mode
    if options.mode == "soft":
        raise NoVideoStream(name=media.name)
    return "none"
