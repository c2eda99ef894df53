"""Fixtures: small clips, made once per session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.clips import Clips, write_ass, write_srt


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture
def ass(tmp_path: Path) -> Path:
    """Letters on the picture from 0.5 to 1 s."""
    return write_ass(tmp_path / "cues.ass", 0.5, 1.0)


@pytest.fixture
def srt(tmp_path: Path) -> Path:
    return write_srt(tmp_path / "cues.srt")


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    """A directory of fonts without a font: the machine's own are drawn with."""
    directory = tmp_path / "fonts"
    directory.mkdir()
    return directory
