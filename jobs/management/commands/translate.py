"""`manage.py translate`: one video, from the command line."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import traceback
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO, cast, get_args

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from jobs import lifecycle
from jobs.cli import progress
from jobs.cli.export import Delivered, check_overwriting, deliver
from jobs.cli.follow import follow
from jobs.engines.registry import TRANSCRIBERS, TRANSLATORS
from jobs.engines.selection import AUTO
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.lifecycle.db_retry import call_with_retry, database_error
from jobs.models import Job, JobStatus, Reason
from jobs.pipeline.download.client import is_link
from jobs.pipeline.errors import ErrorRecord, PipelineError, from_record
from jobs.pipeline.filenames import result_name
from jobs.pipeline.media.atomic_files import refusal, workspace
from jobs.pipeline.protocols import Formality
from jobs.pipeline.stages.translate import glossary
from jobs.pipeline.subtitles.style import parse_style
from jobs.pipeline.text.languages import language
from jobs.queueing import processes
from jobs.storage import deletion
from jobs.worker import in_process


class Command(BaseCommand):
    help = "Translate a video from a file or a link. Writes the subtitled video, subtitle files and a quality report."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="video or audio file, or a link")
        parser.add_argument("--to", required=True, metavar="LANG", help="language of the subtitles: fa, Persian, …")
        parser.add_argument(
            "--from", dest="spoken", metavar="LANG", help="language of the speech; detected if not given"
        )
        parser.add_argument(
            "--subtitles",
            type=Path,
            metavar="FILE",
            help="your own subtitle file, used instead of speech recognition; with --from, it is translated",
        )
        parser.add_argument(
            "--transcriber", choices=_names(TRANSCRIBERS), default=settings.TRANSCRIBER, help="speech engine"
        )
        parser.add_argument(
            "--translator", choices=_names(TRANSLATORS), default=settings.TRANSLATOR, help="translation engine"
        )
        parser.add_argument("--formality", choices=get_args(Formality), default="auto", help="tone of the translation")
        parser.add_argument("--topic", default="", help="what the video is about, for the translator")
        parser.add_argument(
            "--glossary", type=Path, metavar="FILE", help="file with a line “term = translation” for each term"
        )
        parser.add_argument(
            "--style", default="", help="style of the subtitles, such as box,large,top (see docs/cli.md)"
        )
        parser.add_argument("--bilingual", action="store_true", help="show the original below the translation")
        video = parser.add_mutually_exclusive_group()
        video.add_argument(
            "--soft", dest="mode", action="store_const", const="soft", help="add a subtitle track, do not burn in"
        )
        video.add_argument(
            "--no-video", dest="mode", action="store_const", const="none", help="write subtitle files only"
        )
        parser.add_argument(
            "--cookies", type=Path, metavar="FILE", default=settings.LINK_COOKIES, help="cookies file for links"
        )
        parser.add_argument(
            "--output",
            type=Path,
            default=Path(),
            metavar="DIR",
            help="directory for the results (default: the current one)",
        )
        parser.add_argument(
            "--owner", default=in_process.COMMAND, metavar="USER", help="user who owns the job on the site"
        )
        parser.add_argument("--json", action="store_true", help="write one JSON object per line, for scripts")
        parser.set_defaults(mode="burn")

    def handle(self, *_args: Any, **options: Any) -> None:
        heeded = _heed_signals()
        try:
            with _quiet(options["verbosity"] < 3):  # the display tells it better
                code = self._run(options)
        except KeyboardInterrupt:  # of which there is only one
            self.stderr.write("Interrupted: nothing is left behind.")
            code = 130
        finally:
            _ignore_signals()  # what is left to do takes a moment, and the exit code has been decided
            if not getattr(self, "_called_from_command_line", False):
                _restore_signals(heeded)
        if code:
            sys.exit(code)

    def _run(self, options: dict[str, Any]) -> int:
        """The exit code; what goes wrong has been said."""
        try:
            _check_database()
            # Django's wrapper ends every write with a newline, which no bar survives; the stream is inside it.
            with progress.display(cast(TextIO, vars(self.stdout)["_out"]), as_json=options["json"]) as display:
                result = _translate(options, display)
                display.result(result)
            if options["verbosity"] >= 2 and not options["json"]:
                self.stdout.write(result.quality.as_text())
        except _Cancelled as cancelled:
            self.stderr.write(str(cancelled))
            return 1
        except BrokenPipeError:  # `| head` has read enough; nobody listens any more
            _say_nothing_more()
            return 1
        except CommandError:
            raise
        except Exception as error:
            return self._fail(_named(error, options["output"]), options)
        return 0

    def _fail(self, error: PipelineError, options: dict[str, Any]) -> int:
        """Say it in one sentence, whatever became of stdout."""
        try:
            if options["json"]:
                self.stdout.write(json.dumps({"event": "error", **error.record(), "sentence": str(error)}))
            self.stdout.flush()
        except OSError:
            _say_nothing_more()
        self.stderr.write(" ".join(str(error).split()))
        if options["verbosity"] >= 3:
            self.stderr.write(f"{error.detail}\n{traceback.format_exc()}")
        return 1


def _named(error: Exception, output: Path) -> PipelineError:
    """What went wrong as an error with a sentence."""
    if isinstance(error, DatabaseError):
        return database_error(error)
    if isinstance(error, OSError):
        return refusal(error, Path(error.filename) if isinstance(error.filename, str) else output)
    return error if isinstance(error, PipelineError) else PipelineError(detail=repr(error))


def _say_nothing_more() -> None:
    """Nobody can be told on stdout; Python would try once more at the end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _quiet(quiet: bool) -> Iterator[None]:
    """Without the log, which belongs to servers."""
    logger = logging.getLogger("jobs")
    level = logger.level
    logger.setLevel(logging.CRITICAL if quiet else level)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check_database() -> None:
    """Everything is a row, so there must be tables. Raises a database error."""
    Job.objects.exists()


