"""`manage.py fetch_models`: downloads models for WhisperX from the hub or a mirror, or copies them from a directory."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from jobs.engines.whisperx import hub, models
from jobs.engines.whisperx.models import Model
from jobs.engines.whisperx.spec import Options
from jobs.pipeline.errors import PipelineError
from jobs.pipeline.text.languages import language

_STEP = 10  # percent between two lines without a terminal


class Command(BaseCommand):
    """The command `fetch_models`; `help` describes it."""

    help = (
        "Download models for WhisperX: by default the one that WHISPERX_MODEL names and the alignment model for "
        "English. Shows the sizes and asks first; resumes an interrupted download."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", help="name of a Whisper model (see --list)")
        parser.add_argument(
            "--align",
            action="append",
            default=[],
            metavar="LANG",
            help="language of an alignment model; can be repeated",
        )
        parser.add_argument("--list", action="store_true", help="list all models, their sizes, and which are on disk")
        parser.add_argument(
            "--from", dest="source", type=Path, metavar="DIR", help="copy one model from a directory, without network"
        )
        parser.add_argument("--endpoint", default=hub.ENDPOINT, help="address of the model hub or of a mirror")
        parser.add_argument("--yes", action="store_true", help="download without asking")

    def handle(self, *_args: Any, **options: Any) -> None:
        configured: Options = settings.ENGINE_OPTIONS["whisperx"]
        try:
            if options["list"]:
                self._list(configured)
                return
            asked = _asked(options["model"], options["align"], configured)
            if options["source"]:
                self._import(asked, options["source"], configured)
            else:
                self._fetch(asked, configured, options["endpoint"].rstrip("/"), yes=options["yes"])
        except PipelineError as error:
            detail = f"\n{error.detail}" if error.detail and options["verbosity"] > 1 else ""
            raise CommandError(f"{error}{detail}") from error

    def _list(self, configured: Options) -> None:
        self.stdout.write(f"Models in {configured.models}:")
        for model in _all_models():
            whole = not models.missing(model.directory(configured.models), model.kind)
            self.stdout.write(f"  {_line(model)}{'  on disk' if whole else ''}")

    def _import(self, asked: Sequence[Model], source: Path, configured: Options) -> None:
        if len(asked) != 1:
            raise CommandError("--from copies one model: name it with --model or --align.")
        [model] = asked
        target = model.directory(configured.models)
        try:
            models.install(source, target, model.kind)
        except FileNotFoundError as error:
            raise CommandError(f"{source} is not a complete {model.kind} model: it lacks {error}.") from error
        except OSError as error:
            raise CommandError(f"{source} could not be copied to {target}: {error.strerror}.") from error
        self.stdout.write(f"{_name(model)} is ready: {target}")

    def _fetch(self, asked: Sequence[Model], configured: Options, endpoint: str, *, yes: bool) -> None:
        lacking = [model for model in asked if models.missing(model.directory(configured.models), model.kind)]
        if not lacking:
            self.stdout.write("Nothing to download: all models are on disk.")
            return
        self._announce(lacking, configured.models, endpoint)
        if not yes and not _agreed():
            raise CommandError("Nothing was downloaded.")
        found = [hub.listing(model, endpoint=endpoint) for model in lacking]
        _check_space(sum(one.size for one in found), configured.models)
        for one in found:
            with self._bar(one) as advance:
                target = hub.download(one, configured.models, advance, endpoint=endpoint)
            self.stdout.write(f"{_name(one.model)} is ready: {target}")

    def _announce(self, lacking: Sequence[Model], directory: Path, endpoint: str) -> None:
        self.stdout.write(f"From {endpoint} into {directory}:")
        for model in lacking:
            self.stdout.write(f"  {_line(model)}  {model.repository}")
        total = sum(model.size for model in lacking)
        self.stdout.write(f"Total: about {_size(total)}; {_size(hub.free_bytes(directory))} are free.")

    @contextmanager
    def _bar(self, found: hub.Listing) -> Iterator[Callable[[int], None]]:
        """A callback for downloaded bytes: it moves a bar on a terminal and writes a line for each tenth elsewhere."""
        console = Console(stderr=True)
        if not console.is_terminal:
            yield self._lines(found)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task(_name(found.model), total=found.size)
            yield lambda count: bar.advance(task, count)

    def _lines(self, found: hub.Listing) -> Callable[[int], None]:
        done, reported = 0, 0

        def advance(count: int) -> None:
            nonlocal done, reported
            done += count
            percent = 100 * done // max(found.size, 1)
            if percent >= reported + _STEP:
                reported = percent - percent % _STEP
                self.stdout.write(f"{_name(found.model)}: {reported} % of {_size(found.size)}")

        return advance


def _asked(name: str | None, languages: Sequence[str], configured: Options) -> list[Model]:
    """The models that the options name; by default the configured one and the alignment model for English."""
    asked = [models.whisper(name)] if name else []
    asked += [models.aligner(language(code).code) for code in languages]
    if asked:
        return asked
    if Path(configured.model).is_absolute():
        raise CommandError(f"WHISPERX_MODEL is the directory {configured.model}: there is nothing to download.")
    return [models.whisper(configured.model), models.aligner("en")]


def _all_models() -> list[Model]:
    return [*map(models.whisper, models.WHISPER), *map(models.aligner, models.ALIGN)]


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask on. Add --yes to download without asking.")
    return input("Download them? [y/N] ").strip().lower() in {"y", "yes"}


def _check_space(needed: int, directory: Path) -> None:
    free = hub.free_bytes(directory)
    if needed > free:
        raise CommandError(
            f"{directory} has {_size(free)} free, {_size(needed)} are needed. Free some space, choose a smaller model, "
            "or name another directory in WHISPERX_MODELS_DIR."
        )


def _name(model: Model) -> str:
    return f"{model.kind} {model.name}"


def _line(model: Model) -> str:
    return f"{model.kind:<8}{model.name:<17}{_size(model.size):>8}"


def _size(count: int) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"
