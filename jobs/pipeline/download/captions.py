"""Choice of the captions to download, from those that a site offers of a video."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.pipeline.download.formats import PROTOCOLS
from jobs.pipeline.errors import UnknownLanguage
from jobs.pipeline.text.languages import language

Info = Mapping[str, Any]

FORMATS = ("vtt", "srt", "ttml", "dfxp", "ass", "ssa", "json3", "sami", "smi", "sbv")
"""Extensions of the formats that are read, the best one first."""

_MOST = 300
"""Captions that are looked at; YouTube offers about 200 translations made by machine."""

_OTHER = frozenset({"live_chat", "comments", "danmaku", "rechat", "storyboards"})
"""Keys of yt-dlp's `subtitles` that are not subtitles."""

_REGION = re.compile(r"[A-Z][a-z]{3}|[A-Z]{2}|[0-9]{3}")
"""Subtags of scripts and regions; others of a key are the site's own."""

_MACHINE = re.compile(r"auto[-_ ]?(gen|matic|translat)|\basr\b|by machine|speech[-_ ]?to[-_ ]?text|^a\.", re.IGNORECASE)
"""Marks of captions that are made by machine, in a key, a name or an address among those of people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """Captions that a site offers: the code of their language, whether a machine made them, and the file to get."""

    language: str
    machine: bool
    file: Mapping[str, Any]


def offers(info: Info) -> list[Offer]:
    """The captions in yt-dlp's description of a video, those by people first.

    Of those by machine only the ones in the language that is spoken, not their translations.
    """
    people = [*_offers(info.get("subtitles"), machine=False)]
    heard = {key: files for key, files in _captions(info.get("automatic_captions")) if key.endswith("-orig")}
    if not heard:
        spoken = _base(info.get("language"))
        heard = {
            key: files for key, files in _captions(info.get("automatic_captions")) if spoken and _base(key) == spoken
        }
    machine = [*_offers(heard, machine=True)]
    return sorted([*people, *machine], key=lambda offer: offer.machine)


def stated_language(info: Info, sound: Info | None) -> str:
    """The code of the spoken language as the site states it, of its captions by machine first; empty if it does not."""
    for key in info.get("automatic_captions") or {}:
        if str(key).endswith("-orig"):
            return _code(str(key).removesuffix("-orig"))
    return _code(info.get("language")) or _code((sound or {}).get("language"))


def choose(found: Sequence[Offer], *, spoken: str, wanted: str, target: str, strict: bool) -> Offer | None:
    """Choose the captions to download; None if there are none.

    With `strict` only those by people in the language `spoken`. Otherwise those in the language `wanted`, if it is
    given; else those by people, in `spoken`, in another language, in `target`; and last those by machine.
    """
    if strict:
        found = [offer for offer in found if not offer.machine and _is(offer, spoken)]
    elif wanted:
        found = [offer for offer in found if _is(offer, wanted)]
    exact = wanted or spoken
    return min(
        found,
        key=lambda offer: (
            offer.machine,
            not _is(offer, spoken),
            _is(offer, target),
            offer.language.casefold() != exact.casefold(),
        ),
        default=None,
    )


def _is(offer: Offer, code: str) -> bool:
    return bool(code) and _base(offer.language) == _base(code)


def _offers(captions: object, *, machine: bool) -> Iterator[Offer]:
    for key, files in _captions(captions):
        usable = [each for each in files if _is_usable(each)]
        code = _code(key)
        if usable and code:
            best = min(usable, key=lambda each: FORMATS.index(str(each.get("ext"))))
            made = machine or any(
                _MACHINE.search(str(text)) for text in (key.replace("_", "-"), best.get("name") or "")
            )
            yield Offer(language=code, machine=made, file=best)


def _captions(captions: object) -> Iterator[tuple[str, Sequence[Info]]]:
    for key, files in list(captions.items())[:_MOST] if isinstance(captions, Mapping) else ():
        if key not in _OTHER and isinstance(files, Sequence):
            yield str(key), [each for each in files if isinstance(each, Mapping)]


def _is_usable(file: Info) -> bool:
    address, protocol = str(file.get("url") or ""), file.get("protocol") or "https"
    has_text = isinstance(file.get("data"), str) or address.startswith(("http://", "https://"))
    return file.get("ext") in FORMATS and protocol in PROTOCOLS and has_text


def _code(key: object) -> str:
    """The language code of a key such as `en-US`, `eng`, `en-x-autogen`, `en-j3PyPqV-e1s` or `English (UK)`; empty if
    it names no language.
    """
    words = str(key or "").replace("_", "-").split(" ")[0]
    first, *rest = words.split("-")
    if first.casefold() in {"", "und", "mul", "zxx"}:
        return ""
    try:
        return language("-".join([language(first).code, *filter(_REGION.fullmatch, rest)])).code
    except UnknownLanguage:
        return ""


def _base(tag: object) -> str:
    return _code(tag).split("-")[0]
