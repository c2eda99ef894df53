"""Packing of speech into pieces for a recogniser, and times in them."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.pipeline.protocols import SAMPLE_RATE, Region
from jobs.pipeline.speech.pieces import Piece, full_until, pieces_of

MINUTE = np.random.default_rng(2).normal(0, 0.1, 60 * SAMPLE_RATE).astype(np.float32)


def regions(*times: tuple[float, float]) -> list[Region]:
    return [Region(start=start, end=end) for start, end in times]


def test_short_pauses_stay_and_long_ones_are_cut_out() -> None:
    (piece,) = pieces_of(MINUTE, regions((1, 5), (5.8, 8), (20, 24)), longest=30)

    assert [(span.start, span.end) for span in piece.spans] == [(0.7, 8.3), (19.7, 24.3)]
    assert piece.seconds == pytest.approx(12.2)
    assert len(piece.sound(MINUTE)) == pytest.approx(12.2 * SAMPLE_RATE, abs=2)


def test_as_few_pieces_as_possible() -> None:
    found = pieces_of(MINUTE, regions((0, 14), (16, 29), (31, 44), (46, 59)), longest=30)

    assert len(found) == 2
    assert all(piece.seconds <= 30 for piece in found)


def test_speech_without_a_pause_is_cut() -> None:
    found = pieces_of(MINUTE, regions((0, 60)), longest=30)

    assert len(found) >= 2
    assert all(piece.seconds <= 30 for piece in found)
    assert sum(piece.seconds for piece in found) == pytest.approx(60)


def test_a_window_ends_where_a_piece_would_not_be_full() -> None:
    one_and_a_rest = regions((0, 14), (16, 29), (31, 40), (45, 50))

    assert full_until(MINUTE, one_and_a_rest, longest=28.5) == pytest.approx(30.7)
    assert full_until(MINUTE, one_and_a_rest, longest=18.5) == 60, "the last is full"
    assert full_until(MINUTE, one_and_a_rest[:2], longest=28.5) == 60, "nothing would be left"
    assert full_until(MINUTE, [], longest=30) == 60


def test_no_speech_is_no_piece() -> None:
    assert pieces_of(MINUTE, [], longest=30) == []


def test_times_go_there_and_back() -> None:
    piece = Piece(spans=tuple(regions((1, 4), (10, 12), (30, 31))))

    for time in (1.0, 2.5, 10.5, 11.9, 30.5):
        assert piece.time(piece.place(time)) == pytest.approx(time)
    assert piece.time(-1) == 1
    assert piece.time(99) == 31
    assert piece.place(7) == 3  # in a pause that was cut out


def test_it_is_split_at_a_time() -> None:
    first, second = Piece(spans=tuple(regions((1, 4), (10, 12)))).split([11])

    assert [(span.start, span.end) for span in first.spans] == [(1, 4), (10, 11)]
    assert [(span.start, span.end) for span in second.spans] == [(11, 12)]
