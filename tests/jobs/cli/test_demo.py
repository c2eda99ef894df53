"""`manage.py demo`: two results, and the settings that better results need."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from jobs.engines import apertium
from jobs.engines.gemini import spec as gemini
from jobs.management.commands import demo
from tests.jobs.command import files_in

pytestmark = pytest.mark.django_db(transaction=True)

needs_apertium = pytest.mark.skipif(
    not apertium.ENGINE.readiness(apertium.Options()).ready,
    reason="Apertium is not installed: apt install apertium-eng-spa",
)


@pytest.fixture(autouse=True)
def bare(settings: Any, tmp_path: Path) -> None:
    """Settings without a model and without a key."""
    whisperx = type(settings.ENGINE_OPTIONS["whisperx"])(models_dir=str(tmp_path / "models"))
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"whisperx": whisperx, "gemini": gemini.Options()}


@pytest.fixture
def sample(welcome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample of one sentence instead of eight, to save time."""
    directory = tmp_path / "sample"
    directory.mkdir()
    shutil.copy(welcome, directory / "sample.mp4")
    lines = (demo.SAMPLE / "sample.fa.srt").read_text(encoding="utf-8").split("\n\n")
    (directory / "sample.fa.srt").write_text(lines[0] + "\n", encoding="utf-8")
    monkeypatch.setattr(demo, "SAMPLE", directory)
    return directory


def show(output: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The output of the demo and of the commands it calls."""
    out = io.StringIO()
    call_command("demo", "--output", str(output), stdout=out, no_color=True)
    return out.getvalue() + capsys.readouterr().out


def results(*languages: str) -> set[str]:
    return {f"sample.{code}.{kind}" for code in languages for kind in ("mp4", "srt", "vtt", "ass")}


@needs_apertium
def test_two_results(sample: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = show(output, capsys)
    assert results("fa", "es") <= files_in(output)
    assert "خوش آمدید" in (output / "sample.fa.srt").read_text()
    assert "gracias" in (output / "sample.es.srt").read_text()
    for code in ("fa", "es"):
        assert f"result: {output / f'sample.{code}.mp4'}" in text
        assert f"subtitles: {output / f'sample.{code}.srt'}" in text
    assert "offline demo engine: expect errors" in text


@pytest.mark.soak
def test_without_apertium_there_is_one(
    sample: Path, output: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"apertium": apertium.Options(command="/none/apertium")}
    text = show(output, capsys)
    assert "Skipped: Apertium is not installed. apt install apertium apertium-eng-spa" in text
    assert results("fa") <= files_in(output)
    assert not results("es") & files_in(output)


def test_list_missing_for_good_persian(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    whisperx, models, key = demo._steps()
    assert whisperx.startswith("make whisperx ")
    assert "7.6 GB on disk" in whisperx
    assert models.startswith(".venv/bin/python manage.py fetch_models ")
    assert "GB on disk for its model large-v3-turbo" in models
    assert "GEMINI_API_KEY" in key


def test_nothing_is_missing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_steps", lambda: iter(()))
    out = io.StringIO()
    demo.Command(stdout=out, no_color=True)._list_missing()
    assert "Good Persian for any video: ready" in out.getvalue()
    assert "manage.py translate VIDEO --to fa" in out.getvalue()


@pytest.mark.soak
@needs_apertium
def test_the_whole_sample(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = show(output, capsys)
    assert text.count("8 of 8 cues have no issues") == 2
    spanish = (output / "sample.es.srt").read_text().lower()
    for word in ("bienvenido", "gracias", "personas", "mundo", "lenguas", "ordenador", "voz", "frase"):
        assert word in spanish
