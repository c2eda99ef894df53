"""The parser of ffmpeg's description of a media file. No process is started here.

Without ffprobe, this description is the only source. `describe` reads the parts of it that moviepy's parser leaves out;
`media.probe` combines both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.pipeline.media.streams import Attachment, AudioStream, Fields, SubtitleStream, VideoStream

_STREAM = re.compile(r"^(?:  |    )Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\(([^)]*)\))?: (\w+): (.*)$")
_ROTATION = re.compile(r"(?i)display ?matrix: rotation of (-?[\d.]+) degrees")
_COMBED_FRAMES, _COMBED_SHARE = 10, 0.7
"""Frames that have to be found interlaced, and their share of all that could be judged."""
_WIDEST_PIXEL = 4.0
"""Largest ratio of the sides of a pixel that is believed; 2 is the largest in use."""
_PIXELS = re.compile(r", (\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?(?:, |$)")
_TITLES = re.compile(r"(?m)^      (title|name|handler_name) *: (.*)$")
_LAYOUT = re.compile(r"\d+ Hz, ([^,]+)")
_HANDLERS = {
    *("soundhandler", "sound media handler", "core media audio", "apple sound media handler", "stereo", "mono"),
    *("subtitlehandler", "subtitle media handler", "core media subtitle", "core media text"),
}
_DISPOSITIONS = (
    *("default", "dub", "original", "comment", "lyrics", "karaoke", "forced", "hearing impaired", "visual impaired"),
    *("clean effects", "descriptions", "dependent", "non-diegetic"),
)
"""Marks of tracks, as ffmpeg prints them in brackets behind a track."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """One stream in ffmpeg's description. `words` is the text after its kind, `number` counts its kind from 1.

    `file_name` and `mime_type` are those of an attachment.
    """

    index: int
    kind: str
    codec: str
    language: str
    words: str
    rotation: int = 0
    number: int = 0
    title: str = ""
    file_name: str = ""
    mime_type: str = ""

    @property
    def default(self) -> bool:
        """Marked as the default track of its kind."""
        return "(default)" in self.words

    @property
    def marks(self) -> tuple[str, ...]:
        """The dispositions that are set."""
        return tuple(mark for mark in _DISPOSITIONS if f"({mark})" in self.words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """ffmpeg's description of an input. `container` is empty if it cannot be opened, `duration` None if estimated."""

    text: str
    container: str
    duration: float | None
    streams: tuple[Described, ...]

    @property
    def pictures(self) -> list[Described]:
        """Video streams without cover pictures."""
        return [each for each in self._known("Video") if "(attached pic)" not in each.words]

    @property
    def sounds(self) -> list[Described]:
        """Audio tracks with a known codec."""
        return self._known("Audio")

    @property
    def sound_numbers(self) -> set[int]:
        """Numbers of all audio tracks, also of those with an unknown codec."""
        return {each.number for each in self.streams if each.kind == "Audio"}

    @property
    def subtitles(self) -> tuple[SubtitleStream, ...]:
        """Subtitle tracks with a known codec."""
        return tuple(
            SubtitleStream(
                index=each.index,
                codec=each.codec,
                language=each.language,
                default=each.default,
                number=each.number,
                title=each.title,
                marks=each.marks,
            )
            for each in self._known("Subtitle")
        )

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files inside the file, and its covers, which have no type here: ffmpeg takes them for pictures."""
        files = [each for each in self.streams if each.kind == "Attachment"]
        covers = [each for each in self._known("Video") if "(attached pic)" in each.words]
        return (
            *(Attachment(index=each.index, name=each.file_name, mime_type=each.mime_type) for each in files),
            *(
                Attachment(index=each.index, name=each.file_name or f"cover ({each.codec})", mime_type="")
                for each in covers
            ),
        )

    def _known(self, kind: str) -> list[Described]:
        return [each for each in self.streams if each.kind == kind and each.codec not in {"none", "unknown"}]


def describe(text: str) -> Description:
    """Parse the output of `ffmpeg -i`.

    ffmpeg prints the tags of a file unescaped, line breaks in their names included, so a tag can imitate any line. Tags
    of the file come before its length: parsing begins at the last length, and the first line about a stream counts.
    """
    head = re.search(r"^Input #0, (.+), from ", text, re.MULTILINE)
    body = text[max(text.rfind("\n  Duration: "), 0) :]
    length = re.search(r"^  Duration: (\d+):(\d+):(\d+\.\d+)", body, re.MULTILINE)
    duration = None
    if length and "Estimating duration from bitrate" not in text:
        hours, minutes, seconds = length.groups()
        duration = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return Description(
        text=text, container=head.group(1) if head else "", duration=duration, streams=tuple(_streams(body))
    )


def _streams(text: str) -> Iterator[Described]:
    seen, numbers = set(), Counter[str]()
    for block in re.split(r"(?m)^(?=(?:  |    )Stream #0:)", text)[1:]:
        found = _STREAM.match(block.split("\n", 1)[0])
        if found and found.group(1) not in seen:
            index, language, kind, words = found.groups()
            seen.add(index)
            numbers[kind] += 1
            turned = _ROTATION.search(block)
            yield Described(
                index=int(index),
                kind=kind,
                codec=words.split(" ", 1)[0].strip(","),
                language="" if language in {None, "und"} else language,
                words=words,
                rotation=-round(float(turned.group(1))) % 360 if turned else 0,
                number=numbers[kind],
                title=_title(block),
                file_name=_tag(block, "filename"),
                mime_type=_tag(block, "mimetype"),
            )


def _title(block: str) -> str:
    """A stream's title, at most 100 characters; empty if it has none or only names the program that wrote it."""
    found = {name: text.strip() for name, text in reversed(_TITLES.findall(block))}
    titles = (found.get(name, "") for name in ("title", "name", "handler_name"))
    return next((text for text in titles if text and text.casefold() not in _HANDLERS), "")[:100]


