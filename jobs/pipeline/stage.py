"""The stages of the pipeline in order, with their weights in the progress and their time limits.

Weights are shares of the wall time of a ten-minute 720p video on two cores with the bundled engines, for the overall
progress only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from jobs.pipeline.gettext_marker import _


class Stage(StrEnum):
    """A stage of a job; the members are in the order of the work."""

    FETCH = "fetch"
    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"
    SUBTITLE = "subtitle"
    RENDER = "render"


class StepName(StrEnum):
    """A step of a stage that moves no bar, and whose name is shown while it lasts."""

    LOAD_SPEECH = "load_speech"
    LOAD_SPEAKERS = "load_speakers"
    READ_TRANSCRIPT = "read_transcript"


STEPS: Mapping[str, str] = {
    StepName.LOAD_SPEECH: _("Loading the speech model …"),
    StepName.LOAD_SPEAKERS: _("Loading the speaker model …"),
    StepName.READ_TRANSCRIPT: _("Reading the transcript for the brief …"),
}
"""Sentences of the steps, marked for the catalogue."""

WEIGHTS: dict[Stage, float] = {
    Stage.FETCH: 0.05,
    Stage.TRANSCRIBE: 0.45,
    Stage.TRANSLATE: 0.10,
    Stage.SUBTITLE: 0.01,
    Stage.RENDER: 0.39,
}
"""Share of each stage in the work of a whole job; the sum is 1."""

_LIMITS: dict[Stage, tuple[float, float]] = {
    Stage.FETCH: (4 * 3600, 2),
    Stage.TRANSCRIBE: (1800, 30),
    Stage.TRANSLATE: (1800, 30),
    Stage.SUBTITLE: (600, 0.1),
    Stage.RENDER: (1800, 30),
}
"""Time limits: seconds, and seconds per second of the video."""


def time_limit(stage: Stage, seconds: float) -> float:
    """The time limit of a stage in seconds, for a video of `seconds`. It ends hanging stages, far above normal times.

    Recognition and burning take at most ten times the video's duration (large model, 4K, two cores).
    """
    base, factor = _LIMITS[stage]
    return base + factor * seconds


def overall(shares: Mapping[Stage, float], stages: Iterable[Stage]) -> float:
    """The share of a job that is done, 0 to 1. `stages` are the job's stages, `shares` the done share of each."""
    weights = {stage: WEIGHTS[stage] for stage in stages}
    done = sum(weight * shares.get(stage, 0.0) for stage, weight in weights.items())
    return done / sum(weights.values()) if weights else 0.0
