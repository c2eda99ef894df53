"""The poster of a video: a still picture that represents it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.pipeline import errors
from jobs.pipeline.media.ffmpeg import input_of, make, making
from jobs.pipeline.media.hdr import tone_mapping
from jobs.pipeline.media.streams import Media

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POSTER_WIDTH = 1280
"""Largest width in pixels."""

POSTER_QUALITY = 82
"""Quality of WebP and JPEG, of 100."""

_POSTER_SHARES = (0.1, 0.3, 0.5)
"""Positions that are tried first, as shares of the duration."""

_DARK = 24
"""Mean brightness, of 255, up to which a frame counts as dark."""


def poster(source: Path, target: Path, *, media: Media) -> None:
    """Write a poster, WebP or JPEG by its suffix.

    It is the first of some frames that is not dark, else the brightest. Raises as `encode.burn` does.
    """
    from PIL import Image

    with making(target) as part:
        tried: list[NDArray[np.uint8]] = []
        for share in (*_POSTER_SHARES, 0.0):
            frame = _frame(source, share * media.duration, part.with_name("still"), media)
            tried.extend(() if frame is None else (frame,))
            if tried and (share == 0 or tried[-1].mean() > _DARK):
                break
        if not tried:
            raise errors.MediaFailed(name=media.name, detail="No frame for a poster was found.")
        picture = Image.fromarray(max(tried, key=lambda frame: float(frame.mean())))
        picture.save(part, format="WEBP" if target.suffix.lower() == ".webp" else "JPEG", quality=POSTER_QUALITY)


def _frame(source: Path, time: float, still: Path, media: Media) -> NDArray[np.uint8] | None:
    """The frame at `time` seconds, upright, of shape (height, width, 3); None when seeking finds no frame there.

    moviepy runs ffmpeg without a whitelist, fails on chapters and unusual tags, and misreads rotations of current
    ffmpeg. So it opens a video of this one frame only, which is made here.
    """
    from moviepy.video.io.VideoFileClip import VideoFileClip

    small = f"{tone_mapping(media.picture.transfer)}scale='min({POSTER_WIDTH},iw*sar)':'ow/dar',setsar=1"
    one = ("-map", f"0:{media.picture.index}", "-frames:v", "1", "-vf", small, "-c:v", "png", "-pix_fmt", "rgb24")
    make(["-ss", f"{time:.3f}", *input_of(source), *one, "-f", "matroska"], still, media=media)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with VideoFileClip(str(still), audio=False) as clip:
                frame: NDArray[np.uint8] = clip.get_frame(0)
        except (OSError, LookupError, AttributeError, TypeError, ValueError):
            return None
    return frame
