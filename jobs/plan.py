"""From rows to work: the task of a stage, and back again what a stage made into rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from jobs import artifacts, models
from jobs.children import ProcessLimits
from jobs.engines.choose import Engines
from jobs.engines.registry import SPECS
from jobs.models import Job, SourceKind, StageRun, TranslationCache
from jobs.orders import Order, order_of
from jobs.pipeline.errors import HostError, NoVideoStream
from jobs.pipeline.gettext_marker import _
from jobs.pipeline.media.description import Media
from jobs.pipeline.process.messages import (
    FetchTask,
    RecogniseTask,
    RenderTask,
    SubtitleTask,
    Task,
    TranslateTask,
    shaped,
)
from jobs.pipeline.protocols import Brief
from jobs.pipeline.stage import Stage
from jobs.pipeline.stages.fetch import Limits, LinkOptions
from jobs.pipeline.stages.render import Mode
from jobs.pipeline.stages.translate import is_captions
from jobs.pipeline.subtitles.segmentation import Cue
from jobs.pipeline.subtitles.style import Form
from jobs.pipeline.text.languages import language

_DEFAULT_SIZE = (1280, 720)
"""What subtitles of sound without a picture are laid out for."""


def stages_of(order: Order) -> list[Stage]:
    """The stages that a job with this order goes through: those that have something to do. Which language is spoken may
    be known only when some of it was recognised: then `translate` is left out later.
    """
    without = {Stage.TRANSCRIBE} if order.brought else set()
    without |= {Stage.TRANSLATE} if is_in_target(order, known_language(order)) else set()
    without |= {Stage.RENDER} if order.mode == "none" else set()
    return [stage for stage in Stage if stage not in without]


def known_language(order: Order) -> str:
    """The code of the language of the speech, or of the subtitles that were brought; empty: not known yet."""
    return order.spoken or (order.target if order.brought else "")


def is_in_target(order: Order, spoken: str) -> bool:
    """Whether words in the language `spoken` need no translation."""
    return bool(spoken) and is_captions(Brief(source=spoken, target=order.target))


def untranslated_note(order: Order) -> dict[str, Any]:
    """What is noted with a job whose words are in the target language."""
    brought = _("The subtitles are in {language} already: translation is skipped.")
    heard = _("The speech is in {language} already: translation is skipped.")
    return {"sentence": brought if order.brought else heard, "params": {"language": language(order.target).name}}


def task_for(job: Job, run: StageRun) -> Task:
    """All that the child needs. Raises PipelineError where the stage cannot be done."""
    order = order_of(job.order)
    match Stage(run.stage):
        case Stage.FETCH:
            return _fetch(job, order)
        case Stage.TRANSCRIBE:
            return _recognise(job, run, order)
        case Stage.TRANSLATE:
            return _translate(job, order)
        case Stage.SUBTITLE:
            return _subtitle(job, order)
        case Stage.RENDER:
            return _render(job, order)


def engine_of(task: Task) -> str:
    """The name of the engine that a task uses, or nothing."""
    return (task.engine or "") if isinstance(task, RecogniseTask | TranslateTask) else ""


def limits_for(stage: Stage, seconds: float) -> ProcessLimits:
    """So that one hostile video cannot take the machine. Burning 4K takes 20 s of CPU a second at worst.

    Recognition stays between jobs and reads nothing but plain sound: it has no limit of CPU or files.
    """
    if stage in {Stage.TRANSCRIBE, Stage.TRANSLATE}:
        return ProcessLimits()
    cpu = 4 * 3600 if stage == Stage.FETCH else round(1800 + 60 * seconds)
    return ProcessLimits(cpu=cpu, file_size=4 * settings.MAX_BYTES, open_files=512, nice=10)


def engines(order: Order) -> Engines:
    return Engines(transcriber=order.transcriber, translator=order.translator, options=settings.ENGINE_OPTIONS)


def _fetch(job: Job, order: Order) -> FetchTask:
    uploaded = artifacts.path_of(job.pk, "source")
    return FetchTask(
        source=str(uploaded) if uploaded and job.source_kind != SourceKind.LINK else job.source,
        limits=Limits(max_bytes=settings.MAX_BYTES, max_seconds=settings.MAX_SECONDS, max_pixels=settings.MAX_PIXELS),
        link=LinkOptions(
            cookies=order.cookies or settings.LINK_COOKIES,
            proxy=settings.LINK_PROXY,
            deno=settings.LINK_DENO,
            allow_loopback=settings.LINK_TEST_HOSTS,
        ),
        name="" if job.source_kind == SourceKind.LINK else job.source,
        listen=not order.brought,
    )


def _recognise(job: Job, run: StageRun, order: Order) -> RecogniseTask:
    spec = engines(order).choose_transcriber(order.spoken)
    media, reached = media_of(job), run.checkpoint
    return RecogniseTask(
        audio=_file(job, "audio"),
        name=media.name,
        engine=spec.name,
        options=asdict(settings.ENGINE_OPTIONS[spec.name]),
        spoken=order.spoken or reached.get("language") or None,
        start=reached.get("until", 0.0),
        offset=media.speech.offset if media.speech else 0.0,
        heard=reached.get("heard", False),
        first_id=reached.get("next", 1),
    )


def _translate(job: Job, order: Order) -> TranslateTask:
    brief = brief_of(job, order)
    if is_captions(brief):
        return TranslateTask(engine=None, options={}, brief=brief)
    chosen = engines(order)
    heard = None if order.brought else chosen.choose_transcriber(order.spoken)
    spec = chosen.choose_translator(brief.source, brief.target, heard)
    return TranslateTask(engine=spec.name, options=asdict(settings.ENGINE_OPTIONS[spec.name]), brief=brief)


def _subtitle(job: Job, order: Order) -> SubtitleTask:
    media, captions = media_of(job), is_captions(brief_of(job, order))
    form: Form = "bilingual" if order.bilingual and not captions else "target"
    forms: dict[str, Form] = {f"{order.target}.{kind}": form for kind in ("srt", "vtt", "ass")}
    forms.setdefault(f"{job.spoken}.srt", "source")
    return SubtitleTask(
        cues=tuple(map(as_cue, job.cues.all())),
        spoken=job.spoken,
        target=order.target,
        forms=forms,
        style=order.style,
        size=(media.video.width, media.video.height) if media.video else _DEFAULT_SIZE,
    )


def _render(job: Job, order: Order) -> RenderTask:
    return RenderTask(
        source=_file(job, "source"),
        media=media_of(job),
        subtitles=_file(job, f"{order.target}.{'ass' if order.mode == 'burn' else 'srt'}"),
        mode=order.mode,
        language=order.target,
    )


def brief_of(job: Job, order: Order) -> Brief:
    return Brief(
        source=job.spoken,
        target=order.target,
        formality=order.formality,
        glossary=order.glossary,
        topic=order.topic,
    )


def media_of(job: Job) -> Media:
    """What the first stage found out about the video."""
    return shaped(Media, job.stages.get(stage=Stage.FETCH).outcome["media"])


def mode_of(order: Order, media: Media) -> Mode:
    """What can be rendered: of sound alone, subtitles. Raises NoVideoStream."""
    if media.video or order.mode == "none":
        return order.mode
    if order.mode == "soft":
        raise NoVideoStream(name=media.name)
    return "none"


def _file(job: Job, kind: str) -> Path:
    path = artifacts.path_of(job.pk, kind)
    if path is None or not path.exists():
        raise HostError(detail=f"The file of kind {kind} is missing.")
    return path


# Cues, as rows and as plain data


def as_cue(row: models.Cue) -> Cue:
    return Cue(
        id=row.number,
        start=row.start,
        end=row.end,
        source=row.source,
        target=row.target,
        speaker=row.speaker,
        flags=tuple(row.flags),
    )


def as_row(cue: Cue, job: Job | None = None) -> models.Cue:
    """Not saved."""
    return models.Cue(
        job=job,
        number=cue.id,
        start=cue.start,
        end=cue.end,
        source=cue.source,
        target=cue.target,
        speaker=cue.speaker,
        flags=list(cue.flags),
    )


def as_caption_row(cue: Cue, job: Job | None = None) -> models.Cue:
    """Not saved: of a cue that needs no translation."""
    row = as_row(replace(cue, target=cue.source), job)
    row.answered = True
    return row


# What was translated before


def cache_keys(task: TranslateTask, rows: Sequence[models.Cue], before: str) -> dict[int, str]:
    """A key for each cue by its number: of everything its translation depends on. `before` is the text that precedes
    the first: a short line means another thing after another one."""
    secret = {field.name for spec in SPECS for field in fields(spec.options) if field.metadata.get("secret")}
    options = {name: value for name, value in task.options.items() if name not in secret}
    common = json.dumps([task.engine, options, asdict(task.brief)], sort_keys=True, default=str)
    texts = [before, *(row.source for row in rows)]
    return {
        row.number: hashlib.sha256(json.dumps([common, previous, row.source]).encode()).hexdigest()
        for previous, row in zip(texts, rows, strict=False)
    }


def remembered(owner_id: int, keys: Iterable[str]) -> dict[str, str]:
    """The texts of those keys that this owner had translated before. What is used again is kept for longer."""
    found = TranslationCache.objects.filter(owner=owner_id, key__in=list(keys))
    found.update(used=timezone.now())
    return dict(found.values_list("key", "text"))


def remember(owner_id: int, texts: Mapping[str, str]) -> None:
    rows = [TranslationCache(owner_id=owner_id, key=key, text=text) for key, text in texts.items()]
    TranslationCache.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["owner", "key"], update_fields=["text", "used"]
    )


# What came out


def report_of(job: Job) -> dict[str, Any]:
    """The report of a job that is whole. `files` are kinds of artifacts."""
    runs = {run.stage: run for run in job.stages.all()}
    spent = {name: run.ended - run.started for name, run in runs.items() if run.ended and run.started}
    usage = models.UsageEntry.objects.filter(job=job).values_list("input_tokens", "output_tokens")
    return {
        "title": job.title,
        "duration": round(job.seconds, 3),
        "source": job.spoken,
        "target": job.target,
        "engines": job.engines,
        "seconds": {name: round(length.total_seconds(), 2) for name, length in spent.items()},
        "usage": {"input_tokens": sum(one for one, _ in usage), "output_tokens": sum(two for _, two in usage)},
        "quality": runs[Stage.SUBTITLE].outcome["quality"],
        "files": sorted(job.artifacts.exclude(kind__in=("source", "audio")).values_list("kind", flat=True)),
    }
