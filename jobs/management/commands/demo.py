"""`manage.py demo`: makes two results from the bundled clip, and lists what is missing for good Persian."""

from __future__ import annotations

import importlib.util
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from jobs.engines.registry import SPECS
from jobs.engines.whisperx import models
from jobs.pipeline.media.limits import bytes_text
from jobs.pipeline.protocols import Readiness

SAMPLE = Path(settings.BASE_DIR) / "static" / "sample"

WHISPERX_DISK = int(7.6e9)
"""Bytes on disk of requirements/whisperx.txt with PyTorch's CUDA libraries; measured."""


class Command(BaseCommand):
    """The command `demo`; `help` describes it."""

    help = "Make a Persian and a Spanish video from the bundled clip, with the installed engines."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--output", type=Path, default=Path("demo"), metavar="DIR", help="directory for the results"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        clip, output = str(SAMPLE / "sample.mp4"), options["output"]
        self._title("Persian, from a human-made subtitle file")
        call_command("translate", clip, to="fa", subtitles=SAMPLE / "sample.fa.srt", output=output)
        self._title("Spanish, transcribed and translated on this machine")
        lacking = _lacking("pocketsphinx", "apertium")
        if lacking:
            self.stdout.write(f"Skipped: {lacking.reason} {lacking.remedy}")
        else:
            call_command("translate", clip, to="es", transcriber="pocketsphinx", translator="apertium", output=output)
        self._list_missing()

    def _title(self, text: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"\n{text}"))

    def _list_missing(self) -> None:
        steps = list(_steps())
        if not steps:
            self._title("Good Persian for any video: ready")
            self.stdout.write(_TRANSLATE)
            return
        self._title("Still missing for good Persian for any video")
        for number, step in enumerate([*steps, _TRANSLATE], start=1):
            self.stdout.write(f"{number}. {step}")


_TRANSLATE = ".venv/bin/python manage.py translate VIDEO --to fa"


def _lacking(*names: str) -> Readiness | None:
    """The readiness of the first of these engines that is not ready; None when all are."""
    states = [spec.readiness(settings.ENGINE_OPTIONS[spec.name]) for spec in SPECS if spec.name in names]
    return next((state for state in states if not state.ready), None)


def _steps() -> Iterator[str]:
    """The commands that make WhisperX and Gemini ready, each with its cost."""
    if importlib.util.find_spec("whisperx") is None:
        disk = bytes_text(WHISPERX_DISK)
        yield f"make whisperx    (WhisperX: {disk} on disk; README.md shows how to leave out CUDA)"
    if _lacking("whisperx"):
        model, english = models.whisper(settings.ENGINE_OPTIONS["whisperx"].model), models.aligner("en")
        disk = f"{bytes_text(model.size)} on disk for its model {model.name}, {bytes_text(english.size)} for English"
        yield f".venv/bin/python manage.py fetch_models    ({disk})"
    if _lacking("gemini"):
        yield "echo GEMINI_API_KEY=YOUR_KEY >> .env    (nothing on disk; the key: https://aistudio.google.com/apikey)"
