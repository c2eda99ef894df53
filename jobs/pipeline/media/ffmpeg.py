"""Running ffmpeg: only `media` does it, and only through here.

Files that people bring are hostile until read: ffmpeg may open local files only, and only in formats that cannot name
another file (no playlist, no script, no sequence of pictures). Names are always given as `file:` and an absolute path,
so that none is taken for an option, an address or a pattern. Whatever ends a call, ffmpeg is dead and reaped before it
returns, and a target appears whole or not at all.
"""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from jobs.pipeline import errors
from jobs.pipeline.media.description import Media
from jobs.pipeline.protocols import Progress, ignore_progress

FORMATS = (
    "mov,matroska,avi,flv,mpegts,mpeg,asf,rm,mxf,wtv,dv,ogg,"
    "wav,w64,mp3,aac,flac,aiff,amr,caf,ac3,eac3,dts,au,ape,wv,tta"
)
"""The formats that are opened: each whole in one file. Not hls, dash, concat, image2, sdp, imf, vobsub, lavfi."""

SUBTITLE_FORMATS = "ass,srt,webvtt"


def ffmpeg() -> Path:
    """The ffmpeg that imageio-ffmpeg brings: it has libass and x264. Raises NoFfmpeg."""
    import imageio_ffmpeg

    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise errors.NoFfmpeg(detail=str(error)) from None


def input_of(path: Path, formats: str = FORMATS) -> tuple[str, ...]:
    return ("-protocol_whitelist", "file,pipe", "-format_whitelist", formats, "-i", f"file:{path.absolute()}")


@contextmanager
def making(target: Path) -> Iterator[Path]:
    """A file to write in a private directory beside `target`; it becomes the target when nothing went wrong."""
    try:
        room = Path(tempfile.mkdtemp(prefix=".zirnevis-", dir=target.absolute().parent))
    except OSError as error:
        raise _refused(error, target) from None
    try:
        yield room / "part"
        (room / "part").replace(target)
    except OSError as error:
        raise _refused(error, target) from None
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _refused(error: OSError, target: Path) -> errors.PipelineError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.DiskFull(detail=str(error))
    return errors.Unwritable(path=str(target), detail=str(error))


def make(arguments: Sequence[str], part: Path, *, media: Media, progress: Progress = ignore_progress) -> None:
    """Let ffmpeg write `part`. Raises DiskFull, Unwritable, MediaFailed or StageDied."""
    done = 0.0

    def clock(time: float) -> None:
        nonlocal done
        done = max(done, min(time / media.duration, 1.0))
        progress(done)

    output = ("-y", f"file:{part.absolute()}")
    code, said = run([*_QUIET, *arguments, *output], directory=part.parent, clock=clock)
    if code == -signal.SIGKILL:  # by the system, for want of memory, say: the file is not to blame
        raise errors.StageDied(detail=f"ffmpeg was killed. {said}")
    if code:
        raise _failure(said, part, media)
    progress(1.0)


_QUIET = ("-loglevel", "error")


def _failure(said: str, part: Path, media: Media) -> errors.PipelineError:
    """What ffmpeg's last words mean; it passes on the system's."""
    if is_full(said):
        return errors.DiskFull(detail=said)
    if "Read-only file system" in said or "File too large" in said:
        return errors.Unwritable(path=str(part.parent.parent), detail=said)
    return errors.MediaFailed(name=media.name, detail=said)


def is_full(said: str) -> bool:
    """Whether ffmpeg found no room for what it had to write."""
    return "No space left on device" in said or "Disk quota exceeded" in said


def run(
    arguments: Sequence[str], *, directory: Path, clock: Callable[[float], None] = ignore_progress, keep: int = 50
) -> tuple[int, str]:
    """Run ffmpeg in `directory`: its exit code and the last `keep` lines it said. `clock` gets the second it is at."""
    said: deque[str] = deque(maxlen=keep)
    process = _start(arguments, directory)
    listener = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
    try:
        listener.start()
        for line in process.stdout or ():
            key, _, value = line.strip().partition("=")
            if key == "out_time_us" and value.lstrip("-").isdigit():
                clock(int(value) / 1_000_000)
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        listener.join()
        for pipe in (process.stdout, process.stderr):
            pipe and pipe.close()
    return code, "".join(said)


def dying_with_us(command: Sequence[str]) -> list[str]:
    """`command`, started so that the kernel kills it when we die, even by SIGKILL, which leaves us no time to do it.

    The kernel means the thread that starts it: that thread has to wait for the command. setpriv (util-linux, on every
    Debian) asks for the signal and then becomes the command, with the same process id. A `preexec_fn` could do so too,
    but is not safe beside threads. Where there is no such setpriv (macOS, BusyBox) the command is started plainly, and
    goes on if we are killed; so is one that is missing, for the system's own error.
    """
    setpriv = _setpriv()
    return [*setpriv, *command] if setpriv and shutil.which(command[0]) else [*command]


@cache
def _setpriv() -> tuple[str, ...]:
    found = shutil.which("setpriv")
    prefix = (found or "", "--pdeathsig", "KILL", "--")
    if found is None or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        return ()
    return prefix


def _start(arguments: Sequence[str], directory: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            dying_with_us([str(ffmpeg()), "-nostdin", "-hide_banner", "-nostats", "-progress", "pipe:1", *arguments]),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise errors.NoFfmpeg(detail=str(error)) from None
