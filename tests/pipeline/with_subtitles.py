"""Real videos with subtitle tracks, made by ffmpeg, and the texts in them."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.pipeline.clips import AAC, H264, run

SECONDS = 20

ENGLISH = (
    "I have been here for a long time.",
    "What are you doing with that?",
    "They said it was not the right way.",
    "You and I have to go, and we have to go now.",
    "This is what he was talking about.",
    "She is not here, but I know where they are.",
    "Do you think that it is true?",
    "It is all that we have.",
)
GERMAN = (
    "Ich bin schon lange hier.",
    "Was machst du mit dem Ding?",
    "Sie haben gesagt, das ist nicht der richtige Weg.",
    "Du und ich, wir gehen, und wir gehen jetzt.",
    "Das ist es, was er mit mir besprochen hat.",
    "Sie ist nicht hier, aber ich weiß, wo sie sind.",
    "Glaubst du, dass es wahr ist?",
    "Es ist das, was wir für uns haben.",
)
PERSIAN = (
    "من مدت زیادی است که این‌جا هستم.",
    "با آن چه می‌کنی؟",
    "آن‌ها گفتند که این راه درست نیست.",
    "من و تو باید برویم و باید همین حالا برویم.",
    "این همان چیزی است که او از آن می‌گفت.",
    "او این‌جا نیست، اما من می‌دانم که آن‌ها کجا هستند.",
    "فکر می‌کنی که این حرف درست است؟",
    "این همهٔ چیزی است که ما با خود داریم.",
)


def srt(lines: Sequence[str], *, seconds: float = SECONDS, length: float = 1.5, begin: float = 0.5) -> str:
    """Subtitles in which the lines stand at equal distances in so many seconds."""
    step = (seconds - begin) / len(lines)
    times = [(begin + step * number, begin + step * number + length) for number in range(len(lines))]
    return "\n".join(
        f"{number}\n{_clock(start)} --> {_clock(end)}\n{text}\n"
        for number, ((start, end), text) in enumerate(zip(times, lines, strict=True), start=1)
    )


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02},{whole % 1000:03}"


@dataclass(frozen=True)
class Track:
    """A subtitle track to make: its text as SRT, its language tag, and ffmpeg's names of codec and marks."""

    text: str
    language: str = ""
    title: str = ""
    marks: str = "0"
    codec: str = ""


def video(path: Path, *tracks: Track, sound: str = "eng", picture: bool = True) -> Path:
    """A video of a test picture and a tone with these tracks. `sound` is the language of the tone, empty: none."""
    base = path.with_name(f"{path.stem}.base.mkv")
    base.write_bytes(_base(picture))
    inputs, maps, options = ["-i", str(base)], ["-map", "0"], list[str]()
    for number, track in enumerate(tracks):
        file = path.with_name(f"{path.stem}.{number}.srt")
        file.write_text(track.text)
        inputs += ["-i", str(file)]
        maps += ["-map", str(number + 1)]
        codec = track.codec or ("mov_text" if path.suffix in {".mp4", ".m4a", ".mov"} else "subrip")
        options += [f"-c:s:{number}", codec, f"-disposition:s:{number}", track.marks]
        options += [f"-metadata:s:s:{number}", f"language={track.language}"] if track.language else []
        options += [f"-metadata:s:s:{number}", f"title={track.title}"] if track.title else []
    tag = ("-metadata:s:a:0", f"language={sound}") if sound else ()
    run(*inputs, *maps, "-c:v", "copy", "-c:a", "copy", *options, *tag, str(path))
    return path


@cache
def _base(picture: bool) -> bytes:
    """The picture and the tone, encoded once."""
    shown = ("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=5:duration={SECONDS}") if picture else ()
    tone = ("-f", "lavfi", "-i", f"sine=duration={SECONDS}")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "base.mkv"
        run(*shown, *tone, *(H264 if picture else ()), *AAC, str(path))
        return path.read_bytes()


def pgs(path: Path, times: Sequence[float]) -> Path:
    """Picture subtitles as on Blu-ray discs (PGS): empty screens at these seconds."""
    data = bytearray()
    for number, seconds in enumerate(times):
        screen = struct.pack(">HHBHBBBB", 64, 48, 0x10, number, 0x80, 0, 0, 0)
        for kind, body in ((0x16, screen), (0x80, b"")):
            data += b"PG" + struct.pack(">IIBH", round(seconds * 90_000), 0, kind, len(body)) + body
    path.write_bytes(data)
    return path