class _Cancelled(Exception):
    """Somebody cancelled the job meanwhile, in the admin say."""


def _translate(options: dict[str, Any], display: progress.Display) -> Delivered:
    """The job, from its row to its results in the output directory."""
    job_options, source, output = _job_options(options), options["source"], options["output"]
    brought = [path for path in (options["subtitles"], None if is_link(source) else Path(source)) if path]
    if not is_link(source):
        check_overwriting(Path(source).stem, job_options.target, output, brought)
    with workspace(output) as work, _clusters() as clusters:
        job = _accept(options, job_options)
        try:
            job = _wait(job.pk, job_options, output, brought, display, clusters)
            # From the first result in its place no signal undoes anything: the command ends well, with all of them.
            return deliver(
                job,
                result_name(job.title if is_link(source) else Path(source).stem),
                output,
                work,
                brought,
                source=source if is_link(source) else str(Path(source).resolve()),
                before_publishing=_ignore_signals,
            )
        except KeyboardInterrupt:
            _cancel(job.pk, clusters)
            deletion.delete(job.pk, Job.objects.filter(status=JobStatus.COMPLETED))
            raise
        except BaseException:
            _cancel(job.pk, clusters)
            raise


@contextlib.contextmanager
def _clusters() -> Iterator[in_process.Clusters | None]:
    """Those of this process, unless others run already."""
    if in_process.clusters_run():
        yield None
        return
    with in_process.clusters() as found:
        yield found


def _accept(options: dict[str, Any], job_options: JobOptions) -> Job:
    owner, source = _owner(options["owner"]), options["source"]
    waiting = {
        "keep_running": True,
        "client": processes.register(in_process.COMMAND),
        "subtitles": options["subtitles"],
    }
    if is_link(source):
        return submit.accept_link(owner, source, job_options, **waiting)
    return submit.accept_file(owner, Path(source), job_options, **waiting)


def _wait(
    job_id: uuid.UUID,
    job_options: JobOptions,
    output: Path,
    brought: list[Path],
    display: progress.Display,
    clusters: in_process.Clusters | None,
) -> Job:
    """Until it is completed. Raises what it failed with, or what broke those who work for it."""
    for job in follow(job_id, display):
        if clusters:
            clusters.check()
        if job.title:
            check_overwriting(job.title, job_options.target, output, brought)
    if job.status == JobStatus.FAILED:
        raise from_record(cast(ErrorRecord, job.error))
    if job.status == JobStatus.CANCELLED:
        why = job.transitions.filter(to_status=JobStatus.CANCELLING).last()
        raise _Cancelled(f"The job was cancelled by {why.actor if why else 'somebody'}.")
    return job


def _cancel(job_id: uuid.UUID, clusters: in_process.Clusters | None = None) -> None:
    """Back when nothing of the job is left.

    On a new connection: the interrupt may have left the old one half way through an answer. Until that is read, SQLite
    shows it nothing that others write, and lets it write only if nobody else has.
    """
    connection.close()
    call_with_retry(lifecycle.cancel, job_id, actor=in_process.COMMAND, reason=Reason.COMMAND_INTERRUPTED)
    for _ in follow(job_id, progress.Silence()):
        call_with_retry(deletion.finish, job_id)
        if clusters:
            clusters.check()


def _owner(name: str) -> Any:
    """The user whose job it is. The command line has one of its own, who cannot sign in."""
    if name == in_process.COMMAND:
        return in_process.owner()
    users = get_user_model()
    try:
        return users.objects.get_by_natural_key(name)
    except users.DoesNotExist:
        raise CommandError(f"The user “{name}” does not exist.", returncode=2) from None


def _names(specs: Any) -> list[str]:
    return [AUTO, *(spec.name for spec in specs)]


def _job_options(options: dict[str, Any]) -> JobOptions:
    return JobOptions(
        target=language(options["to"]).code,
        spoken=language(options["spoken"]).code if options["spoken"] else None,
        brought=options["subtitles"] is not None,
        style=parse_style(options["style"]),
        bilingual=options["bilingual"],
        mode=options["mode"],
        formality=options["formality"],
        glossary=glossary(options["glossary"]) if options["glossary"] else (),
        topic=options["topic"],
        transcriber=options["transcriber"],
        translator=options["translator"],
        cookies=options["cookies"],
    )


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _heed_signals() -> dict[signal.Signals, Any]:
    """Let the first signal unwind everything; those after it must not interrupt that. Returns the handlers before.

    SIGHUP and SIGINT stay ignored where the caller ignores them: nohup does, and a shell that is not interactive for
    what it runs in the background.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        _ignore_signals()
        raise KeyboardInterrupt

    for number, handler in before.items():
        if number == signal.SIGTERM or handler != signal.SIG_IGN:
            signal.signal(number, interrupt)
    return before


def _ignore_signals() -> None:
    """From here on the command ends as it has begun to end."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _restore_signals(before: dict[signal.Signals, Any]) -> None:
    """For a command that called this one."""
    for number, handler in before.items():
        signal.signal(number, handler)
