"""A speech engine in a process of its own: `python -m tests.quality.child NAME MODEL OPTIONS`.

It reads a JSON object a line from standard input, `{"audio": path, "language": code or null}`, and answers each with a
line: the fields of `engines.Heard`. NAME is ours, whisperx, faster-whisper or batched; OPTIONS is a JSON object with
options of ours (`Options` of jobs.engines.whisperx).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.quality import sound
from tests.quality.weights import BUILD

THREADS = len(os.sched_getaffinity(0))

WARM_UP = Path(__file__).parents[1] / "data" / "sample" / "sample_rms.wav"
"""Speech that each engine recognises first: models that are loaded late are loaded before anything is measured."""

Heard = dict[str, Any]
Recognise = Callable[[Path, str | None, Heard], None]
"""Recognise a file in a language, or in the one that is detected, and add what was found to the answer."""

_decoded = {"pieces": 0, "encoded": 0}


def main() -> None:
    """Load the engine, then answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries that print do not disturb the answers
    name, model, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
    _count_pieces()
    began = _cpu()
    recognise = _ENGINES[name](model, options)
    recognise(WARM_UP, "en", _nothing_heard())
    loading = _cpu() - began
    for line in sys.stdin:
        request = json.loads(line)
        _decoded.update(pieces=0, encoded=0)
        heard = {**_nothing_heard(), "loading": loading}
        began, clock = _cpu(), time.monotonic()
        try:
            recognise(Path(request["audio"]), request.get("language"), heard)
        except Exception as failure:  # an engine that fails has heard nothing, and says why
            heard["failure"] = f"{type(failure).__name__}: {failure}"
        heard.update(cpu=_cpu() - began, wall=time.monotonic() - clock, peak=_peak(), **_decoded)
        print(json.dumps(heard), file=answers, flush=True)


def _nothing_heard() -> Heard:
    return {"texts": [], "languages": [], "events": []}


def _ours(model: Path, options: dict[str, Any]) -> Recognise:
    from jobs.engines.whisperx.client import WhisperX
    from jobs.engines.whisperx.options import Options
    from jobs.pipeline.errors import NoSpeech
    from jobs.pipeline.protocols import Hints
    from jobs.pipeline.stages.transcribe import transcribe

    no_aligners = str(BUILD / "no-aligners")  # need not exist
    chosen = {"compute_type": "int8", "device": "cpu", "models_dir": no_aligners, "threads": THREADS, **options}
    transcriber = WhisperX(Options(model=str(model), **chosen))

    def recognise(audio: Path, language: str | None, heard: Heard) -> None:
        began = _cpu()

        def event(kind: str, value: float) -> None:
            heard["events"].append({"cpu": _cpu() - began, "kind": kind, "value": value})

        windows = transcribe(
            audio,
            transcriber,
            name=audio.name,
            hints=Hints(language=language or ""),
            progress=lambda share: event("progress", share),
        )
        try:
            for window in windows:
                event("window", window.end)
                if window.words:
                    event("words", window.end)
                heard["languages"].append([window.start, window.end, window.language])
                heard["texts"] += _words(window)
        except NoSpeech:
            pass

    return recognise


def _words(window: Any) -> list[dict[str, Any]]:
    """The words of a window, each with whether its cue would be flagged as unsure."""
    from jobs.pipeline.subtitles.segmentation import segment
    from jobs.pipeline.text.languages import language as language_of

    cues = segment(window.words, language_of(window.language)) if window.words else []
    unsure = [(cue.start, cue.end) for cue in cues if "unsure" in cue.flags]
    return [
        {
            "text": word.text,
            "start": word.start,
            "end": word.end,
            "confidence": word.confidence,
            "unsure": any(first <= (word.start + word.end) / 2 <= last for first, last in unsure),
        }
        for word in window.words
    ]


def _whisperx(model: Path, options: dict[str, Any]) -> Recognise:
    import whisperx
    from pyannote.audio.telemetry import set_telemetry_metrics

    set_telemetry_metrics(False)
    pipeline = whisperx.load_model(
        str(model), "cpu", compute_type="int8", vad_method="pyannote", local_files_only=True, threads=THREADS
    )

    def recognise(audio: Path, language: str | None, heard: Heard) -> None:
        found = pipeline.transcribe(sound.load(audio), batch_size=8, language=language)
        heard["texts"] = [{"text": one["text"], "start": one["start"], "end": one["end"]} for one in found["segments"]]
        heard["languages"] = [[0.0, 0.0, found["language"]]]

    return recognise


def _faster_whisper(model: Path, options: dict[str, Any]) -> Recognise:
    from faster_whisper import WhisperModel

    whisper = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=THREADS)

    def recognise(audio: Path, language: str | None, heard: Heard) -> None:
        segments, info = whisper.transcribe(sound.load(audio), vad_filter=True, language=language)
        _collect(segments, info, heard)

    return recognise


def _batched(model: Path, options: dict[str, Any]) -> Recognise:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    whisper = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=THREADS)
    pipeline = BatchedInferencePipeline(whisper)

    def recognise(audio: Path, language: str | None, heard: Heard) -> None:
        segments, info = pipeline.transcribe(sound.load(audio), batch_size=8, language=language)
        _collect(segments, info, heard)

    return recognise


def _collect(segments: Iterable[Any], info: Any, heard: Heard) -> None:
    heard["texts"] = [{"text": one.text, "start": one.start, "end": one.end} for one in segments]
    heard["languages"] = [[0.0, 0.0, info.language]]


_ENGINES: dict[str, Callable[[Path, dict[str, Any]], Recognise]] = {
    "ours": _ours,
    "whisperx": _whisperx,
    "faster-whisper": _faster_whisper,
    "batched": _batched,
}


def _count_pieces() -> None:
    """Count what every engine gives to CTranslate2: pieces decoded, those decoded again included, and encoded."""
    import ctranslate2

    class Counting(ctranslate2.models.Whisper):  # type: ignore[misc]
        def generate(self, features: Any, prompts: Any, *args: Any, **options: Any) -> Any:
            _decoded["pieces"] += len(prompts)
            return super().generate(features, prompts, *args, **options)

        def encode(self, features: Any, *args: Any, **options: Any) -> Any:
            _decoded["encoded"] += features.shape[0]
            return super().encode(features, *args, **options)

    ctranslate2.models.Whisper = Counting


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    """The most memory that this process has had, in megabytes. Not `ru_maxrss`, which begins with the parent's."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
