"""Division of encoded speech into pieces of one language each.

A language is detected in each stretch of some seconds. A piece in which two languages are spoken is split between them,
and its parts are encoded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from jobs.engines.whisperx.decoding import Decoder, Encoded
from jobs.engines.whisperx.language_codes import our_code, whisper_code
from jobs.pipeline.protocols import Region, Word
from jobs.pipeline.speech.language_runs import language_runs, settled
from jobs.pipeline.speech.pieces import Piece

_TOLD = 4.0  # seconds of speech in which a language is detected
_FEW = 4  # stretches of a piece that is too short to be divided further
_RARE = {"la": 0.1}
"""Factors by which probabilities of languages are multiplied: Whisper takes much unclear speech for Latin."""
_WHOLE = 0.3  # weight of what is heard in the whole of a divided piece, beside what is heard in a part of it
_SURE_PIECE, _SURE_PAIR = 0.8, 0.5  # probabilities from which a piece, and two stretches of it, tell its language


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """An encoded piece of speech in one language, by Whisper's code.

    `detected`: the stretches of the piece with our codes of the languages that are heard there; empty unless the
    language was named.
    """

    piece: Piece
    language: str
    encoded: Encoded
    detected: tuple[tuple[Region, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Heard:
    """An encoded piece, its speech in stretches, and Whisper's code of the language of each; empty where unknown."""

    piece: Piece
    encoded: Encoded
    spans: Sequence[Region]
    languages: Sequence[str]


def in_named_language(
    decoder: Decoder, pieces: Sequence[Piece], encoded: Sequence[Encoded], regions: Sequence[Region], language: str
) -> list[Spoken]:
    """The pieces as speech in `language`, with the languages that are detected in them."""
    named = whisper_code(language)
    return [
        Spoken(
            piece=heard.piece,
            language=named,
            encoded=heard.encoded,
            detected=tuple(zip(heard.spans, map(our_code, heard.languages), strict=True)),
        )
        for heard in _heard(decoder, pieces, encoded, regions, expected=named)
    ]


def in_one_language_each(
    decoder: Decoder,
    pieces: Sequence[Piece],
    encoded: Sequence[Encoded],
    regions: Sequence[Region],
    *,
    expected: str,
    encode: Callable[[Sequence[Piece]], Sequence[Encoded]],
) -> list[Spoken]:
    """The pieces in the languages that are detected in them; `encode` is called for the parts of a piece with several.

    `expected` is the language of the speech before. Speech in no likely language is left out.
    """
    parts, encodings, wholes, origins = list[Piece](), list[Encoded](), list[Mapping[str, float]](), list[int]()
    for number, (piece, each) in enumerate(zip(pieces, encoded, strict=True)):
        changes, whole = _changes(decoder, piece, each, _spans(piece, regions))
        own = piece.split(changes)
        parts += own
        encodings += encode(own) if changes else [each]
        wholes += [whole if changes else {}] * len(own)
        origins += [number] * len(own)
    found = _heard(decoder, parts, encodings, regions, expected=whisper_code(expected), wholes=wholes)
    spoken = list[Spoken]()
    for number, piece, each in zip(range(len(pieces)), pieces, encoded, strict=True):
        heard = [one for one, origin in zip(found, origins, strict=True) if origin == number]
        spoken += _undivided(piece, each, heard) or [part for one in heard for part in _split(one, encode)]
    return [one for one in spoken if one.language]


def _undivided(piece: Piece, encoded: Encoded, parts: Sequence[_Heard]) -> list[Spoken]:
    """The piece as a whole if one language is spoken in all its parts: in a longer piece the words are heard better.
    Otherwise nothing.
    """
    languages = {language for part in parts for language in part.languages}
    return [Spoken(piece=piece, language=languages.pop(), encoded=encoded)] if len(languages) == 1 else []


def as_detected(words: Sequence[Word], spoken: Sequence[Spoken]) -> list[Word]:
    """The words, each with the language that is detected at its time."""
    detected = [each for one in spoken for each in one.detected]

    def heard(word: Word) -> str:
        middle = (word.start + word.end) / 2
        return next((code for region, code in detected if region.start <= middle < region.end), word.language)

    return [replace(word, language=heard(word)) for word in words]


def _heard(
    decoder: Decoder,
    pieces: Sequence[Piece],
    encoded: Sequence[Encoded],
    regions: Sequence[Region],
    *,
    expected: str,
    wholes: Sequence[Mapping[str, float]] = (),
) -> list[_Heard]:
    """The pieces with the languages of their stretches, which are judged together; codes are Whisper's. `wholes` has
    for each piece the probabilities of languages in the larger piece of which it is a part; empty if it is none.
    """
    spans = [_spans(piece, regions) for piece in pieces]
    likely = [
        [_mixed(stretch, whole) for stretch in _likely_languages(decoder, piece, each, own)]
        for piece, each, own, whole in zip(pieces, encoded, spans, wholes or [{}] * len(pieces), strict=True)
    ]
    languages = iter(
        language_runs(
            [one for own in likely for one in own],
            [span.end - span.start for own in spans for span in own],
            expected=expected,
        )
    )
    return [
        _Heard(piece=piece, encoded=each, spans=own, languages=[next(languages) for _ in own])
        for piece, each, own in zip(pieces, encoded, spans, strict=True)
    ]


