"""Encoding by ffmpeg: burn or embed subtitles, merge picture and sound, change the container.

`media.ffmpeg` starts ffmpeg, restricts what it may open, and cleans up after it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from jobs.pipeline import errors
from jobs.pipeline.media.containers import MP4_AUDIO, fits_mp4, track_language
from jobs.pipeline.media.drawing import filters, input_options, stands_still
from jobs.pipeline.media.extras import converted, embeds_as_mp4, kept
from jobs.pipeline.media.ffmpeg import SUBTITLE_FORMATS, input_of, make, making
from jobs.pipeline.media.hdr import dimmed
from jobs.pipeline.media.streams import Media, VideoStream
from jobs.pipeline.protocols import Progress, ignore_progress

CRF = 23
"""Constant rate factor of the burned picture: the default of x264, as is the preset (medium)."""

HDR_CRF = 24
"""Constant rate factor of a burned HDR picture; x265's scale is about 4 higher than that of x264."""

SLACK = 5.0
"""Seconds that are encoded beyond the measured length, which was checked against the limits."""

_MOMENT = 0.05
"""Seconds after the measured end at which no other subtitle may begin, and a last packet without a length may."""

_MP4 = ("-movflags", "+faststart", "-f", "mp4")


def burn(
    source: Path, subtitles: Path, target: Path, *, media: Media, fonts: Path, progress: Progress = ignore_progress
) -> None:
    """Write an MP4 with the ASS file `subtitles` drawn into its picture, with the fonts of the directory `fonts`.

    Frames keep their times; one that stands long is repeated. Rotated pictures are turned upright, audio is copied if
    its codec may be in an MP4. Subtitle tracks are left out. Raises NoVideoStream, DiskFull, Unwritable or MediaFailed.
    """
    video = media.picture
    with making(target) as part:
        text = dimmed(subtitles.read_text(encoding="utf-8"), video.transfer)
        part.with_name("subtitles").write_text(text, encoding="utf-8")
        _bring_fonts(fonts, part.with_name("fonts"))
        picture = (
            *("-map", f"0:{video.index}", "-vf", filters(media), *_picture_codec(video)),
            *("-fps_mode", "vfr", "-enc_time_base:v", _time_base(media)),
        )
        make(
            [
                *input_options(media),
                *input_of(source, clock=media.clock),
                *picture,
                *_sound(media),
                *whole(media),
                *_MP4,
            ],
            part,
            media=media,
            progress=progress,
        )


def embed(
    source: Path, subtitles: Path, target: Path, *, media: Media, language: str, progress: Progress = ignore_progress
) -> Path:
    """Add `subtitles` (SRT, VTT or ASS, in `language`) as the default track; nothing is encoded again.

    Sounds, chapters, other subtitle tracks and attachments are kept (see `media.extras` for those that cannot be).
    Returns the file written: `target`, or the same name with `.mkv` when something of the source may not be in an MP4.
    An MP4 keeps the text only, an MKV also the styles of ASS. Raises as `burn` does.
    """
    mp4 = embeds_as_mp4(media)
    target = target if mp4 else target.with_suffix(".mkv")
    streams = [f"0:{index}" for index in (media.picture.index, *(track.index for track in media.audio))]
    mapped = [part for stream in (*streams, "1:0") for part in ("-map", stream)]
    tags = ("-metadata:s:s:0", f"language={track_language(language, mp4=mp4)}", "-disposition:s:0", "default")
    apple = ("-tag:v", "hvc1") if mp4 and media.picture.codec == "hevc" else ()
    container = ("-c:s:0", "mov_text", *apple, *_MP4) if mp4 else ("-f", "matroska")
    with making(target) as part:
        inputs = [*input_of(source, clock=media.clock), *input_of(subtitles, SUBTITLE_FORMATS)]
        copied = [
            *inputs,
            *mapped,
            *kept(media, mp4=mp4),
            "-c",
            "copy",
            *converted(media, mp4=mp4),
            *whole(media, _MOMENT),
        ]
        make([*copied, *tags, *container], part, media=media, progress=progress)
    return target


def merge(
    video: Path, audio: Path, target: Path, *, media: Media, sound: Media, progress: Progress = ignore_progress
) -> None:
    """Merge a picture and a sound, downloaded as two files, into an MP4 or MKV by the suffix, without encoding.

    `media` is the probe of `video`, `sound` that of `audio`. Raises NoAudio, and as `burn` does.
    """
    if not sound.speech:
        raise errors.NoAudio(name=audio.name)
    streams = ("-map", f"0:{media.picture.index}", "-map", f"1:{sound.speech.index}", "-c", "copy")
    container = ("-f", "matroska") if target.suffix.lower() == ".mkv" else _MP4
    clocks = ("-copypriorss", "1") if media.clock or sound.clock else ()
    with making(target) as part:
        inputs = [*input_of(video, clock=media.clock), *input_of(audio, clock=sound.clock)]
        make([*inputs, *streams, *clocks, *container], part, media=media, progress=progress)


def remux(source: Path, target: Path, *, media: Media, progress: Progress = ignore_progress) -> Path:
    """Copy picture and sound of `source` into an MP4 or MKV that starts at 0, without encoding.

    Returns the file written: `target` with the suffix `.mp4`, or `.mkv` when a codec may not be in an MP4. Raises as
    `burn` does.
    """
    mp4 = fits_mp4(media)
    indexes = [*([media.video.index] if media.video else []), *(track.index for track in media.audio)]
    streams = [part for index in indexes for part in ("-map", f"0:{index}")]
    apple = ("-tag:v", "hvc1") if mp4 and media.video and media.video.codec == "hevc" else ()
    container = (*apple, *_MP4) if mp4 else ("-f", "matroska")
    target = target.with_suffix(".mp4" if mp4 else ".mkv")
    with making(target) as part:
        copied = (*streams, "-c", "copy", *whole(media), *container)
        make([*input_of(source, clock=media.clock), *copied], part, media=media, progress=progress)
    return target


# Arguments of ffmpeg


def whole(media: Media, slack: float = SLACK) -> tuple[str, ...]:
    """Arguments for the length of the result, which may be longer than measured by `slack` seconds.

    With a corrected clock ffmpeg still judges copied packets by the times before the correction: it would leave out
    those before the file's own start, and those after the end of a result.
    """
    return ("-copypriorss", "1") if media.clock else ("-t", f"{media.duration + slack:.3f}")


def _picture_codec(video: VideoStream) -> tuple[str, ...]:
    """H.264 with 8 bits, which plays everywhere. HDR keeps its 10 bits and its tags: HEVC, as phones record it."""
    if not video.transfer:
        return ("-c:v", "libx264", "-crf", str(CRF), "-pix_fmt", "yuv420p")
    quiet = ("-x265-params", "log-level=error", "-dolbyvision", "0")
    return (
        "-c:v",
        "libx265",
        "-crf",
        str(HDR_CRF),
        "-preset",
        "fast",
        "-pix_fmt",
        "yuv420p10le",
        "-tag:v",
        "hvc1",
        *quiet,
    )


def _time_base(media: Media) -> str:
    """The unit of the times of frames: the source's, which may be too coarse for frames that are added."""
    return "1:90000" if stands_still(media) else "demux"


def _sound(media: Media) -> Iterator[str]:
    """Arguments for every audio track: copied if its codec may be in an MP4, else AAC with gaps filled by silence."""
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
