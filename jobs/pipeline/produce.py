"""The whole way of one video: every stage in order, and the files that come out of it.

Nothing appears in the output directory before all of it is whole; then each file is renamed into place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jobs.pipeline import cues as layout
from jobs.pipeline import fetch, media, quality, subtitle
from jobs.pipeline.cues import Cue
from jobs.pipeline.errors import NoAudio, NoVideoStream, WouldOverwrite
from jobs.pipeline.fetch import Fetched, Limits, LinkOptions
from jobs.pipeline.given import read_subtitles
from jobs.pipeline.languages import Language, language
from jobs.pipeline.names import result_name
from jobs.pipeline.protocols import Brief, Formality, Progress, Transcriber, Translator, Usage
from jobs.pipeline.quality import Report
from jobs.pipeline.render import Mode, poster_of, render
from jobs.pipeline.scripts import must_look_like
from jobs.pipeline.stages import Stage
from jobs.pipeline.subtitle import Style
from jobs.pipeline.transcribe import transcribe
from jobs.pipeline.translate import is_captions, translate
from jobs.pipeline.workspace import publish, workspace, writing

_AUDIO_SHARE = 0.05
"""Of the transcription: taking the sound out of the video."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a person asks for.

    `spoken` is the language of the speech, or of `subtitles` where those are brought; None lets it be told. Subtitles
    that come without a language are taken as the finished ones in `target`.
    """

    source: str
    target: Language
    output: Path
    spoken: Language | None = None
    subtitles: Path | None = None
    style: Style = Style()
    bilingual: bool = False
    mode: Mode = "burn"
    formality: Formality = "auto"
    glossary: tuple[tuple[str, str], ...] = ()
    topic: str = ""
    limits: Limits = Limits()
    link: LinkOptions = LinkOptions()


class Listener(Protocol):
    """Who watches it happen."""

    def progress(self, stage: Stage, share: float) -> None:
        """`share` of `stage` is done, 0 to 1."""

    def note(self, sentence: str) -> None:
        """Something worth knowing that is no error."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Crew:
    """The engines of one job. Each is made when it is first needed, for that may take a while.

    `translator` takes the code of the source language, which may be told only by then. Both may raise EngineError.
    """

    transcriber: Callable[[], Transcriber]
    translator: Callable[[str], Translator]


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What came out. `video` is None where only subtitles were wanted or possible."""

    video: Path | None
    subtitles: Path
    files: tuple[Path, ...]
    quality: Report
    report: dict[str, Any]


@dataclass(kw_only=True, slots=True)
class _Course:
    """How far one job has come."""

    order: Order
    crew: Crew
    listener: Listener
    work: Path
    engines: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    usage: Usage = Usage()

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[Progress]:
        began = time.monotonic()
        self.listener.progress(stage, 0.0)
        yield lambda share: self.listener.progress(stage, share)
        self.listener.progress(stage, 1.0)
        self.seconds[stage] = round(time.monotonic() - began, 2)


def produce(order: Order, crew: Crew, listener: Listener) -> Result:
    """Make what `order` asks for. Raises PipelineError; then, and when it is interrupted, nothing is left behind."""
    given = _given(order)
    with workspace(order.output) as work:
        course = _Course(order=order, crew=crew, listener=listener, work=work)
        fetched = _fetch(course)
        mode = _mode(course, fetched)
        spoken, heard = given or _transcribe(course, fetched)
        cues = _translate(course, heard, spoken)
        files = _subtitle(course, cues, spoken, fetched)
        video = _render(course, files, fetched, mode)
        good = quality.check(cues, spoken, order.target)
        report = _report(course, good, spoken, fetched)
        places = _publish(course, files, video, result_name(fetched.title), report)
        return Result(
            video=places.get(video) if video else None,
            subtitles=places[files[f"{order.target.code}.srt"]],
            files=tuple(places.values()),
            quality=good,
            report=report,
        )


def _given(order: Order) -> tuple[Language, list[Cue]] | None:
    if order.subtitles is None:
        return None
    cues = read_subtitles(order.subtitles)
    spoken = order.spoken or order.target
    must_look_like(spoken, (cue.source for cue in cues), order.subtitles.name)
    return spoken, cues


def _fetch(course: _Course) -> Fetched:
    order = course.order
    with course.stage(Stage.FETCH) as progress:
        found = fetch.fetch(order.source, course.work, limits=order.limits, options=order.link, progress=progress)
    _check_overwriting(order, result_name(found.title))
    if order.subtitles is None and not found.media.audio:
        raise NoAudio(name=found.media.name)
    return found


def _mode(course: _Course, fetched: Fetched) -> Mode:
    """What can be rendered: of sound alone, subtitles."""
    if fetched.media.video or course.order.mode == "none":
        return course.order.mode
    if course.order.mode == "soft":
        raise NoVideoStream(name=fetched.media.name)
    course.listener.note("There is sound but no picture: only subtitles are made.")
    return "none"


def _transcribe(course: _Course, fetched: Fetched) -> tuple[Language, list[Cue]]:
    spoken, cues = course.order.spoken, list[Cue]()
    sound = fetched.media.speech
    with course.stage(Stage.TRANSCRIBE) as progress:
        audio = course.work / "audio.wav"
        media.extract_audio(
            fetched.path, audio, media=fetched.media, progress=lambda share: progress(share * _AUDIO_SHARE)
        )
        transcriber = course.crew.transcriber()
        course.engines[Stage.TRANSCRIBE] = transcriber.name
        for window in transcribe(
            audio,
            transcriber,
            name=fetched.media.name,
            language=spoken.code if spoken else None,
            offset=sound.offset if sound else 0.0,
            progress=lambda share: progress(_AUDIO_SHARE + (1 - _AUDIO_SHARE) * share),
        ):
            if not window.words:
                continue
            spoken = language(window.language)
            cues += layout.segment(window.words, spoken, first_id=len(cues) + 1, until=window.end)
        audio.unlink()
    assert spoken is not None, "transcribe raises NoSpeech when no window has words"
    if course.order.spoken is None:
        course.listener.note(f"Spoken language: {spoken.name}.")
    return spoken, cues


def _translate(course: _Course, cues: list[Cue], spoken: Language) -> list[Cue]:
    order = course.order
    brief = Brief(
        source=spoken.code,
        target=order.target.code,
        formality=order.formality,
        glossary=order.glossary,
        topic=order.topic,
    )
    answered: dict[int, Cue] = {}
    with course.stage(Stage.TRANSLATE) as progress:
        translator = None if is_captions(brief) else course.crew.translator(spoken.code)
        if translator:
            course.engines[Stage.TRANSLATE] = translator.name
        else:
            course.listener.note(f"The subtitles are in {order.target.name} already: translation is skipped.")
        for part in translate(cues, translator, brief, target=order.target, progress=progress):
            answered |= {cue.id: cue for cue in part.cues}
            course.usage += part.usage
    return [answered[cue.id] for cue in cues]


def _subtitle(course: _Course, cues: list[Cue], spoken: Language, fetched: Fetched) -> dict[str, Path]:
    """The subtitle files in the work directory by what follows NAME in their name."""
    order, video = course.order, fetched.media.video
    size = (video.width, video.height) if video else (1280, 720)
    twice = order.bilingual and not is_captions(Brief(source=spoken.code, target=order.target.code))
    form: subtitle.Form = "bilingual" if twice else "target"
    with course.stage(Stage.SUBTITLE):
        forms: dict[str, subtitle.Form] = {f"{order.target.code}.{kind}": form for kind in ("srt", "vtt", "ass")}
        own_words = f"{spoken.code}.srt"
        if not _is_brought(order, order.output / f"{result_name(fetched.title)}.{own_words}"):
            forms.setdefault(own_words, "source")
        files = {ending: course.work / f"subtitles.{ending}" for ending in forms}
        for ending, path in files.items():
            subtitle.write(
                cues, path, form=forms[ending], source=spoken, target=order.target, style=order.style, size=size
            )
    return files


def _render(course: _Course, files: dict[str, Path], fetched: Fetched, mode: Mode) -> Path | None:
    if mode == "none":
        return None
    code = course.order.target.code
    with course.stage(Stage.RENDER) as progress:
        return render(
            fetched.path,
            fetched.media,
            files[f"{code}.ass" if mode == "burn" else f"{code}.srt"],
            course.work / "video.mp4",
            mode=mode,
            language=code,
            progress=progress,
        )


def _report(course: _Course, good: Report, spoken: Language, fetched: Fetched) -> dict[str, Any]:
    return {
        "title": fetched.title,
        "duration": round(fetched.media.duration, 3),
        "source": spoken.code,
        "target": course.order.target.code,
        "engines": course.engines,
        "seconds": course.seconds,
        "usage": asdict(course.usage),
        "quality": good.as_dict(),
    }


def _publish(
    course: _Course, files: dict[str, Path], video: Path | None, name: str, report: dict[str, Any]
) -> dict[Path, Path]:
    """Rename everything into the output directory, the video last. Gives where each file of the work directory went."""
    order = course.order
    written = course.work / "report.json"
    names = {path: f"{name}.{ending}" for ending, path in files.items()} | {written: f"{name}.report.json"}
    if video and poster_of(video).exists():
        names[poster_of(video)] = f"{name}.webp"
    if video:
        names[video] = f"{name}.{order.target.code}{video.suffix}"
    report["files"] = sorted(names.values())
    with writing(order.output):
        # A name may hold bytes that are no text; backslashreplace writes them as JSON does.
        written.write_text(
            json.dumps(report, ensure_ascii=False, indent=2), encoding="utf-8", errors="backslashreplace"
        )
        places = {path: order.output / place for path, place in names.items()}
        publish(places)
    return places


def _check_overwriting(order: Order, name: str) -> None:
    """What was brought is never replaced: a result may have the name of the subtitles it is made of."""
    for ending in ("mp4", "mkv", "srt", "vtt", "ass"):
        place = order.output / f"{name}.{order.target.code}.{ending}"
        if _is_brought(order, place):
            raise WouldOverwrite(path=str(place))


def _is_brought(order: Order, place: Path) -> bool:
    """Whether `place` is a file that the person gave."""
    brought = [order.subtitles, None if fetch.is_link(order.source) else Path(order.source)]
    return any(path is not None and path.resolve() == place.resolve() for path in brought)
