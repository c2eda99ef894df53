"""Notes tell which parts of a video could not be kept, or not exactly."""

from __future__ import annotations

import dataclasses

from jobs.pipeline.media.streams import ClockShift
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.stages.picture import notes_on_file, notes_on_result
from tests.pipeline.test_messages import MEDIA, VIDEO


def test_nothing_is_said_of_an_ordinary_file() -> None:
    assert list(notes_on_file(MEDIA)) == []
    assert list(notes_on_result(MEDIA, "burn")) == []


def test_sound_tracks_that_are_left_out() -> None:
    media = dataclasses.replace(MEDIA, left_out=(2, 3))
    assert list(notes_on_file(media)) == [(NoteCode.TRACKS_LEFT_OUT, {"numbers": "2, 3"})]


def test_a_clock_that_was_corrected() -> None:
    media = dataclasses.replace(MEDIA, clock=(ClockShift(stream=0, packet=100, seconds=4.0),))
    assert list(notes_on_file(media)) == [(NoteCode.CLOCK_JUMPS, {})]
    media = dataclasses.replace(MEDIA, clock=(ClockShift(stream=0, packet=0, seconds=0.0),))
    assert list(notes_on_file(media)) == []


def test_hdr_that_is_burned() -> None:
    media = dataclasses.replace(MEDIA, video=dataclasses.replace(VIDEO, transfer="smpte2084"))
    assert list(notes_on_result(media, "burn")) == [(NoteCode.HDR_KEPT, {})]
    assert list(notes_on_result(media, "soft")) == []
