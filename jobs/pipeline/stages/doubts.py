"""Reasons to doubt that subtitles are those of all that is said in a video."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from jobs.pipeline.gettext_marker import _
from jobs.pipeline.subtitles.cue import Cue

_READ = 7.0
"""Seconds of a cue that count: longer ones are titles of chapters, or stand too long."""

_SHOWN = 0.06
"""Share of a video during which subtitles are shown at least. Films have 20 to 50 %, those with little dialogue 10 %;
tracks of signs and of what is said in another language have 1 to 4 %.
"""

_PART = 60.0
"""Seconds of a part of the video, of which most must have subtitles; of long videos a tenth."""

_PARTS = 10
_FILLED = 0.6

_OUTSIDE = 0.05
_FEW = 2
"""Share of the cues, and their number, that may begin after the end of the video, such as credits of their makers."""


class Doubt(Enum):
    """A reason not to use subtitles: the clause of a sentence, marked for the catalogue, and whether it is final."""

    NO_LANGUAGE = (_("their language is not stated; choose it as the spoken one to use them"), True)
    OTHER_LANGUAGE = (_("their text is not in the language that is stated"), True)
    UNREADABLE = (_("they cannot be read"), True)
    EMPTY = (_("they have no text"), True)
    NOT_DOWNLOADED = (_("they could not be downloaded"), True)
    CLOCK_JUMPS = (_("the times in the file jump"), True)
    PART_ONLY = (_("they are shown in a part of the video only"), False)
    OUTSIDE = (_("many of their times are after the end of the video"), False)

    @property
    def reason(self) -> str:
        """The clause, in English."""
        return self.value[0]

    @property
    def is_hard(self) -> bool:
        """Whether these subtitles are never used, also if only subtitles are wanted."""
        return self.value[1]


def doubt_about(cues: Sequence[Cue], duration: float) -> Doubt | None:
    """The reason to doubt subtitles of a video of `duration` seconds; None: they can be trusted."""
    if sum(cue.start > duration for cue in cues) > max(_OUTSIDE * len(cues), _FEW):
        return Doubt.OUTSIDE
    inside = [cue for cue in cues if cue.start <= duration]
    shown = sum(min(cue.end - cue.start, _READ) for cue in inside)
    parts = min(_PARTS, max(1, int(duration // _PART)))
    filled = {min(int(cue.start * parts / duration), parts - 1) for cue in inside}
    if shown < _SHOWN * duration or len(filled) < _FILLED * parts:
        return Doubt.PART_ONLY
    return None