def _split(heard: _Heard, encode: Callable[[Sequence[Piece]], Sequence[Encoded]]) -> list[Spoken]:
    """A piece in one language as it is, any other split between its languages and encoded anew."""
    spans, languages = heard.spans, heard.languages
    changes = [at for at in range(1, len(spans)) if languages[at] != languages[at - 1]]
    own = [languages[at] for at in (0, *changes)]
    if not changes:
        return [Spoken(piece=heard.piece, language=own[0], encoded=heard.encoded)]
    parts = heard.piece.split([(spans[at - 1].end + spans[at].start) / 2 for at in changes])
    return [
        Spoken(piece=part, language=language, encoded=each)
        for part, language, each in zip(parts, own, encode(parts), strict=True)
    ]


def _likely_languages(
    decoder: Decoder, piece: Piece, encoded: Encoded, spans: Sequence[Region]
) -> list[Mapping[str, float]]:
    """The probabilities of languages in each of the `spans` of a piece."""
    places, pairs = (_to_the_edges(each, piece.seconds) for each in _places(piece, spans))
    found = _languages(decoder, encoded, [*places, *pairs])
    return settled(found[: len(places)], found[len(places) :])


def _to_the_edges(places: Sequence[tuple[float, float]], seconds: float) -> list[tuple[float, float]]:
    """The places in a piece of this length; the first begins and the last ends with the piece. Without the margins
    there the model hears languages that nobody speaks.
    """
    last = len(places) - 1
    return [(start if at > 0 else 0.0, end if at < last else seconds) for at, (start, end) in enumerate(places)]


def _mixed(part: Mapping[str, float], whole: Mapping[str, float]) -> Mapping[str, float]:
    """The probabilities in a part of a piece, with a share of those in the whole of it, if there is a whole."""
    if not whole:
        return part
    return {
        code: (1 - _WHOLE) * part.get(code, 0.0) + _WHOLE * whole.get(code, 0.0) for code in part.keys() | whole.keys()
    }


def _changes(
    decoder: Decoder, piece: Piece, encoded: Encoded, spans: Sequence[Region]
) -> tuple[list[float], Mapping[str, float]]:
    """The times at which the language of a piece may change, so that its parts should be encoded by themselves, and the
    probabilities of languages in the whole of it.

    The encoder hears each stretch in the light of the whole piece: a sentence of another language at its edge sounds
    like neither. Edges of at least two stretches that do not sound like a piece whose language is sure are split off;
    a long piece whose language is not sure is divided at its longest pause.
    """
    _, pairs = _places(piece, spans)
    if len(spans) < _FEW:
        return [], {}
    *heard, whole = decoder.languages(encoded, [*pairs, (0.0, piece.seconds)])
    language = max(whole, key=lambda code: whole[code])
    if whole[language] < _SURE_PIECE:
        pauses = {at: spans[at].start - spans[at - 1].end for at in range(2, len(spans) - 1)}
        middle = max(pauses, key=lambda at: (pauses[at], -abs(at - len(spans) / 2)))
        return [(spans[middle - 1].end + spans[middle].start) / 2], whole
    sure = [at for at, pair in enumerate(heard) if pair.get(language, 0.0) >= _SURE_PAIR]
    if not sure:
        return [], whole
    first, last = sure[0] + 1, sure[-1]  # the stretches that are sure to be in the language of the piece
    before = [(spans[first - 1].end + spans[first].start) / 2] if sure[0] > 0 else []
    after = [(spans[last].end + spans[last + 1].start) / 2] if sure[-1] < len(pairs) - 1 else []
    return before + after, whole


def _languages(decoder: Decoder, encoded: Encoded, places: Sequence[tuple[float, float]]) -> list[dict[str, float]]:
    """The probabilities of languages between these seconds of a piece, with those of rare languages lowered and the
    others raised as much.
    """
    found = []
    for each in decoder.languages(encoded, places):
        weighed = {code: share * _RARE.get(code, 1.0) for code, share in each.items()}
        ratio = sum(each.values()) / (sum(weighed.values()) or 1.0)
        found.append({code: share * ratio for code, share in weighed.items()})
    return found


def _places(piece: Piece, spans: Sequence[Region]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """The starts and ends of the `spans` in the piece, in seconds, and those of each two neighbours."""
    places = [(piece.place(span.start), piece.place(span.end)) for span in spans]
    return places, [(first[0], second[1]) for first, second in pairwise(places)]


def _spans(piece: Piece, regions: Sequence[Region]) -> list[Region]:
    """The speech of a piece in stretches of about _TOLD seconds: each is in one language."""
    spans: list[Region] = []
    for span in piece.spans:
        for region in regions:
            start, end = max(span.start, region.start), min(span.end, region.end)
            if start >= end:
                continue
            parts = max(1, round((end - start) / _TOLD))
            edges = [start + (end - start) * at / parts for at in range(parts + 1)]
            spans += [Region(start=first, end=last) for first, last in pairwise(edges)]
    return spans or list(piece.spans)
