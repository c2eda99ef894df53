"""The filters that draw subtitles into a picture, so that they are seen at their times."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.pipeline.media.streams import Media, VideoStream

LONGEST_FRAME = 0.1
"""Seconds for which a frame may stand. Text is drawn into frames: it appears and goes with the next one only."""

_FILL_RATE = 20
"""Frames a second that are added while a frame stands longer."""


def filters(media: Media) -> str:
    """The chain of filters for the video stream, which draws the file `subtitles` with the fonts of `fonts`."""
    video = media.picture
    return ",".join((*_steady(media), *_deinterlaced(video), *_even(video), *_filled(media), _text(video)))


def input_options(media: Media) -> tuple[str, ...]:
    """Options of the input. Filters that add frames must not begin anew where the picture changes its size."""
    return ("-reinit_filter", "0") if stands_still(media) else ()


def stands_still(media: Media) -> bool:
    """Tell whether frames have to be added: a frame stands long, or sound is heard before the first or after the last.

    A length that is not known, as in a probe of an earlier version, counts as long enough.
    """
    video = media.picture
    ends_early = 0 < video.end < media.duration - LONGEST_FRAME
    return ends_early or max(video.longest_frame, video.offset) > LONGEST_FRAME


def _steady(media: Media) -> Iterator[str]:
    """Scale what comes in another size to that of the beginning; the rest is left as it is (see `input_options`)."""
    if stands_still(media):
        yield f"scale={media.picture.width}:{media.picture.height}"


def _deinterlaced(video: VideoStream) -> Iterator[str]:
    """Make whole frames of two fields each, so that the text is not torn as moving edges are. Times stay the same."""
    if video.fields == "marked":
        yield "bwdif=mode=send_frame:deint=interlaced"
    elif video.fields:
        yield f"bwdif=mode=send_frame:parity={video.fields}:deint=all"


def _text(video: VideoStream) -> str:
    """Draw the subtitles; in an anamorphic picture as narrow as it is stored, so that letters are shown round."""
    width, height = video.shown_size
    shown = "" if video.pixel_aspect == 1 else f":original_size={width}x{height}"
    return f"ass=filename=subtitles:fontsdir=fonts{shown}"


def _even(video: VideoStream) -> Iterator[str]:
    """4:2:0 needs even sides: an odd row or column is cut off."""
    if video.width % 2 or video.height % 2:
        yield f"crop={video.width & ~1}:{video.height & ~1}:0:0"


def _filled(media: Media) -> Iterator[str]:
    """Repeat frames that stand, from 0 to the end of the file. The frames of the source keep their own times.

    A copy of the stream at a constant rate is mixed in. Its frames are marked by a field order; of them those are taken
    that have no other frame shortly before.
    """
    if stands_still(media):
        unit = "settb=AVTB"  # of the times that `interleave` passes on; it converts no lengths of frames
        held = f"fps={_FILL_RATE}:start_time=0,tpad=stop=-1:stop_mode=clone,trim=end={media.duration:.3f}"
        wanted = f"eq(interlace_type,PROGRESSIVE)+isnan(prev_selected_t)+gte(t-prev_selected_t,{0.999 / _FILL_RATE})"
        mixed = f"[source][held]interleave,select='{wanted}',setfield=prog"
        yield f"{unit},setfield=prog,split[source][copy];[copy]{held},{unit},setfield=tff[held];{mixed}"
