"""Small real clips, made by ffmpeg on first use and kept for the session."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from jobs.pipeline.media.ffmpeg import ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=2")
BLACK = ("-f", "lavfi", "-i", "color=black:size=160x120:rate=25:duration=2")
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac")

RECIPES: dict[str, tuple[str, ...]] = {
    "plain.mp4": (*PICTURE, *TONE, *H264, *AAC, "-metadata:s:a", "language=eng"),
    "faststart.mp4": (*PICTURE, *TONE, *H264, *AAC, "-movflags", "+faststart"),
    "fragmented.mp4": (*PICTURE, *TONE, *H264, "-g", "5", *AAC, "-movflags", "+frag_keyframe+empty_moov"),
    "black.mp4": (*BLACK, *TONE, *H264, *AAC),
    "mute.mp4": (*PICTURE, *H264),
    "brief.mp4": ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.4", *H264),
    "odd.mkv": ("-f", "lavfi", "-i", "testsrc2=size=161x121:rate=25:duration=1", "-c:v", "ffv1", "-pix_fmt", "yuv444p"),
    "late_sound.mkv": (*PICTURE, "-itsoffset", "0.5", *TONE, *H264, "-c:a", "pcm_s16le"),
    "late_picture.mkv": ("-itsoffset", "0.6", *BLACK, *TONE, *H264, "-c:a", "pcm_s16le"),
    "late_sound.mp4": (*BLACK, "-itsoffset", "0.5", *TONE, *H264, "-c:a", "libmp3lame"),
    "late.ts": (*BLACK, *TONE, *H264, *AAC, "-output_ts_offset", "5"),
    "gap.mkv": (*PICTURE, *TONE, "-af", "aselect='lt(t,0.5)+gt(t,1.5)'", *H264, "-c:a", "pcm_s16le"),
    "variable.mkv": (
        *("-f", "lavfi", "-i", "testsrc2=size=160x120:duration=2,settb=1/1000,setpts=N*40+mod(N*N\\,17)"),
        *(*H264, "-fps_mode", "vfr", "-enc_time_base", "1/1000"),
    ),
    "full_range.mp4": (
        *("-f", "lavfi", "-i", "color=white:size=160x120:rate=25:duration=1,scale=out_range=pc,format=yuvj420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-bsf:v", "h264_metadata=colour_primaries=1"),
    ),
    "ten_bit.mkv": (
        *(*PICTURE, *TONE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-c:a", "libopus"),
        *("-bsf:v", "h264_metadata=colour_primaries=9:transfer_characteristics=18:matrix_coefficients=9"),
    ),
    "upright.mov": (
        *("-f", "lavfi", "-i", "color=red:size=160x60:rate=25:duration=1", "-f", "lavfi", "-i"),
        *("color=blue:size=160x60:rate=25:duration=1", *TONE, "-filter_complex", "[0:v][1:v]vstack"),
        *("-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-pix_fmt", "yuv420p", *AAC),
    ),
    "hevc.mkv": (*PICTURE, "-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p"),
    "web.webm": (*PICTURE, *TONE, "-c:v", "libvpx", "-c:a", "libvorbis"),
    "tracks.mkv": (
        *(
            *PICTURE,
            *TONE,
            *TONE,
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            *H264,
            "-c:a:0",
            "libmp3lame",
            "-c:a:1",
            "ac3",
        ),
        *("-metadata:s:a:0", "language=fas", "-metadata:s:a:1", "language=eng"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default"),
    ),
    "sound.mp3": (*TONE,),
    "sound.wav": (*TONE,),
    "sound.flac": (*TONE,),
    "sound.m4a": (*TONE,),
    "sound.ogg": (*TONE, "-c:a", "libvorbis"),
    "sound.aac": (*TONE,),
    "covered.mp3": (
        *("-f", "lavfi", "-i", "color=red:size=64x64", *TONE, "-map", "0", "-map", "1"),
        *("-frames:v", "1", "-c:v", "png", "-disposition:v", "attached_pic"),
    ),
    "nothing.wav": ("-f", "lavfi", "-i", "anullsrc", "-t", "0"),
    "picture.png": ("-f", "lavfi", "-i", "color=red:size=64x64", "-frames:v", "1"),
    "sharp.mp4": ("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=1", *H264),
    "middle.mp4": ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=6", *H264),
}


@dataclass(frozen=True)
class Clips:
    """The clips of a session, by the names of RECIPES, and a few that are made of others."""

    directory: Path

    def __getitem__(self, name: str) -> Path:
        path = self.directory / name
        if not path.exists():
            run(*(self._repeated() if name == "long.mp4" else RECIPES[name]), str(path))
        return path

    def _repeated(self) -> tuple[str, ...]:
        """The recipe of long.mp4: twelve times the same sharp second, which takes as long to burn as twelve others."""
        picture = ("-stream_loop", "11", "-i", str(self["sharp.mp4"]))
        return (*picture, "-f", "lavfi", "-i", "sine=d=12", "-c:v", "copy", *AAC)

    def turned(self) -> Path:
        """A phone's HEVC .mov: stored lying, red above blue, to be shown turned a quarter clockwise."""
        path = self.directory / "turned.mov"
        if not path.exists():
            run("-display_rotation", "-90", "-i", str(self["upright.mov"]), "-c", "copy", str(path))
        return path

    def live(self) -> Path:
        """A recording straight from a browser: WebM whose header knows no length."""
        path = self.directory / "live.webm"
        if not path.exists():
            with path.open("wb") as file:
                run("-i", str(self["web.webm"]), "-c", "copy", "-f", "webm", "-live", "1", "pipe:1", stdout=file)
        return path

    def cut(self, name: str, share: float) -> Path:
        """The first `share` of another clip."""
        path = self.directory / f"cut{share}-{name}"
        whole = self[name].read_bytes()
        path.write_bytes(whole[: int(len(whole) * share)])
        return path


def run(*arguments: str, stdout: object = None) -> None:
    subprocess.run([str(ffmpeg()), "-nostdin", "-v", "error", "-y", *arguments], check=True, stdout=stdout)  # type: ignore[call-overload]


def gray_frame(path: Path, time: float, size: tuple[int, int]) -> bytes:
    """The luminance of the frame at `time`, shown upright, `size` = (width, height)."""
    wanted = ("-ss", str(time), "-i", f"file:{path}", "-frames:v", "1", "-vf", f"scale={size[0]}:{size[1]}")
    command = [str(ffmpeg()), "-nostdin", "-v", "error", *wanted, "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def write_ass(path: Path, start: float, end: float, text: str = "HELLO") -> Path:
    """White letters near the bottom of a 160x120 picture, from `start` to `end` seconds below one minute."""
    path.write_text(f"""[Script Info]
ScriptType: v4.00+
PlayResX: 160
PlayResY: 120

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, BorderStyle, Outline, Alignment, MarginV, Encoding
Style: Default,Vazirmatn,40,&H00FFFFFF,1,1,0,2,10,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:{start:05.2f},0:00:{end:05.2f},Default,,0,0,0,,{text}
""")
    return path


def write_srt(path: Path, text: str = "سلام") -> Path:
    path.write_text(f"1\n00:00:00,500 --> 00:00:01,500\n\u200f{text}\n", encoding="utf-8")
    return path
