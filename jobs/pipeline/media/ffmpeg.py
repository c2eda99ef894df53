"""Runs ffmpeg; no other module starts it, apart from moviepy in `media.probe` and `media.poster`.

Uploaded files are treated as hostile: ffmpeg may open local files only, and only formats that cannot refer to another
file (no playlists, scripts or image sequences). Names are always given as `file:` and an absolute path, so that none is
taken for an option, an address or a pattern. When a call ends, also by an exception, ffmpeg has ended and is reaped; a
target file is complete or does not exist.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from jobs.pipeline import errors
from jobs.pipeline.media.atomic_files import writing
from jobs.pipeline.media.streams import ClockShift, Media
from jobs.pipeline.protocols import Progress, ignore_progress

FORMATS = (
    "mov,matroska,avi,flv,mpegts,mpeg,asf,rm,mxf,wtv,dv,ogg,"
    "wav,w64,mp3,aac,flac,aiff,amr,caf,ac3,eac3,dts,au,ape,wv,tta"
)
"""Formats that may be opened: each is one file. Excluded are hls, dash, concat, image2, sdp, imf, vobsub, lavfi."""

LONGEST_ARGUMENT = 100_000
"""Characters of one argument. Linux takes 131,071 bytes; the corrections of a clock may be longer."""

OWN_CLOCK = ("-copyts", "-start_at_zero")
"""Options with which times are those of the file's own clock, from its start on, without ffmpeg's guesses at jumps."""

SUBTITLE_FORMATS = "ass,srt,webvtt"
"""Formats of subtitles that may be opened."""


def ffmpeg() -> Path:
    """Path of imageio-ffmpeg's ffmpeg, which has libass and x264. Raises NoFfmpeg."""
    import imageio_ffmpeg

    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise errors.NoFfmpeg(detail=str(error)) from None


def input_of(path: Path, formats: str = FORMATS, *, clock: Sequence[ClockShift] = ()) -> tuple[str, ...]:
    """Arguments that open `path` in one of `formats` only, with the corrections of its `clock`."""
    opened = ("-protocol_whitelist", "file,pipe", "-format_whitelist", formats, "-i", f"file:{path.absolute()}")
    return (*_corrected(clock), *opened)


def _corrected(clock: Sequence[ClockShift]) -> Iterator[str]:
    """Input arguments that add the shifts to the times of the packets, instead of ffmpeg's guesses at jumps."""
    if clock:
        yield from OWN_CLOCK
    for stream, shifts in groupby(sorted(clock, key=attrgetter("stream", "packet")), key=attrgetter("stream")):
        seconds = _piecewise(list(shifts))
        moved = "if(eq({0}\\,NOPTS)\\,NOPTS\\,{0}+round((" + seconds + ")/TB))"
        yield from (f"-bsf:{stream}", f"setts=pts={moved.format('PTS')}:dts={moved.format('DTS')}")


def _piecewise(shifts: Sequence[ClockShift]) -> str:
    """An expression of ffmpeg for the seconds that are added to packet number N; found in log2(n) comparisons."""
    if len(shifts) == 1:
        return f"{shifts[0].seconds:.6f}"
    middle = len(shifts) // 2
    before, after = _piecewise(shifts[:middle]), _piecewise(shifts[middle:])
    return f"if(lt(N\\,{shifts[middle].packet})\\,{before}\\,{after})"


@contextmanager
def making(target: Path) -> Iterator[Path]:
    """Yield a path in a private directory beside `target`; without an exception, rename it to `target`.

    Turns every OSError into DiskFull, SystemRefused or Unwritable.
    """
    with writing(target):
        directory = Path(tempfile.mkdtemp(prefix=".zirnevis-", dir=target.absolute().parent))
        try:
            yield directory / "part"
            (directory / "part").replace(target)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def make(arguments: Sequence[str], part: Path, *, media: Media, progress: Progress = ignore_progress) -> None:
    """Run ffmpeg to write `part`; progress is measured by the duration of `media`.

    Raises DiskFull, Unwritable, MediaFailed or StageDied.
    """
    done = 0.0

    def clock(time: float) -> None:
        nonlocal done
        done = max(done, min(time / media.duration, 1.0))
        progress(done)

    output = ("-y", f"file:{part.absolute()}")
    code, said = run([*_QUIET, *arguments, *output], directory=part.parent, clock=clock)
    if code == -signal.SIGKILL:  # by the system, such as for lack of memory: not the file's fault
        raise errors.StageDied(detail=f"ffmpeg was killed. {said}")
    if code:
        raise _failure(said, part, media)
    progress(1.0)


