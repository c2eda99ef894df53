"""Subtitles that are there already: text tracks in the file, and captions of the site of a link.

They are the source of the cues, in place of speech recognition, where they can be trusted to be what is said: made by
people, in the language that is spoken, for most of the video. What is used, and what else there is, is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.pipeline.download.offered import Offered
from jobs.pipeline.errors import (
    EmptyFile,
    MediaFailed,
    NoSubtitleLines,
    NoSuchSubtitles,
    NoUsableSubtitles,
    PipelineError,
    SourceError,
    SubtitlesError,
    SubtitlesRefused,
)
from jobs.pipeline.media import subtitle_tracks, tracks
from jobs.pipeline.media.streams import Media, SubtitleStream
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.protocols import Progress, ignore_progress
from jobs.pipeline.stages import existing_told as told
from jobs.pipeline.stages.doubts import Doubt, doubt_about
from jobs.pipeline.stages.existing_told import Source
from jobs.pipeline.stages.fetch import Fetched
from jobs.pipeline.stages.sound import Note
from jobs.pipeline.stages.words import AUTO, SPEECH, SUBTITLES, Wish
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.file_notes import notes_on
from jobs.pipeline.subtitles.long_cues import divided
from jobs.pipeline.subtitles.reader import MAX_BYTES, read_subtitles
from jobs.pipeline.text import language_check
from jobs.pipeline.text.languages import language

_PORTION = 400
"""Cues of a part that is reported and stored at once."""

_TRIES = 4
"""Subtitles that are read to find those that can be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Existing:
    """The result of a search: the cues and their language, both empty if speech is to be recognised; notes; and `facts`
    on all subtitles that are there, as types of JSON.
    """

    cues: tuple[Cue, ...] = ()
    language: str = ""
    notes: tuple[Note, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def portions(self) -> Iterator[tuple[Cue, ...]]:
        """The cues in parts, so that no message and no write takes long."""
        for start in range(0, len(self.cues), _PORTION):
            yield self.cues[start : start + _PORTION]


def find(
    wish: Wish,
    fetched: Fetched,
    directory: Path,
    *,
    spoken: str = "",
    target: str = "",
    progress: Progress = ignore_progress,
) -> Existing:
    """Find the subtitles to use among those of the file and of its site; `directory` is for temporary files.

    `spoken` is the code of the language that the person named, or empty; `target` that of the result. Without sound
    there is nothing else, so any subtitles will do. Raises NoUsableSubtitles or a subclass where only subtitles are
    wanted, and errors of this machine.
    """
    media, offered = fetched.media, fetched.offered
    if wish.mode == SPEECH:
        return Existing(facts=told.facts(media, offered, None))
    any_will_do = wish.mode == SUBTITLES or not media.audio
    tried = Wish(mode=SUBTITLES, track=wish.track) if any_will_do else wish
    said = spoken or offered.spoken or _spoken_by_tag(media)
    refused, doubted = list[_Read](), list[_Read]()
    for source in _in_order(tried, media, offered, said=said, named=bool(spoken), target=target)[:_TRIES]:
        read = _read(source, fetched.path, media, directory, progress)
        if read.doubt is None:
            return _told(read, refused, media, offered, target)
        (doubted if any_will_do and not read.doubt.is_hard else refused).append(read)
    if doubted:
        return _told(doubted[0], refused, media, offered, target)
    if wish.mode == SUBTITLES:
        raise _nothing(wish, media, offered, refused)
    return _told(None, refused, media, offered, target)


def _told(used: _Read | None, refused: Sequence[_Read], media: Media, offered: Offered, target: str) -> Existing:
    """The subtitles that are used, if any, with everything that is to be told."""
    source = used.source if used else None
    notes = [told.refusal(each.source, each.doubt) for each in refused if each.doubt]
    if used and source:
        notes += [told.choice(source, media), *used.notes]
        notes += [(NoteCode.USED_IN_DOUBT, {"reason": used.doubt.reason})] if used.doubt else []
    notes += [*told.left(media, offered, source, [each.source for each in refused], target), *told.pictures(media)]
    return Existing(
        cues=used.cues if used else (),
        language=used.source.language if used else "",
        notes=tuple(notes),
        facts=told.facts(media, offered, source),
    )


def _spoken_by_tag(media: Media) -> str:
    """The language that the tag of the audio track states that would be transcribed."""
    return tracks.code_of(media.speech) if media.speech else ""


# The order in which they are tried


def _in_order(wish: Wish, media: Media, offered: Offered, *, said: str, named: bool, target: str) -> list[Source]:
    """The subtitles to try, the best ones first: captions by people, tracks of the file, captions by machine."""
    if wish.track.isdecimal():
        wanted = [track for track in media.subtitles if track.number == int(wish.track)]
        return [_of_track(track, said, named=named) for track in wanted if subtitle_tracks.is_text(track)]
    site = [Source(language=found.language, captions=found) for found in (offered.captions,) if found]
    people = [source for source in site if source.captions and not source.captions.machine]
    machine = [source for source in site if source.captions and source.captions.machine]
    if wish.mode == AUTO:
        if not said:
            return []
        inside = subtitle_tracks.in_order(media.subtitles, said)
        return [*people, *(_of_track(track, said, named=named) for track in inside)]
    if wish.track:
        inside = [
            track for track in subtitle_tracks.in_order(media.subtitles, wish.track) if tracks.is_in(track, wish.track)
        ]
        return [*people, *(_of_track(track, wish.track, named=True) for track in inside), *machine]
    inside = subtitle_tracks.in_order(media.subtitles, said) if said else []
    others = [track for track in subtitle_tracks.said(media.subtitles) if track not in inside]
    others.sort(key=lambda track: bool(target) and tracks.is_in(track, target))
    of_file = [_of_track(track, said, named=named) for track in (*inside, *others)]
    return [*people, *of_file, *machine]


def _of_track(track: SubtitleStream, said: str, *, named: bool) -> Source:
    code = tracks.code_of(track)
    return Source(
        language=code or said, track=track, sure=bool(code) or named or (bool(said) and tracks.is_in(track, said))
    )


# Reading


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """Subtitles that were read: the cues, notes on them, and the reason to doubt them; None: none."""

    source: Source
    cues: tuple[Cue, ...] = ()
    notes: tuple[Note, ...] = ()
    doubt: Doubt | None = None


def _read(source: Source, path: Path, media: Media, directory: Path, progress: Progress) -> _Read:
    """Read subtitles, and compare them with the language and the length of the video."""
    if doubt := _doubt_before(source, media):
        return _Read(source=source, doubt=doubt)
    try:
        reading = read_subtitles(_file_of(source, path, media, directory, progress))
    except (EmptyFile, NoSubtitleLines):
        return _Read(source=source, doubt=Doubt.EMPTY)
    except (SourceError, SubtitlesError, MediaFailed):
        return _Read(source=source, doubt=Doubt.UNREADABLE)
    verdict = language_check.is_in(source.language, (cue.source for cue in reading.cues))
    if verdict == "no" and source.sure:
        return _Read(source=source, doubt=Doubt.OTHER_LANGUAGE)
    if verdict != "yes" and not source.sure:
        return _Read(source=source, doubt=Doubt.NO_LANGUAGE)
    cues, count = divided(reading.cues, language(source.language))
    return _Read(
        source=source,
        cues=tuple(cues),
        notes=tuple(notes_on(reading, count)),
        doubt=doubt_about(reading.cues, media.duration),
    )


def _doubt_before(source: Source, media: Media) -> Doubt | None:
    """The reason for which subtitles need not be read."""
    if not source.language:
        return Doubt.NO_LANGUAGE
    if source.track and media.clock:
        return Doubt.CLOCK_JUMPS
    return Doubt.NOT_DOWNLOADED if source.captions and source.captions.path is None else None


def _file_of(source: Source, path: Path, media: Media, directory: Path, progress: Progress) -> Path:
    if source.captions and source.captions.path:
        return source.captions.path
    assert source.track
    file = directory / f"track{source.track.number}"
    subtitle_tracks.extract(path, source.track, file, media=media, limit=MAX_BYTES, progress=progress)
    return file


def _nothing(wish: Wish, media: Media, offered: Offered, refused: Sequence[_Read]) -> PipelineError:
    """The error that says why no subtitles can be used."""
    if refused and refused[0].doubt:
        return SubtitlesRefused(name=media.name, reason=refused[0].doubt.reason)
    there = [tracks.label(track) for track in media.subtitles if subtitle_tracks.is_text(track)]
    there += [language(code).name for code in (*offered.people, *offered.machine)]
    if wish.track and there:
        return NoSuchSubtitles(name=media.name, track=wish.track, tracks="; ".join(there))
    return NoUsableSubtitles(name=media.name)
