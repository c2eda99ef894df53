"""Division of pieces of speech between languages, with a decoder whose answers are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from jobs.engines.whisperx.decoding import Encoded
from jobs.engines.whisperx.language_detection import in_one_language_each
from jobs.pipeline.protocols import Region
from jobs.pipeline.speech.pieces import Piece

PIECE = Piece(spans=(Region(start=0, end=24),))
REGIONS = [Region(start=start, end=start + 3.5) for start in range(0, 24, 4)]


class Ear:
    """Finds German until `change` and English after it, or nothing clear in a piece with both.

    The encoded sound is the times of its samples, so that it is known which part is asked for. A part is heard in the
    light of the whole piece: what is in the other language than most of it sounds like neither.
    """

    def __init__(self, change: float) -> None:
        self.change = change
        self.encoded = 0

    def encode(self, parts: Sequence[Piece]) -> list[Encoded]:
        self.encoded += len(parts)
        return [np.array([[span.start, span.end] for span in part.spans], np.float32) for part in parts]

    def languages(self, encoded: Encoded, spans: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
        first, last = float(encoded[0, 0]), float(encoded[-1, 1])
        english = min(max(last - self.change, 0.0), last - first) / (last - first)
        return [self._heard(first + start, first + end, english) for start, end in spans]

    def _heard(self, start: float, end: float, english: float) -> dict[str, float]:
        own = min(max(end - self.change, 0.0), end - start) / (end - start)
        if 0 < english < 1 and abs(own - english) > 0.5:
            return {"hu": 0.4, "en": 0.3, "fa": 0.3}
        own = 1.0 if own > 0.65 else 0.0 if own < 0.35 else own
        return {"en": 0.97 * own, "de": 0.97 * (1 - own)}


def divided(ear: Ear) -> list[tuple[str, float]]:
    encoded = ear.encode([PIECE])
    found = in_one_language_each(ear, [PIECE], encoded, REGIONS, expected="de", encode=ear.encode)  # type: ignore[arg-type]
    return [(spoken.language, spoken.piece.spans[0].start) for spoken in found]


def test_a_piece_in_one_language_stays_whole() -> None:
    ear = Ear(change=0)

    assert divided(ear) == [("en", 0)]
    assert ear.encoded == 1


def test_sentences_of_another_language_at_the_edge_are_encoded_by_themselves() -> None:
    ear = Ear(change=7.75)

    found = divided(ear)

    assert found[:2] == [("de", 0), ("en", 7.75)]
    assert {language for language, _ in found[1:]} == {"en"}
    assert ear.encoded > 1


def test_a_piece_half_in_each_language_is_split() -> None:
    found = divided(Ear(change=11.75))

    assert [language for language, _ in found] == ["de", "en"]
    assert found[1][1] == 11.75


def test_latin_needs_more_than_a_likely_sound() -> None:
    """Unclear speech sounds like Latin to the model; Latin that it is sure of stays Latin."""

    class Unclear(Ear):
        latin = 0.6

        def _heard(self, start: float, end: float, english: float) -> dict[str, float]:
            return {"la": self.latin, "es": (1 - self.latin) * 0.75, "en": (1 - self.latin) * 0.25}

    ear = Unclear(change=0)
    assert {language for language, _ in divided(ear)} == {"es"}
    ear.latin = 0.97
    assert {language for language, _ in divided(ear)} == {"la"}


def test_the_margins_of_a_piece_belong_to_what_is_heard_in_it() -> None:
    """A language is asked for from the first to the last moment of a piece, not from its first speech on."""
    asked: list[tuple[float, float]] = []

    class Asked(Ear):
        def languages(self, encoded: Encoded, spans: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
            asked.extend(spans)
            return [{"de": 1.0} for _ in spans]

    late = [Region(start=start + 0.4, end=start + 3.4) for start in range(0, 24, 4)]
    ear = Asked(change=24)
    in_one_language_each(ear, [PIECE], ear.encode([PIECE]), late, expected="", encode=ear.encode)  # type: ignore[arg-type]
    assert {(0.0, 7.4), (16.4, 24.0)} <= {(round(start, 3), round(end, 3)) for start, end in asked}


def test_a_part_that_tells_little_follows_the_whole() -> None:
    """The second half sounds like Basque rather than Spanish; the whole piece sounds like Spanish."""

    class Doubtful(Ear):
        def languages(self, encoded: Encoded, spans: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
            whole_or_first = encoded[0, 0] == 0
            told = {"es": 0.7, "en": 0.3} if whole_or_first else {"eu": 0.5, "es": 0.25, "en": 0.25}
            return [told for _ in spans]

    ear = Doubtful(change=0)
    assert {language for language, _ in divided(ear)} == {"es"}
    assert ear.encoded == 3, "the piece and its two halves"


def test_a_piece_whose_parts_are_in_one_language_is_decoded_whole() -> None:
    """A piece of an unsure language is divided to look closer; when that finds one language, it is as it was before."""

    class Unsure(Ear):
        def languages(self, encoded: Encoded, spans: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
            return [{"es": 0.7, "pt": 0.3} for _ in spans]

    ear = Unsure(change=0)
    encoded = ear.encode([PIECE])
    found = in_one_language_each(ear, [PIECE], encoded, REGIONS, expected="", encode=ear.encode)  # type: ignore[arg-type]

    assert [(spoken.language, spoken.piece) for spoken in found] == [("es", PIECE)]
    assert found[0].encoded is encoded[0]
    assert ear.encoded == 3, "it was looked at in two parts"


def test_an_edge_that_sounds_like_latin_is_encoded_by_itself() -> None:
    """Other languages are looked for before Latin is lowered, or the language of the piece would win."""

    class Edge(Ear):
        def languages(self, encoded: Encoded, spans: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
            edge, rest = {"en": 0.45, "la": 0.2, "de": 0.35}, {"en": 0.97, "de": 0.03}
            return [edge if start < 5 and end < 12 else rest for start, end in spans]

    ear = Edge(change=0)
    divided(ear)
    assert ear.encoded > 1
