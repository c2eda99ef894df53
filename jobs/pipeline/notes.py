"""Notes of a job: remarks that are not errors, stored as a code with parameters."""

from __future__ import annotations

from enum import StrEnum

from jobs.pipeline.gettext_marker import _


class NoteCode(StrEnum):
    """Code of a note, as stored in the database."""

    SPEECH_IN_TARGET = "speech_in_target"
    SUBTITLES_IN_TARGET = "subtitles_in_target"
    SOUND_ONLY = "sound_only"
    SPEECH_UNHEARD = "speech_unheard"
    WORDS_REMOVED = "words_removed"
    SEVERAL_LANGUAGES = "several_languages"
    OTHER_LANGUAGE = "other_language"
    SOUND_TRACK = "sound_track"
    SOUND_TRACK_IN = "sound_track_in"
    NO_SOUND_TRACK_IN = "no_sound_track_in"
    CHANNELS_INVERTED = "channels_inverted"
    ONE_CHANNEL = "one_channel"
    DUBBED_SOUND = "dubbed_sound"
    SPEAKERS = "speakers"
    NO_LANGUAGE_MODEL = "no_language_model"
    BRIEF_INCOMPLETE = "brief_incomplete"
    TRACKS_LEFT_OUT = "tracks_left_out"
    CLOCK_JUMPS = "clock_jumps"
    HDR_KEPT = "hdr_kept"
    LINES_WITHOUT_TIMES = "lines_without_times"
    LINES_WITHOUT_TEXT = "lines_without_text"
    LINES_BEFORE_START = "lines_before_start"
    TIMES_ESTIMATED = "times_estimated"
    TEXT_CUT = "text_cut"
    LETTERS_REPAIRED = "letters_repaired"
    PUNCTUATION_MOVED = "punctuation_moved"


SENTENCES = {
    NoteCode.SPEECH_IN_TARGET: _("The speech is already in {language}, so translation was skipped."),
    NoteCode.SUBTITLES_IN_TARGET: _("The subtitles are already in {language}, so translation was skipped."),
    NoteCode.SPEECH_UNHEARD: _(
        "In some places there is speech or singing, but no words were recognised: {times}. Listen to these places."
    ),
    NoteCode.WORDS_REMOVED: _(
        "Some recognised words were left out, because nobody seems to be speaking there: {times}."
    ),
    NoteCode.OTHER_LANGUAGE: _(
        "In some places another language than the chosen one seems to be spoken: {languages}, at {times}. "
        "Start again without choosing the language if these places are wrong."
    ),
    NoteCode.SEVERAL_LANGUAGES: _("Several languages are spoken: {languages}."),
    NoteCode.SOUND_ONLY: _("The file contains only sound, so only subtitles are made."),
    NoteCode.SOUND_TRACK: _("The video has {count} sound tracks; track {number} is used."),
    NoteCode.SOUND_TRACK_IN: _("The video has {count} sound tracks; track {number}, in {language}, is used."),
    NoteCode.SPEAKERS: _("Speakers told apart: {count}."),
    NoteCode.NO_LANGUAGE_MODEL: _(
        "{engine} is no language model, so the brief and the careful revision were left out."
    ),
    NoteCode.BRIEF_INCOMPLETE: _(
        "The brief covers only a part of the transcript, because the language model could not read the rest."
    ),
    NoteCode.NO_SOUND_TRACK_IN: _("No sound track of the video is marked as {language}; track {number} is used."),
    NoteCode.DUBBED_SOUND: _("The site offers this video only with dubbed sound, so that is used."),
    NoteCode.TRACKS_LEFT_OUT: _("Sound tracks that cannot be read are left out: {numbers}."),
    NoteCode.CLOCK_JUMPS: _("The times in the file jump, so its parts are put one after the other."),
    NoteCode.HDR_KEPT: _("The picture is HDR and stays HDR. Some browsers cannot play the result; video players can."),
    NoteCode.CHANNELS_INVERTED: _(
        "The channels of the sound would cancel each other out, so one of them was inverted, for {length} of speech."
    ),
    NoteCode.ONE_CHANNEL: _(
        "Only the {side} channel of the sound was used for {length} of speech, because the speech is clearest there."
    ),
    NoteCode.LINES_WITHOUT_TIMES: _(
        "In the subtitle file the times of some texts cannot be read, so these texts are left out: line {lines}."
    ),
    NoteCode.LINES_WITHOUT_TEXT: _("In the subtitle file there are times without a text: line {lines}."),
    NoteCode.LINES_BEFORE_START: _(
        "In the subtitle file some texts end before the video begins, so they are left out: line {lines}."
    ),
    NoteCode.TIMES_ESTIMATED: _(
        "In the subtitle file some texts have no end after their start, or no start. Their times are estimated: "
        "line {lines}."
    ),
    NoteCode.TEXT_CUT: _("In the subtitle file some texts are too long for a subtitle and were cut: line {lines}."),
    NoteCode.LETTERS_REPAIRED: _(
        "The letters of the subtitle file had been stored in a wrong encoding and were repaired. Check the text."
    ),
    NoteCode.PUNCTUATION_MOVED: _(
        "In the subtitle file the punctuation stood at the wrong end of the lines and was moved. Check the text."
    ),
}
"""Templates of the sentences, marked for the catalogue; `{language}` is an English name, which is translated too."""


def template(code: str) -> str:
    """The template of a note's sentence; an unknown code, as of another version, is returned with escaped braces."""
    return SENTENCES[NoteCode(code)] if code in list(NoteCode) else code.replace("{", "{{").replace("}", "}}")
