"""Probing: reads what a media file holds by running ffmpeg on it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.pipeline import errors
from jobs.pipeline.media.containers import is_cut_short, looks_like_media
from jobs.pipeline.media.description import (
    Described,
    Description,
    audio_stream,
    combed,
    describe,
    stated_fields,
    upright_size,
    video_stream,
)
from jobs.pipeline.media.ffmpeg import input_of, is_full, run
from jobs.pipeline.media.frame_times import frame_times, pace
from jobs.pipeline.media.limits import Limits
from jobs.pipeline.media.streams import AudioStream, ClockShift, Fields, Media, VideoStream
from jobs.pipeline.media.timeline import PacketReader, Timeline, listing_arguments

PACE_FRAMES = 300
"""Frames from which a variable rate is told from a constant one: ten seconds of most videos."""

MAX_DECODED = Limits(max_pixels=8192 * 8192)
"""Largest picture of which a frame is decoded, whatever the limits allow: 8K is half as large."""

TELEVISION_LINES, TELEVISION_RATE = {480, 486, 576, 1080}, 30.5
"""Heights, and the highest rate in frames a second, of pictures that may be interlaced without being marked."""

COMB_FRAMES = 60
"""Frames of such pictures that are decoded to find out, which takes up to a second."""

STILLS = {"mjpeg", "png", "bmp", "gif", "tiff", "webp"}
"""Codecs of still pictures, of which covers and pictures of chapters are made."""

CLOSE_TRACKS = 8
"""Audio tracks that are always test-decoded; each costs a run of ffmpeg, about 0.1 s."""


def probe(path: Path) -> Media:
    """Read what `path` holds by decoding a frame of each stream.

    Raises NoSuchFile, NotAFile, EmptyFile, NotAVideo, DamagedVideo, TooManyPixels, TooShort or DiskFull. A file that is
    shorter than it states counts as damaged (see `containers.is_cut_short`).
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
    if not (found.pictures or found.sounds):
        raise errors.NotAVideo(name=name, detail=found.text)
    timeline = _timeline(source, found)
    if timeline.length <= 0:
        raise errors.TooShort(name=name)
    told = _told_by_moviepy(source)
    pictures = _covers_last(found.pictures, timeline)
    for stream in pictures[:1]:
        MAX_DECODED.check_picture(*upright_size(stream), name)
    video = next((_video(source, stream, told, timeline) for stream in pictures), None)
    audio = tuple(_tracks(source, found.sounds, timeline))
    if (found.pictures and (not video or not video.width)) or not (video or audio):
        raise errors.DamagedVideo(name=name, detail=found.text)
    return Media(
        name=name,
        container=found.container,
        duration=timeline.length,
        size=size,
        video=video,
        audio=audio,
        subtitles=found.subtitles,
        attachments=found.attachments,
        clock=timeline.shifts,
        left_out=tuple(sorted(found.sound_numbers - {track.number for track in audio})),
    )


def _covers_last(pictures: Sequence[Described], timeline: Timeline) -> list[Described]:
    """The video streams in their order, those behind that are covers or pictures of chapters without being marked so.

    These have a single frame, or are a few still pictures beside a stream of more frames.
    """
    frames = {each.index: timeline.streams[each.index].packets for each in pictures if each.index in timeline.streams}
    most = max(frames.values(), default=0)

    def is_cover(stream: Described) -> bool:
        count = frames.get(stream.index, 0)
        return count <= 1 or (stream.codec in STILLS and count < most)

    return sorted(pictures, key=is_cover)


def _timeline(source: Path, found: Description) -> Timeline:
    """The times of all packets of picture and sound. Lengths that files state are not used: they may be wrong."""
    streams = [each.index for each in (*found.pictures, *found.sounds)]
    reader = PacketReader(found.container, streams)
    before, after = listing_arguments(streams)
    run([*before, *input_of(source), *after], directory=source.parent, hear=reader.take)
    return reader.timeline()


def _description(source: Path) -> str:
    _, said = run(input_of(source), directory=source.parent, keep=100_000)
    return said


