"""Dispatch of a task to its stage: one function for each kind of task.

Files are written to `attempt_dir`, a directory of this attempt alone. Results are reported as they come, so that little
is lost when the child is killed, which may happen at any moment.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.pipeline.errors import MediaFailed, NoAudio
from jobs.pipeline.media import extras
from jobs.pipeline.media.streams import Media
from jobs.pipeline.notes import NoteCode
from jobs.pipeline.process.messages import (
    FetchTask,
    RecogniseTask,
    RenderTask,
    SubtitleTask,
    Task,
    TranslateTask,
    to_builtins,
)
from jobs.pipeline.protocols import (
    Progress,
    Turn,
)
from jobs.pipeline.speech.speakers import named_turns, with_speakers
from jobs.pipeline.stage import StepName
from jobs.pipeline.stages import fetch, picture, sound, words
from jobs.pipeline.stages.context import StageContext, StageResult
from jobs.pipeline.stages.render import poster_of, render, undrawable
from jobs.pipeline.stages.translate import is_captions, lines
from jobs.pipeline.stages.translation import translate_task
from jobs.pipeline.subtitles import quality, segmentation
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.dialogue import with_dialogues
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.terms import Violation, misused

if TYPE_CHECKING:
    from jobs.pipeline.stages.existing import Existing

_AUDIO = "audio.wav"

_FETCH_SHARE = 0.8
"""Share of the fetch stage's progress; extracting the audio is the rest."""

_TRACK_SHARE = 0.1
"""Share that reading a subtitle track has, where the file has any; extracting the audio then has less."""

_DIARIZE_SHARE = 0.15
"""Share of the transcribe stage's progress that telling speakers apart has, where it is wanted."""


def run_task(task: Task, context: StageContext) -> StageResult:
    """Run the stage of `task`. Raises PipelineError."""
    match task:
        case FetchTask():
            return _fetch(task, context)
        case RecogniseTask():
            return _recognise(task, context)
        case TranslateTask():
            return translate_task(task, context)
        case SubtitleTask():
            return _subtitle(task, context)
        case RenderTask():
            return _render(task, context)


def _fetch(task: FetchTask, context: StageContext) -> StageResult:
    """Fetch and probe the video, and find its words in subtitles that are there, or else extract its audio."""
    wish = words.wish_of(task.words)
    found = fetch.fetch(
        task.source,
        context.attempt_dir,
        name=task.name,
        limits=task.limits,
        options=task.link,
        spoken=task.spoken,
        audio_track=task.audio_track,
        captions=wish.captions(task.target),
        progress=_scaled(context.report.progress, 0.0, _FETCH_SHARE if task.listen else 1.0),
    )
    files = {"source": found.path.name} if found.path.parent == context.attempt_dir else {}
    there = _existing(task, wish, found, context)
    ways = _listen(task, found, context) if task.listen and not there.cues else None
    files |= {} if ways is None else {"audio": _AUDIO}
    for code, params in picture.notes_on_file(found.media):
        context.report.note(code, **params)
    if found.dubbed:
        context.report.note(NoteCode.DUBBED_SOUND)
    outcome = {
        **{"media": to_builtins(found.media), "title": found.title, "language": found.language},
        "sound": {} if ways is None else sound.facts(found.media, ways),
        "existing": there.facts,
        "notes": [{"code": code, "params": params} for code, params in there.notes],
    }
    return StageResult(files=files, outcome=outcome)


def _existing(task: FetchTask, wish: words.Wish, found: fetch.Fetched, context: StageContext) -> Existing:
    """Find and report the cues of subtitles that are there."""
    from jobs.pipeline.stages import existing

    if not task.listen:
        return existing.Existing()
    there = existing.find(
        wish,
        found,
        context.attempt_dir,
        spoken=task.spoken,
        target=task.target,
        progress=_scaled(context.report.progress, _FETCH_SHARE, _TRACK_SHARE),
    )
    for cues in there.portions():
        context.report.existing(there.language, cues)
    return there


def _listen(task: FetchTask, found: fetch.Fetched, context: StageContext) -> dict[str, float]:
    """Extract the audio, and tell what is to be told of it; returns the seconds by way of mixing its channels."""
    from jobs.pipeline.speech.extraction import extract_audio

    if not found.media.audio:
        raise NoAudio(name=found.media.name)
    begin = _FETCH_SHARE + _TRACK_SHARE * bool(found.media.subtitles)
    progress = _scaled(context.report.progress, begin, 1 - begin)
    ways = extract_audio(found.path, context.attempt_dir / _AUDIO, media=found.media, progress=progress)
    for code, params in sound.notes(found.media, task.spoken, ways):
        context.report.note(code, **params)
    return ways


