"""Estimates of the tokens and the money that a translation will take, before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Sum
from django.db.models.functions import Length

from jobs.engines.llm import tokens
from jobs.engines.llm.batches import BATCH_LINES
from jobs.intake.options import JobOptions, engines_of, is_in_target, known_language, options_of
from jobs.models import Job, OwnerLimits
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.protocols import Brief, Usage
from jobs.pipeline.subtitles.cue import Cue
from jobs.queueing import caps

_CACHE_SECONDS = 60
"""Seconds for which the estimate of a job is cached: finding its engine looks for programs and models on the disk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CostEstimate:
    """An estimate. `cost` is None when the price is not known; `free`: the engine costs nothing, or nothing is to be
    translated. `engine` is the name of the engine, `model` that of its model; both may be empty. `exceeds` is the cap,
    as `1.00 USD`, at which the job will pause, if that was looked up.
    """

    seconds: float
    usage: Usage = Usage()
    cost: Decimal | None = None
    free: bool = False
    engine: str = ""
    model: str = ""
    exceeds: str = ""

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.usage.input_tokens + self.usage.output_tokens


def of_speech(options: JobOptions, seconds: float) -> CostEstimate | None:
    """The estimate for a video of so many seconds; None when no engine can translate it."""
    return _estimate(options, seconds, None)


def of_subtitles(options: JobOptions, cues: Sequence[Cue], seconds: float = 0) -> CostEstimate | None:
    """The estimate for the owner's own subtitles; their end is the length, unless it is given."""
    length = seconds or max((cue.end for cue in cues), default=0.0)
    return _estimate(options, length, (len(cues), sum(len(cue.source) for cue in cues)))


def of_job(job: Job) -> CostEstimate | None:
    """The estimate for a job whose length is known, or which has its cues; None for any other."""
    options = options_of(job.options)
    if not (job.seconds or options.brought):
        return None
    key = f"cost_estimate_{job.pk}_{job.seconds}"
    kept: tuple[CostEstimate | None] | None = cache.get(key)
    if kept is None:
        counted = job.cues.aggregate(count=Count("pk"), characters=Sum(Length("source"))) if options.brought else None
        text = (counted["count"], counted["characters"] or 0) if counted else None
        kept = (_estimate(options, job.seconds, text),)
        cache.set(key, kept, _CACHE_SECONDS)
    (found,) = kept
    return found and replace(found, exceeds=exceeded_cap(found, job.owner_id, job))


def exceeded_cap(found: CostEstimate, owner_id: int, job: Job | None = None) -> str:
    """The cap, as `1.00 USD`, at which a job with this estimate will pause; empty when it will not. `job` is the job,
    if there is one, which may have caps of its own.
    """
    limits = OwnerLimits.objects.filter(owner=owner_id).first() or OwnerLimits()
    options = settings.ENGINE_OPTIONS.get(found.engine)
    calls = caps.this_month(owner_id)
    month, used = caps.caps_of_month(limits), caps.spent(calls.exclude(job=job.pk) if job else calls)
    own = caps.caps_of_job(job or Job(), limits, getattr(options, "max_tokens", 0))
    cost = found.cost or Decimal(0)
    for most, before in ((own, caps.Spent()), (month, used)):
        if most.cost and before.cost + cost > most.cost:
            return caps.money_text(most.cost)
        if most.tokens and before.tokens + found.tokens > most.tokens:
            return caps.tokens_text(most.tokens)
    return ""


def _estimate(options: JobOptions, seconds: float, text: tuple[int, int] | None) -> CostEstimate | None:
    """`text` is the number of lines and of their characters, where they are known."""
    known = known_language(options)
    if is_in_target(options, known):
        return CostEstimate(seconds=seconds, free=True)
    try:
        chosen = engines_of(options)
        heard = None if options.brought else chosen.choose_transcriber(options.spoken)
        spec = chosen.choose_translator(known or None, options.target, heard)
    except PipelineError:
        return None
    if not spec.paid:
        return CostEstimate(seconds=seconds, free=True, engine=spec.name)
    engine: Any = settings.ENGINE_OPTIONS[spec.name]
    brief = Brief(
        source=known or "en",
        target=options.target,
        formality=options.formality,
        glossary=options.glossary,
        topic=options.topic,
    )
    batch, model = getattr(engine, "batch_lines", BATCH_LINES), str(getattr(engine, "model", ""))
    first = bool(getattr(engine, "first_words", False))
    if text:
        usage = tokens.of_text(*text, brief, batch, first_words=first)
    else:
        usage = tokens.of_speech(seconds, brief, batch, first_words=first)
    usage = tokens.with_steps(usage, careful=options.careful, reads_first=options.reads_first)
    return CostEstimate(seconds=seconds, usage=usage, cost=caps.cost_of(model, usage), engine=spec.name, model=model)
