"""What a child does for each kind of task: one function each, from the task to what it made.

Files go into the room, a directory of this attempt alone. Everything is reported as it happens, so that little is lost
when the child is killed, as it may be at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobs.pipeline.errors import NoAudio
from jobs.pipeline.media import encode
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process.messages import (
    FetchTask,
    RecogniseTask,
    RenderTask,
    SubtitleTask,
    Task,
    TranslateTask,
    plain,
)
from jobs.pipeline.protocols import Progress, Transcriber, Translator, Usage
from jobs.pipeline.stages import fetch
from jobs.pipeline.stages.render import poster_of, render
from jobs.pipeline.stages.translate import translate
from jobs.pipeline.subtitles import quality
from jobs.pipeline.subtitles import segmentation as layout
from jobs.pipeline.subtitles.segmentation import Cue
from jobs.pipeline.text.languages import language

_FETCH_SHARE = 0.8
"""Of the first stage; the rest is taking out the sound."""


class Engines(Protocol):
    """Where a child gets its engines from. Making one may take a while, and may raise EngineError."""

    def transcriber(self, name: str, options: dict[str, Any]) -> Transcriber: ...

    def translator(self, name: str, options: dict[str, Any]) -> Translator: ...


class Reporter(Protocol):
    """Who is told what happens."""

    def progress(self, share: float) -> None: ...

    def note(self, code: NoteCode, **params: str) -> None: ...

    def window(self, *, end: float, language: str, heard: bool, cues: tuple[Cue, ...]) -> None: ...

    def translated(self, cues: tuple[Cue, ...], usage: Usage) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """Kinds of files with their names in the room, and what later stages need, as JSON has it."""

    files: dict[str, str]
    outcome: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What a task is done with. `cues` yields more to translate, in lots, with what was answered before, until there
    are no more."""

    room: Path
    engines: Engines
    report: Reporter
    cues: Callable[[], Iterator[tuple[tuple[Cue, ...], dict[int, str]]]]


def work(task: Task, bench: Bench) -> Made:
    """Do it. Raises PipelineError."""
    match task:
        case FetchTask():
            return _fetch(task, bench)
        case RecogniseTask():
            return _recognise(task, bench)
        case TranslateTask():
            return _translate(task, bench)
        case SubtitleTask():
            return _subtitle(task, bench)
        case RenderTask():
            return _render(task, bench)


def _fetch(task: FetchTask, bench: Bench) -> Made:
    """The video, looked at, and its sound."""
    shares = (_FETCH_SHARE, 1 - _FETCH_SHARE) if task.listen else (1.0, 0.0)
    found = fetch.fetch(
        task.source,
        bench.room,
        name=task.name,
        limits=task.limits,
        options=task.link,
        progress=lambda share: bench.report.progress(share * shares[0]),
    )
    files = {"source": found.path.name} if found.path.parent == bench.room else {}
    if task.listen:
        if not found.media.audio:
            raise NoAudio(name=found.media.name)
        listen = _part(bench.report.progress, *shares)
        encode.extract_audio(found.path, bench.room / "audio.wav", media=found.media, progress=listen)
        files["audio"] = "audio.wav"
    return Made(files=files, outcome={"media": plain(found.media), "title": found.title})


def _recognise(task: RecogniseTask, bench: Bench) -> Made:
    from jobs.pipeline.stages.transcribe import transcribe

    transcriber = bench.engines.transcriber(task.engine, task.options)
    spoken, heard, first_id = task.spoken, task.heard, task.first_id
    for window in transcribe(
        task.audio,
        transcriber,
        name=task.name,
        language=task.spoken,
        start=task.start,
        offset=task.offset,
        heard=task.heard,
        progress=bench.report.progress,
    ):
        cues: list[Cue] = []
        if window.words:
            heard, spoken = True, window.language
            cues = layout.segment(window.words, language(spoken), first_id=first_id, until=window.end)
            first_id += len(cues)
        bench.report.window(end=window.end, language=spoken or "", heard=heard, cues=tuple(cues))
    return Made(files={}, outcome={"spoken": spoken})


def _translate(task: TranslateTask, bench: Bench) -> Made:
    """Lot by lot, as they are recognised: a lot ends where a window does, so no sentence is cut by it."""
    translator = bench.engines.translator(task.engine, task.options) if task.engine else None
    target = language(task.brief.target)
    done, known = dict[int, str](), list[Cue]()
    for lot, answered in bench.cues():
        known += lot
        done |= answered
        for part in translate(known, translator, task.brief, target=target, done=done):
            bench.report.translated(part.cues, part.usage)
            done |= {cue.id: cue.target for cue in part.cues}
    if not translator:
        bench.report.note(NoteCode.SUBTITLES_IN_TARGET, language=target.name)
    return Made(files={}, outcome={"captions": translator is None})


def _subtitle(task: SubtitleTask, bench: Bench) -> Made:
    from jobs.pipeline.subtitles import writer

    spoken, target = language(task.spoken), language(task.target)
    for name, form in task.forms.items():
        path = bench.room / f"subtitles.{name}"
        writer.write(task.cues, path, form=form, source=spoken, target=target, style=task.style, size=task.size)
    found = quality.check(task.cues, spoken, target)
    return Made(
        files={name: f"subtitles.{name}" for name in task.forms},
        outcome={"quality": found.as_dict()},
    )


def _render(task: RenderTask, bench: Bench) -> Made:
    video = render(
        task.source,
        task.media,
        task.subtitles,
        bench.room / "video.mp4",
        mode=task.mode,
        language=task.language,
        progress=bench.report.progress,
    )
    assert video, "only asked for where there is a video to make"
    files = {"video": video.name}
    if poster_of(video).exists():
        files["poster"] = poster_of(video).name
    return Made(files=files, outcome={})


def _part(progress: Progress, begin: float, share: float) -> Progress:
    return lambda done: progress(begin + done * share)
