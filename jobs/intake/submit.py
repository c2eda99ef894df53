"""Creation of jobs from a file, a link or an upload: validate the source, check quotas, write the rows."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from jobs import lifecycle, presence
from jobs.cues import as_caption_row, as_cue, as_row
from jobs.intake import brought
from jobs.intake.brought import Brought
from jobs.intake.creation import Bring, create_job
from jobs.intake.options import (
    JobOptions,
    engines_of,
    is_in_target,
    known_language,
    options_of,
    stages_of,
    untranslated_note,
)
from jobs.lifecycle import IllegalTransition
from jobs.models import FINAL, Artifact, Job, JobStatus, Reason, SourceKind
from jobs.pipeline.download.client import check_link
from jobs.pipeline.errors import (
    EmptyFile,
    EngineError,
    NeedsLanguageModel,
    NoSuchFile,
    NotAFile,
    OnlyByCommand,
    SpeakersNeedSound,
    SubtitlesNeeded,
)
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.subtitles import file_notes
from jobs.pipeline.subtitles.cue import Cue
from jobs.storage import artifacts, deletion

Subtitles = Path | Brought | Sequence[Cue] | None
"""The owner's own subtitles: a file of this machine, one that was read, or cues."""

SAMPLE = Path(settings.BASE_DIR) / "static" / "sample"
"""The directory of the bundled clip and its hand-written subtitles."""


