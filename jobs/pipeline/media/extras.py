"""Arguments that keep what a file has beside picture and sound: other subtitle tracks, and attachments such as fonts.

ffmpeg copies chapters and the tags of tracks by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs.pipeline.media.containers import MKV_SUBTITLES, fits_mp4
from jobs.pipeline.media.streams import Attachment, Media, SubtitleStream


def embeds_as_mp4(media: Media) -> bool:
    """Tell whether an MP4 can hold everything of the file, so that a track is added in an MP4 and not in an MKV."""
    return fits_mp4(media) and not _attachments(media) and all(each.codec == "mov_text" for each in _subtitles(media))


def left_out(media: Media) -> list[str]:
    """The names of the subtitle tracks and attachments that are lost when a track is added."""
    return [
        *(_track_name(each) for each in media.subtitles if each not in _subtitles(media)),
        *(_file_name(each) for each in media.attachments if each not in _attachments(media)),
    ]


def names(media: Media) -> list[str]:
    """The names of all subtitle tracks and attachments."""
    return [*map(_track_name, media.subtitles), *map(_file_name, media.attachments)]


def _track_name(track: SubtitleStream) -> str:
    return f"{track.codec} ({track.language})" if track.language else track.codec


def _file_name(attachment: Attachment) -> str:
    return attachment.name or attachment.mime_type or f"#{attachment.index}"


def kept(media: Media, *, mp4: bool) -> Iterator[str]:
    """Arguments that take over the other subtitle tracks, behind a new one, which is the only default."""
    for number, track in enumerate(_subtitles(media), start=1):
        yield from ("-map", f"0:{track.index}", f"-disposition:s:{number}", "-default")
        yield from (f"-bsf:s:{number}", _ending(media))
    for attachment in () if mp4 else _attachments(media):
        yield from ("-map", f"0:{attachment.index}")


def converted(media: Media, *, mp4: bool) -> Iterator[str]:
    """Arguments that convert the subtitle tracks whose codec an MKV does not hold."""
    for number, track in enumerate(_subtitles(media), start=1):
        if not mp4 and track.codec == "mov_text":
            yield from (f"-c:s:{number}", "srt")


def _ending(media: Media) -> str:
    """A filter that ends each subtitle of a track with the file; those that begin later are left out by `-t`."""
    return f"setts=duration=min(DURATION\\,max(0\\,{media.duration:.3f}/TB-PTS))"


def _subtitles(media: Media) -> list[SubtitleStream]:
    """The tracks that can be kept: of a known codec, in a file whose clock runs evenly."""
    if media.clock:  # its corrections are known for picture and sound only
        return []
    return [each for each in media.subtitles if each.codec in MKV_SUBTITLES or each.codec == "mov_text"]


def _attachments(media: Media) -> list[Attachment]:
    """The attachments that Matroska accepts: those with a name and a type."""
    return [each for each in media.attachments if each.name and each.mime_type]
