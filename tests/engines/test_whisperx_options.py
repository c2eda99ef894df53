"""WhisperX's options and readiness; these tests need no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from jobs.engines.whisperx.client import WhisperX
from jobs.engines.whisperx.spec import ENGINE, Options, readiness


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert readiness(Options()).remedy == "make whisperx"


def test_without_the_model_it_says_how_to_fetch_it(installed: None, tmp_path: Path) -> None:
    state = readiness(Options(models_dir=str(tmp_path), model="small"))

    assert not state.ready
    assert (state.reason, "model.bin" in state.detail) == ("Its model is not on disk.", True)
    assert state.remedy == "python manage.py fetch_models --model small"


def test_an_incomplete_model_is_none(installed: None, models_dir: Path, tmp_path: Path) -> None:
    """Without tokenizer.json faster-whisper would ask the hub for one in the middle of a job."""
    for file in (models_dir / "whisper/tiny").iterdir():
        if file.name != "tokenizer.json":
            (tmp_path / file.name).write_bytes(file.read_bytes())

    state = readiness(Options(model=str(tmp_path)))

    assert "tokenizer.json" in state.detail


def test_an_unknown_model_is_named(installed: None) -> None:
    state = readiness(Options(model="whale"))

    assert "whale" in state.detail
    assert "--list" in state.remedy


def test_with_package_and_model_it_is_ready(installed: None, models_dir: Path) -> None:
    assert readiness(Options(model="tiny", models_dir=str(models_dir))).ready


def test_the_models_directory_may_begin_with_a_tilde() -> None:
    assert Options(models_dir="~/models").models == Path.home() / "models"


def test_english_models_know_only_english() -> None:
    assert ENGINE.languages(Options(model="/models/small.en")) == {"en"}
    assert {"fa", "en", "jv", "yue"} <= ENGINE.languages(Options())


@pytest.mark.parametrize(("device", "window"), [("cpu", 85), ("cuda", 240)])
def test_windows_hold_a_few_pieces(device: str, window: float) -> None:
    assert WhisperX(Options(device=device)).window_seconds == window