def _told_by_moviepy(source: Path) -> Mapping[str, Any]:
    """Result of moviepy's parser; empty when it fails, as on chapters and on language tags such as en-US.

    moviepy starts ffmpeg without a whitelist of formats, so this must only be called after our own check of the format,
    with a path that ffmpeg cannot take for an option or a pattern.
    """
    from moviepy.video.io.ffmpeg_reader import ffmpeg_parse_infos

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            told: Mapping[str, Any] = ffmpeg_parse_infos(str(source))
        except (OSError, LookupError, AttributeError, TypeError, ValueError):
            return {}
    return told


def _video(source: Path, stream: Described, told: Mapping[str, Any], timeline: Timeline) -> VideoStream | None:
    """The video stream, or None when no frame of it can be decoded."""
    shown = ("-map", f"0:{stream.index}", "-frames:v", "1", "-fps_mode", "passthrough")
    copied = ("-map", f"0:{stream.index}", "-frames:v", str(PACE_FRAMES), "-c", "copy")
    first, stored = _frame_times(source, shown, copied, clock=timeline.shifts)
    if not first:
        return None
    fps, variable = pace(stored)
    rates = {each["stream_number"]: each.get("fps") for part in told.get("inputs", ()) for each in part["streams"]}
    times = timeline.streams.get(stream.index)
    return video_stream(
        stream,
        fps=fps if variable else rates.get(stream.index) or fps,
        variable_rate=variable,
        offset=first[0],
        end=times.end if times else 0.0,
        longest_frame=times.longest if times else 0.0,
        fields=stated_fields(stream) or _seen_fields(source, stream, timeline, fps),
    )


def _seen_fields(source: Path, stream: Described, timeline: Timeline, fps: float) -> Fields:
    """The order of the fields of a picture that is not marked as interlaced, but was once made for television."""
    if upright_size(stream)[1] not in TELEVISION_LINES or fps > TELEVISION_RATE:
        return ""
    begin = () if timeline.shifts else ("-ss", f"{timeline.length * 0.3:.3f}")
    looked = ("-map", f"0:{stream.index}", "-frames:v", str(COMB_FRAMES), "-vf", "idet", "-f", "null", "-")
    _, said = run([*begin, *input_of(source, clock=timeline.shifts), *looked], directory=source.parent)
    return combed(said)


def _tracks(source: Path, sounds: Sequence[Described], timeline: Timeline) -> Iterator[AudioStream]:
    """The audio tracks that can be decoded.

    Those after CLOSE_TRACKS are not tested if another of the same codec could be decoded; they get the offset 0.
    """
    decoded = set[str]()
    for number, stream in enumerate(sounds):
        if number >= CLOSE_TRACKS and stream.codec in decoded:
            yield audio_stream(stream, offset=0.0)
        elif track := _audio(source, stream, timeline):
            decoded.add(stream.codec)
            yield track


def _audio(source: Path, stream: Described, timeline: Timeline) -> AudioStream | None:
    """The audio track, or None when nothing of it can be decoded."""
    one = ("-map", f"0:{stream.index}", "-frames:a", "1")
    (first,) = _frame_times(source, one, clock=timeline.shifts)
    return audio_stream(stream, offset=first[0]) if first else None


def _frame_times(source: Path, *outputs: Sequence[str], clock: Sequence[ClockShift]) -> list[list[float]]:
    """Presentation times in seconds of the frames of each output, counted from the earliest stream as players do.

    Raises DiskFull if the list of times could not be written.
    """
    names = [f"times{number}" for number in range(len(outputs))]
    written = [part for name, output in zip(names, outputs, strict=True) for part in (*output, "-f", "framecrc", name)]
    files = [source.with_name(name) for name in names]
    for file in files:
        file.unlink(missing_ok=True)  # of an earlier call: a stream that cannot be decoded writes none
    _, said = run([*input_of(source, clock=clock), "-y", *written], directory=source.parent)
    if is_full(said):
        raise errors.DiskFull(detail=said)
    return [frame_times(file.read_text()) if file.exists() else [] for file in files]
