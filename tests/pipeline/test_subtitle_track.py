"""The text track of a video: within the video, and in an MP4 with one text at a time."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.media.ffmpeg import ffmpeg
from jobs.pipeline.media.probe import probe
from jobs.pipeline.stages.render import render
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.track import Entry, as_srt, entries_of, one_at_a_time, within
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language
from tests.examples import few
from tests.pipeline.clips import Clips, run

SIGN = [
    (1.0, 3.6, "You two, what are you doing?"),
    (3.6, 12.4, "THE FIVE CLOUDS"),
    (4.1, 6.0, "Please stay in bed."),
    (4.1, 6.0, "Every heart is honest."),
    (7.0, 9.0, "I will come back."),
]
"""A sign that is shown during four lines, two of which have the same times."""


def written(cues: list[tuple[float, float, str]], path: Path) -> Path:
    made = [Cue(id=at, start=start, end=end, source="", target=text) for at, (start, end, text) in enumerate(cues)]
    write(made, path, form="target", source=language("fa"), target=language("en"))
    return path


def shown(path: Path, second: float) -> set[str]:
    """The lines that the first text track of a file shows at a second, as ffmpeg takes it out."""
    command = [str(ffmpeg()), "-v", "error", "-i", str(path), "-map", "0:s", "-f", "srt", "-"]
    srt = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    at = second * 1000
    return {line for one in entries_of(srt) if one.start <= at < one.end for line in one.text.split("\n")}


@pytest.fixture
def film(clips: Clips, tmp_path: Path) -> Path:
    """A clip of 16 s."""
    picture = ("-f", "lavfi", "-i", "color=black:size=64x48:rate=5:duration=16")
    run(*picture, "-c:v", "libx264", "-preset", "ultrafast", str(tmp_path / "film.mp4"))
    return tmp_path / "film.mp4"


def test_texts_of_the_same_time_are_all_in_the_track_of_an_mp4(film: Path, tmp_path: Path) -> None:
    made = render(film, probe(film), written(SIGN, tmp_path / "s.srt"), tmp_path / "out.mp4", mode="soft")
    assert made == tmp_path / "out.mp4"
    assert shown(made, 2.0) == {"You two, what are you doing?"}
    assert shown(made, 5.0) == {"THE FIVE CLOUDS", "Please stay in bed.", "Every heart is honest."}
    assert shown(made, 6.5) == shown(made, 10.0) == {"THE FIVE CLOUDS"}
    assert shown(made, 8.0) == {"THE FIVE CLOUDS", "I will come back."}
    assert shown(made, 13.0) == set()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("mode", ["soft", "burn"])
def test_nothing_is_longer_than_the_video(film: Path, tmp_path: Path, suffix: str, mode: str) -> None:
    if suffix == ".mkv":
        run(
            "-i",
            str(film),
            "-f",
            "lavfi",
            "-i",
            "sine=duration=16",
            "-c:v",
            "copy",
            "-c:a",
            "libvorbis",
            "-strict",
            "-2",
            str(tmp_path / "film.mkv"),
        )
        film = tmp_path / "film.mkv"
    cues = [(1.0, 3.0, "Hello."), (12.0, 41.0, "Over the end."), (35999.0, 36000.0, "Subtitles by somebody")]
    subtitles = written(cues, tmp_path / f"s.{'srt' if mode == 'soft' else 'ass'}")
    made = render(film, probe(film), subtitles, tmp_path / "out.mp4", mode=mode)  # type: ignore[arg-type]
    assert made
    said = subprocess.run([str(ffmpeg()), "-i", str(made)], capture_output=True, check=False).stderr.decode()
    stated = re.search(r"Duration: 00:00:([\d.]+)", said)
    assert stated
    assert float(stated[1]) == pytest.approx(16, abs=0.1)
    if mode == "soft":
        assert shown(made, 15.9) == {"Over the end."}


def test_a_video_shorter_than_all_of_its_subtitles(film: Path, tmp_path: Path) -> None:
    subtitles = written([(60.0, 62.0, "Late.")], tmp_path / "s.srt")
    made = render(film, probe(film), subtitles, tmp_path / "out.mp4", mode="soft")
    assert made
    assert probe(made).duration == pytest.approx(16, abs=0.1)


ENTRIES = st.lists(
    st.builds(
        lambda start, length, text: Entry(start=start, end=start + length, text=text),
        st.integers(0, 60),
        st.integers(0, 30),
        st.sampled_from("abcdefg"),
    ),
    max_size=12,
)


@given(ENTRIES)
@few(60)
def test_at_every_time_the_same_texts_are_shown(entries: list[Entry]) -> None:
    joined = one_at_a_time(entries)
    for time in range(95):
        before = {entry.text for entry in entries if entry.start <= time < entry.end}
        after = [entry for entry in joined if entry.start <= time < entry.end]
        assert len(after) <= 1
        assert {line for entry in after for line in entry.text.split("\n")} == before


@given(ENTRIES)
@few(60)
def test_entries_are_read_as_they_were_written(entries: list[Entry]) -> None:
    assert entries_of(as_srt(entries)) == entries


def test_two_like_texts_in_a_row_stay_two() -> None:
    entries = [Entry(start=0, end=1000, text="No."), Entry(start=1000, end=2000, text="No.")]
    assert one_at_a_time(entries) == entries


def test_the_end_of_the_video_ends_a_text() -> None:
    entries = [Entry(start=0, end=9000, text="a"), Entry(start=8000, end=9000, text="b")]
    assert within(entries, 8.0) == [Entry(start=0, end=8000, text="a")]


def test_very_many_texts_at_once_cost_no_memory() -> None:
    entries = [Entry(start=number, end=100_000, text=f"text {number}") for number in range(1, 3001)]
    joined = one_at_a_time(entries)
    assert sum(len(entry.text) for entry in joined) < 1_000_000
    assert all(any(entry.text in one.text for one in joined) for entry in entries)
