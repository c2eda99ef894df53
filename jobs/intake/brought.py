"""The owner's own subtitles: their cues, and what is to be told of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.intake.options import JobOptions
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.file_notes import notes_on
from jobs.pipeline.subtitles.long_cues import divided
from jobs.pipeline.subtitles.reader import Reading, parse_subtitles, read_subtitles
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.script_detection import check_script


@dataclass(frozen=True, kw_only=True, slots=True)
class Brought:
    """The owner's cues, and notes on their file: codes with parameters."""

    cues: Sequence[Cue] = ()
    notes: Sequence[dict[str, Any]] = ()


def read_brought(options: JobOptions, path: Path) -> Brought:
    """Read the owner's subtitle file. Raises SubtitlesError, also when it is in another language."""
    return _brought(options, read_subtitles(path, repair=not options.unrepaired_subtitles), path.name)


def parse_brought(options: JobOptions, data: bytes, name: str) -> Brought:
    """Parse the owner's subtitle file `name`. Raises SubtitlesError, also when it is in another language."""
    return _brought(options, parse_subtitles(data, name, repair=not options.unrepaired_subtitles), name)


def _brought(options: JobOptions, reading: Reading, name: str) -> Brought:
    own = language(options.spoken or options.target)
    check_script(own, (cue.source for cue in reading.cues), name)
    cues, count = (reading.cues, 0) if options.whole_subtitles else divided(reading.cues, own)
    return Brought(cues=cues, notes=[{"code": code, "params": params} for code, params in notes_on(reading, count)])
