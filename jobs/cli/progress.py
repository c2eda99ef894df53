"""Progress displays of the command line: bars on a terminal, plain lines elsewhere, JSON lines for scripts."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from jobs.cli.export import ExportResult
from jobs.cli.follow import JobObserver
from jobs.pipeline.stage import Stage, overall

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_STEP = 0.25
"""Share of a stage between two plain lines."""

_JSON_INTERVAL = 0.5
"""Seconds between two JSON lines about the same stage."""

_MIN_SECONDS = 2.0
"""Seconds of a stage after which the time left is estimated from its speed."""


class Display(JobObserver, Protocol):
    """An observer that also shows the result."""

    def result(self, result: ExportResult) -> None:
        """The job is completed and its results are exported."""


class SilentObserver:
    """An observer that shows nothing."""

    def stages(self, stages: Sequence[Stage]) -> None:
        """Do nothing."""

    def progress(self, stage: Stage, share: float) -> None:
        """Do nothing."""

    def note(self, sentence: str) -> None:
        """Do nothing."""


class _TimeLeft:
    """Estimates the time left of each stage from its speed so far."""

    def __init__(self) -> None:
        self._began: dict[Stage, float] = {}

    def seconds(self, stage: Stage, share: float) -> float | None:
        """Seconds until the stage ends at its speed so far; None during its first _MIN_SECONDS."""
        spent = time.monotonic() - self._began.setdefault(stage, time.monotonic())
        return spent * (1 - share) / share if share > 0 and spent >= _MIN_SECONDS else None


class Bars:
    """One bar for each stage, with percentage and time left."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[Stage, TaskID] = {}

    def stages(self, stages: Sequence[Stage]) -> None:
        """Do nothing: a bar is added when its stage begins."""

    def progress(self, stage: Stage, share: float) -> None:
        """Show the progress of a stage."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage.capitalize(), total=1.0)
        self._bars.update(self._tasks[stage], completed=share)

    def note(self, sentence: str) -> None:
        """Show a note."""
        self._bars.console.print(sentence, markup=False, highlight=False)

    def result(self, result: ExportResult) -> None:
        """Show the files and the quality."""
        self._bars.stop()
        for line in _ending(result):
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)


class Lines:
    """Plain lines: one when a stage begins, at each quarter, and when it ends."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._time_left = _TimeLeft()
        self._next: dict[Stage, float] = {}

    def stages(self, stages: Sequence[Stage]) -> None:
        """Do nothing: a line is written when a stage begins."""

    def progress(self, stage: Stage, share: float) -> None:
        """Show the progress of a stage."""
        left = self._time_left.seconds(stage, share)
        if share < self._next.get(stage, 0.0):
            return
        self._next[stage] = 2.0 if share >= 1 else (share // _STEP + 1) * _STEP
        rest = f", about {_clock_text(left)} left" if left and share < 1 else ""
        self._write(f"{stage}: {share:.0%}{rest}")

    def note(self, sentence: str) -> None:
        """Show a note."""
        self._write(sentence)

    def result(self, result: ExportResult) -> None:
        """Show the files and the quality."""
        for line in _ending(result):
            self._write(line)

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


class JsonLines:
    """One JSON object on each line; its `event` is `progress`, `note` or `result`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._time_left = _TimeLeft()
        self._last: dict[Stage, float] = {}
        self._stages: Sequence[Stage] = ()
        self._shares: dict[Stage, float] = {}

    def stages(self, stages: Sequence[Stage]) -> None:
        """Remember the stages, which the overall progress needs."""
        self._stages = stages

    def progress(self, stage: Stage, share: float) -> None:
        """Show the progress of a stage."""
        self._shares[stage] = share
        left = self._time_left.seconds(stage, share)
        now = time.monotonic()
        if 0 < share < 1 and now - self._last.get(stage, 0.0) < _JSON_INTERVAL:
            return
        self._last[stage] = now
        self._write(
            event="progress",
            stage=str(stage),
            share=round(share, 4),
            overall=round(overall(self._shares, self._stages or self._shares), 4),
            seconds_left=None if left is None else round(left, 1),
        )

    def note(self, sentence: str) -> None:
        """Show a note."""
        self._write(event="note", sentence=sentence)

    def result(self, result: ExportResult) -> None:
        """Show the files and the quality."""
        self._write(
            event="result",
            video=str(result.video) if result.video else None,
            subtitles=str(result.subtitles),
            files=[str(path) for path in result.files],
            report=result.report,
        )

    def _write(self, **event: Any) -> None:
        self._out.write(json.dumps(event, ensure_ascii=False) + "\n")
        self._out.flush()


@contextmanager
def display(out: TextIO, *, as_json: bool) -> Iterator[Display]:
    """The display for `out`. Characters that its encoding lacks are written as `\\uXXXX`, which is valid JSON, too."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="backslashreplace")
    if as_json:
        yield JsonLines(out)
    elif out.isatty():
        with _bars(out) as bars:
            yield Bars(bars)
    else:
        yield Lines(out)


def _bars(out: TextIO) -> Progress:
    # Imported here so that scripts and `--help` do not wait for rich.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<11}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(file=out))


def _ending(result: ExportResult) -> list[str]:
    kept = f"{result.quality.good} of {result.quality.cues} cues have no issues"
    return [f"quality: {kept}", f"result: {result.video or result.subtitles}", f"subtitles: {result.subtitles}"]


def _clock_text(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
