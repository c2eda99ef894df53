"""`manage.py doctor`: present and missing components, and whether a translation could run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.engines import apertium
from jobs.engines.gemini import spec as gemini
from jobs.engines.openai_compatible import spec as openai_compatible
from jobs.monitoring import doctor
from tests.jobs import rows
from tests.jobs.command import diagnose
from translator import __version__

pytestmark = pytest.mark.django_db

needs_apertium = pytest.mark.skipif(
    not apertium.ENGINE.readiness(apertium.Options()).ready,
    reason="Apertium is not installed: apt install apertium-eng-spa",
)


@pytest.fixture(autouse=True)
def bare(settings: Any, tmp_path: Path) -> None:
    """Settings without a model and without a key, with a writable directory."""
    settings.MEDIA_ROOT = tmp_path
    whisperx = type(settings.ENGINE_OPTIONS["whisperx"])(models_dir=str(tmp_path / "models"))
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {
        "whisperx": whisperx,
        "gemini": gemini.Options(),
        "openai_compatible": openai_compatible.Options(),
    }
    settings.TRANSCRIBER = settings.TRANSLATOR = "auto"


def without_apertium(settings: Any) -> None:
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"apertium": apertium.Options(command="/none/apertium")}


@needs_apertium
def test_the_embedded_engines_are_enough() -> None:
    ran = diagnose()
    assert ran.code == 0
    assert f"✓ Zirnevis: {__version__}" in ran.out
    assert "✓ Translating a video: PocketSphinx, then Apertium (en to es)" in ran.out
    assert "✓ English to Spanish: PocketSphinx, then Apertium" in ran.out
    assert "libass" in ran.out
    assert "Vazirmatn" in ran.out
    assert "✓ Database: sqlite, up to date" in ran.out


def test_what_is_missing_comes_with_the_command_that_brings_it() -> None:
    lines = diagnose().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("– Gemini, translation"))
    assert lines[at : at + 2] == ["– Gemini, translation: No key is set.", "    → set GEMINI_API_KEY"]


def test_a_key_is_never_shown(settings: Any) -> None:
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": gemini.Options(api_key="very-secret")}
    ran = diagnose()
    assert "✓ Gemini, translation: model gemini-flash-latest" in ran.out
    assert "very-secret" not in ran.out


def test_demo_speech_is_not_paid_for(settings: Any) -> None:
    settings.ENGINE_OPTIONS = settings.ENGINE_OPTIONS | {"gemini": gemini.Options(api_key="k")}
    assert "– English to Persian: Only the offline demo speech engine is installed" in diagnose().out


def test_without_a_translator_the_main_job_cannot_run(settings: Any) -> None:
    without_apertium(settings)
    ran = diagnose()
    assert ran.code == 1
    assert "✗ Translating a video" in ran.out


@needs_apertium
def test_a_directory_that_cannot_be_written(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "none"
    ran = diagnose()
    assert ran.code == 1
    assert f"✗ Disk: {tmp_path / 'file' / 'none'} is not writable" in ran.out


@needs_apertium
def test_a_directory_that_the_first_job_will_make(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "none" / "media"
    ran = diagnose()
    assert ran.code == 0
    assert f" free in {tmp_path / 'none' / 'media'}" in ran.out
    assert not (tmp_path / "none").exists()


@needs_apertium
def test_a_disk_that_is_not_mounted(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "none"
    rows.job()
    ran = diagnose()
    assert ran.code == 1
    assert f"✗ Disk: {tmp_path / 'none' / 'jobs'} is missing: the disk is not mounted" in ran.out
    assert "→ mount the right disk" in ran.out


@needs_apertium
def test_little_room_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MIN_FREE_BYTES", 1 << 62)
    ran = diagnose()
    assert ran.code == 0
    assert "– Disk" in ran.out


def test_no_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    ran = diagnose()
    assert ran.code == 1
    assert "✗ ffmpeg" in ran.out


def test_another_ffmpeg_without_libass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "ffmpeg"
    other.write_text("#!/bin/sh\necho ffmpeg version 3 of the tests\n")
    other.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(other))
    ran = diagnose()
    assert ran.code == 1
    assert "✗ ffmpeg: 3, lacks libass" in ran.out


def test_a_font_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "missing_font", lambda one: "fonts-noto-cjk" if one.code == "ja" else None)
    ran = diagnose()
    assert "– Fonts: no font to burn in Japanese subtitles\n    → apt install fonts-noto-cjk" in ran.out


def test_json_for_scripts(settings: Any) -> None:
    without_apertium(settings)
    ran = diagnose("--json")
    findings = json.loads(ran.out)
    assert ran.code == 1
    assert [one["subject"] for one in findings if one["needed"] and not one["good"]] == ["Translating a video"]
    assert all(one["remedy"] for one in findings if one["needed"] and not one["good"])
