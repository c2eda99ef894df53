"""The benchmarks measure what they say: the arithmetic always, and short runs of the cheap ones in `make bench`."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.benchmarks import burning, hour, layout, memory
from tests.benchmarks.material import speech, words
from tests.benchmarks.measure import BUILD, Sample, alternate, middle, run_child, timed
from tests.benchmarks.rows import Row, ratio, table, write


def samples(*walls: float) -> list[Sample]:
    return [Sample(wall=wall, cpu=wall * 2) for wall in walls]


def test_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str) -> Sample:
        order.append(name)
        return Sample(wall=len(order), cpu=0.0)

    ours, theirs = alternate(2, lambda: side("ours"), lambda: side("theirs"))
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert [sample.wall for sample in ours] == [1, 3]
    assert [sample.wall for sample in theirs] == [2, 4]


def test_one_slow_run_does_not_move_the_middle() -> None:
    assert middle(samples(1.0, 50.0, 1.2)) == Sample(wall=1.2, cpu=2.4)


@pytest.mark.parametrize(("ours", "met"), [(2.1, False), (1.9, True)])
def test_a_ratio_is_held_against_its_target(ours: float, met: bool) -> None:
    row = ratio("a", samples(ours), samples(1.0), limit=2.0, kind="at most")
    assert (row.value, row.met) == (ours, met)


def test_at_least_is_the_other_way_round() -> None:
    row = Row(name="a", value=3.9, unit="x", kind="at least", limit=4.0)
    assert row.met is False
    assert "MISSED" in table([row])
    assert Row(name="a", value=4.1, unit="x", kind="at least", limit=4.0).met


def test_what_only_explains_has_no_verdict() -> None:
    row = Row(name="a", value=1.0, unit="s")
    assert row.met is None
    assert "met" not in table([row]).splitlines()[-1]


def test_the_json_has_rows_and_verdicts(tmp_path: Path) -> None:
    write([Row(name="a", value=1.0, unit="s", limit=2.0)], tmp_path / "deep" / "bench.json", quick=True)
    found = json.loads((tmp_path / "deep" / "bench.json").read_text())
    assert found["quick"] is True
    assert [(row["name"], row["met"]) for row in found["rows"]] == [("a", True)]


def test_work_in_other_processes_counts() -> None:
    busy = (sys.executable, "-c", "sum(range(10_000_000)); print('done')")
    here = timed(lambda: run_child(busy))
    sample, said = run_child(busy)
    assert said == "done\n"
    assert min(here.cpu, sample.cpu) > 0.05


def test_a_child_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        run_child((sys.executable, "-c", "raise SystemExit('no such thing')"))


def test_there_are_as_many_words_as_asked_for_and_in_order() -> None:
    found = words(500)
    assert len(found) == 500
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.bench
def test_layout_in_short() -> None:
    rows = layout.measure(quick=True)
    assert rows[0].value == pytest.approx(rows[1].value + rows[2].value)
    assert all(row.value > 0 for row in rows)


@pytest.mark.bench
def test_the_hour_finds_cues_in_all_of_its_sound(tmp_path: Path) -> None:
    assert hour.work(speech(600), memory.WINDOW, tmp_path) > 100
    last = (tmp_path / "hour.es.srt").read_text(encoding="utf-8").rpartition(" --> ")[2]
    assert last.startswith("00:09:")


@pytest.mark.bench
def test_memory_in_short() -> None:
    peak, flat, _ = memory.measure(quick=True)
    assert peak.value > peak.detail["20"]["imported"] > 10
    assert flat.value == peak.value / peak.detail["10"]["peak"]


@pytest.mark.bench
def test_burning_in_short() -> None:
    ours, moviepy = burning.measure(quick=True)
    assert ours.value > 0
    assert moviepy.value > 1
    assert (BUILD / "ours.mp4").stat().st_size > 10_000
