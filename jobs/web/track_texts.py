"""The sound tracks of a video and the sources of its words, in the language of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.i18n import formats
from jobs.intake.options import options_of
from jobs.models import Job, StageRun
from jobs.pipeline.stage import Stage

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Words

_TRACK_KINDS: dict[str, Words] = {
    "clear": gettext_lazy("clear speech"),
    "description": gettext_lazy("audio description"),
    "commentary": gettext_lazy("commentary"),
    "no_speech": gettext_lazy("without speech"),
}
"""Names of the kinds of sound tracks (`media.tracks`) that are not plain speech."""


def sound_tracks(job: Job, runs: Iterable[StageRun]) -> list[dict[str, Any]]:
    """The sound tracks of a video whose speech is transcribed, with the one that is used; empty if it has only one."""
    sound = next((run.outcome.get("sound") or {} for run in runs if run.stage == Stage.FETCH), {})
    found = sound.get("tracks", ())
    if len(found) < 2 or options_of(job.options).brought:
        return []
    return [
        {
            "number": each["number"],
            "label": _track_label(each, sound["track"]),
            "used": each["number"] == sound["track"],
        }
        for each in found
    ]


def _track_label(track: Mapping[str, Any], used: int) -> str:
    """“2: English, Original (in use)”."""
    language = formats.language_name(track["language"]) if track["language"] else ""
    kind = str(_TRACK_KINDS.get(track["kind"], ""))
    parts = [part for part in (language, track["title"], kind) if part]
    number = formats.number(track["number"])
    label = f"{number}: {' · '.join(parts)}" if parts else number
    return _("{track} (in use)").format(track=label) if track["number"] == used else label


_SUBTITLE_KINDS: dict[str, Words] = {
    "hearing": gettext_lazy("for the hard of hearing"),
    "part": gettext_lazy("only a part of what is said"),
    "aside": gettext_lazy("commentary"),
}
"""Names of the kinds of subtitle tracks (`media.subtitle_tracks`) that are not plain ones of what is said."""


def sources_of_words(job: Job, runs: Iterable[StageRun]) -> list[dict[str, Any]]:
    """The sources from which the words of a job can come, with the one that is used; empty if there is only speech."""
    there = next((run.outcome.get("existing") or {} for run in runs if run.stage == Stage.FETCH), {})
    options = options_of(job.options)
    is_wanted = not options.needs_speech  # without it there was nothing to use, if the job has failed
    if options.brought or not (there.get("tracks") or there.get("captions") or is_wanted):
        return []
    used = there.get("used") or {}
    found = [("speech", _("Speech recognition"), not used and not is_wanted)]
    for track in there.get("tracks", ()):
        is_used = used.get("number") == track["number"]
        found.append((f"subtitles:{track['number']}", _subtitles_label(track), is_used))
    for captions in there.get("captions", ()):
        is_used = used.get("number", 0) is None and used["language"] == captions["language"]
        found.append((f"subtitles:{captions['language']}", _captions_label(captions), is_used))
    return [
        {"value": value, "label": _("{track} (in use)").format(track=label) if is_used else label, "used": is_used}
        for value, label, is_used in found
    ]


def _subtitles_label(track: Mapping[str, Any]) -> str:
    """“Subtitles in the file, 2: English · for the hard of hearing”."""
    language = formats.language_name(track["language"]) if track["language"] else ""
    parts = [part for part in (language, track["title"], str(_SUBTITLE_KINDS.get(track["kind"], ""))) if part]
    label = _("Subtitles in the file, {number}").format(number=formats.number(track["number"]))
    return f"{label}: {' · '.join(parts)}" if parts else label


def _captions_label(captions: Mapping[str, Any]) -> str:
    language = formats.language_name(captions["language"])
    if captions["machine"]:
        return _("Captions of the site, made by machine: {language}").format(language=language)
    return _("Captions of the site: {language}").format(language=language)
