"""Full disks, missing permissions and interrupts while encoding: the right error, and no file left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.pipeline import errors
from jobs.pipeline.media import encode
from jobs.pipeline.media.poster import poster
from jobs.pipeline.media.probe import probe
from jobs.pipeline.speech.extraction import extract_audio
from tests.pipeline.clips import Clips
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[2]

BURN = """
import signal, sys
from pathlib import Path
from jobs.pipeline.media.encode import burn
from jobs.pipeline.media.probe import probe

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGTERM, interrupt)
source, subtitles, fonts, target = map(Path, sys.argv[1:])
burn(source, subtitles, target, media=probe(source), fonts=fonts, progress=lambda _: print(flush=True))
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 kB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(directory)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


def test_a_full_disk(clips: Clips, small_disk: Path, ass: Path, srt: Path, fonts: Path) -> None:
    source = clips["plain.mp4"]
    known = probe(source)
    with pytest.raises(errors.DiskFull):
        extract_audio(source, small_disk / "out.wav", media=known)
    with pytest.raises(errors.DiskFull):
        encode.embed(source, srt, small_disk / "out.mp4", media=known, language="fa")
    with pytest.raises(errors.DiskFull):
        encode.burn(source, ass, small_disk / "out.mp4", media=known, fonts=fonts)
    assert not list(small_disk.iterdir())


def test_a_disk_that_is_full_already(clips: Clips, small_disk: Path, ass: Path, fonts: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(bytes(4096)):
            pass
    source = clips["plain.mp4"]
    with pytest.raises(errors.DiskFull):
        encode.burn(source, ass, small_disk / "out.mp4", media=probe(source), fonts=fonts)
    with pytest.raises(errors.DiskFull):
        poster(source, small_disk / "out.webp", media=probe(source))
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_nowhere_to_write(clips: Clips, tmp_path: Path) -> None:
    source = clips["plain.mp4"]
    known = probe(source)
    (tmp_path / "file").touch()
    for target in (tmp_path / "missing" / "out.wav", tmp_path / "file" / "out.wav"):
        with pytest.raises(errors.Unwritable) as caught:
            extract_audio(source, target, media=known)
        assert str(target) in str(caught.value)


def test_a_directory_in_the_way(clips: Clips, tmp_path: Path) -> None:
    (tmp_path / "out.wav").mkdir()
    with pytest.raises(errors.Unwritable):
        extract_audio(clips["plain.mp4"], tmp_path / "out.wav", media=probe(clips["plain.mp4"]))
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write and read everywhere")
def test_no_permission(clips: Clips, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(errors.Unwritable):
        extract_audio(clips["plain.mp4"], closed / "out.wav", media=probe(clips["plain.mp4"]))
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"x")
    secret.chmod(0)
    with pytest.raises(errors.NotAFile):
        probe(secret)


def test_the_result_may_be_read_by_others(clips: Clips, tmp_path: Path) -> None:
    """As any file this process makes."""
    (tmp_path / "usual").touch()
    extract_audio(clips["plain.mp4"], tmp_path / "out.wav", media=probe(clips["plain.mp4"]))
    assert (tmp_path / "out.wav").stat().st_mode == (tmp_path / "usual").stat().st_mode


def children(pid: int) -> list[int]:
    """The processes that `pid` started; the parent's id is the second word after the name in /proc/ID/stat."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_an_interrupt_leaves_nothing(
    clips: Clips, tmp_path: Path, ass: Path, fonts: Path, number: signal.Signals
) -> None:
    target = tmp_path / "out" / "film.mp4"
    target.parent.mkdir()
    arguments = [str(path) for path in (clips["long.mp4"], ass, fonts, target)]
    with subprocess.Popen(
        [sys.executable, "-c", BURN, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        working = children(process.pid)
        assert len(working) == 1
        assert list(target.parent.rglob("part"))
        os.kill(working[0], signal.SIGSTOP)  # so that only a kill can end it
        process.send_signal(number)
        said = process.communicate(timeout=PATIENCE)[1]
    assert "KeyboardInterrupt" in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in working)
    assert not list(target.parent.iterdir())


def test_a_callback_that_stops_the_work(clips: Clips, tmp_path: Path, ass: Path, fonts: Path) -> None:
    before, working = set(children(os.getpid())), set[int]()

    def stop(share: float) -> None:
        working.update(set(children(os.getpid())) - before)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        encode.burn(
            clips["long.mp4"],
            ass,
            tmp_path / "out.mp4",
            media=probe(clips["long.mp4"]),
            fonts=fonts,
            progress=stop,
        )
    assert working
    assert not working & set(children(os.getpid()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cues.ass", "fonts"]


def test_no_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
    (tmp_path / "film.mp4").write_bytes(b"x")
    with pytest.raises(errors.NoFfmpeg):
        probe(tmp_path / "film.mp4")


def gone(pid: int) -> bool:
    """Whether the process has ended; a zombie, which only waits to be read by its new parent, has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_ffmpeg_dies_with_a_killed_parent(clips: Clips, tmp_path: Path, ass: Path, fonts: Path) -> None:
    arguments = [str(path) for path in (clips["long.mp4"], ass, fonts, tmp_path / "out.mp4")]
    with subprocess.Popen([sys.executable, "-c", BURN, *arguments], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        (working,) = children(process.pid)
        os.kill(working, signal.SIGSTOP)  # so that it cannot just be done by then
        process.kill()
        process.wait()
    try:
        until(lambda: gone(working))
    finally:
        with suppress(ProcessLookupError):
            os.kill(working, signal.SIGKILL)
