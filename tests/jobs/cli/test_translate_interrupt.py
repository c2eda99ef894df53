"""Ctrl-C, SIGTERM and SIGKILL in every stage that takes time: no process and no file is left."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from jobs.management.commands.translate import _cancel
from tests.engines import misbehaviours as fake
from tests.engines.fake_llm_server import KEY, Asked, FakeServer, Said, good
from tests.jobs import rows
from tests.jobs.command import Ran, children, command_line, environment, files_in, translate
from tests.pipeline.clips import Clips
from tests.pipeline.web_server import serving
from tests.waiting import LONG, until

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = """
from dataclasses import replace
from tests.settings import *
LINK_TEST_HOSTS = ("{site}",)
ENGINE_OPTIONS["gemini"] = replace(ENGINE_OPTIONS["gemini"], api_key="{key}", endpoint="{model}")
"""


STRIKING = """
import atexit, os, signal, sys
from tests.settings import *

POINT, NUMBER = os.environ["STRIKE_AT"].split(":")
seen = {"armed": False, "count": 0}

def strike():
    sys.setprofile(None)
    signal.signal = set_really
    os.kill(os.getpid(), signal.SIGINT)

def look(frame, event, argument):
    if event not in {"call", "c_call"}:
        return
    name = frame.f_code.co_qualname if event == "call" else f"{argument.__module__}.{argument.__name__}"
    if not seen["armed"]:
        seen["armed"] = event == "call" and name == "export"
    if seen["armed"] and POINT in {name, "any call"}:
        seen["count"] += 1
        if seen["count"] == int(NUMBER):
            strike()

def last():
    if POINT == "exit":
        strike()

def set_signal(*arguments):
    sys.setprofile(look)
    return set_really(*arguments)

