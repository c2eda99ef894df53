"""Everything that `make run` starts, for tests that stop, kill and cancel in the middle of real work.

The stack is a real supervisord with the real deploy/supervisord.conf on a database and a directory of its own. Each of
its processes, the children of stages and their ffmpeg too, has the name of that directory in its environment, by which
it is found. Only what the rows name is ever killed, and at the end what bears that mark.
"""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from jobs.intake import submit
from jobs.intake.options import JobOptions
from jobs.models import FINAL, Job, JobStatus, Process, Queue, StageRun, StageStatus, Transition
from jobs.pipeline.process import groups
from jobs.pipeline.stage import Stage
from jobs.storage import artifacts
from tests.databases import process_environment
from tests.jobs.rows import contradictions
from tests.pipeline.clips import run as ffmpeg
from tests.pipeline.clips import write_srt
from tests.postgres import free_port
from tests.waiting import LONG, PATIENCE, until

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv" / "bin"


@dataclass
class Stack:
    """A stack of processes. `directory` holds all its files. `more` are settings, as in `.env`."""

    url: str
    directory: Path
    more: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    command: tuple[str, ...] = (str(BIN / "supervisord"), "--configuration", "deploy/supervisord.conf")

    def __post_init__(self) -> None:
        self.directory = self.directory.absolute()
        self.media, self.run_directory = self.directory / "media", self.directory / "run"
        self._process: subprocess.Popen[bytes] | None = None
        for place in (self.media, self.run_directory):
            place.mkdir(exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        usual = {"BIN": str(BIN), "LISTEN": "127.0.0.1", "PORT": str(self.port), "LIMIT_RUNNING": "0"}
        places = {
            "RUN_DIR": str(self.run_directory),
            "MEDIA_ROOT": str(self.media),
            "XDG_CACHE_HOME": str(self.directory / "cache"),
        }
        found = process_environment(self.url, **usual, **places, **self.more)
        # A warning of whitenoise's, where static files were not collected, must not end the web server.
        return {name: value for name, value in found.items() if name not in {"PYTHONWARNINGS", "TMPDIR"}}

    def start(self) -> None:
        """Start the stack; returns when clusters, reaper and web server have heartbeats. Call it in on_database."""
        began = timezone.now()
        with (self.directory / "log").open("ab") as log:
            # Should this process be killed, the stack does not stay.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self.command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self._lives_since(began), every=0.1, what=self.log)

    def _lives_since(self, began: Any) -> bool:
        wanted = {"speech": 1, "text": 2, "media": 2, Process.REAPER: 1, Process.WEB: 1}
        rows = list(Process.objects.filter(born__gt=began).values_list("cluster", flat=True))
        return all(rows.count(name) >= count for name, count in wanted.items())

    @property
    def pid(self) -> int:
        assert self._process, "started"
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it as an operator does, and check that no process is left a moment later."""
        if self._process is None:
            return
        if number == signal.SIGINT:  # a terminal sends it to the whole group
            os.killpg(self._process.pid, number)
        else:
            os.kill(self._process.pid, number)
        self._process.wait(PATIENCE)
        self._process = None
        until(lambda: not self.processes(), what=lambda: [command(pid) for pid in self.processes()])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the stack inside; at the end it is stopped, and killed if that fails."""
        try:
            self.start()
            yield
            self.stop()
        finally:
            if self._process:
                self._process.kill()
                self._process.wait()
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[int]:
        """The running processes of this stack. Children of stages are found by their XDG_CACHE_HOME."""
        mark = f"={self.directory}/".encode()
        return [pid for pid in pids() if mark in environ(pid)]

    def group_leaders(self) -> list[int]:
        """The leaders of all groups in which stages run, the warm one too."""
        return [pid for pid in self.processes() if os.path.basename(script_of(pid)) == "group_leader.py"]  # noqa: PTH119

    def warm(self) -> list[int]:
        """The groups of speech workers: they may stay when their job is gone."""
        speech = set(Process.objects.filter(cluster=Queue.SPEECH).values_list("pid", flat=True))
        return [pid for pid in self.group_leaders() if parent(pid) in speech]

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-6000:]

    def answer(self, path: str) -> int:
        """The status that the web server gives for a page."""
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            return int(opener.open(f"http://127.0.0.1:{self.port}{path}", timeout=10).status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Do not follow a redirect: it is the answer."""


# Processes, as the kernel tells of them


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def environ(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def script_of(pid: int) -> str:
    """The script that a Python of ours runs by its path, isolated as the group leader is."""
    words = command(pid).split()
    return words[3] if len(words) > 3 and words[1:3] == ["-I", "-S"] else ""


def parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


# Jobs


def make_speech(data: Path, place: Path) -> Path:
    """A recording of a little more than two minutes with a sentence in each: three windows of recognition."""
    each = "atrim=0:4,apad=whole_len=960000,aloop=loop=2:size=960000"
    ffmpeg("-i", str(data / "sample" / "sample_rms.wav"), "-af", each, "-t", "130", str(place))
    return place


def subtitles(directory: Path) -> tuple[Path, Path]:
    """Finished Persian subtitles, and six English ones to translate."""
    english = directory / "english.srt"
    lines = [
        f"{number}\n00:00:0{number - 1},000 --> 00:00:0{number - 1},900\nShe reads book number {number}.\n"
        for number in range(1, 7)
    ]
    english.write_text("\n".join(lines))
    return write_srt(directory / "persian.srt"), english


def owner(name: str = "shirin") -> User:
    return User.objects.get_or_create(username=name)[0]


def spoken(path: Path, mode: Any = "none") -> Job:
    """English speech to Spanish subtitles, by the engines of the demo."""
    order = JobOptions(target="es", spoken="en", transcriber="pocketsphinx", translator="apertium", mode=mode)
    return submit.accept_file(owner(), path, order, keep_running=True)


def burned(path: Path, subtitles: Path) -> Job:
    """Persian subtitles, brought and burned in."""
    return submit.accept_file(
        owner(), path, JobOptions(target="fa", brought=True), subtitles=subtitles, keep_running=True
    )


def asked(path: Path, subtitles: Path) -> Job:
    """English subtitles, to be put into Persian by the language model."""
    order = JobOptions(target="fa", spoken="en", brought=True, translator="gemini", mode="none")
    return submit.accept_file(owner(), path, order, subtitles=subtitles, keep_running=True)


def linked(address: str, subtitles: Path) -> Job:
    """A video behind a link."""
    order = JobOptions(target="fa", brought=True, mode="none")
    return submit.accept_link(owner(), address, order, subtitles=subtitles, keep_running=True)


def run_of(job: Job, stage: str) -> StageRun:
    return StageRun.objects.get(job=job, stage=stage)


def at_work(job: Job, stage: Stage, patience: float = LONG) -> StageRun:
    """Wait until a process group works for the stage; returns the stage. Fails when the job ends before."""

    def begun() -> bool:
        assert Job.objects.get(pk=job.pk).status not in FINAL, story(job)
        return StageRun.objects.filter(job=job, stage=stage).exclude(status=StageStatus.WAITING).exists()

    def found() -> StageRun | None:
        assert Job.objects.get(pk=job.pk).status not in FINAL, story(job)
        return StageRun.objects.filter(job=job, stage=stage, group__isnull=False).first()

    until(begun, patience, 0.05, lambda: story(job))
    return until(found, patience, 0.003, lambda: story(job))


def heard(job: Job, seconds: float = 1.0, patience: float = LONG) -> StageRun:
    """Wait until `transcribe` has committed the first `seconds`; returns the stage."""

    def found() -> StageRun | None:
        run = at_work(job, Stage.TRANSCRIBE)
        return run if run.checkpoint.get("until", 0) >= seconds else None

    return until(found, patience, what=lambda: story(job))


def ended(job: Job, patience: float = LONG) -> Job:
    """Wait until the job has ended; checks meanwhile for a second process group of a stage, and for wrong rows."""
    last: dict[str, tuple[uuid.UUID, int]] = {}

    def over() -> Job | None:
        for run in StageRun.objects.filter(job=job, status=StageStatus.RUNNING, group__isnull=False):
            assert run.attempt, "a running stage has one"
            assert run.group, "asked for"
            attempt, group = last.setdefault(run.stage, (run.attempt, run.group))
            if attempt != run.attempt:
                assert group == run.group or not groups.members(group), "two attempts at once"
                last[run.stage] = (run.attempt, run.group)
        found = Job.objects.get(pk=job.pk)
        return found if found.status in FINAL else None

    found = until(over, patience, 0.05, lambda: story(job))
    assert contradictions(job.pk) == []
    return found


def story(job: Job) -> str:
    """The transitions of the job as text, for the message of a failure."""
    rows = Transition.objects.filter(job=job).order_by("id")
    errors = [run.error for run in StageRun.objects.filter(job=job) if run.error]
    lines = [f"{row.at:%T.%f} {row.stage or 'job'}: {row.from_status} → {row.to_status} {row.reason}" for row in rows]
    return "\n".join(["", *lines, *map(str, errors), str(Job.objects.get(pk=job.pk).error)])


def completed(job: Job, patience: float = LONG) -> Job:
    found = ended(job, patience)
    assert found.status == JobStatus.COMPLETED, story(job)
    return found


def files_of(job: Job) -> list[Path]:
    """The remaining files of a job, in its directory and in the trash."""
    trash = artifacts.trash()
    left = list(trash.glob(f"{job.pk}*")) if trash.is_dir() else []
    return left + ([artifacts.job_dir(job.pk)] if artifacts.job_dir(job.pk).exists() else [])


def fresh_workers(cluster: str) -> list[Process]:
    """The live workers of a cluster, as checked with the kernel."""
    lately = Process.objects.filter(cluster=cluster, seen__gt=timezone.now() - timedelta(seconds=30))
    return [row for row in lately.order_by("pid") if groups.is_alive(row.pid, row.started)]
