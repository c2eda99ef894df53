"""Data about a media file and its streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.pipeline.errors import NoVideoStream

Fields = Literal["marked", "tff", "bff", ""]


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoStream:
    """A video stream. Width and height are in pixels after rotation; `rotation` is in degrees, clockwise.

    `transfer`: of an HDR picture `arib-std-b67` (HLG) or `smpte2084` (PQ), empty for all others.
    `fields`: of an interlaced picture `marked` if its frames say so each for itself, or the order of the fields of all
    frames (`tff`, the top one first, or `bff`); empty for a progressive one.
    `pixel_aspect`: width of a pixel over its height, after rotation; other than 1 in an anamorphic picture.
    `offset` and `end`: seconds from the file's start to the first frame, and to the end of the last; `end` is 0 when it
    is not known. `longest_frame`: seconds for which the frame that stands longest is shown, without the last. `fps`:
    frames per second, a mean if `variable_rate`.
    """

    index: int
    codec: str
    width: int
    height: int
    fps: float
    variable_rate: bool
    rotation: int
    pixel_format: str
    colour_range: Literal["tv", "pc", ""]
    offset: float = 0.0
    end: float = 0.0
    longest_frame: float = 0.0
    pixel_aspect: float = 1.0
    transfer: Literal["arib-std-b67", "smpte2084", ""] = ""
    fields: Fields = ""

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height at which the picture is shown, in square pixels."""
        return max(round(self.width * self.pixel_aspect), 1), self.height


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioStream:
    """An audio track. `offset`: seconds from the file's start to its first sample.

    `language` and `title` are as tagged, or empty. `number` counts the audio tracks of the file from 1, as players do;
    `marks` are ffmpeg's names of its dispositions; `layout` that of its channels, such as `stereo`, or empty.
    """

    index: int
    codec: str
    language: str
    sample_rate: int
    default: bool = False
    offset: float = 0.0
    number: int = 0
    title: str = ""
    marks: tuple[str, ...] = ()
    layout: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubtitleStream:
    """A subtitle track of the file. The other fields are those of `AudioStream`."""

    index: int
    codec: str
    language: str
    default: bool = False
    number: int = 0
    title: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file inside the file, such as a font; its name and MIME type may be empty."""

    index: int
    name: str
    mime_type: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockShift:
    """A correction of a clock that jumps: `seconds` are added to the times of `stream` from its `packet`th (0 …) on."""

    stream: int
    packet: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A media file. `duration` is in seconds, `size` in bytes, `name` as shown to people.

    `chosen` is the index of the audio track to transcribe, once it was chosen (see `media.tracks`).
    `clock`: the corrections that a reader of the file has to make, empty if its clock runs evenly.
    `left_out`: the numbers (1 …) of the audio tracks that cannot be decoded.
    """

    name: str
    container: str
    duration: float
    size: int
    video: VideoStream | None
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    chosen: int | None = None
    clock: tuple[ClockShift, ...] = ()
    left_out: tuple[int, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def picture(self) -> VideoStream:
        """The video stream. Raises NoVideoStream."""
        if not self.video:
            raise NoVideoStream(name=self.name)
        return self.video

    @property
    def speech(self) -> AudioStream | None:
        """The audio track to transcribe: the chosen one, else the first that is marked default, else the first."""
        ranked = sorted(self.audio, key=lambda track: (track.index != self.chosen, not track.default))
        return ranked[0] if ranked else None
