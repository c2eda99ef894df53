"""Times of frames, and the frame rate that they give."""

from __future__ import annotations

import pytest

from jobs.pipeline.media.frame_times import frame_times, pace


def test_times_without_a_stamp_are_left_out() -> None:
    listing = "#tb 0: 1/1000\n0, 40, 40, 40, 1, 0x0\n0, 0, 0, 40, 1, 0x0\n0, NOPTS, NOPTS, 40, 1, 0x0\n"
    assert frame_times(listing) == [0, 0.04]
    assert frame_times("") == []


def test_milliseconds_do_not_make_a_rate_variable() -> None:
    rounded = [round(frame / 30, 3) for frame in range(300)]
    fps, variable = pace(rounded)
    assert fps == pytest.approx(30, rel=0.01)
    assert not variable
    assert pace([0.0]) == (0.0, False)
