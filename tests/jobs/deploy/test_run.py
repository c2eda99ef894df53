"""`make run`: it starts, it answers, and after any way of stopping nothing is left and jobs continue."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from jobs import lifecycle
from jobs.pipeline.stage import Stage
from tests.databases import Databases, mostly, on_database
from tests.jobs import rows
from tests.jobs import stack as real
from tests.jobs.stack import Stack, at_work
from tests.pipeline.clips import Clips
from tests.waiting import PATIENCE, until

INSTALLED = (".venv/base", ".venv/system", ".env")
"""Marks of what is installed, which these tests leave as they are: they install nothing."""


@pytest.fixture(params=mostly("sqlite"))
def stack(
    request: pytest.FixtureRequest,
    databases: Databases,
    tmp_path: Path,
    django_db_blocker: DjangoDbBlocker,
    settings: Any,
) -> Iterator[Stack]:
    with django_db_blocker.unblock(), databases.fresh(request.param, tmp_path) as url, on_database(url):
        made = Stack(url, tmp_path)
        old = [part for name in INSTALLED for part in ("--old-file", name)]
        places = (f"PORT={made.port}", f"RUN_DIR={made.run_directory}")
        made.command = ("make", "--no-print-directory", *old, "run", *places)
        settings.MEDIA_ROOT = made.media
        yield made


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """No check of its own: `Stack.stop` checks for leftovers."""


def test_it_answers_and_stops(stack: Stack) -> None:
    with stack.running():
        assert until(lambda: stack.answer("/admin/")) == 302
        assert f"http://127.0.0.1:{stack.port}" in stack.log()
        (stack.media / "jobs").mkdir()
        job = rows.job()
        lifecycle.cancel(job.pk, actor="shirin")
        ended = f"cancelling → cancelled job={job.pk}"
        assert ended in logs(stack, ended)
    assert ended in logs(stack, ended), "when all was stopped, too"


def logs(stack: Stack, awaited: str) -> str:
    """The output of `make logs` up to a line that contains the text."""
    command = ("make", "--no-print-directory", "logs", f"RUN_DIR={stack.run_directory}")
    with subprocess.Popen(command, cwd=real.ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as shown:
        assert shown.stdout
        killer = threading.Timer(PATIENCE, os.killpg, (shown.pid, signal.SIGTERM))
        killer.start()
        said = ""
        while awaited not in said and (line := shown.stdout.readline()):
            said += line
        killer.cancel()
        with suppress(ProcessLookupError):
            os.killpg(shown.pid, signal.SIGTERM)
    return said


def test_no_logs_yet(tmp_path: Path) -> None:
    ran = subprocess.run(
        ["make", "--no-print-directory", "logs", f"RUN_DIR={tmp_path}"], capture_output=True, text=True, cwd=real.ROOT
    )
    assert ran.returncode
    assert "make run" in ran.stderr


@pytest.mark.soak
def test_ctrl_c_and_again(stack: Stack, clips: Clips, persian: Path) -> None:
    """Stopped in the middle of a job and started again, the job goes on."""
    with stack.running():
        job = real.burned(clips["long.mp4"], persian)
        run = at_work(job, Stage.RENDER)
        stack.stop(signal.SIGINT)
        assert not any((stack.media / "jobs" / str(job.pk) / str(run.attempt)).glob("video.mp4"))
        stack.start()
        real.completed(job)
