"""The estimate of the command line: length, tokens and cost of a translation that is not started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from jobs.cli import translate_options
from jobs.intake import cost_estimate
from jobs.intake.brought import read_brought
from jobs.intake.cost_estimate import CostEstimate
from jobs.intake.submit import refuse_engines
from jobs.pipeline.download.client import is_link
from jobs.pipeline.errors import LengthUnknown, NoSuchFile
from jobs.pipeline.media.limits import duration_text
from jobs.pipeline.media.probe import probe
from jobs.queueing import caps


def estimate_of(options: dict[str, Any]) -> CostEstimate:
    """The estimate for the arguments of the command. Raises PipelineError, also when the engines cannot do the job, and
    LengthUnknown for a link without subtitles.
    """
    job_options, source = translate_options.job_options(options), options["source"]
    refuse_engines(job_options)
    seconds = 0.0
    if not is_link(source):
        if not Path(source).exists():
            raise NoSuchFile(path=source)
        seconds = probe(Path(source)).duration
    elif not job_options.brought:
        raise LengthUnknown(link=source)
    if job_options.brought:
        brought = read_brought(job_options, options["subtitles"])
        found = cost_estimate.of_subtitles(job_options, brought.cues, seconds)
    else:
        found = cost_estimate.of_speech(job_options, seconds)
    assert found, "the engines were checked"
    return found


def as_event(found: CostEstimate) -> dict[str, Any]:
    """The estimate as values of JSON; the cost is a text, or null when the price is not known."""
    cost = None if found.cost is None else f"{found.cost:.6f}"
    return {
        "seconds": round(found.seconds, 3),
        "input_tokens": found.usage.input_tokens,
        "output_tokens": found.usage.output_tokens,
        "cost": "0" if found.free else cost,
        "currency": settings.CURRENCY,
        "engine": found.engine,
        "model": found.model,
    }


def as_lines(found: CostEstimate) -> list[str]:
    """The estimate as lines for a person."""
    cost = "not known: set the price in TRANSLATION_PRICES"
    if found.free:
        cost = "nothing"
    elif found.cost is not None:
        cost = f"about {caps.money_text(found.cost)}"
    by = " ".join(filter(None, (found.engine, found.model)))
    return [
        f"length: {duration_text(found.seconds)}",
        f"tokens: about {found.tokens:,}",
        f"cost: {cost}{f' ({by})' if by else ''}",
    ]
