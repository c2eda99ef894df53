"""Choice of the audio track to transcribe, by language, kind and marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from jobs.pipeline.errors import NoSuchTrack, UnknownLanguage
from jobs.pipeline.media.streams import AudioStream, SubtitleStream
from jobs.pipeline.text.languages import language

Kind = Literal["speech", "clear", "description", "commentary", "no_speech"]
"""Contents of a track: the speech of the video; the same made clearer for people who hear badly; the speech with a
description of the picture; a commentary on the video; music and effects only. From the best to the worst choice.
"""

_ASIDE: tuple[Kind, ...] = ("description", "commentary", "no_speech")
"""Kinds that are never chosen while there is a track of another kind."""

_MARKS: dict[Kind, frozenset[str]] = {
    "no_speech": frozenset({"karaoke", "lyrics", "clean effects", "non-diegetic"}),
    "commentary": frozenset({"comment"}),
    "description": frozenset({"visual impaired", "descriptions"}),
    "clear": frozenset({"hearing impaired"}),
}
_WORDS: tuple[tuple[Kind, str], ...] = (
    (
        "no_speech",
        r"\bm ?(&|and|/|\+) ?e\b|music (and|&) effects|musik (und|&) effekte|isolated score"
        r"|(music|score|effects) only|\bno (dialog(ue)?|speech|vocals|commentary)\b|ohne kommentar"
        r"|sans commentaire|sin comentarios"
        r"|instrumental|karaoke|international (sound|track)|بی‌?کلام|بدون گفتار",
    ),
    (
        "description",
        r"audio[ -]?des[ck]ri|audio[ -]?descri[cçt]|descriptive|described|description|\bdvs\b|visual(ly)?[ -]impair"
        r"|\bblind|sehbehindert|hörfilm|bildbeschreibung|malvoyant|aveugle|ciegos|descripci[oó]n|descrizione"
        r"|non vedenti|توصیف|شرح تصویر|نابینا|کم‌?بینا|тифло",
    ),
    (
        "commentary",
        r"comment(ary|aries|ator|s)?\b|kommentar|commentaire|comentario|comentário|commento|комментар"
        r"|تفسیر|نظر(ات)? (کارگردان|سازندگان)|صحبت(‌های)? (کارگردان|سازندگان)|コメンタリー|评论音轨",
    ),
    (
        "clear",
        r"hearing[ -]impair|hard of hearing|\bsdh\b|clean audio|clear (speech|dialogue)|dialog(ue)? (enhanc|boost)"
        r"|klare sprache|hörgeschädigt|hörbehindert|malentendant|sordos|ناشنوا|کم‌?شنوا",
    ),
)
_TITLES = {kind: re.compile(words, re.IGNORECASE) for kind, words in _WORDS}
_AD = re.compile(r"\bAD\b")
"""The usual short title of an audio description, in capitals only."""
_DUB = re.compile(
    r"\bdub|synchron|doublage|doublé|\bvf[fqi2]?\b|doblad|doblaje|doppiagg|lektor|voice-?over|دوبله|дубл|dublaj",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"original|\bo-?ton\b|\bv\.?o\.?\b|version originale|زبان اصلی|صدای اصلی|оригинал|orijinal|原声|オリジナル",
    re.IGNORECASE,
)
_CODE_KINDS: dict[str, Kind] = {"zxx": "no_speech", "qad": "description", "nar": "description"}
"""Kinds that language tags of broadcasters and of ISO 639 state."""

_ORIGINAL_CODES = frozenset({"qaa"})
"""Language tag of broadcasters for the original sound."""

Track = AudioStream | SubtitleStream
"""A track of either kind: it has a number, a language tag, a title and marks."""

_SAME = {"nb": "no", "nn": "no", "prs": "fa", "pes": "fa"}
"""Language codes that count as another: whoever names the one means tracks of either."""


def choose(tracks: Sequence[AudioStream], *, spoken: str = "", wanted: str = "", name: str = "") -> AudioStream | None:
    """Choose the track to transcribe; None if there is none.

    `wanted` is the number or the language of the track that the user chose; raises NoSuchTrack(name) if there is none.
    `spoken` is the code of the language of the speech, if it is known: a track in it is preferred. Tracks of another
    kind than speech come last in any case. Then the marks of the file decide: original, not dubbed, default, first.
    """
    if wanted and tracks:
        tracks, spoken = _wanted(tracks, wanted, name)
    return min(tracks, key=lambda track: _rank(track, spoken), default=None)


def _wanted(tracks: Sequence[AudioStream], wanted: str, name: str) -> tuple[Sequence[AudioStream], str]:
    """The tracks with the number or in the language `wanted`, and the code of that language."""
    if wanted.isdecimal():
        spoken, found = "", [track for track in tracks if track.number == int(wanted)]
    else:
        spoken = language(wanted).code
        found = [track for track in tracks if is_in(track, spoken)]
    if not found:
        raise NoSuchTrack(name=name, track=wanted, tracks="; ".join(map(label, tracks)))
    return found, spoken


def kind_of(track: AudioStream) -> Kind:
    """Tell the kind of a track from its marks, its language tag and its title."""
    if track.language.lower() in _CODE_KINDS:
        return _CODE_KINDS[track.language.lower()]
    for kind, marks in _MARKS.items():
        if marks.intersection(track.marks):
            return kind
    if _AD.search(track.title):
        return "description"
    return next((kind for kind, words in _TITLES.items() if words.search(track.title)), "speech")


def code_of(track: Track) -> str:
    """The language code of a track's tag, such as `de` for `ger` and `en-US` for `en-US`; empty if it has none."""
    return _code(track.language)