def _recognise(task: RecogniseTask, context: StageContext) -> StageResult:
    from jobs.pipeline.stages.transcribe import passages, transcribe

    turns, progress = _turns(task, context)
    context.report.step(StepName.LOAD_SPEECH)
    transcriber = context.engines.transcriber(task.engine, task.options)
    transcriber.load()
    context.report.step(None)
    spoken, heard, first_id = task.hints.language or task.hints.expected, task.heard, task.first_id
    for window in transcribe(
        task.audio,
        transcriber,
        name=task.name,
        hints=task.hints,
        start=task.start,
        offset=task.offset,
        heard=task.heard,
        progress=progress,
    ):
        cues: list[Cue] = []
        if window.words:
            heard, spoken = True, window.language
            words = with_speakers(window.words, turns)
            cues = segmentation.segment_languages(words, first_id=first_id, until=window.end)
            cues = with_dialogues(cues, language(spoken), first_id=first_id)
            first_id += len(cues)
        context.report.window(
            end=window.end, language=spoken, heard=heard, cues=tuple(cues), passages=tuple(passages(window))
        )
    return StageResult(files={}, outcome={"spoken": spoken})


def _turns(task: RecogniseTask, context: StageContext) -> tuple[list[Turn], Progress]:
    """The turns of the speakers by the video's clock, and the progress of what follows.

    All of the sound is needed to tell which voices are one, so this comes before the first window. It is done again
    when a stage is repeated after a crash, with the same turns.
    """
    progress = context.report.progress
    if task.diarize is None:
        return [], progress
    context.report.step(StepName.LOAD_SPEAKERS)
    diarizer = context.engines.diarizer(task.diarize.engine, task.diarize.options)
    diarizer.load()
    context.report.step(None)
    found = diarizer.diarize(task.audio, task.diarize.speakers, _scaled(progress, 0.0, _DIARIZE_SHARE))
    turns = named_turns(found, task.offset)
    context.report.note(NoteCode.SPEAKERS, count=str(len({turn.speaker for turn in turns})))
    return turns, _scaled(progress, _DIARIZE_SHARE, 1 - _DIARIZE_SHARE)


def _subtitle(task: SubtitleTask, context: StageContext) -> StageResult:
    from jobs.pipeline.subtitles import writer

    spoken, target = language(task.spoken), language(task.target)
    for name, form in task.forms.items():
        path = context.attempt_dir / f"subtitles.{name}"
        writer.write(
            task.cues,
            path,
            form=form,
            source=spoken,
            target=target,
            style=task.style,
            size=task.size,
            portrait_margin=task.portrait_margin,
        )
    found = quality.check(task.cues, spoken, target, misused=_misused(task))
    return StageResult(
        files={name: f"subtitles.{name}" for name in task.forms},
        outcome={"quality": found.as_dict()},
    )


def _misused(task: SubtitleTask) -> dict[int, list[Violation]]:
    """The terms of the glossary that the texts do not translate as it says, by the id of their cue."""
    if task.brief is None or is_captions(task.brief):
        return {}
    asked = lines(task.cues, language(task.target), task.brief.source)
    return misused(asked, {cue.id: cue.target for cue in task.cues}, task.brief)


def _render(task: RenderTask, context: StageContext) -> StageResult:
    lacking = undrawable(task.subtitles) if task.mode == "burn" else ""
    if lacking:
        code, params = picture.note_on_fonts(lacking)
        context.report.note(code, **params)
    lost = extras.left_out(task.media)
    try:
        video = _rendered(task, task.media, context, lacking)
    except MediaFailed:
        bare = replace(task.media, subtitles=(), attachments=())
        if task.mode != "soft" or bare == task.media:
            raise
        video = _rendered(task, bare, context, lacking)
        lost = extras.names(task.media)
    for code, params in picture.notes_on_result(task.media, task.mode, late=task.late, lost=lost):
        context.report.note(code, **params)
    files = {"video": video.name}
    if poster_of(video).exists():
        files["poster"] = poster_of(video).name
    return StageResult(files=files, outcome={})


def _rendered(task: RenderTask, media: Media, context: StageContext, lacking: str) -> Path:
    video = render(
        task.source,
        media,
        task.subtitles,
        context.attempt_dir / "video.mp4",
        mode=task.mode,
        language=task.language,
        undrawable=lacking,
        progress=context.report.progress,
    )
    assert video, "a RenderTask exists only for jobs with a video to make"
    return video


def _scaled(progress: Progress, begin: float, share: float) -> Progress:
    return lambda done: progress(begin + done * share)
