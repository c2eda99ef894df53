"""Progress as bars, lines and JSON lines, with a clock that the test sets."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import progress
from jobs.cli.export import ExportResult
from jobs.pipeline.stage import STEPS, Stage, StepName
from jobs.pipeline.subtitles.quality import check
from jobs.pipeline.text.languages import language


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


LOADING = STEPS[StepName.LOAD_SPEECH]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("jobs.cli.progress.time.monotonic", clock.monotonic)
    return clock


def result(video: Path | None) -> ExportResult:
    srt = Path("out/film.fa.srt")
    quality = check([], language("en"), language("fa"))
    files = (srt, *([video] if video else []))
    return ExportResult(video=video, subtitles=srt, files=files, quality=quality, report={"title": "فیلم"})


def test_a_line_for_each_quarter(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=False) as display:
        for share in range(0, 101, 5):
            display.progress(Stage.RENDER, share / 100)
            clock.now += 1
    assert out.getvalue().splitlines() == [
        "render: 0%",
        "render: 25%, about 0:15 left",
        "render: 50%, about 0:10 left",
        "render: 75%, about 0:05 left",
        "render: 100%",
    ]


def test_no_time_is_guessed_in_the_first_seconds(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=False) as display:
        for share in (0.0, 0.5, 1.0):
            display.progress(Stage.FETCH, share)
            clock.now += 0.9
    assert out.getvalue() == "fetch: 0%\nfetch: 50%\nfetch: 100%\n"


def test_long_times_are_in_minutes(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.RENDER, 0.0)
        clock.now += 300
        display.progress(Stage.RENDER, 0.25)
    assert "about 15:00 left" in out.getvalue()


def test_json_of_the_same_stage_comes_twice_a_second_at_most(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=True) as display:
        for share in range(0, 1001):
            display.progress(Stage.RENDER, share / 1000)
            clock.now += 0.01
    events: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert 20 <= len(events) <= 22
    assert (events[0]["share"], events[-1]["share"]) == (0, 1)
    assert events[-1]["overall"] == pytest.approx(1.0)
    assert events[10]["seconds_left"] == pytest.approx(5, abs=0.5)
    assert [event["share"] for event in events] == sorted(event["share"] for event in events)


def test_the_whole_is_made_of_the_stages_that_the_job_has(clock: Clock) -> None:
    """`transcribe` and `translate` run side by side, and one of them may be left out."""
    out = io.StringIO()
    with progress.display(out, as_json=True) as display:
        display.stages((Stage.FETCH, Stage.TRANSCRIBE, Stage.TRANSLATE, Stage.SUBTITLE))
        display.progress(Stage.FETCH, 1.0)
        display.progress(Stage.TRANSCRIBE, 0.2)
        display.progress(Stage.TRANSLATE, 0.1)
        clock.now += 1
        display.progress(Stage.TRANSCRIBE, 0.3)
        display.stages((Stage.FETCH, Stage.TRANSCRIBE, Stage.SUBTITLE))
        display.progress(Stage.TRANSCRIBE, 1.0)
        display.progress(Stage.SUBTITLE, 1.0)
    overall = [json.loads(line)["overall"] for line in out.getvalue().splitlines()]
    assert overall == sorted(overall)
    assert overall[0] == pytest.approx(0.05 / 0.61, abs=1e-3)
    assert overall[-1] == 1.0


def test_json_is_one_line_and_keeps_its_letters(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=True) as display:
        display.note("two\nlines: سلام")
        display.result(result(None))
    note, end = out.getvalue().splitlines()
    assert json.loads(note) == {"event": "note", "sentence": "two\nlines: سلام"}
    assert "سلام" in note
    assert json.loads(end) == {
        "event": "result",
        "video": None,
        "subtitles": "out/film.fa.srt",
        "files": ["out/film.fa.srt"],
        "report": {"title": "فیلم"},
    }


@pytest.mark.parametrize(("video", "shown"), [(Path("out/film.fa.mp4"), "out/film.fa.mp4"), (None, "out/film.fa.srt")])
def test_the_ending(video: Path | None, shown: str) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=False) as display:
        display.result(result(video))
    assert out.getvalue().splitlines()[-2:] == [f"result: {shown}", "subtitles: out/film.fa.srt"]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_take_names_as_they_are() -> None:
    """Names are shown literally, not as markup for colours."""
    out = Screen()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.RENDER, 0.5)
        display.note("[red]a note[/red]")
        display.result(result(Path("out/[bold]" + "x" * 100 + ".mp4")))
    assert "[red]a note[/red]" in out.getvalue()
    assert "result: out/[bold]" + "x" * 100 + ".mp4\n" in out.getvalue()


def test_bars_with_percent_and_the_time_that_is_left(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console.monotonic", clock.monotonic)
    out = Screen()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.RENDER, 0.0)
        for share in (0.1, 0.2):
            clock.now += 10
            display.progress(Stage.RENDER, share)
    assert re.search(r"Render\W.*[━╸╺].* 20%.* 0:01:20", re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()))


def plain(out: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())


def draw(display: progress.Display) -> None:
    """Draw the bars now: a thread does it ten times a second."""
    assert isinstance(display, progress.Bars)
    display._bars.refresh()


def test_bars_name_the_step_while_it_lasts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console.monotonic", clock.monotonic)
    out = Screen()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.TRANSCRIBE, 0.0)
        display.step(Stage.TRANSCRIBE, LOADING)
        display.working(Stage.TRANSCRIBE)
        draw(display)
    assert LOADING in plain(out)
    out = Screen()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.TRANSCRIBE, 0.0)
        display.step(Stage.TRANSCRIBE, LOADING)
        display.step(Stage.TRANSCRIBE, "")
        draw(display)
    assert "left" in plain(out).splitlines()[-1]


def test_bars_count_on_and_run_out(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console.monotonic", clock.monotonic)
    out = Screen()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.RENDER, 0.0)
        clock.now += 10
        display.progress(Stage.RENDER, 0.5)
        clock.now += 7
        draw(display)
        assert "0:00:17 0:00:03 left" in plain(out)
        assert "longer than usual" not in plain(out)
        clock.now += 20
        draw(display)
    assert "longer than usual" in plain(out)


def works_on(display: progress.Display, clock: Clock, seconds: int) -> None:
    """Nothing but time passes."""
    for _ in range(seconds):
        clock.now += 1
        display.working(Stage.TRANSCRIBE)


def test_lines_tell_of_the_step_and_of_a_long_silence(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=False) as display:
        display.progress(Stage.TRANSCRIBE, 0.0)
        display.step(Stage.TRANSCRIBE, LOADING)
        works_on(display, clock, 70)
        display.step(Stage.TRANSCRIBE, "")
        display.progress(Stage.TRANSCRIBE, 0.5)
        works_on(display, clock, 200)
    assert out.getvalue().splitlines() == [
        "transcribe: 0%",
        f"transcribe: {LOADING}",
        f"transcribe: {LOADING}, running for 0:50",
        "transcribe: 50%, about 1:10 left",
        "transcribe: 50%, running for 2:00, about 0:20 left",
        "transcribe: 50%, running for 2:50, longer than usual",
        "transcribe: 50%, running for 3:40, longer than usual",
        "transcribe: 50%, running for 4:30, longer than usual",
    ]


def test_json_names_the_step_and_tells_something_each_15_seconds(clock: Clock) -> None:
    out = io.StringIO()
    with progress.display(out, as_json=True) as display:
        display.progress(Stage.TRANSCRIBE, 0.0)
        display.step(Stage.TRANSCRIBE, LOADING)
        works_on(display, clock, 20)
        display.step(Stage.TRANSCRIBE, "")
        display.progress(Stage.TRANSCRIBE, 0.5)
        works_on(display, clock, 45)
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [event["step"] for event in events] == ["", LOADING, LOADING, "", "", "", ""]
    assert [event["seconds"] for event in events] == [0, 0, 15, 20, 35, 50, 65]
    assert [event["longer_than_usual"] for event in events] == [False] * 6 + [True]
    assert [event["seconds_left"] for event in events][-3:] == [5.0, 0.0, None]


def test_an_output_that_knows_few_letters() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    with progress.display(out, as_json=True) as display:
        display.note("سلام \udcff")
    assert json.loads(raw.getvalue()) == {"event": "note", "sentence": "سلام \udcff"}
