"""Notes of a job: remarks that are not errors, stored as a code with parameters."""

from __future__ import annotations

from collections.abc import Sequence
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
    SUBTITLES_DIVIDED = "subtitles_divided"
    FRAME_RATE_ASSUMED = "frame_rate_assumed"
    FRAME_RATE_OF_VIDEO = "frame_rate_of_video"
    AFTER_THE_END = "after_the_end"
    NO_FONT = "no_font"
    TRACKS_NOT_KEPT = "tracks_not_kept"
    TRACK_USED = "track_used"
    NUMBERED_TRACK_USED = "numbered_track_used"
    CAPTIONS_USED = "captions_used"
    MACHINE_CAPTIONS_USED = "machine_captions_used"
    TRACK_REFUSED = "track_refused"
    CAPTIONS_REFUSED = "captions_refused"
    USED_IN_DOUBT = "used_in_doubt"
    OTHER_SUBTITLES = "other_subtitles"
    UNUSED_SUBTITLES = "unused_subtitles"
    UNUSED_MACHINE_CAPTIONS = "unused_machine_captions"
    TARGET_SUBTITLES = "target_subtitles"
    PICTURE_SUBTITLES = "picture_subtitles"


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
        "The letters of the subtitle file had been stored in a wrong encoding and were repaired. Check the text. If "
        "the file was right, choose “Do not repair the text of this file” in a new job."
    ),
    NoteCode.PUNCTUATION_MOVED: _(
        "In the subtitle file the punctuation stood at the wrong end of the lines and was moved. Check the text. If "
        "the file was right, choose “Do not repair the text of this file” in a new job."
    ),
    NoteCode.SUBTITLES_DIVIDED: _(
        "Subtitles of the file that do not fit two lines are shown in parts, one after the other: {count}."
    ),
    NoteCode.FRAME_RATE_ASSUMED: _(
        "The times of the subtitle file are numbers of frames, and it does not say how many a second has. {rate} were "
        "assumed. Check the times."
    ),
    NoteCode.FRAME_RATE_OF_VIDEO: _(
        "The times of the subtitle file are numbers of frames. The video has {rate} a second, so the times were set by "
        "that."
    ),
    NoteCode.AFTER_THE_END: _(
        "Some subtitles begin after the end of the video, so the video does not contain them: {times}. The subtitle "
        "files do."
    ),
    NoteCode.NO_FONT: _(
        "No font on this machine has these characters, so the picture shows “…” instead: {characters}. The subtitle "
        "files contain them."
    ),
    NoteCode.TRACKS_NOT_KEPT: _("Some of the subtitle tracks or attachments of the video could not be kept: {names}."),
    NoteCode.TRACK_USED: _(
        "The subtitles in the file ({language}) were used, and the speech was not recognised. If they do not fit, "
        "start again with speech recognition."
    ),
    NoteCode.NUMBERED_TRACK_USED: _(
        "The subtitles in the file (track {number}, {language}) were used, and the speech was not recognised. If they "
        "do not fit, start again with speech recognition or another track."
    ),
    NoteCode.CAPTIONS_USED: _(
        "The captions of the site ({language}), made by people, were used, and the speech was not recognised. If they "
        "do not fit, start again with speech recognition."
    ),
    NoteCode.MACHINE_CAPTIONS_USED: _(
        "The captions that the site made by machine ({language}) were used, so expect errors in them. Start again with "
        "speech recognition to compare."
    ),
    NoteCode.TRACK_REFUSED: _("The subtitles in the file (track {number}) were not used, because {reason}."),
    NoteCode.CAPTIONS_REFUSED: _("The captions of the site ({language}) were not used, because {reason}."),
    NoteCode.USED_IN_DOUBT: _("Check these subtitles: {reason}."),
    NoteCode.OTHER_SUBTITLES: _("There are also subtitles in these languages: {languages}."),
    NoteCode.UNUSED_SUBTITLES: _(
        "There are subtitles in these languages: {languages}. Start again to use them instead of speech recognition."
    ),
    NoteCode.UNUSED_MACHINE_CAPTIONS: _(
        "The site has captions made by machine ({language}). They are used only if you start again and choose them."
    ),
    NoteCode.TARGET_SUBTITLES: _("There are already subtitles in {language}; perhaps no translation is needed."),
    NoteCode.PICTURE_SUBTITLES: _(
        "Some subtitles in the file are pictures and cannot be used as text: track {numbers}."
    ),
}
"""Templates of the sentences, marked for the catalogue; `{language}` is an English name, which is translated too."""


_SHOWN = 10
"""Times that a note names."""


def listed_times(seconds: Sequence[float]) -> str:
    """Times as minutes and seconds, such as `4:05, 1:02:03`; the first _SHOWN of them."""
    more = f" … (+{len(seconds) - _SHOWN})" if len(seconds) > _SHOWN else ""
    return ", ".join(map(_clock, seconds[:_SHOWN])) + more


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def template(code: str) -> str:
    """The template of a note's sentence; an unknown code, as of another version, is returned with escaped braces."""
    return SENTENCES[NoteCode(code)] if code in list(NoteCode) else code.replace("{", "{{").replace("}", "}}")
