"""The subtitle tracks of a video file: those that are text, their kinds, their order of choice, their extraction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jobs.pipeline.media.ffmpeg import input_of, make
from jobs.pipeline.media.streams import Media, SubtitleStream
from jobs.pipeline.media.tracks import UNKNOWN, distance
from jobs.pipeline.protocols import Progress, ignore_progress

Kind = Literal["plain", "hearing", "part", "aside"]
"""Contents of a track: what is said; the same with sounds and speakers, for people who hear badly; only a part of it
(forced: what is said in another language, signs, songs); a commentary on the video or a description of the picture.
"""

PICTURES = frozenset({"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"})
"""Codecs of subtitles that are pictures, not text."""

_COPIED = {"subrip": "srt", "srt": "srt", "ass": "ass", "ssa": "ass", "webvtt": "webvtt", "ttml": "ttml"}
"""Codecs that are copied into a file of their own, and ffmpeg's names of the formats."""

_CONVERTED = frozenset(
    {
        *("mov_text", "text", "subviewer", "subviewer1", "microdvd", "mpl2", "sami", "realtext", "jacosub", "stl"),
        *("pjs", "vplayer", "eia_608", "dvb_teletext", "arib_caption"),
    }
)
"""Codecs that ffmpeg decodes; they are converted to SRT."""

_PART_MARKS = frozenset({"forced", "karaoke", "lyrics"})
_ASIDE_MARKS = frozenset({"comment", "descriptions", "visual impaired"})
_PART = re.compile(
    r"\bforced\b|\bforc[eé]+e?s?\b|\bforzat[io]s?\b|\bforzad[oa]s?\b|\bforçad[oa]s?\b|erzwungen|\bsigns?\b|\bsongs?\b"
    r"|\blyrics?\b|karaoke|\bforeign\b|non[- ]english|\bfremdsprach|\bwymuszone|\bvynucen|\bzorunlu|форсир|надпис"
    r"|اجباری|تابلو|ترانه|دیالوگ‌?های خارجی",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\bfull\b|\bdialog(?:ue)?s?\b|\bcomplete\b|\bno[tn]?[- ]?forced\b|\bnon[- ]forced\b|\bno (?:signs|songs)\b"
    r"|\bcomplet|полн|диалог|کامل|vollständig",
    re.IGNORECASE,
)
"""Words in the title of a track that has all that is said, whatever else it has: “Full (Dialogue, Signs & Songs)”."""
_ASIDE = re.compile(
    r"comment(ary|aries|ator|s)?\b|kommentar|commentaire|comentario|comentário|commento|комментар|تفسیر|trivia"
    r"|audio[ -]?des[ck]ri|audio[ -]?descri[cçt]|コメンタリー|评论",
    re.IGNORECASE,
)
_HEARING = re.compile(
    r"hearing[ -]impair|hard of hearing|\bsdh\b|\bcc\b|closed captions|\bhoh\b|hörgeschädigt|hörbehindert|gehörlos"
    r"|malentendant|sourds|sordos|non udenti|deaf|ناشنوا|کم‌?شنوا|глух",
    re.IGNORECASE,
)


def is_text(track: SubtitleStream) -> bool:
    """Tell whether the track can be read as text."""
    return track.codec in _COPIED or track.codec in _CONVERTED


def kind_of(track: SubtitleStream) -> Kind:
    """Tell the kind of a track from its marks and its title."""
    if _PART_MARKS.intersection(track.marks) or (_PART.search(track.title) and not _WHOLE.search(track.title)):
        return "part"
    if _ASIDE_MARKS.intersection(track.marks) or _ASIDE.search(track.title):
        return "aside"
    if "hearing impaired" in track.marks or _HEARING.search(track.title):
        return "hearing"
    return "plain"


def said(tracks: Sequence[SubtitleStream]) -> list[SubtitleStream]:
    """The text tracks of what is said, plain ones first, then the default one, then in the order of the file."""
    found = [track for track in tracks if is_text(track) and kind_of(track) in {"plain", "hearing"}]
    return sorted(found, key=lambda track: (kind_of(track) == "hearing", not track.default, track.number))


def in_order(tracks: Sequence[SubtitleStream], spoken: str) -> list[SubtitleStream]:
    """Those of `said` that are, or may be, in the language `spoken`, the best one first: those without a language come
    last, and of several plain ones the one of the same region first.
    """
    found = [track for track in said(tracks) if distance(track, spoken) <= UNKNOWN]
    return sorted(
        found,
        key=lambda track: (
            distance(track, spoken) == UNKNOWN,
            kind_of(track) == "hearing",
            distance(track, spoken),
        ),
    )


def extract(
    source: Path,
    track: SubtitleStream,
    target: Path,
    *,
    media: Media,
    limit: int,
    progress: Progress = ignore_progress,
) -> None:
    """Write a text track into the file `target`, in its own format or as SRT, and at most a little over `limit` bytes.

    Times are those of the video, from its start. Raises DiskFull, Unwritable, MediaFailed or StageDied.
    """
    kind = _COPIED.get(track.codec)
    how = ("-c:s", "copy", "-f", kind) if kind else ("-c:s", "subrip", "-f", "srt")
    make(
        [*input_of(source), "-map", f"0:{track.index}", *how, "-fs", str(limit + 1)],
        target,
        media=media,
        progress=progress,
    )
