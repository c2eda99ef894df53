"""Fixtures of the tests of jobs: clips, directories for results, and a check for leftovers."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import stack as real
from tests.jobs import steps
from tests.jobs.actors import Place
from tests.jobs.command import children
from tests.pipeline.clips import Clips, run, write_srt


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check after every test that no process and no temporary file is left, and signal handlers are unchanged."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = set(children())
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert set(children()) <= before
    assert not list(temporary.iterdir())


@pytest.fixture(autouse=True)
def media_root(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Path:
    """The MEDIA_ROOT, as it is after the first job."""
    place = tmp_path_factory.mktemp("media")
    (place / "jobs").mkdir()
    settings.MEDIA_ROOT = place
    return place


@pytest.fixture(scope="module")
def _warm() -> None:
    steps.warm_up()


@pytest.fixture
def place(_warm: None, database: str, media_root: Path) -> Place:
    """The database and directory of actors, which stop at every step."""
    return Place(url=database, media=media_root)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output directory, which does not exist yet."""
    return tmp_path / "results"


@pytest.fixture
def persian(tmp_path: Path) -> Path:
    """Finished subtitles."""
    return write_srt(tmp_path / "finished.srt")


@pytest.fixture
def english(tmp_path: Path) -> Path:
    """Subtitles to translate."""
    path = tmp_path / "spoken.srt"
    path.write_text(
        "1\n00:00:00,000 --> 00:00:00,900\nShe reads a new book.\n\n"
        "2\n00:00:01,000 --> 00:00:01,900\nThe children are playing in the park.\n"
    )
    return path


@pytest.fixture(scope="session")
def speech(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real.make_speech(data, tmp_path_factory.mktemp("speech") / "speech.wav")


@pytest.fixture(scope="session")
def welcome(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small video in which a voice says “Welcome, and thank you for watching.”"""
    path = tmp_path_factory.mktemp("speech") / "welcome.mkv"
    sound = ("-t", "4", "-i", str(data / "sample" / "sample_rms.wav"))
    picture = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=4")
    run(*picture, *sound, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "flac", str(path))
    return path


def mounted(directory: Path, options: str) -> Iterator[Path]:
    """A small file system in memory."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB, on which there have been jobs."""
    for place in mounted(tmp_path / "small", "size=100k"):
        (place / "jobs").mkdir()
        yield place


@pytest.fixture
def closed_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that cannot be written, not even by root."""
    yield from mounted(tmp_path / "closed", "size=100k,ro")