def is_in(track: Track, spoken: str) -> bool:
    """Tell whether the track is in the language `spoken`, by its tag, or by its title if it has no tag."""
    return distance(track, spoken) < UNKNOWN


def label(track: Track) -> str:
    """A track in words: its number, English language name and title."""
    code = code_of(track)
    parts = (language(code).name if code else "", f"“{track.title}”" if track.title else "")
    return " ".join(part for part in (f"{track.number}:", *parts) if part).removesuffix(":")


UNKNOWN = 3
"""The distance of a track without a language."""


def _rank(track: AudioStream, spoken: str) -> tuple[int | bool, ...]:
    """The place of a track among others: the lowest is chosen."""
    kind, marks, code = kind_of(track), track.marks, track.language.lower()
    return (
        _ASIDE.index(kind) + 1 if kind in _ASIDE else 0,
        distance(track, spoken) if spoken else 0,
        kind == "clear",
        not ("original" in marks or code in _ORIGINAL_CODES),
        "dub" in marks,
        not track.default,
        bool(_DUB.search(track.title)),
        not _ORIGINAL.search(track.title),
        track.number,
        track.index,
    )


def distance(track: Track, spoken: str) -> int:
    """Distance of a track's language from `spoken`: 0 same region, 1 none, 2 other region, 3 unknown, 4 another."""
    code = code_of(track)
    if not code:
        return 1 if _names(track.title, spoken) else UNKNOWN
    if _base(code) != _base(spoken):
        return UNKNOWN + 1
    if code.casefold() == spoken.casefold():
        return 0
    return 2 if "-" in code else 1


def _names(title: str, spoken: str) -> bool:
    """Tell whether the title of a track without a tag names the language `spoken`."""
    from jobs.pipeline.text import cldr

    return not set(re.findall(r"\w+", title.casefold())).isdisjoint(cldr.names_of(_base(spoken)))


def _base(code: str) -> str:
    short = code.split("-")[0].lower()
    return _SAME.get(short, short)


def _code(tag: str) -> str:
    try:
        return language(_SAME.get(tag.lower(), tag)).code
    except UnknownLanguage:
        return ""
