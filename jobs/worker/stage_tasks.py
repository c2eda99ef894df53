"""Builds the task of a stage from the rows of its job, and the limits of its processes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from jobs import briefs
from jobs.cues import as_cue
from jobs.intake.options import JobOptions, engines_of, options_of
from jobs.models import Job, SourceKind, StageRun
from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.errors import HostError
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.streams import Media
from jobs.pipeline.process.messages import (
    DiarizeTask,
    FetchTask,
    Reading,
    RecogniseTask,
    RenderTask,
    SubtitleTask,
    Task,
    TranslateTask,
    from_builtins,
)
from jobs.pipeline.protocols import Brief, Hints
from jobs.pipeline.stage import Stage
from jobs.pipeline.stages.translate import is_captions
from jobs.pipeline.subtitles.style import FORMATS, Form
from jobs.storage import artifacts
from jobs.worker.child import ProcessLimits

_UNREAD = {"document": {}, "upto": 0}
"""The beginning of a pass over the transcript."""

_MOST_HINTS = 100
"""Terms of the glossary that speech recognition is told of: its prompt has room for about as many."""

_DEFAULT_SIZE = (1280, 720)
"""Width and height in pixels for which the subtitles of sound without a picture are laid out."""


def task_for(job: Job, run: StageRun) -> Task:
    """The task for the child of `run`. Raises PipelineError when the stage cannot be done."""
    options = options_of(job.options)
    match Stage(run.stage):
        case Stage.FETCH:
            return _fetch(job, options)
        case Stage.TRANSCRIBE:
            return _recognise(job, run, options)
        case Stage.TRANSLATE:
            return _translate(job, run, options)
        case Stage.SUBTITLE:
            return _subtitle(job, options)
        case Stage.RENDER:
            return _render(job, options)


def engine_of(task: Task) -> str:
    """The name of the engine that a task uses; empty: none."""
    return (task.engine or "") if isinstance(task, RecogniseTask | TranslateTask) else ""


def limits_for(stage: Stage, seconds: float) -> ProcessLimits:
    """The limits of a stage's processes for a video of so many seconds: a hostile one must not exhaust the machine.

    Burning 4K takes at worst 20 s of CPU for a second of video; the limit is 60 s. Recognition and translation have no
    limits: the child of recognition lives on between jobs, and neither reads anything but plain sound or text.
    """
    if stage in {Stage.TRANSCRIBE, Stage.TRANSLATE}:
        return ProcessLimits()
    cpu = 4 * 3600 if stage == Stage.FETCH else round(1800 + 60 * seconds)
    return ProcessLimits(cpu=cpu, file_size=4 * settings.MAX_BYTES, open_files=512, nice=10)


def _fetch(job: Job, options: JobOptions) -> FetchTask:
    uploaded = artifacts.path_of(job.pk, "source")
    return FetchTask(
        source=str(uploaded) if uploaded and job.source_kind != SourceKind.LINK else job.source,
        limits=Limits(max_bytes=settings.MAX_BYTES, max_seconds=settings.MAX_SECONDS, max_pixels=settings.MAX_PIXELS),
        link=LinkOptions(
            cookies=options.cookies or settings.LINK_COOKIES,
            proxy=settings.LINK_PROXY,
            deno=settings.LINK_DENO,
            allow_loopback=settings.LINK_TEST_HOSTS,
        ),
        name="" if job.source_kind == SourceKind.LINK else job.source,
        listen=not options.brought,
        spoken="" if options.brought else options.spoken or "",
        audio_track="" if options.brought else options.audio_track,
        words=options.wish.as_option(),
        target=options.target,
    )


def _recognise(job: Job, run: StageRun, options: JobOptions) -> RecogniseTask:
    spoken = options.spoken or told_language(job)
    spec = engines_of(options).choose_transcriber(spoken or None)
    media, reached = media_of(job), run.checkpoint
    return RecogniseTask(
        audio=_file(job, "audio"),
        name=media.name,
        engine=spec.name,
        options=asdict(settings.ENGINE_OPTIONS[spec.name]),
        hints=Hints(
            language=spoken,
            expected=reached.get("language") or "",
            terms=tuple(term for term, _ in options.glossary[:_MOST_HINTS]),
            topic=options.topic,
        ),
        start=reached.get("until", 0.0),
        offset=media.speech.offset if media.speech else 0.0,
        heard=reached.get("heard", False),
        first_id=reached.get("next", 1),
        diarize=_diarize(options),
    )


def _diarize(options: JobOptions) -> DiarizeTask | None:
    if options.told_apart == "off":
        return None
    spec = engines_of(options).choose_diarizer()
    number = None if options.told_apart == "auto" else options.told_apart
    return DiarizeTask(engine=spec.name, options=asdict(settings.ENGINE_OPTIONS[spec.name]), speakers=number)


def _translate(job: Job, run: StageRun, options: JobOptions) -> TranslateTask:
    brief = brief_of(job, options)
    if is_captions(brief):
        return TranslateTask(engine=None, options={}, brief=brief)
    chosen = engines_of(options)
    is_heard = job.stages.filter(stage=Stage.TRANSCRIBE).exists()
    heard = chosen.choose_transcriber(options.spoken) if is_heard else None
    spec = chosen.choose_translator(brief.source, brief.target, heard)
    document = briefs.document_of(job)
    reads_first = options.reads_first and document is None
    return TranslateTask(
        engine=spec.name,
        options=asdict(settings.ENGINE_OPTIONS[spec.name]),
        brief=brief,
        document=document,
        revision=briefs.revision_of(job),
        reading=from_builtins(Reading, run.checkpoint.get("reading", _UNREAD)) if reads_first else None,
    )


def _subtitle(job: Job, options: JobOptions) -> SubtitleTask:
    captions = is_captions(brief_of(job, options))
    form: Form = "bilingual" if options.bilingual and not captions else "target"
    forms: dict[str, Form] = {f"{options.target}.{kind}": form for kind in FORMATS}
    forms.setdefault(f"{job.spoken}.srt", "source")
    return SubtitleTask(
        cues=tuple(map(as_cue, job.cues.all())),
        spoken=job.spoken,
        target=options.target,
        forms=forms,
        style=options.style,
        size=picture_size(job),
        portrait_margin=settings.PORTRAIT_MARGIN,
        brief=brief_of(job, options).with_document(briefs.document_of(job)),
    )


def _render(job: Job, options: JobOptions) -> RenderTask:
    media = media_of(job)
    return RenderTask(
        source=_file(job, "source"),
        media=media,
        subtitles=_file(job, f"{options.target}.{'ass' if options.mode == 'burn' else 'srt'}"),
        mode=options.mode,
        language=options.target,
        late=tuple(job.cues.filter(start__gte=media.duration).values_list("start", flat=True)),
    )


def brief_of(job: Job, options: JobOptions) -> Brief:
    """The instructions for the translation of a job. Its source is the language of the first cue to be translated."""
    first = job.cues.filter(answered=False).exclude(language="").first()
    return Brief(
        source=first.language if first else job.spoken,
        target=options.target,
        formality=options.formality,
        glossary=options.glossary,
        topic=options.topic,
        notes=options.notes,
        careful=options.careful,
    )


def media_of(job: Job) -> Media:
    """The description of the video, from the outcome of the fetch stage."""
    return from_builtins(Media, job.stages.get(stage=Stage.FETCH).outcome["media"])


def picture_size(job: Job) -> tuple[int, int]:
    """Width and height of the picture for which subtitles are laid out, also while it is not known."""
    outcome = job.stages.filter(stage=Stage.FETCH).values_list("outcome", flat=True).first() or {}
    media = from_builtins(Media, outcome["media"]) if "media" in outcome else None
    return media.video.shown_size if media and media.video else _DEFAULT_SIZE


def told_language(job: Job) -> str:
    """The language code of the speech that the site of a link states, from the outcome of the fetch stage; or empty."""
    return str(job.stages.get(stage=Stage.FETCH).outcome.get("language", ""))


def _file(job: Job, kind: str) -> Path:
    path = artifacts.path_of(job.pk, kind)
    if path is None or not path.exists():
        raise HostError(detail=f"The file of kind {kind} is missing.")
    return path
