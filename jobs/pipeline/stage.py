"""The stages of the pipeline in order, and how much of the whole each takes: the single source of both.

The weights are shares of the wall time of a ten-minute 720p video on two cores with the embedded engines; they only
steer the progress bar of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Stage(StrEnum):
    FETCH = "fetch"
    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"
    SUBTITLE = "subtitle"
    RENDER = "render"


WEIGHTS: dict[Stage, float] = {
    Stage.FETCH: 0.05,
    Stage.TRANSCRIBE: 0.45,
    Stage.TRANSLATE: 0.10,
    Stage.SUBTITLE: 0.01,
    Stage.RENDER: 0.39,
}


_LIMITS: dict[Stage, tuple[float, float]] = {
    Stage.FETCH: (4 * 3600, 2),
    Stage.TRANSCRIBE: (1800, 30),
    Stage.TRANSLATE: (1800, 30),
    Stage.SUBTITLE: (600, 0.1),
    Stage.RENDER: (1800, 30),
}


def time_limit(stage: Stage, seconds: float) -> float:
    """How many seconds a stage may take for a video of `seconds`: a bound for what hangs, far above any real work.

    Recognition and burning are ten times slower than the video at worst (large model, 4K, two cores).
    """
    base, factor = _LIMITS[stage]
    return base + factor * seconds


def overall(shares: Mapping[Stage, float], stages: Iterable[Stage]) -> float:
    """The share of a whole job that is done. `stages` are those that it has, `shares` how much of each is done."""
    weights = {stage: WEIGHTS[stage] for stage in stages}
    done = sum(weight * shares.get(stage, 0.0) for stage, weight in weights.items())
    return done / sum(weights.values()) if weights else 0.0
