"""Notes on the file and its picture, for the job's page and the report."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.pipeline.media.streams import Media
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.protocols import Mode
from jobs.pipeline.stages.sound import Note


def notes_on_file(media: Media) -> Iterator[Note]:
    """The notes on sound tracks that are left out, and on a clock that was corrected."""
    if media.left_out:
        yield NoteCode.TRACKS_LEFT_OUT, {"numbers": ", ".join(map(str, media.left_out))}
    if any(abs(shift.seconds) > 1 for shift in media.clock):
        yield NoteCode.CLOCK_JUMPS, {}


def notes_on_result(media: Media, mode: Mode) -> Iterator[Note]:
    """The notes on a rendered video."""
    if mode == "burn" and media.picture.transfer:
        yield NoteCode.HDR_KEPT, {}
