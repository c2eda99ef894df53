"""What ffmpeg does for the pipeline: tell what a file holds, take its sound, and put subtitles on it.

How ffmpeg is kept from opening anything else, stopped and cleaned up after is in `jobs.pipeline.media.ffmpeg`.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.pipeline import errors
from jobs.pipeline.media.containers import MP4_AUDIO, fits_mp4, is_cut_short, looks_like_media, track_language
from jobs.pipeline.media.description import (
    AudioStream,
    Described,
    Description,
    Media,
    SubtitleStream,
    VideoStream,
    audio_stream,
    describe,
    frame_times,
    pace,
    shown_size,
    video_stream,
)
from jobs.pipeline.media.ffmpeg import SUBTITLE_FORMATS, ffmpeg, input_of, is_full, make, making, run
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.poster import poster
from jobs.pipeline.protocols import SAMPLE_RATE, Progress, ignore_progress

__all__ = [
    "AudioStream",
    "Media",
    "SubtitleStream",
    "VideoStream",
    "burn",
    "embed",
    "extract_audio",
    "ffmpeg",
    "merge",
    "poster",
    "probe",
]

CRF = 23
"""Constant quality of the burned picture. It is the default of x264, and so is the preset (medium)."""

PACE_FRAMES = 300
"""How many frames tell a steady rate from a variable one: ten seconds of most videos."""

MAX_DECODED = Limits(max_pixels=8192 * 8192)
"""The largest picture that is decoded to look at it, whatever the limits allow: 8K is half as large."""

CLOSE_TRACKS = 8
"""How many sound tracks are looked at closely; each costs a run of ffmpeg, about 0.1 s."""

SLACK = 5.0
"""Seconds that a file may play beyond its length. The length was held against the limits, and may be a lie."""

_MP4 = ("-movflags", "+faststart", "-f", "mp4")


# What a file holds


def probe(path: Path) -> Media:
    """What `path` holds. Raises NoSuchFile, NotAFile, EmptyFile, NotAVideo, DamagedVideo, TooManyPixels or TooShort.

    A file that ends before the end it names counts as damaged; `containers.is_cut_short` tells which name one.
    """
    size = _readable_size(path)
    with tempfile.TemporaryDirectory(prefix="zirnevis-") as name:
        source = Path(name) / "source"
        source.symlink_to(path.absolute())
        found = describe(_description(source))
        if not found.container:
            raise _unreadable(path, found.text)
        if is_cut_short(path):
            raise errors.DamagedVideo(name=path.name, detail="The file ends before its end mark.")
        return _media(path.name, size, source, found)


def _readable_size(path: Path) -> int:
    if not path.exists():
        raise errors.NoSuchFile(path=str(path))
    if not path.is_file():
        raise errors.NotAFile(path=str(path))
    try:
        with path.open("rb"):
            size = path.stat().st_size
    except OSError as error:
        raise errors.NotAFile(path=str(path), detail=str(error)) from None
    if not size:
        raise errors.EmptyFile(path=str(path))
    return size


def _unreadable(path: Path, said: str) -> errors.PipelineError:
    with path.open("rb") as file:
        damaged = looks_like_media(file.read(16)) and "not on whitelist" not in said
    return (errors.DamagedVideo if damaged else errors.NotAVideo)(name=path.name, detail=said)


def _media(name: str, size: int, source: Path, found: Description) -> Media:
    told = _told_by_moviepy(source)
    duration = _played_length(source) if found.duration is None else told.get("duration", found.duration)
    if not (found.pictures or found.sounds):
        raise errors.NotAVideo(name=name, detail=found.text)
    if duration <= 0:
        raise errors.TooShort(name=name)
    for stream in found.pictures[:1]:
        MAX_DECODED.check_picture(*shown_size(stream), name)
    video = next((_video(source, stream, told) for stream in found.pictures), None)
    audio = tuple(_tracks(source, found.sounds))
    if (found.pictures and (not video or not video.width)) or not (video or audio):
        raise errors.DamagedVideo(name=name, detail=found.text)
    return Media(
        name=name,
        container=found.container,
        duration=duration,
        size=size,
        bitrate=(told.get("bitrate") or 0) * 1000 or round(size * 8 / duration),
        video=video,
        audio=audio,
        subtitles=found.subtitles,
    )


def _description(source: Path) -> str:
    _, said = run(input_of(source), directory=source.parent, keep=100_000)
    return said


def _told_by_moviepy(source: Path) -> Mapping[str, Any]:
    """What moviepy's parser makes of the file; nothing when it gives up (chapters, language tags such as en-US).

    moviepy starts ffmpeg itself, without a whitelist: only for files whose format has passed ours, by a plain name.
    """
    from moviepy.video.io.ffmpeg_reader import ffmpeg_parse_infos

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            told: Mapping[str, Any] = ffmpeg_parse_infos(str(source))
        except (OSError, LookupError, AttributeError, TypeError, ValueError):
            return {}
    return told


def _video(source: Path, stream: Described, told: Mapping[str, Any]) -> VideoStream | None:
    """The picture, or None when no frame of it can be decoded."""
    shown = ("-map", f"0:{stream.index}", "-frames:v", "1", "-fps_mode", "passthrough")
    copied = ("-map", f"0:{stream.index}", "-frames:v", str(PACE_FRAMES), "-c", "copy")
    first, stored = _frame_times(source, shown, copied)
    if not first:
        return None
    fps, variable = pace(stored)
    rates = {each["stream_number"]: each.get("fps") for part in told.get("inputs", ()) for each in part["streams"]}
    return video_stream(
        stream, fps=fps if variable else rates.get(stream.index) or fps, variable_rate=variable, offset=first[0]
    )


def _tracks(source: Path, sounds: Sequence[Described]) -> Iterator[AudioStream]:
    """Those that can be decoded; what comes after the first few is believed to, and to begin with the file."""
    for stream in sounds[:CLOSE_TRACKS]:
        if track := _audio(source, stream):
            yield track
    for stream in sounds[CLOSE_TRACKS:]:
        yield audio_stream(stream, offset=0.0)


def _audio(source: Path, stream: Described) -> AudioStream | None:
    """The sound track, or None when nothing of it can be decoded."""
    (first,) = _frame_times(source, ("-map", f"0:{stream.index}", "-frames:a", "1"))
    return audio_stream(stream, offset=first[0]) if first else None


def _frame_times(source: Path, *outputs: Sequence[str]) -> list[list[float]]:
    """When the frames of each output would be shown, counted as a player does, from the earliest stream.

    Raises DiskFull: a list that was not written tells nothing about the video.
    """
    names = [f"times{number}" for number in range(len(outputs))]
    written = [part for name, output in zip(names, outputs, strict=True) for part in (*output, "-f", "framecrc", name)]
    _, said = run([*input_of(source), "-y", *written], directory=source.parent)
    if is_full(said):
        raise errors.DiskFull(detail=said)
    files = [source.with_name(name) for name in names]
    return [frame_times(file.read_text()) if file.exists() else [] for file in files]


def _played_length(source: Path) -> float:
    """The length in seconds, by reading the whole file: for those that do not say it."""
    times = [0.0]
    copied = ("-map", "0:V?", "-map", "0:a?", "-c", "copy", "-f", "null", "-")
    run([*input_of(source), *copied], directory=source.parent, clock=times.append)
    return max(times)


# What is made of it


def extract_audio(source: Path, target: Path, *, media: Media, progress: Progress = ignore_progress) -> None:
    """Write the speech track as a WAV file: mono, 16 bits, SAMPLE_RATE. Raises NoAudio, and as `burn` does.

    Its first sample is the first of the track: shift what is found in it by `media.speech.offset`. Gaps inside the
    track are filled with silence, so that times stay true.
    """
    if not media.speech:
        raise errors.NoAudio(name=media.name)
    sound = ("-map", f"0:{media.speech.index}", "-af", f"aresample={SAMPLE_RATE}:async=1", "-ac", "1")
    with making(target) as part:
        make(
            [*input_of(source), *sound, *_no_longer(media), "-c:a", "pcm_s16le", "-f", "wav"],
            part,
            media=media,
            progress=progress,
        )


def burn(
    source: Path, subtitles: Path, target: Path, *, media: Media, fonts: Path, progress: Progress = ignore_progress
) -> None:
    """Write an MP4 with the ASS file `subtitles` drawn into its picture, with the fonts of the directory `fonts`.

    Frames keep their times, rotated pictures are turned upright, sound is copied where an MP4 may hold it. Subtitles
    the source had are left out. Raises NoVideoStream, DiskFull, Unwritable or MediaFailed.
    """
    video = media.picture
    with making(target) as part:
        shutil.copyfile(subtitles, part.with_name("subtitles"))
        _bring_fonts(fonts, part.with_name("fonts"))
        picture = (
            *("-map", f"0:{video.index}", "-vf", _drawing(video), "-c:v", "libx264", "-crf", str(CRF)),
            *("-pix_fmt", "yuv420p", "-fps_mode", "vfr", "-enc_time_base:v", "demux"),
        )
        make(
            [*input_of(source), *picture, *_sound(media), *_no_longer(media), *_MP4],
            part,
            media=media,
            progress=progress,
        )


def embed(
    source: Path, subtitles: Path, target: Path, *, media: Media, language: str, progress: Progress = ignore_progress
) -> Path:
    """Put `subtitles` (SRT, VTT or ASS, in `language`) beside the picture as a track; nothing is encoded again.

    Returns the file written: `target`, or the same name with `.mkv` when the codecs of the source do not go into an
    MP4. An MP4 holds the text only; an MKV keeps the styles of ASS. Errors as those of `burn`.
    """
    video = media.picture
    mp4 = fits_mp4(media)
    target = target if mp4 else target.with_suffix(".mkv")
    streams = [
        part for index in (video.index, *(track.index for track in media.audio)) for part in ("-map", f"0:{index}")
    ]
    tags = ("-metadata:s:s:0", f"language={track_language(language, mp4=mp4)}", "-disposition:s:0", "default")
    apple = ("-tag:v", "hvc1") if mp4 and video.codec == "hevc" else ()
    form = ("-c:s", "mov_text", *apple, *_MP4) if mp4 else ("-f", "matroska")
    with making(target) as part:
        inputs = [*input_of(source), *input_of(subtitles, SUBTITLE_FORMATS)]
        make([*inputs, *streams, "-map", "1:0", "-c", "copy", *tags, *form], part, media=media, progress=progress)
    return target


def merge(video: Path, audio: Path, target: Path, *, progress: Progress = ignore_progress) -> None:
    """Bring picture and sound that were downloaded apart into one file, MP4 or MKV by its suffix, without encoding.

    Errors as those of `probe` and `burn`, and NoAudio.
    """
    media, sound = probe(video), probe(audio)
    if not sound.speech:
        raise errors.NoAudio(name=audio.name)
    streams = ("-map", f"0:{media.picture.index}", "-map", f"1:{sound.speech.index}", "-c", "copy")
    form = ("-f", "matroska") if target.suffix.lower() == ".mkv" else _MP4
    with making(target) as part:
        make([*input_of(video), *input_of(audio), *streams, *form], part, media=media, progress=progress)


# How ffmpeg is asked


def _no_longer(media: Media) -> tuple[str, str]:
    return "-t", f"{media.duration + SLACK:.3f}"


def _drawing(video: VideoStream) -> str:
    """The filters. 4:2:0 needs even sides: a row or column is cut off, which costs nothing, unlike a border."""
    even = f"crop={video.width & ~1}:{video.height & ~1}:0:0," if video.width % 2 or video.height % 2 else ""
    return f"{even}ass=filename=subtitles:fontsdir=fonts"


def _sound(media: Media) -> Iterator[str]:
    """Every sound track, copied where an MP4 may hold its codec, else as AAC with its gaps filled by silence."""
    for number, track in enumerate(media.audio):
        yield from ("-map", f"0:{track.index}")
        if track.codec in MP4_AUDIO:
            yield from (f"-c:a:{number}", "copy")
        else:
            yield from (f"-c:a:{number}", "aac", f"-filter:a:{number}", "aresample=async=1")


def _bring_fonts(fonts: Path, name: Path) -> None:
    try:
        name.symlink_to(fonts.absolute(), target_is_directory=True)
    except OSError:  # a file system without symbolic links
        shutil.copytree(fonts, name)
