"""Notes on the sound that is transcribed, for the job's page, and data on it for the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.pipeline.media import tracks
from jobs.pipeline.media.description import Media
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.text.languages import language

Note = tuple[NoteCode, dict[str, str]]
"""A note with the parameters of its sentence."""


def notes(media: Media, spoken: str) -> Iterator[Note]:
    """The notes on the chosen audio track; `spoken` is the language code of the speech, if the user named it."""
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


def facts(media: Media) -> dict[str, Any]:
    """The audio tracks for the report: those that can be decoded, and the number of the one that is transcribed."""
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
    }