_QUIET = ("-loglevel", "error")


def _failure(said: str, part: Path, media: Media) -> errors.PipelineError:
    """Convert ffmpeg's last lines, which include the system's errors, to an error."""
    if is_full(said):
        return errors.DiskFull(detail=said)
    if "Read-only file system" in said or "File too large" in said:
        return errors.Unwritable(path=str(part.parent.parent), detail=said)
    return errors.MediaFailed(name=media.name, detail=said)


def is_full(said: str) -> bool:
    """Tell whether ffmpeg's output says that the disk is full."""
    return "No space left on device" in said or "Disk quota exceeded" in said


def run(
    arguments: Sequence[str],
    *,
    directory: Path,
    clock: Callable[[float], None] = ignore_progress,
    keep: int = 50,
    hear: Callable[[Iterable[str]], None] | None = None,
) -> tuple[int, str]:
    """Run ffmpeg in `directory`. Returns its exit code and the last `keep` lines of its stderr.

    `clock` is called with the position in the output, in seconds. `hear` gets the lines of stderr as they come, in
    place of the text that is returned. Raises NoFfmpeg.
    """
    said: deque[str] = deque(maxlen=keep)
    process = _start(arguments, directory)

    def listen() -> None:
        lines = process.stderr or ()
        try:
            (hear or said.extend)(lines)
        finally:
            deque(lines, maxlen=0)  # or ffmpeg would wait for ever for a reader that has failed

    with _ending(process, threading.Thread(target=listen, daemon=True)):
        for line in process.stdout or ():
            key, _, value = line.strip().partition("=")
            if key == "out_time_us" and value.lstrip("-").isdigit():
                clock(int(value) / 1_000_000)
        code = process.wait()
    return code, "".join(said)


@contextmanager
def _ending(process: subprocess.Popen[Any], stderr_reader: threading.Thread) -> Iterator[None]:
    """Within, `stderr_reader` reads what the process reports. After it the process has ended, its pipes are closed."""
    try:
        stderr_reader.start()
        yield
    finally:
        process.kill()
        process.wait()
        stderr_reader.join()
        for pipe in (process.stdout, process.stderr):
            pipe and pipe.close()


def output_of(arguments: Sequence[str], size: int, *, directory: Path, media: Media) -> Iterator[bytes]:
    """Run ffmpeg in `directory` and yield what it writes, in blocks of `size` bytes; the last one may be shorter.

    Raises NoFfmpeg, MediaFailed or StageDied. ffmpeg ends with the iterator.
    """
    said: deque[bytes] = deque(maxlen=50)
    process = _popen([*_QUIET, *arguments, "pipe:1"], directory)
    assert process.stdout
    with _ending(process, threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)):
        while block := process.stdout.read(size):
            yield block
        code = process.wait()
    text = b"".join(said).decode(errors="replace")
    if code == -signal.SIGKILL:
        raise errors.StageDied(detail=f"ffmpeg was killed. {text}")
    if code:
        raise errors.MediaFailed(name=media.name, detail=text)


def dying_with_us(command: Sequence[str]) -> list[str]:
    """Wrap `command` so that the kernel kills it when this process ends, even by SIGKILL.

    The kernel's signal follows the end of the thread that starts the command, so that thread has to wait for it.
    setpriv (util-linux, on every Debian) requests the signal and then becomes the command, with the same pid. A
    `preexec_fn` could do the same, but is not safe with threads. Without setpriv (macOS, BusyBox) the command is
    returned unchanged and outlives a SIGKILL; a missing command is returned unchanged for the system's own error.
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
    return _popen(["-progress", "pipe:1", *arguments], directory, encoding="utf-8", errors="replace")


def _short(arguments: Sequence[str], directory: Path) -> list[str]:
    """The arguments; values that are too long for the system are put into files in `directory`, which ffmpeg reads."""
    short = list(arguments)
    for number, value in enumerate(arguments):
        if len(value) > LONGEST_ARGUMENT:
            (directory / f"argument{number}").write_text(value)
            short[number - 1 : number + 1] = ["-/" + arguments[number - 1].removeprefix("-"), f"argument{number}"]
    return short


def _popen(arguments: Sequence[str], directory: Path, **text: str) -> subprocess.Popen[Any]:
    try:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # text or bytes, as `text` says
            dying_with_us([str(ffmpeg()), "-nostdin", "-hide_banner", "-nostats", *_short(arguments, directory)]),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **text,
        )
    except OSError as error:
        raise errors.NoFfmpeg(detail=str(error)) from None
