"""Notes of a job: things worth knowing that are no errors. Stored as a code; the sentence is looked up when read."""

from __future__ import annotations

from enum import StrEnum

from jobs.pipeline.gettext_marker import _


class NoteCode(StrEnum):
    """What a note says."""

    SPEECH_IN_TARGET = "speech_in_target"
    SUBTITLES_IN_TARGET = "subtitles_in_target"
    SOUND_ONLY = "sound_only"


SENTENCES = {
    NoteCode.SPEECH_IN_TARGET: _("The speech is already in {language}, so translation was skipped."),
    NoteCode.SUBTITLES_IN_TARGET: _("The subtitles are already in {language}, so translation was skipped."),
    NoteCode.SOUND_ONLY: _("The file contains only sound, so only subtitles are made."),
}
"""Templates for the catalogue, as those of errors are; `{language}` is an English name that is translated too."""


def template(code: str) -> str:
    """The sentence of a note with its parameters in braces; an unknown code, of another version, is shown as it is."""
    return SENTENCES[NoteCode(code)] if code in list(NoteCode) else code.replace("{", "{{").replace("}", "}}")
