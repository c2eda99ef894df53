"""Progress displays of the command line: bars on a terminal, plain lines elsewhere, JSON lines for scripts."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from jobs.cli.export import ExportResult
from jobs.cli.follow import JobObserver
from jobs.cli.stage_clock import GRACE, LATE, StageClock, minutes_text
from jobs.pipeline.stage import Stage, overall

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_STEP = 0.25
"""Share of a stage between two plain lines."""

_JSON_INTERVAL = 0.5
"""Seconds between two JSON lines about the same stage."""

_LINE_INTERVAL = 50.0
"""Longest time in seconds without a plain line while a stage runs."""

_EVENT_INTERVAL = 15.0
"""Longest time in seconds without a JSON line about a running stage."""


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

    def step(self, stage: Stage, sentence: str) -> None:
        """Do nothing."""

    def working(self, stage: Stage) -> None:
        """Do nothing."""

    def note(self, sentence: str) -> None:
        """Do nothing."""


class Bars:
    """One bar for each stage, with percentage, time spent, and time left or the step that lasts."""

    def __init__(self, bars: Progress, clock: StageClock) -> None:
        self._bars, self._clock = bars, clock
        self._tasks: dict[Stage, TaskID] = {}

    def stages(self, stages: Sequence[Stage]) -> None:
        """Do nothing: a bar is added when its stage begins."""

    def progress(self, stage: Stage, share: float) -> None:
        """Show the progress of a stage."""
        self._clock.see(stage, share)
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage.capitalize(), total=1.0, stage=stage, step="")
        self._bars.update(self._tasks[stage], completed=share)

    def step(self, stage: Stage, sentence: str) -> None:
        """Show the step beside the bar."""
        self._bars.update(self._tasks[stage], step=sentence)

    def working(self, stage: Stage) -> None:
        """Do nothing: the time spent moves by itself."""

    def note(self, sentence: str) -> None:
        """Show a note."""
        self._bars.console.print(sentence, markup=False, highlight=False)

    def result(self, result: ExportResult) -> None:
        """Show the files and the quality."""
        self._bars.stop()
        for line in _ending(result):
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)


class Lines:
    """Plain lines: one when a stage begins, at each quarter, when it ends, and after _LINE_INTERVAL without one."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._clock = StageClock()
        self._next: dict[Stage, float] = {}
        self._steps: dict[Stage, str] = {}
        self._written = time.monotonic()

    def stages(self, stages: Sequence[Stage]) -> None:
        """Do nothing: a line is written when a stage begins."""

    def progress(self, stage: Stage, share: float) -> None:
        """Show the progress of a stage."""
        self._clock.see(stage, share)
        if share < self._next.get(stage, 0.0):
            return
        self._next[stage] = 2.0 if share >= 1 else (share // _STEP + 1) * _STEP
        rest = self._clock.left_text(stage) if share < 1 else ""
        self._write(f"{stage}: {share:.0%}{rest}")

    def step(self, stage: Stage, sentence: str) -> None:
        """Show the step when it begins."""
        self._steps[stage] = sentence
        if sentence:
            self._write(f"{stage}: {sentence}")

    def working(self, stage: Stage) -> None:
        """Show how long the stage has been running, when there was no line for long."""
        if time.monotonic() - self._written < _LINE_INTERVAL:
            return
        spent = minutes_text(self._clock.spent(stage))
        doing = self._steps.get(stage) or f"{self._clock.share(stage):.0%}"
        self._write(f"{stage}: {doing}, running for {spent}{self._clock.left_text(stage)}")

    def note(self, sentence: str) -> None:
        """Show a note."""
        self._write(sentence)

    def result(self, result: ExportResult) -> None:
        """Show the files and the quality."""
        for line in _ending(result):
            self._write(line)

    def _write(self, line: str) -> None:
        self._written = time.monotonic()
        self._out.write(line + "\n")
        self._out.flush()


class JsonLines:
    """One JSON object on each line; its `event` is `progress`, `note` or `result`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._clock = StageClock()
        self._steps: dict[Stage, str] = {}
        self._last: dict[Stage, float] = {}
        self._stages: Sequence[Stage] = ()
        self._shares: dict[Stage, float] = {}

    def stages(self, stages: Sequence[Stage]) -> None:
        """Remember the stages, which the overall progress needs."""
        self._stages = stages

    def progress(self, stage: Stage, share: float) -> None:
        """Show the progress of a stage."""
        self._shares[stage] = share
        self._clock.see(stage, share)
        if 0 < share < 1 and time.monotonic() - self._last.get(stage, 0.0) < _JSON_INTERVAL:
            return
        self._tell(stage)

    def step(self, stage: Stage, sentence: str) -> None:
        """Show the step, and its end."""
        self._steps[stage] = sentence
        self._tell(stage)

    def working(self, stage: Stage) -> None:
        """Show the progress again when there was no line about the stage for long."""
        if time.monotonic() - self._last[stage] >= _EVENT_INTERVAL:
            self._tell(stage)

    def _tell(self, stage: Stage) -> None:
        left = self._clock.left(stage)
        is_late = left is not None and left < -GRACE
        self._last[stage] = time.monotonic()
        self._write(
            event="progress",
            stage=str(stage),
            step=self._steps.get(stage, ""),
            share=round(self._shares[stage], 4),
            overall=round(overall(self._shares, self._stages or self._shares), 4),
            seconds=round(self._clock.spent(stage), 1),
            seconds_left=None if left is None or is_late else round(max(0.0, left), 1),
            longer_than_usual=is_late,
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
        clock = StageClock()
        with _bars(out, clock) as bars:
            yield Bars(bars, clock)
    else:
        yield Lines(out)


def _bars(out: TextIO, clock: StageClock) -> Progress:
    # Imported here so that scripts and `--help` do not wait for rich.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class LeftColumn(ProgressColumn):
        """The step that lasts, else the time left."""

        def render(self, task: Task) -> Text:
            left = clock.left(task.fields["stage"])
            if task.fields["step"] or task.finished:
                return Text(task.fields["step"])
            if left is None:
                return Text("-:--:-- left")
            return Text(LATE if left < -GRACE else f"{timedelta(seconds=round(max(0.0, left)))} left")

    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        LeftColumn(),
    )
    return Progress(*columns, console=Console(file=out))


def _ending(result: ExportResult) -> list[str]:
    kept = f"{result.quality.good} of {result.quality.cues} cues have no issues"
    return [f"quality: {kept}", f"result: {result.video or result.subtitles}", f"subtitles: {result.subtitles}"]