atexit.register(last)
set_really, signal.signal = signal.signal, set_signal  # looking is slow: only from where the command heeds signals
"""
"""Settings under which the main thread interrupts itself when it calls the function POINT for the NUMBERth time, once
it has begun to bring the results to their place."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A command in the middle of a stage: its arguments, and whether it has come so far. `site` is the address of a web
    server that drips, `model` a Gemini that does not answer."""

    model: FakeServer
    clips: Clips
    data: Path
    persian: Path
    english: Path
    output: Path
    site: str
    asked: Callable[[], bool]
    home: Path

    def arguments(self, stage: str) -> list[object]:
        speech = ("--transcriber", "pocketsphinx", "--translator", "apertium")
        llm = ("--from", "en", "--subtitles", self.english, "--translator", "gemini")
        return {
            "fetch": [f"http://{self.site}/drip.mp4", "--to", "fa", "--subtitles", self.persian],
            "transcribe": [self.data / "sample" / "sample_rms.wav", "--to", "es", *speech],
            "translate": [self.clips["plain.mp4"], "--to", "fa", *llm],
            "render": [self.clips["long.mp4"], "--to", "fa", "--subtitles", self.persian],
        }[stage]

    def reached(self, stage: str, process: subprocess.Popen[str]) -> bool:
        works = list(Path(settings.MEDIA_ROOT).glob("jobs/*/*"))
        found: dict[str, Callable[[], object]] = {
            "fetch": lambda: self.asked() and children(process.pid),
            "transcribe": lambda: any((work / "audio.wav").exists() for work in works),
            "translate": self.asked,
            "render": lambda: any(b"libx264" in command_of(pid) for pid in children(process.pid)),
        }
        with suppress(FileNotFoundError):  # a directory that was listed is gone
            return bool(found[stage]())
        return False

    @contextmanager
    def running(self, stage: str, before: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
        """Start the command in a process group of its own, as a shell does; yields when it has reached `stage`."""
        paths = os.pathsep.join([str(self.home), str(Path(__file__).parents[3])])
        with subprocess.Popen(
            [*before, *command_line(*self.arguments(stage), "--output", self.output)],
            env=environment(PYTHONPATH=paths, DJANGO_SETTINGS_MODULE="scene_settings"),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            until(lambda: process.poll() is not None or self.reached(stage, process), LONG)
            assert process.poll() is None, process.communicate()
            yield process


@pytest.fixture
def scene(clips: Clips, data: Path, persian: Path, english: Path, output: Path, tmp_path: Path) -> Iterator[Scene]:
    with serving(b"") as site, FakeServer() as model:
        model.behave(fake.slow)
        text = SETTINGS.format(site=site.endpoint, key=KEY, model=model.url)
        (tmp_path / "scene_settings.py").write_text(text)
        yield Scene(
            model=model,
            clips=clips,
            data=data,
            persian=persian,
            english=english,
            output=output,
            site=site.endpoint,
            asked=lambda: bool(model.asked or site.asked),
            home=tmp_path,
        )


def command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    "stage", [pytest.param(each, marks=pytest.mark.soak) for each in ("fetch", "translate", "render")] + ["transcribe"]
)
def test_ctrl_c(scene: Scene, stage: str) -> None:
    """Ctrl-C, which a terminal sends to every process of the group."""
    with scene.running(stage) as process:
        below = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (130, "Interrupted: nothing is left behind.\n")
    assert not [pid for pid in below if alive(pid)]
    assert not scene.output.exists()


@pytest.mark.parametrize("behind", [True, False])
def test_an_interrupt_half_way_through_an_answer(database: str, monkeypatch: pytest.MonkeyPatch, behind: bool) -> None:
    """An interrupt within a query, with concurrent writes before and after it."""
    job, _ = rows.job(), rows.job()
    connection.ensure_connection()
    half = connection.connection.execute("SELECT id FROM jobs_job")
    half.fetchone()
    if behind:
        elsewhere(lambda: rows.owner("omid"))
    monkeypatch.setattr("jobs.management.commands.translate.follow", lambda *_: [])
    _cancel(job.pk)
    assert rows.status(job.pk) == "cancelling"
    elsewhere(lambda: rows.owner("leila"))
    assert User.objects.filter(username="leila").exists()


def elsewhere(act: Callable[[], object]) -> None:
    """Run on another connection."""

    def do() -> None:
        act()
        connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()


BEFORE = ("export:1", "_copy:1", "_free_names:1", "ignore_signals:1")
"""Steps at which nothing is in its place yet."""
AFTER = (
    *("publish:1", "posix.replace:1", "posix.replace:4", "rmtree:1", "Thread.join:1", "Lines.result:1"),
    *("BaseConnectionHandler.close_all:1", "_shutdown:1", "exit:1"),
)
"""Those from the first result in its place to the end of the process."""


def striking(scene_home: Path, point: str, *arguments: object) -> Ran:
    (scene_home / "striking_settings.py").write_text(STRIKING)
    paths = os.pathsep.join([str(scene_home), str(Path(__file__).parents[3])])
    more = {"PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "striking_settings", "STRIKE_AT": point}
    done = subprocess.run(
        command_line(*arguments), capture_output=True, text=True, env=environment(**more), check=False, timeout=120
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def ended_whole(ran: Ran, output: Path, *, published: bool) -> None:
    """Check that the command ended with 0 and every result, or with 130 and none."""
    if published:
        assert (ran.code, ran.err) == (0, "")
        assert files_in(output) == {f"plain.{rest}" for rest in ("fa.srt", "fa.vtt", "fa.ass", "report.json")}
        assert "result: " in ran.out
    else:
        assert (ran.code, ran.err) == (130, "Interrupted: nothing is left behind.\n")
        assert not output.exists()
        assert "result: " not in ran.out
        assert files_in(Path(settings.MEDIA_ROOT)) <= {"jobs", ".trash"}


OFTEN = {"posix.replace:1", "exit:1"}


@pytest.mark.parametrize(
    "point", [pytest.param(each, marks=[] if each in OFTEN else pytest.mark.soak) for each in (*BEFORE, *AFTER)]
)
def test_an_interrupt_at_the_end(clips: Clips, persian: Path, output: Path, tmp_path: Path, point: str) -> None:
    more = ("--to", "fa", "--subtitles", persian, "--no-video", "--output", output)
    ran = striking(tmp_path, point, clips["plain.mp4"], *more)
    ended_whole(ran, output, published=point in AFTER)


@pytest.mark.soak
@pytest.mark.parametrize("number", [1, 50, 100, 200, 400, 800, 1600])
def test_an_interrupt_at_any_step_of_the_end(
    clips: Clips, persian: Path, output: Path, tmp_path: Path, number: int
) -> None:
    more = ("--to", "fa", "--subtitles", persian, "--no-video", "--output", output)
    ran = striking(tmp_path, f"any call:{number}", clips["plain.mp4"], *more)
    ended_whole(ran, output, published=ran.code == 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.soak)])
def test_an_end_from_outside(scene: Scene, number: signal.Signals) -> None:
    """SIGTERM, which only the command itself receives."""
    with scene.running("render") as process:
        below = children(process.pid)
        assert below
        process.send_signal(number)
        _, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (130, "Interrupted: nothing is left behind.\n")
    assert not [pid for pid in below if alive(pid)]
    assert not scene.output.exists()


def test_what_the_caller_ignores_is_ignored(scene: Scene) -> None:
    """Signals ignored by the caller, as by `nohup` or a shell for background jobs, do not end the job."""
    heard = threading.Event()

    def held(asked: Asked) -> Said:
        heard.wait(LONG)
        return good(asked)

    scene.model.behave(held)
    with scene.running("translate", before=["sh", "-c", "trap '' HUP INT; exec \"$@\"", "sh"]) as process:
        for number in (signal.SIGHUP, signal.SIGINT):
            process.send_signal(number)
        heard.set()
        _, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (0, "")
    assert (scene.output / "plain.fa.mp4").exists()


@pytest.mark.soak
def test_ctrl_c_twice(scene: Scene) -> None:
    """A second Ctrl-C does not stop the cleanup after the first."""
    with scene.running("render") as process:
        for _ in range(5):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        _, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (130, "Interrupted: nothing is left behind.\n")
    assert not scene.output.exists()


def test_the_next_run_sweeps_after_a_kill(scene: Scene) -> None:
    with scene.running("render") as process:
        below = children(process.pid)
        process.kill()
        process.communicate(timeout=LONG)
    for pid in below:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    left = {path.name for path in scene.output.iterdir()}
    assert len(left) == 1
    more = ("--subtitles", scene.persian, "--no-video", "--output", scene.output)
    assert translate(scene.clips["plain.mp4"], "--to", "fa", *more).code == 0
    assert not left & files_in(scene.output)
    assert (scene.output / "plain.fa.srt").exists()


@pytest.mark.soak
def test_a_run_leaves_another_one_alone(scene: Scene) -> None:
    with scene.running("fetch") as process:
        more = ("--subtitles", scene.persian, "--no-video", "--output", scene.output)
        assert translate(scene.clips["plain.mp4"], "--to", "fa", *more).code == 0
        assert len(list(scene.output.glob(".zirnevis-work-*"))) == 1
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=LONG)
    assert not list(scene.output.glob(".*"))
    assert (scene.output / "plain.fa.srt").exists()
