"""`manage.py translate`: translates one video from the command line."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import connection

from jobs import briefs, glossaries, lifecycle
from jobs.cli import progress, translate_options
from jobs.cli.estimate import as_event, as_lines, estimate_of
from jobs.cli.export import ExportResult, check_overwriting, export
from jobs.cli.follow import follow
from jobs.cli.paused import resume
from jobs.cli.signals import handle_signals, ignore_signals, restore_signals
from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.lifecycle.db_retry import call_with_retry, database_error
from jobs.log_format import silenced
from jobs.models import Job, JobStatus, Reason
from jobs.pipeline.download.client import is_link
from jobs.pipeline.errors import CapReached, ErrorRecord, NoSuchFile, PipelineError, WouldOverwrite, from_record
from jobs.pipeline.filenames import result_name
from jobs.pipeline.media.atomic_files import refusal, workspace
from jobs.pipeline.protocols import Document
from jobs.pipeline.text import briefing
from jobs.pipeline.text.glossary import Entries
from jobs.queueing import processes
from jobs.storage import deletion
from jobs.worker import in_process

PAUSED = 3
"""Exit code of a command whose job is paused at a cap."""


class Command(BaseCommand):
    """The command `translate`; `help` describes it."""

    help = "Translate a video from a file or a link. Writes the subtitled video, subtitle files and a quality report."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        translate_options.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        previous = handle_signals()
        try:
            with silenced(options["verbosity"] < 3):  # the display shows the same
                code = self._run(options)
        except KeyboardInterrupt:  # later signals are ignored
            self.stderr.write("Interrupted: nothing is left behind.")
            code = 130
        finally:
            ignore_signals()  # the exit code is decided
            if not getattr(self, "_called_from_command_line", False):
                restore_signals(previous)
        if code:
            sys.exit(code)

    def _run(self, options: dict[str, Any]) -> int:
        """Run the job and show its result; return the exit code. Errors are written to stderr."""
        try:
            _check_database()
            if options["estimate"]:
                self._estimate(options)
                return 0
            # Django's wrapper ends every write with a newline, which no bar survives; the stream is inside it.
            with progress.display(cast(TextIO, vars(self.stdout)["_out"]), as_json=options["json"]) as display:
                result = _translate(options, display)
                display.result(result)
            if options["verbosity"] >= 2 and not options["json"]:
                self.stdout.write(result.quality.as_text())
        except _Cancelled as cancelled:
            self.stderr.write(str(cancelled))
            return 1
        except CapReached as reached:
            self._fail(reached, options)
            self.stderr.write("The job is kept. Run the same command again when the limit is raised: it goes on.")
            return PAUSED
        except BrokenPipeError:  # the reader of a pipe, such as `| head`, has ended
            _discard_stdout()
            return 1
        except CommandError:
            raise
        except Exception as error:
            return self._fail(_as_pipeline_error(error, options["output"]), options)
        return 0

    def _estimate(self, options: dict[str, Any]) -> None:
        """Print what the translation will take. Raises PipelineError."""
        found = estimate_of(options)
        if options["json"]:
            self.stdout.write(json.dumps({"event": "estimate", **as_event(found)}))
        else:
            self.stdout.write("\n".join(as_lines(found)))

    def _fail(self, error: PipelineError, options: dict[str, Any]) -> int:
        """Write the error as one sentence, even when stdout is broken; return the exit code."""
        try:
            if options["json"]:
                self.stdout.write(json.dumps({"event": "error", **error.record(), "sentence": str(error)}))
            self.stdout.flush()
        except OSError:
            _discard_stdout()
        self.stderr.write(" ".join(str(error).split()))
        if options["verbosity"] >= 3:
            self.stderr.write(f"{error.detail}\n{traceback.format_exc()}")
        return 1


def _as_pipeline_error(error: Exception, output: Path) -> PipelineError:
    """The error as one with a sentence for people."""
    if isinstance(error, DatabaseError):
        return database_error(error)
    if isinstance(error, OSError):
        return refusal(error, Path(error.filename) if isinstance(error.filename, str) else output)
    return error if isinstance(error, PipelineError) else PipelineError(detail=repr(error))


def _discard_stdout() -> None:
    """Redirect stdout to /dev/null: it cannot be written to, and Python would report that again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check_database() -> None:
    """Raises django.db.Error when the database has no tables or does not respond."""
    Job.objects.exists()


class _Cancelled(Exception):
    """The job was cancelled elsewhere, such as in the admin."""


