"""The download child: its environment, its end with the parent, and the reading of its messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from jobs.pipeline.download import client as link
from jobs.pipeline.download.client import LinkOptions
from jobs.pipeline.download.request import Request
from jobs.pipeline.errors import BrokenDownload, DeadLink, DiskFull, LinkError, TooLarge, WrongKey
from jobs.pipeline.media.limits import Limits
from tests.pipeline.web_server import WebServer, serving
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Tell whether the process runs; an unreaped zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(b"\0" * 300_000) as running:
        yield running


def download(server: WebServer, directory: Path, progress: Any, page: str = "/endless.mp4") -> link.Download:
    options = LinkOptions(allow_loopback=(server.endpoint,), cookies=None)
    return link.download(server.url(page), directory, limits=Limits(), options=options, progress=progress)


@LINUX
def test_the_child_inherits_no_secret(server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "hidden-key")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    seen: list[bytes] = []

    def look(_: float) -> None:
        for pid in children(os.getpid()):
            seen.append(Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes())
            assert os.getpgid(pid) == os.getpgid(0), "so that it ends with our group"

    download(server, tmp_path, look, "/video.mp4")
    assert any(b"download.child" in each for each in seen)
    assert not any(b"hidden-key" in each or server.endpoint.encode() in each or b"PROXY" in each for each in seen)


@LINUX
@pytest.mark.parametrize("stop", [KeyboardInterrupt, pytest.param(ValueError, marks=pytest.mark.soak)])
def test_whatever_ends_the_call_ends_the_child(server: WebServer, tmp_path: Path, stop: type[BaseException]) -> None:
    before, running = set(children(os.getpid())), set[int]()

    def interrupt(_: float) -> None:
        running.update(set(children(os.getpid())) - before)
        raise stop

    with pytest.raises(stop):
        download(server, tmp_path, interrupt)
    assert running
    assert not any(is_running(pid) for pid in running)


PARENT = """
import sys
from pathlib import Path
from jobs.pipeline.download import client as link
from jobs.pipeline.media.limits import Limits

options = link.LinkOptions(allow_loopback=(sys.argv[1],))
link.download(f"http://{sys.argv[1]}/slow", Path(sys.argv[2]), limits=Limits(), options=options, progress=print)
"""


@LINUX
def test_the_child_ends_when_its_parent_is_killed(server: WebServer, tmp_path: Path) -> None:
    """While it waits for a server that says nothing, so that it has no word of its own to send."""
    with _python(PARENT, server.endpoint, str(tmp_path)) as parent:
        until(lambda: server.asked)
        [child] = children(parent.pid)
        parent.kill()
        until(lambda: not is_running(child))


STUCK = """
import re
from jobs.pipeline.download.child import end_with_parent

end_with_parent()
print("up", flush=True)
re.match("(a+)+$", "a" * 60 + "b")
"""


@LINUX
def test_the_child_ends_even_in_a_regular_expression_that_runs_away(tmp_path: Path) -> None:
    with _python(STUCK) as stuck:
        assert stuck.stdout is not None
        assert stuck.stdin is not None
        assert stuck.stdout.readline() == b"up\n"
        time.sleep(0.1)
        stuck.stdin.close()
        assert stuck.wait(PATIENCE) == -signal.SIGKILL


@contextmanager
def _python(script: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", script, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_child_that_dies_without_a_word_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Request, "line", lambda self: b"not a request\n")
    with pytest.raises(LinkError) as caught, serving() as server:
        download(server, tmp_path, print)
    assert "exit code 1" in caught.value.detail


def test_writing_beyond_the_limit_is_stopped_by_the_kernel(tmp_path: Path) -> None:
    script = (
        "from jobs.pipeline.download.child import _limit_resources\n"
        "_limit_resources(1_000_000)\n"
        f"open({str(tmp_path / 'large')!r}, 'wb').write(bytes(9_000_000))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=PATIENCE)
    assert b"File too large" in ran.stderr
    assert (tmp_path / "large").stat().st_size < 3_000_000


# The parent's side of the pipe


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0) as writer:
        yield reader, writer


def read(content: bytes) -> list[dict[str, Any]]:
    with pipe() as (reader, writer):
        if os.fork() == 0:  # a pipe holds 64 kB, and some of these lines are longer
            writer.write(content)
            os._exit(0)
        writer.close()
        messages = list(link._messages(reader, PATIENCE))
        os.wait()
        return messages


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n",
        b"warning: text\n",
        b"[1, 2]\n",
        b"\xff\xfe\0\n",
        b"{" * 5000 + b"\n",
        b'{"progress": ' + b" " * 300_000 + b"1}\n",
    ],
)
def test_lines_that_are_no_message_are_skipped(garbage: bytes) -> None:
    good = b'{"progress": 0.5}\n'
    assert read(good + garbage + good) == [{"progress": 0.5}] * 2


def test_messages_come_whole_however_they_were_cut() -> None:
    with pipe() as (reader, writer):
        messages = link._messages(reader, PATIENCE)
        writer.write(b'{"progress": 0.1}\n{"prog')
        assert next(messages) == {"progress": 0.1}
        writer.write(b'ress": 0.2}\n')
        assert next(messages) == {"progress": 0.2}


def test_silence_is_not_waited_for() -> None:
    with pipe() as (reader, writer):
        writer.write(b'{"alive": true}\n')
        with pytest.raises(BrokenDownload):
            list(link._messages(reader, 0.1))


@pytest.mark.parametrize("share", [-1, 2, "1", None, float("nan")])
def test_shares_that_are_none_are_not_reported(share: object) -> None:
    reported: list[float] = []
    link._report(reported.append, share)
    assert reported == []


def test_errors_cross_the_pipe() -> None:
    for error in (DeadLink(detail="x"), TooLarge(name="a", limit="1 MB"), DiskFull()):
        arrived = link._error(json.loads(json.dumps(error.record())))
        assert (type(arrived), str(arrived), arrived.detail) == (type(error), str(error), error.detail)


@pytest.mark.parametrize(
    "record", [None, {}, {"code": "TooLarge", "params": {}, "detail": ""}, WrongKey(engine="x", setting="y").record()]
)
def test_other_errors_become_a_link_error(record: object) -> None:
    assert type(link._error(record)) is LinkError


def test_the_result_names_only_our_files(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"x")
    done = {"files": 1, "suffix": "/../x", "title": " A\n\ttitle\x1b "}
    loaded = link._result(done, tmp_path)
    assert (loaded.files, loaded.suffix, loaded.title) == ((tmp_path / "0",), ".mkv", "A title")


def test_a_result_that_is_a_link_to_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0").symlink_to("/etc/hostname")
    with pytest.raises(LinkError):
        link._result({"files": 1, "suffix": ".mp4", "title": "x"}, tmp_path)
