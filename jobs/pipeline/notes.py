"""Notes of a job: remarks that are not errors, stored as a code with parameters."""

from __future__ import annotations

from enum import StrEnum

from jobs.pipeline.gettext_marker import _


class NoteCode(StrEnum):
    """Code of a note, as stored in the database."""

    SPEECH_IN_TARGET = "speech_in_target"
    SUBTITLES_IN_TARGET = "subtitles_in_target"
    SOUND_ONLY = "sound_only"


SENTENCES = {
    NoteCode.SPEECH_IN_TARGET: _("The speech is already in {language}, so translation was skipped."),
    NoteCode.SUBTITLES_IN_TARGET: _("The subtitles are already in {language}, so translation was skipped."),
    NoteCode.SOUND_ONLY: _("The file contains only sound, so only subtitles are made."),
}
"""Templates of the sentences, marked for the catalogue; `{language}` is an English name, which is translated too."""


def template(code: str) -> str:
    """The template of a note's sentence; an unknown code, as of another version, is returned with escaped braces."""
    return SENTENCES[NoteCode(code)] if code in list(NoteCode) else code.replace("{", "{{").replace("}", "}}")