def _tag(block: str, name: str) -> str:
    """A tag of a stream in its part of the description; empty if it has none."""
    found = re.search(rf"(?m)^      {name} *: (.*)$", block)
    return found[1].strip() if found else ""


def upright_size(found: Described) -> tuple[int, int]:
    """Width and height of a frame after rotation; (0, 0) when unknown."""
    size = re.search(r" (\d+)x(\d+)[, ]", found.words + " ")
    width, height = (int(size.group(1)), int(size.group(2))) if size else (0, 0)
    return (height, width) if found.rotation in {90, 270} else (width, height)


_MARKING = {"mpeg2video", "h264", "vc1", "wmv3", "mpeg4", "dvvideo", "prores", "hevc"}
"""Codecs in which a frame says whether it is interlaced."""

_FIELD_ORDERS: dict[str, Fields] = {
    "top first": "tff",
    "bottom first": "bff",
    "top coded first (swapped)": "bff",
    "bottom coded first (swapped)": "tff",
}


def stated_fields(found: Described) -> Fields:
    """The order of the fields as the file states it; empty if it states none, or that the picture is progressive."""
    order: Fields = next((order for words, order in _FIELD_ORDERS.items() if words in found.words), "")
    if found.codec in _MARKING and (order or "progressive" not in found.words):
        return "marked"
    return order


def combed(said: str) -> Fields:
    """The order of the fields that ffmpeg's filter `idet` found, empty if most of the frames are progressive."""
    counts = re.findall(r"Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)", said)
    top, bottom, whole = map(int, counts[-1]) if counts else (0, 0, 0)
    if max(top, bottom) < _COMBED_FRAMES or max(top, bottom) < _COMBED_SHARE * (top + bottom + whole):
        return ""
    return "tff" if top > bottom else "bff"


def _pixel_aspect(found: Described) -> float:
    """Width of a pixel over its height, after rotation; 1 when it is not stated, or absurd."""
    stated = re.search(r"\bSAR (\d+):(\d+)", found.words)
    wide, high = (int(stated.group(1)), int(stated.group(2))) if stated else (1, 1)
    if not (wide and high and 1 / _WIDEST_PIXEL <= wide / high <= _WIDEST_PIXEL):
        return 1.0
    return high / wide if found.rotation in {90, 270} else wide / high


def video_stream(
    found: Described,
    *,
    fps: float,
    variable_rate: bool,
    offset: float,
    end: float,
    longest_frame: float,
    fields: Fields,
) -> VideoStream:
    """Build a VideoStream from its description and from the times of its frames."""
    width, height = upright_size(found)
    pixels = _PIXELS.search(found.words)
    colour = (pixels.group(2) or "") if pixels else ""
    return VideoStream(
        index=found.index,
        codec=found.codec,
        width=width,
        height=height,
        fps=fps,
        variable_rate=variable_rate,
        rotation=found.rotation,
        pixel_format=pixels.group(1) if pixels else "",
        colour_range="pc" if colour.startswith("pc") else "tv" if colour.startswith("tv") else "",
        offset=offset,
        end=end,
        longest_frame=longest_frame,
        fields=fields,
        pixel_aspect=_pixel_aspect(found),
        transfer="arib-std-b67" if "arib-std-b67" in colour else "smpte2084" if "smpte2084" in colour else "",
    )


def audio_stream(found: Described, *, offset: float) -> AudioStream:
    """Build an AudioStream; an unknown sample rate is 0."""
    rate, layout = re.search(r", (\d+) Hz", found.words), _LAYOUT.search(found.words)
    return AudioStream(
        index=found.index,
        codec=found.codec,
        language=found.language,
        sample_rate=int(rate.group(1)) if rate else 0,
        default=found.default,
        offset=offset,
        number=found.number,
        title=found.title,
        marks=found.marks,
        layout=layout.group(1).strip() if layout else "",
    )
