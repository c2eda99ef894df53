"""The door: a video, a link or an upload is looked at, refused with a sentence, or becomes a job."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import artifacts, lifecycle, plan, presence, quota
from jobs.lifecycle import IllegalTransition
from jobs.models import FINAL, Artifact, Job, JobStatus, SourceKind
from jobs.orders import Order, order_of
from jobs.pipeline.download.client import check_link
from jobs.pipeline.errors import EmptyFile, EngineError, NoSuchFile, NotAFile, OnlyByCommand, SubtitlesNeeded
from jobs.pipeline.media.atomic_files import refusal
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.subtitles.reader import parse_subtitles, read_subtitles
from jobs.pipeline.subtitles.segmentation import Cue
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.script_detection import must_look_like

Subtitles = Path | Sequence[Cue] | None
"""Those that a person brings: a file of this machine, or what stood in theirs."""

SAMPLE = Path(settings.BASE_DIR) / "static" / "sample"
"""The bundled clip, with subtitles that a person wrote for it."""


def accept_link(owner: Any, link: str, order: Order, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """A job for the video behind `link`. Raises PipelineError."""
    return _accept(owner, SourceKind.LINK, check_link(link), order, subtitles, **fields)


def accept_file(owner: Any, path: Path, order: Order, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """A job for a file of this machine, which is read where it is. Raises PipelineError."""
    return _accept_local(owner, SourceKind.FILE, path, order, subtitles, **fields)


def accept_sample(owner: Any, order: Order, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """A job for the bundled clip. Where no engine can translate it, the subtitles that a person wrote for it are used.
    Raises PipelineError.
    """
    clip, fields = SAMPLE / "sample.mp4", {"title": "sample", **fields}
    try:
        return _accept_local(owner, SourceKind.SAMPLE, clip, order, subtitles, **fields)
    except EngineError:
        written = _written(order)
        if written is None:
            raise
        finished = Order(target=order.target, brought=True, style=order.style, mode=order.mode)
        return _accept_local(owner, SourceKind.SAMPLE, clip, finished, written, **fields)


def _written(order: Order) -> Path | None:
    path = SAMPLE / f"sample.{order.target}.srt"
    return path if path.exists() else None


def _accept_local(owner: Any, kind: SourceKind, path: Path, order: Order, subtitles: Subtitles, **fields: Any) -> Job:
    cues = _cues(order, subtitles)
    _look_at(path)
    path = path.absolute()
    name = path.name.encode(errors="replace").decode()  # a name may hold bytes that are no text

    def link(home: Path) -> Artifact:
        place = home / artifacts.source_name(path.name)
        place.symlink_to(path)
        return Artifact(kind="source", name=place.name, size=0)

    return _accept(owner, kind, name, order, cues, bring=link, **fields)


def accept_upload(owner: Any, name: str, size: int, order: Order, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """A job that waits for a file of `size` bytes. Raises PipelineError before anything is stored."""
    Limits(max_bytes=settings.MAX_BYTES).check_size(size, name)
    return _accept(owner, SourceKind.UPLOAD, name, order, subtitles, size=size, **fields)


def start_again(job_id: uuid.UUID, owner: Any, *, subtitles: Subtitles = None) -> Job:
    """A new job with the options of an ended one: a link is fetched anew, an upload asks for its file again.

    Raises IllegalTransition while the old one has not ended, SubtitlesNeeded when those that were brought are gone,
    OnlyByCommand, and other PipelineErrors.
    """
    old = Job.objects.get(pk=job_id, owner=owner)
    if old.status not in FINAL:
        raise IllegalTransition(f"Job {job_id} is {old.status}: it cannot start again.")
    order = order_of(old.order)
    brought = (subtitles or _left_of(old, order)) if order.brought else None
    if order.brought and not brought:
        raise SubtitlesNeeded
    kept: dict[str, Any] = {"subtitles": brought, "keep_running": old.keep_running}
    match old.source_kind:
        case SourceKind.LINK:
            return accept_link(owner, old.source, order, **kept)
        case SourceKind.UPLOAD:
            return accept_upload(owner, old.source, old.size, order, **kept)
        case SourceKind.SAMPLE:
            return accept_sample(owner, order, **kept)
    raise OnlyByCommand(name=old.source)


def can_start_again(job: Job) -> bool:
    """Where a file of the command line lies is not kept."""
    return job.status in FINAL and job.source_kind != SourceKind.FILE


def needs_subtitles(job: Job) -> bool:
    """Whether the job starts again only with subtitles: those that were brought went when it was cancelled."""
    order = order_of(job.order)
    written = job.source_kind == SourceKind.SAMPLE and _written(order)
    return job.status == JobStatus.CANCELLED and order.brought and not written


def _left_of(old: Job, order: Order) -> Subtitles:
    """The subtitles of an ended job, as they were brought."""
    cues = [replace(plan.as_cue(row), target="", flags=()) for row in old.cues.all()]
    return cues or (_written(order) if old.source_kind == SourceKind.SAMPLE else None)


def _accept(
    owner: Any,
    kind: SourceKind,
    source: str,
    order: Order,
    subtitles: Subtitles,
    *,
    bring: Any = None,
    size: int = 0,
    **fields: Any,
) -> Job:
    cues = _cues(order, subtitles)
    refuse_engines(order)
    job_id, captions = uuid.uuid4(), plan.is_in_target(order, plan.known_language(order))
    with _home(job_id) as home, transaction.atomic():
        quota.check(owner, new_bytes=size)
        brought = bring(home) if bring else None
        job = lifecycle.create(
            id=job_id,
            stages=plan.stages_of(order),
            who=owner.get_username(),
            cues=[plan.as_caption_row(cue) if captions else plan.as_row(cue) for cue in cues],
            notes=[plan.untranslated_note(order)] if captions else [],
            uploaded=kind != SourceKind.UPLOAD,
            owner=owner,
            source_kind=kind,
            source=source,
            size=size,
            order=order.as_json(),
            target=order.target,
            spoken=(order.spoken or order.target) if order.brought else "",
            grace_until=presence.first_grace(owner.pk),
            **fields,
        )
        if brought:
            brought.job = job
            brought.save()
    return job


@contextmanager
def _home(job_id: uuid.UUID) -> Iterator[Path]:
    """The job's directory, gone again when no job comes of it."""
    artifacts.make_home(job_id)
    try:
        yield artifacts.home(job_id)
    except OSError as error:
        artifacts.purge(job_id)
        raise refusal(error, artifacts.home(job_id)) from None
    except BaseException:
        artifacts.purge(job_id)
        raise


