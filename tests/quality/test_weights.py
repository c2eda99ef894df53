"""The weights are put together from their two packages, and only if they are the right ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.quality import weights


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two importable packages with halves of a small model."""
    for number, package in enumerate(weights._PARTS, start=1):
        data = tmp_path / package / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"model.bin.part{number}").write_bytes(b"half %d;" % number)
    for name in weights._SMALL:
        (tmp_path / weights._PARTS[0] / "data" / name).write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(b"half 1;half 2;").hexdigest())
    return tmp_path


def test_the_halves_are_joined_in_order(packages: Path, tmp_path: Path) -> None:
    made = weights.whisper_base(tmp_path / "made")
    assert (made / "model.bin").read_bytes() == b"half 1;half 2;"
    assert {path.name for path in made.iterdir()} == {"model.bin", *weights._SMALL}
    assert (made / "vocabulary.txt").read_text() == "vocabulary.txt"


def test_damaged_weights_are_refused_and_leave_no_model(packages: Path, tmp_path: Path) -> None:
    (packages / weights._PARTS[1] / "data" / "model.bin.part2").write_bytes(b"half 3;")
    with pytest.raises(weights.NoWeights, match="not the expected ones"):
        weights.whisper_base(tmp_path / "made")
    assert not list((tmp_path / "made").glob("model.bin*"))


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_PARTS", ("no_such_package", "nor_this"))
    with pytest.raises(weights.NoWeights, match="no_such_package is not installed"):
        weights.whisper_base(tmp_path / "made")
