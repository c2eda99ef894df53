"""Notes on the file and its picture, for the job's page and the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobs.pipeline.media.streams import Media
from jobs.pipeline.notes import NoteCode, listed_times
from jobs.pipeline.protocols import Mode
from jobs.pipeline.stages.sound import Note

_SHOWN = 30
"""Characters that a note names."""


def notes_on_file(media: Media) -> Iterator[Note]:
    """The notes on sound tracks that are left out, and on a clock that was corrected."""
    if media.left_out:
        yield NoteCode.TRACKS_LEFT_OUT, {"numbers": ", ".join(map(str, media.left_out))}
    if any(abs(shift.seconds) > 1 for shift in media.clock):
        yield NoteCode.CLOCK_JUMPS, {}


def notes_on_result(
    media: Media, mode: Mode, *, late: Sequence[float] = (), lost: Sequence[str] = ()
) -> Iterator[Note]:
    """The notes on a rendered video. `late`: the seconds at which those subtitles begin that begin after its end;
    `lost`: the names of subtitle tracks and attachments that a soft track could not be added to.
    """
    if mode == "burn" and media.picture.transfer:
        yield NoteCode.HDR_KEPT, {}
    if late:
        yield NoteCode.AFTER_THE_END, {"times": listed_times(late)}
    if mode == "soft" and lost:
        yield NoteCode.TRACKS_NOT_KEPT, {"names": ", ".join(lost)}


def note_on_fonts(characters: str) -> Note:
    """The note on characters that cannot be drawn."""
    more = f" … (+{len(characters) - _SHOWN})" if len(characters) > _SHOWN else ""
    return NoteCode.NO_FONT, {"characters": " ".join(characters[:_SHOWN]) + more}