def _translate(options: dict[str, Any], display: progress.Display) -> ExportResult:
    """Create the job, wait for it and export its results."""
    owner = _owner(options["owner"])
    job_options = translate_options.job_options(options, _saved_glossary(owner, options["saved_glossary"]))
    brief = briefing.read_file(options["brief"]) if options["brief"] else None
    source, output = options["source"], options["output"]
    brought = [path for path in (options["subtitles"], None if is_link(source) else Path(source)) if path]
    if not is_link(source):
        check_overwriting(Path(source).stem, job_options.target, output, brought)
    _check_brief(options["save_brief"], [path for path in (*brought, options["glossary"]) if path])
    with workspace(output) as work, contextlib.ExitStack() as stack:
        job = _accept(owner, options, job_options, brief)  # before clusters, whose first sweep lets paused jobs go on
        clusters = None
        try:
            clusters = stack.enter_context(_clusters())
            job = _wait(job.pk, job_options, output, brought, display, clusters)
            # Signals are ignored once the first result is published: the command then ends with all of them.
            result = export(
                job,
                result_name(job.title if is_link(source) else Path(source).stem),
                output,
                work,
                brought,
                source=source if is_link(source) else str(Path(source).resolve()),
                before_publishing=ignore_signals,
            )
        except CapReached:
            raise  # the job is paused, and kept
        except KeyboardInterrupt:
            _cancel(job.pk, clusters)
            deletion.delete(job.pk, Job.objects.filter(status=JobStatus.COMPLETED))
            raise
        except BaseException:
            _cancel(job.pk, clusters)
            raise
        _save_brief(job, options["save_brief"])
        return result


@contextlib.contextmanager
def _clusters() -> Iterator[in_process.Clusters | None]:
    """Clusters of this process; None when clusters of the site run already."""
    if in_process.clusters_run():
        yield None
        return
    with in_process.clusters() as found:
        yield found


def _saved_glossary(owner: Any, name: str | None) -> Entries:
    """The saved glossary of the owner with this name; empty for none. Raises CommandError."""
    if not name:
        return ()
    row = glossaries.of(owner).filter(name=name).first()
    if row is None:
        raise CommandError(f"{owner.get_username()} has no glossary “{name}”.", returncode=2)
    return glossaries.entries_of(row)


def _check_brief(path: Path | None, own: list[Path]) -> None:
    """Check before the job starts where the brief is to be written. Raises WouldOverwrite, NoSuchFile."""
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise NoSuchFile(path=str(path.parent))
    if any(one.exists() and path.exists() and one.samefile(path) for one in own):
        raise WouldOverwrite(path=str(path))


def _save_brief(job: Job, path: Path | None) -> None:
    """Write the brief of a job, if it has one, to the file at `path`, if one is given."""
    document = briefs.document_of(Job.objects.get(pk=job.pk))
    if path and document:
        path.write_text(briefing.as_text(document), encoding="utf-8")


def _accept(owner: Any, options: dict[str, Any], job_options: JobOptions, brief: Document | None) -> Job:
    source = options["source"]
    client, caps = processes.register(in_process.COMMAND), translate_options.caps_of(options)
    paused = resume(owner, source, job_options, options["subtitles"], client, **caps)
    if paused:
        return paused
    waiting = {
        "brief": briefs.as_stored(brief) if brief else None,
        "keep_running": True,
        "client": client,
        "subtitles": options["subtitles"],
        **caps,
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
    """Wait until the job is completed. Raises its error, or that of the clusters of this process."""
    for job in follow(job_id, display):
        if clusters:
            clusters.check()
        if job.title:
            check_overwriting(job.title, job_options.target, output, brought)
    if job.status in {JobStatus.FAILED, JobStatus.PAUSED}:
        raise from_record(cast(ErrorRecord, job.error))
    if job.status == JobStatus.CANCELLED:
        last = job.transitions.filter(to_status=JobStatus.CANCELLING).last()
        raise _Cancelled(f"The job was cancelled by {last.actor if last else 'somebody'}.")
    return job


def _cancel(job_id: uuid.UUID, clusters: in_process.Clusters | None = None) -> None:
    """Cancel the job and wait until its files are deleted.

    Uses a new connection: the interrupt may have left the old one in the middle of a SELECT. Until that is read to its
    end, SQLite keeps it on an old snapshot, on which it sees no changes and can write only if nothing has changed.
    """
    connection.close()
    call_with_retry(lifecycle.cancel, job_id, actor=in_process.COMMAND, reason=Reason.COMMAND_INTERRUPTED)
    for _ in follow(job_id, progress.SilentObserver()):
        call_with_retry(deletion.finish, job_id)
        if clusters:
            clusters.check()


def _owner(name: str) -> Any:
    """The user with this name. Raises CommandError. By default that of the command line, who cannot sign in."""
    if name == in_process.COMMAND:
        return in_process.owner()
    users = get_user_model()
    try:
        return users.objects.get_by_natural_key(name)
    except users.DoesNotExist:
        raise CommandError(f"The user “{name}” does not exist.", returncode=2) from None
