"""Subtitle files of the kinds that people bring: each cue is right, or its line is named."""

from __future__ import annotations

import logging

from jobs.pipeline.errors import PipelineError
from jobs.pipeline.subtitles.reader import Reading, parse_subtitles
from tests.quality.engines import Session
from tests.quality.rows import Row, at_least, at_most, info
from tests.quality.subtitle_files import File, files

SECTION = "files"

_CLOSE = 0.011
"""Seconds by which a time may differ: some formats count hundredths."""


def measure(_session: Session) -> list[Row]:
    """Read each file and count its cues that are wrong or missing without their line being named."""
    made = files()
    found = {file.name: wrong(file) for file in made}
    for name, problems in found.items():
        if problems:
            logging.info("%s: %s", name, "; ".join(problems))
    return [
        at_least(SECTION, "files", len(made), 60),
        info(SECTION, "cues", sum(len(file.cues) for file in made)),
        at_most(SECTION, "cues wrong, invented, or missing without a word", sum(map(len, found.values())), 0),
        at_most(SECTION, "files with such a cue", sum(map(bool, found.values())), 0),
    ]


def wrong(file: File) -> list[str]:
    """The faults of the cues that are read from a file."""
    try:
        reading = parse_subtitles(file.content, file.name)
    except PipelineError as error:
        return [f"refused: {error}"]
    return [*_lost(file, reading), *_invented(file, reading), *_unnamed(file, reading)]


def _lost(file: File, reading: Reading) -> list[str]:
    """Cues that are not read as they are; one on a named line may have other times, or be missing."""
    texts = [cue.source for cue in reading.cues]
    lost = []
    for start, end, text in file.cues:
        same = [cue for cue in reading.cues if cue.source == text]
        right = any(abs(cue.start - start) < _CLOSE and abs(cue.end - end) < _CLOSE for cue in same)
        if not right and not (file.named and (same or len(texts) < len(file.cues))):
            lost.append(f"{start}-{end} “{text}”, read: {[(cue.start, cue.end, cue.source) for cue in reading.cues]}")
    return lost


def _invented(file: File, reading: Reading) -> list[str]:
    return [f"invented: “{cue.source}”" for cue in reading.cues if cue.source not in {text for *_, text in file.cues}]


def _unnamed(file: File, reading: Reading) -> list[str]:
    named = {problem.line for problem in reading.problems}
    return [f"line {line} is not named, but {sorted(named)}" for line in file.named if line not in named]
