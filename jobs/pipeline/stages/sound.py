"""Notes on the sound that is transcribed, for the job's page, and data on it for the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.pipeline.gettext_marker import _
from jobs.pipeline.media import tracks
from jobs.pipeline.media.limits import duration_text
from jobs.pipeline.media.streams import Media
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.protocols import INVERTED, MIX
from jobs.pipeline.text.languages import language

Note = tuple[NoteCode, dict[str, str]]
"""A note with the parameters of its sentence."""


TOLD = 5.0
"""Seconds of speech that are mixed in another way than the ordinary one from which that is told."""

_SIDES = {"FL": _("left"), "FR": _("right"), "FC": _("centre"), "1": _("first"), "2": _("second")}
"""Names of channels in sentences."""


def notes(media: Media, spoken: str, ways: Mapping[str, float]) -> Iterator[Note]:
    """The notes on the audio track that was chosen, and on the mixing of its channels.

    `spoken` is the language code of the speech, if the user named it, `ways` the seconds by way of mixing (`mixdown`).
    """
    yield from _on_track(media, spoken)
    for way, seconds in ways.items():
        if way != MIX and seconds >= TOLD:
            yield _on_way(way, duration_text(seconds))


def _on_way(way: str, length: str) -> Note:
    if way == INVERTED:
        return NoteCode.CHANNELS_INVERTED, {"length": length}
    return NoteCode.ONE_CHANNEL, {"length": length, "side": _SIDES.get(way, way)}


def _on_track(media: Media, spoken: str) -> Iterator[Note]:
    track = media.speech
    if not track:
        return
    code, number = tracks.code_of(track), str(track.number)
    if spoken and len(media.audio) > 1 and not tracks.is_in(track, spoken) and code:
        yield NoteCode.NO_SOUND_TRACK_IN, {"language": language(spoken).name, "number": number}
    elif len(media.audio) > 1:
        params = {"count": str(len(media.audio)), "number": number}
        if code:
            yield NoteCode.SOUND_TRACK_IN, {**params, "language": language(code).name}
        else:
            yield NoteCode.SOUND_TRACK, params


def facts(media: Media, ways: Mapping[str, float]) -> dict[str, Any]:
    """The sound in the report: the tracks that can be decoded, the one transcribed, and how its channels were mixed."""
    return {
        "track": media.speech.number if media.speech else None,
        "tracks": [
            {
                "number": track.number,
                "language": tracks.code_of(track),
                "title": track.title,
                "kind": tracks.kind_of(track),
            }
            for track in media.audio
        ],
        "mixed": dict(ways),
    }
