"""The render stage: its file in each mode, and the poster."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.pipeline import errors
from jobs.pipeline.media.probe import probe
from jobs.pipeline.protocols import Mode
from jobs.pipeline.stages.render import poster_of, render
from tests.pipeline.clips import Clips, gray_frame


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "film.fa.mp4"


def test_burning(clips: Clips, ass: Path, target: Path) -> None:
    source = clips["black.mp4"]
    shares: list[float] = []
    assert render(source, probe(source), ass, target, mode="burn", progress=shares.append) == target
    assert max(gray_frame(target, 0.7, (160, 120))) > 180
    assert probe(target).subtitles == ()
    assert sorted(target.parent.iterdir()) == [target, poster_of(target)]
    assert shares[-1] == 1


def test_a_soft_track(clips: Clips, srt: Path, target: Path) -> None:
    source = clips["black.mp4"]
    assert render(source, probe(source), srt, target, mode="soft", language="fa") == target
    assert max(gray_frame(target, 0.7, (160, 120))) < 20
    assert [track.language for track in probe(target).subtitles] == ["fas"]


def test_the_poster_follows_the_name_of_an_mkv(clips: Clips, srt: Path, target: Path) -> None:
    source = clips["web.webm"]
    written = render(source, probe(source), srt, target, mode="soft")
    assert written == target.with_suffix(".mkv")
    assert sorted(target.parent.iterdir()) == [written, target.with_suffix(".webp")]


@pytest.mark.parametrize("mode", ["none", "burn", "soft"])
def test_nothing_to_render(clips: Clips, ass: Path, target: Path, mode: Mode) -> None:
    source = clips["black.mp4"]
    assert render(source, probe(source), ass if mode == "none" else None, target, mode=mode) is None
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("mode", ["burn", "soft"])
def test_sound_alone(clips: Clips, ass: Path, target: Path, mode: Mode) -> None:
    source = clips["sound.mp3"]
    with pytest.raises(errors.NoVideoStream):
        render(source, probe(source), ass, target, mode=mode)
    assert not list(target.parent.iterdir())
