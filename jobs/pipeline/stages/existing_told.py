"""Notes on subtitles that are there already, and facts on them for the page and the report."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from jobs.pipeline.download.offered import Captions, Offered
from jobs.pipeline.media import subtitle_tracks, tracks
from jobs.pipeline.media.streams import Media, SubtitleStream
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.stages.doubts import Doubt
from jobs.pipeline.stages.sound import Note
from jobs.pipeline.text.languages import language

_SHOWN = 12
"""Numbers of tracks that a note names."""

_LISTED = 60
"""Tracks that the page and the report list: no film has as many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Subtitles that may be used: their language, and a track of the file or captions of the site. `sure`: the language
    is stated, by a tag or by the person.
    """

    language: str
    track: SubtitleStream | None = None
    captions: Captions | None = None
    sure: bool = True


def choice(source: Source, media: Media) -> Note:
    """The note on the subtitles that are used."""
    name = language(source.language).name
    if source.captions:
        machine = source.captions.machine
        return (NoteCode.MACHINE_CAPTIONS_USED if machine else NoteCode.CAPTIONS_USED), {"language": name}
    assert source.track
    if len(media.subtitles) == 1:
        return NoteCode.TRACK_USED, {"language": name}
    return NoteCode.NUMBERED_TRACK_USED, {"language": name, "number": str(source.track.number)}


def refusal(source: Source, doubt: Doubt) -> Note:
    """The note on subtitles that are not used."""
    if source.track:
        return NoteCode.TRACK_REFUSED, {"number": str(source.track.number), "reason": doubt.reason}
    return NoteCode.CAPTIONS_REFUSED, {"language": language(source.language).name, "reason": doubt.reason}


def left(
    media: Media, offered: Offered, used: Source | None, refused: Collection[Source], target: str
) -> Iterator[Note]:
    """Notes on the subtitles that could have been used, by their languages."""
    codes = dict.fromkeys([*offered.people, *filter(None, map(tracks.code_of, subtitle_tracks.said(media.subtitles)))])
    mine = _base(used.language) if used else ""
    known = {mine, _base(target), *(_base(source.language) for source in refused)}
    others = [code for code in codes if _base(code) not in known]
    if others:
        names = ", ".join(dict.fromkeys(language(code).name for code in others))
        yield (NoteCode.OTHER_SUBTITLES if used else NoteCode.UNUSED_SUBTITLES), {"languages": names}
    elif offered.machine and not used and not codes:
        yield NoteCode.UNUSED_MACHINE_CAPTIONS, {"language": language(offered.machine[0]).name}
    if target and mine != _base(target) and any(_base(code) == _base(target) for code in codes):
        yield NoteCode.TARGET_SUBTITLES, {"language": language(target).name}


def pictures(media: Media) -> Iterator[Note]:
    """The note on tracks of the file that are pictures, if there are any."""
    numbers = [str(track.number) for track in media.subtitles if track.codec in subtitle_tracks.PICTURES]
    if numbers:
        more = f" … (+{len(numbers) - _SHOWN})" if len(numbers) > _SHOWN else ""
        yield NoteCode.PICTURE_SUBTITLES, {"numbers": ", ".join(numbers[:_SHOWN]) + more}


def _base(code: str) -> str:
    return code.split("-")[0].lower()


def facts(media: Media, offered: Offered, used: Source | None) -> dict[str, Any]:
    """All text tracks of the file and captions of the site, and the ones used, for the page and the report."""
    return {
        "used": _as_fact(used) if used else None,
        "tracks": [
            {
                "number": track.number,
                "language": tracks.code_of(track),
                "title": track.title,
                "kind": subtitle_tracks.kind_of(track),
            }
            for track in [each for each in media.subtitles if subtitle_tracks.is_text(each)][:_LISTED]
        ],
        "captions": [
            *({"language": code, "machine": False} for code in offered.people),
            *({"language": code, "machine": True} for code in offered.machine if code not in offered.people),
        ],
    }


def _as_fact(used: Source) -> dict[str, Any]:
    if used.track:
        return {"from": "track", "number": used.track.number, "language": used.language}
    assert used.captions
    return {"from": "machine" if used.captions.machine else "people", "number": None, "language": used.language}
