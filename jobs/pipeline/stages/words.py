"""The option of a job that says where its words come from: speech, or subtitles that are there already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.pipeline.download.offered import CaptionWish
from jobs.pipeline.errors import BadWords, UnknownLanguage
from jobs.pipeline.text.languages import language

Mode = Literal["auto", "speech", "subtitles"]

AUTO: Mode = "auto"
SPEECH: Mode = "speech"
SUBTITLES: Mode = "subtitles"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """The source of the words of a job: subtitles if they can be trusted, else speech (`auto`); always speech; always
    subtitles, with the number or the language of the `track`, or empty.
    """

    mode: Mode
    track: str = ""

    def as_option(self) -> str:
        """The option that states this wish: `wish_of` reads it."""
        return f"{self.mode}:{self.track}" if self.track else self.mode

    def captions(self, target: str) -> CaptionWish:
        """The captions of a site that this asks for. `target` is the code of the language of the result."""
        if self.mode == "speech" or self.track.isdecimal():
            return CaptionWish()
        return CaptionWish(kind="people" if self.mode == "auto" else "any", language=self.track, target=target)


def wish_of(words: str) -> Wish:
    """The wish that an option states: `auto`, `speech`, `subtitles`, or `subtitles:TRACK`. Raises BadWords."""
    mode, colon, track = (part.strip() for part in words.partition(":"))
    mode = mode.lower() or AUTO
    if (colon and (mode != SUBTITLES or not track)) or mode not in {AUTO, SPEECH, SUBTITLES}:
        raise BadWords(words=words)
    if track.isdecimal():
        track = str(int(track))
    elif track:
        try:
            track = language(track).code
        except UnknownLanguage:
            raise BadWords(words=words) from None
    return Wish(mode=mode, track=track)


def parse_words(given: str) -> str:
    """The option as it is stored, with the language of a track as a code. Raises BadWords."""
    return wish_of(given).as_option()