def _cues(order: Order, subtitles: Subtitles) -> Sequence[Cue]:
    """Raises SubtitlesError, also when they are in another language."""
    if isinstance(subtitles, Path):
        return _in_their_language(order, read_subtitles(subtitles), subtitles.name)
    return subtitles or ()


def parse_brought(order: Order, data: bytes, name: str) -> Sequence[Cue]:
    """What stands in subtitles that were brought as `name`. Raises SubtitlesError, also for another language."""
    return _in_their_language(order, parse_subtitles(data, name), name)


def _in_their_language(order: Order, cues: Sequence[Cue], name: str) -> Sequence[Cue]:
    must_look_like(language(order.spoken or order.target), (cue.source for cue in cues), name)
    return cues


def refuse_engines(order: Order) -> None:
    """Refuse here and now what the engines cannot do. Raises EngineError, LanguageError."""
    chosen = plan.engines(order)
    heard = None if order.brought else chosen.choose_transcriber(order.spoken)
    known = plan.known_language(order)
    if not plan.is_in_target(order, known):
        chosen.choose_translator(known or None, order.target, heard)


def _look_at(path: Path) -> None:
    """A clear word about a file that cannot be the source, before there is a job."""
    try:
        if not path.exists():
            raise NoSuchFile(path=str(path))
        if not path.is_file():
            raise NotAFile(path=str(path))
        with path.open("rb") as file:
            if not file.read(1):
                raise EmptyFile(path=str(path))
    except ValueError:  # a NUL in the name
        raise NoSuchFile(path=str(path)) from None
    except OSError as error:
        raise NotAFile(path=str(path), detail=error.strerror or "") from None
