"""Fixtures: the toy models, unpacked once per session."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def models_dir(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models directory as `fetch_models` leaves it: the toy Whisper as `tiny`, the random aligner for French."""
    directory = tmp_path_factory.mktemp("models")
    for archive, place in (("tiny-whisper-ct2", "whisper/tiny"), ("tiny-random-wav2vec2-ctc", "align/fr")):
        with tarfile.open(data / "models" / f"{archive}.tar.xz") as packed:
            packed.extractall(directory / "packed", filter="data")
        (directory / place).parent.mkdir()
        (directory / "packed" / archive).rename(directory / place)
    return directory
