"""A whole window given to a transcriber, as the transcribe stage does it."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.pipeline.protocols import Hints, Progress, Samples, Transcriber, Word


def hear(engine: Transcriber, samples: Samples, hints: Hints, progress: Progress) -> Sequence[Word]:
    """The words in the speech that the engine finds."""
    return engine.recognise(samples, engine.speech(samples), hints, progress)