def accept_link(owner: Any, link: str, options: JobOptions, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """Create a job for the video at `link`. Raises PipelineError."""
    return _accept(owner, SourceKind.LINK, check_link(link), options, subtitles, **fields)


def accept_file(owner: Any, path: Path, options: JobOptions, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """Create a job for a file of this machine, which is linked, not copied. Raises PipelineError."""
    return _accept_local(owner, SourceKind.FILE, path, options, subtitles, **fields)


def accept_sample(owner: Any, options: JobOptions, *, subtitles: Subtitles = None, **fields: Any) -> Job:
    """Create a job for the bundled clip. If no engine can translate it, its hand-written subtitles are used. Raises
    PipelineError.
    """
    clip, fields = SAMPLE / "sample.mp4", {"title": "sample", **fields}
    try:
        return _accept_local(owner, SourceKind.SAMPLE, clip, options, subtitles, **fields)
    except EngineError:
        written = _written(options)
        if written is None:
            raise
        finished = JobOptions(target=options.target, brought=True, style=options.style, mode=options.mode)
        return _accept_local(owner, SourceKind.SAMPLE, clip, finished, written, **fields)


def _written(options: JobOptions) -> Path | None:
    path = SAMPLE / f"sample.{options.target}.srt"
    return path if path.exists() else None


def _accept_local(
    owner: Any, kind: SourceKind, path: Path, options: JobOptions, subtitles: Subtitles, **fields: Any
) -> Job:
    own = _brought(options, subtitles)
    _check_file(path)
    path = path.absolute()
    name = path.name.encode(errors="replace").decode()  # a file name may contain bytes that are not valid text

    def link(job_dir: Path) -> Artifact:
        place = job_dir / artifacts.source_name(path.name)
        place.symlink_to(path)
        return Artifact(kind="source", name=place.name, size=0)

    return _accept(owner, kind, name, options, own, bring=link, **fields)


def accept_upload(
    owner: Any, name: str, size: int, options: JobOptions, *, subtitles: Subtitles = None, **fields: Any
) -> Job:
    """Create a job that waits for a file of `size` bytes, unless `bring` (see `_accept`) puts it into its place.

    Raises PipelineError before anything is stored.
    """
    Limits(max_bytes=settings.MAX_BYTES).check_size(size, name)
    return _accept(owner, SourceKind.UPLOAD, name, options, subtitles, size=size, **fields)


def start_again(
    job_id: uuid.UUID,
    owner: Any,
    *,
    subtitles: Subtitles = None,
    audio_track: str | None = None,
    words: str | None = None,
) -> Job:
    """Create a job with the options of an ended one, but for `audio_track` and `words` if they are given.

    A link is fetched again. The file of an upload is used again; if it was deleted, the new job waits for it. The brief
    of the old job is used, and not made again.

    Raises IllegalTransition while the old job has not ended, SubtitlesNeeded when the owner's subtitles are gone,
    OnlyByCommand for a file of the command line, and other PipelineErrors.
    """
    old = Job.objects.get(pk=job_id, owner=owner)
    if old.status not in FINAL:
        raise IllegalTransition(f"Job {job_id} is {old.status}: it cannot start again.")
    options = options_of(old.options)
    if audio_track is not None:
        options = replace(options, audio_track=audio_track)
    if words is not None:
        options = replace(options, words=words)
    own = (subtitles or _left_of(old, options)) if options.brought else None
    if options.brought and not own:
        raise SubtitlesNeeded
    kept: dict[str, Any] = {"subtitles": own, "keep_running": old.keep_running, "brief": old.brief, **_caps_of(old)}
    match old.source_kind:
        case SourceKind.LINK:
            return accept_link(owner, old.source, options, **kept)
        case SourceKind.UPLOAD:
            bring = _uploaded_before(old)
            return accept_upload(owner, old.source, old.size, options, bring=bring, **kept)
        case SourceKind.SAMPLE:
            return accept_sample(owner, options, **kept)
    raise OnlyByCommand(name=old.source)


def _caps_of(old: Job) -> dict[str, Any]:
    """The caps of its own that a job has."""
    return {"max_cost": old.max_cost, "max_tokens": old.max_tokens}


def _uploaded_before(old: Job) -> Bring | None:
    """A function that brings the file of an ended upload into a new job, if it is still there.

    It makes a hard link, so that the file stays until both jobs are deleted; on file systems without them, a copy.
    """
    uploaded = artifacts.path_of(old.pk, "source")
    if uploaded is None or not uploaded.is_file():
        return None

    def bring(job_dir: Path) -> Artifact:
        place = job_dir / uploaded.name
        try:
            place.hardlink_to(uploaded)
        except OSError:  # a file system without hard links
            shutil.copyfile(uploaded, place)
        return Artifact(kind="source", name=place.name, size=place.stat().st_size)

    return bring


def replace_upload(job_id: uuid.UUID, name: str, size: int, *, actor: str) -> Job:
    """Cancel an upload and create one with the same options for another file, `name` of `size` bytes: both or neither.

    What has arrived of the old file is deleted. Raises IllegalTransition when the job does not wait for an upload, and
    PipelineErrors of the new job.
    """
    with transaction.atomic():
        old = Job.objects.select_for_update().get(pk=job_id)
        if old.status != JobStatus.UPLOADING or old.source_kind != SourceKind.UPLOAD:
            raise IllegalTransition(f"Job {job_id} is {old.status}: it waits for no upload.")
        options = options_of(old.options)
        own = Brought(notes=_kept_notes(old)) if options.brought else None
        lifecycle.cancel(old.pk, actor=actor, reason=Reason.UPLOAD_REPLACED)  # first: quotas count unfinished uploads
        new = accept_upload(
            old.owner,
            name,
            size,
            options,
            subtitles=own,
            keep_running=old.keep_running,
            brief=old.brief,
            **_caps_of(old),
        )
        old.cues.update(job=new)  # moved, not copied: there may be many
    deletion.finish(old.pk)
    return new


def can_start_again(job: Job) -> bool:
    """Whether `start_again` is possible: the job has ended, and its source is not a file, whose path is not stored."""
    return job.status in FINAL and job.source_kind != SourceKind.FILE


def needs_subtitles(job: Job) -> bool:
    """Whether `start_again` needs the owner's subtitles again: they were deleted when the job was cancelled."""
    options = options_of(job.options)
    written = job.source_kind == SourceKind.SAMPLE and _written(options)
    return job.status == JobStatus.CANCELLED and options.brought and not written


def _left_of(old: Job, options: JobOptions) -> Subtitles:
    """The owner's subtitles of an ended job, without translations; None when they are gone."""
    cues = [replace(as_cue(row), target="", flags=()) for row in old.cues.all()]
    if cues:
        return Brought(cues=cues, notes=_kept_notes(old))
    return _written(options) if old.source_kind == SourceKind.SAMPLE else None


def _kept_notes(old: Job) -> list[dict[str, Any]]:
    """The notes on the owner's subtitles."""
    return [note for note in old.notes if note["code"] in file_notes.NOTES]


def _accept(
    owner: Any,
    kind: SourceKind,
    source: str,
    options: JobOptions,
    subtitles: Subtitles,
    *,
    bring: Bring | None = None,
    size: int = 0,
    **fields: Any,
) -> Job:
    """Create a job. `bring` puts its source into its directory; it is called before the rows are written."""
    own = _brought(options, subtitles)
    refuse_engines(options)
    job_id, captions = uuid.uuid4(), is_in_target(options, known_language(options))
    return create_job(
        job_id,
        bring=bring,
        new_bytes=size,
        owner=owner,
        cues=[as_caption_row(cue) if captions else as_row(cue) for cue in own.cues],
        stages=stages_of(options),
        uploaded=kind != SourceKind.UPLOAD or bring is not None,
        notes=[*([untranslated_note(options, heard=not options.brought)] if captions else []), *own.notes],
        source_kind=kind,
        source=source,
        size=size,
        options=options.as_json(),
        target=options.target,
        spoken=(options.spoken or options.target) if options.brought else "",
        grace_until=presence.first_grace(owner.pk),
        **fields,
    )


def _brought(options: JobOptions, subtitles: Subtitles) -> Brought:
    """The owner's subtitles. Raises SubtitlesError, also when they are in another language."""
    if isinstance(subtitles, Path):
        return brought.read_brought(options, subtitles)
    return subtitles if isinstance(subtitles, Brought) else Brought(cues=subtitles or ())


def refuse_engines(options: JobOptions) -> None:
    """Check before the creation of a job that the engines support its languages. Raises EngineError, LanguageError,
    NeedsLanguageModel.
    """
    chosen = engines_of(options)
    heard = chosen.choose_transcriber(options.spoken) if options.needs_speech else None
    if options.told_apart != "off":
        if not options.needs_speech:
            raise SpeakersNeedSound
        chosen.choose_diarizer()
    known = known_language(options)  # that of subtitles which are to be found is known when they are
    if (known or heard) and not is_in_target(options, known):
        spec = chosen.choose_translator(known or None, options.target, heard)
        if (options.reads_first or options.careful) and not spec.language_model:
            raise NeedsLanguageModel(engine=spec.label)


def _check_file(path: Path) -> None:
    """Check that a file can be the source of a job. Raises NoSuchFile, NotAFile, EmptyFile."""
    try:
        if not path.exists():
            raise NoSuchFile(path=str(path))
        if not path.is_file():
            raise NotAFile(path=str(path))
        with path.open("rb") as file:
            if not file.read(1):
                raise EmptyFile(path=str(path))
    except ValueError:  # a NUL in the path
        raise NoSuchFile(path=str(path)) from None
    except OSError as error:
        raise NotAFile(path=str(path), detail=error.strerror or "") from None
