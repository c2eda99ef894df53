"""Speech engines in processes of their own, loaded once and asked file by file."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import ROOT
from tests.quality.material import Clip
from tests.quality.scoring import word_errors
from tests.quality.weights import BUILD, whisper_base

REFERENCES = ("whisperx", "faster-whisper", "batched")
"""Bare engines that ours is compared with: WhisperX, faster-whisper with voice filter, its batched pipeline."""

_SLEEPING = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0", "GOMP_SPINCOUNT": "0"}
"""Threads that wait sleep at once: on a busy machine they would count several times the CPU seconds by spinning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """The answer of an engine to one file.

    `texts` have `text`, `start`, `end` in seconds; those of ours are words, with `confidence` and `unsure`. `languages`
    are [start, end, code]. `cpu`, `wall` and `loading` are seconds, `peak` megabytes since the process began. `pieces`
    were decoded, `encoded` pieces went through the encoder. `events` of ours are the CPU second, kind and value of
    progress and windows. `failure` is an error that the engine raised.
    """

    texts: list[dict[str, Any]]
    languages: list[list[Any]]
    cpu: float
    wall: float
    loading: float
    peak: float
    pieces: int
    encoded: int
    events: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""

    @property
    def text(self) -> str:
        """All that was heard."""
        return " ".join(one["text"].strip() for one in self.texts)

    def between(self, start: float, end: float) -> str:
        """The words whose middle lies between two times."""
        return " ".join(one["text"].strip() for one in self.texts if start <= (one["start"] + one["end"]) / 2 < end)


class Engine:
    """A running child process, see `child`."""

    def __init__(self, name: str, model: Path, options: dict[str, Any]) -> None:
        BUILD.mkdir(parents=True, exist_ok=True)
        self.name = name
        self._log = BUILD / f"{name}.log"
        command = [sys.executable, "-m", "tests.quality.child", name, str(model), json.dumps(options)]
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **_SLEEPING},
                encoding="utf-8",
            )

    def hear(self, audio: Path, language: str | None = None) -> Heard:
        """Recognise a WAV file. Raises RuntimeError when the process has ended."""
        assert self._child.stdin
        assert self._child.stdout
        try:
            print(json.dumps({"audio": str(audio), "language": language}), file=self._child.stdin, flush=True)
            answer = self._child.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(f"{self.name} ended: {self._log.read_text(encoding='utf-8')[-2000:]}")
        heard = Heard(**json.loads(answer))
        if heard.failure:
            logging.warning("%s failed on %s: %s", self.name, audio.name, heard.failure)
        return heard

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.communicate()


@dataclass(kw_only=True)
class Session:
    """The weights and the running engines, shared by all sections."""

    quick: bool = False
    model: Path = field(default_factory=whisper_base)
    _stack: ExitStack = field(default_factory=ExitStack)
    _engines: dict[str, Engine] = field(default_factory=dict)
    _turn: int = 0

    def engine(self, name: str, **options: Any) -> Engine:
        """The engine, with options of ours; started when first asked for."""
        key = json.dumps([name, options])
        if key not in self._engines:
            self._engines[key] = self._stack.enter_context(_running(Engine(name, self.model, options)))
        return self._engines[key]

    def ours(self, clip: Clip, language: str | None = None, **options: Any) -> Heard:
        """Recognise a clip with the transcribe stage."""
        return _told(clip, "ours", self.engine("ours", **options).hear(clip.path(), language))

    def in_turns(self, clip: Clip, names: Sequence[str], language: str | None = None) -> dict[str, Heard]:
        """Recognise a clip with each engine; another one begins each time, as the machine's load changes."""
        audio, self._turn = clip.path(), self._turn + 1
        order = [names[(at + self._turn) % len(names)] for at in range(len(names))]
        return {name: _told(clip, name, self.engine(name).hear(audio, language)) for name in order}

    def rest(self) -> None:
        """End the engines: a section that measures memory or needs it begins with none."""
        self._stack.close()
        self._engines.clear()


def _told(clip: Clip, name: str, heard: Heard) -> Heard:
    """Log one line about an answer, as a long measurement goes on."""
    rate = f"WER {word_errors(clip.text, heard.text).percent:.1f} %" if clip.text else f"{len(heard.texts)} texts"
    cost = f"CPU {heard.cpu:.1f} s, {heard.pieces} pieces"
    logging.info("  %s (%.0f s), %s: %s, %s", clip.name, clip.seconds, name, rate, cost)
    return heard


@contextmanager
def _running(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.close()
