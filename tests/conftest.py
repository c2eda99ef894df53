"""Shared by every test: which ones this machine can run, and the data beside them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    """The directory of sounds, subtitles and toy models that the tests share."""
    return DATA


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("whisperx") and importlib.util.find_spec("whisperx") is None:
            item.add_marker(pytest.mark.skip(reason="WhisperX is not installed: make whisperx"))
        for mark in ("soak", "bench"):
            if item.get_closest_marker(mark) and mark not in config.getoption("-m"):
                item.add_marker(pytest.mark.skip(reason=f"only in `make {mark}`"))
