"""`manage.py demo`: two results from the bundled clip, and what is missing for good Persian of any video."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from jobs.engines import models
from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.spec import Spec
from jobs.pipeline.limits import bytes_text

SAMPLE = Path(settings.BASE_DIR) / "static" / "sample"

WHISPERX_DISK = int(7.6e9)
"""Bytes that requirements/whisperx.txt takes with PyTorch's CUDA libraries, measured."""


class Command(BaseCommand):
    help = "Make a Persian and a Spanish video from the bundled clip with what is installed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, default=Path("demo"), metavar="DIR")

    def handle(self, *_args: Any, **options: Any) -> None:
        clip, output = str(SAMPLE / "sample.mp4"), options["output"]
        self._title("Persian, from subtitles that a person wrote")
        call_command("translate", clip, to="fa", subtitles=SAMPLE / "sample.fa.srt", output=output)
        self._title("Spanish, recognised and translated here and now")
        call_command("translate", clip, to="es", transcriber="pocketsphinx", translator="apertium", output=output)
        self._what_is_missing()

    def _title(self, text: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"\n{text}"))

    def _what_is_missing(self) -> None:
        steps = [step for spec in (TRANSCRIBERS[0], TRANSLATORS[0]) for step in _steps(spec)]
        if not steps:
            self._title("Good Persian of any video: ready")
            self.stdout.write(".venv/bin/python manage.py translate VIDEO --to fa")
            return
        self._title("Still missing for good Persian of any video")
        for number, step in enumerate([*steps, _TRANSLATE], start=1):
            self.stdout.write(f"{number}. {step}")


_TRANSLATE = ".venv/bin/python manage.py translate VIDEO --to fa"


def _steps(spec: Spec) -> list[str]:
    """The commands that make `spec` ready, each with what it costs."""
    options = settings.ENGINE_OPTIONS[spec.name]
    if spec.readiness(options).ready:
        return []
    if spec.name == "whisperx":
        model = models.whisper(options.model)
        return [
            f"make whisperx    (WhisperX: {bytes_text(WHISPERX_DISK)} on disk, less with TORCH_INDEX, see README.md)",
            f".venv/bin/python manage.py fetch_models    (its model {model.name}: {bytes_text(model.size)} on disk, "
            "and the alignment model of English)",
        ]
    return [f"{spec.label}: {spec.readiness(options).remedy}    (nothing on disk)"]
