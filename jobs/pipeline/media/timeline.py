"""The times of a file's packets: its true length, how long each picture stands, and where its clock jumps.

A stated length and the clock of a recording may both be wrong: DVD cells that were joined begin at zero again, the
clock of a broadcast wraps or restarts. So every packet is read once, without decoding. A clock that jumps divides the
file into *sections*; each is moved to where the one before it ends, with all of its streams, so that they stay in step.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from jobs.pipeline.media.ffmpeg import OWN_CLOCK
from jobs.pipeline.media.streams import ClockShift

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAP = 10.0
"""Seconds that a clock goes forward in one step when it jumps; a shorter gap is missing material, as ffmpeg judges."""

BACK = 0.5
"""Seconds that a clock goes back in one step when it jumps; less is careless writing."""

_OVERLAP = 5.0
"""Seconds of old times in other streams after a jump: more, and the jump was of one stream alone."""

_LEAPING = {"mpeg", "mpegts", "flv", "ogg"}
"""Formats whose clock may leap forward without material missing. Back it may go in any format, if files were joined."""

_LABEL = 1 << 40
"""Streams are told apart in ffmpeg's listing by a multiple of this number of ticks, added to each duration."""

_LINE = re.compile(
    r"^\[showinfo @ \w+\] n: *(\d+) .* pts:(?:NOPTS|-?\d+) pt:(\S+) dts:(?:NOPTS|-?\d+) dt:(\S+) ds:(-?\d+) d:(\S+)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamTimes:
    """The packets of a stream: their number, and the `end` of the last one, in seconds from the file's start.

    `longest` is the longest time in seconds for which one packet is shown, without the last.
    """

    packets: int
    end: float
    longest: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The times of a file. `shifts` is empty for a clock that runs evenly. `streams` are known by their index."""

    streams: Mapping[int, StreamTimes]
    shifts: tuple[ClockShift, ...] = ()

    @property
    def length(self) -> float:
        """Seconds from the start of the first to the end of the last packet; 0 without any."""
        return round(max((each.end for each in self.streams.values()), default=0.0), 3)


@dataclass(kw_only=True, slots=True)
class _Section:
    """A part of the file in which its clock runs evenly, from `low` to `high`; `last` is the latest time so far.

    `before` is the section that its first stream came from, by a jump of `step` seconds. `old`: for each other stream
    that was still in an earlier section then, its time; `reached`: the latest time to which any of them came there.
    """

    low: float
    high: float
    last: float
    before: int = -1
    step: float = 0.0
    offset: float = 0.0
    old: dict[int, float] = field(default_factory=dict)
    reached: float = -inf
    private: bool = False

    @property
    def is_gap(self) -> bool:
        """Only material is missing: the stream went forward to where the others came without a jump."""
        return self.step > 0 and self.reached > self.low - LEAP

    @property
    def is_slip(self) -> bool:
        """A few seconds in one stream, too little to be a jump of the clock."""
        return abs(self.step) <= LEAP


@dataclass(kw_only=True, slots=True)
class _Stream:
    """The packets of a stream so far; `sections` are pairs of (first packet, number of the section)."""

    index: int
    packets: int = 0
    expected: float = 0.0
    sections: list[tuple[int, int]] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    ends: array[float] = field(default_factory=lambda: array("d"))


def listing_arguments(streams: Sequence[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Arguments before and after the input that make ffmpeg list every packet of `streams` as PacketReader reads it.

    Times count from the file's start, and are those of the file's own clock, without ffmpeg's guesses at jumps.
    """
    label = "setts=pts=PTS:dts=DTS:duration=DURATION+{}*" + str(_LABEL) + ",showinfo"
    filters = [part for index in streams for part in (f"-bsf:{index}", label.format(index + 1))]
    maps = [part for index in streams for part in ("-map", f"0:{index}")]
    return (*OWN_CLOCK, *filters), (*maps, "-c", "copy", "-copyinkf", "-f", "null", "-")


class PacketReader:
    """Takes the lines of ffmpeg's listing of `streams`, in any number of calls, and makes a Timeline of them."""

    def __init__(self, container: str, streams: Sequence[int]) -> None:
        self._leaps = container in _LEAPING
        self._streams = {index: _Stream(index=index) for index in streams}
        self._sections: list[_Section] = []
        self._uneven = False

    def take(self, lines: Iterable[str]) -> None:
        """Read lines; those that are not about a packet are passed over."""
        for line in lines:
            if not (found := _LINE.match(line)):
                continue
            number, shown, decoded, ticks, seconds = found.groups()
            index, duration = _unlabelled(int(ticks), float(seconds))
            stream = self._streams.get(index)
            if not stream:  # an absurd duration spoils the label
                continue
            stream.packets += 1
            times = [float(each) for each in (decoded, shown) if each != "NOPTS"]
            if times:
                self._packet(stream, int(number), times[0], times[-1], duration, in_order=decoded != "NOPTS")

    def timeline(self) -> Timeline:
        """The times of all packets that were read."""
        known = [each for each in self._streams.values() if each.times]
        if not self._uneven:
            return Timeline(streams={each.index: _summary(each, 0.0) for each in known})
        self._place_sections()
        return Timeline(
            streams={each.index: _summary(each, self._offsets(each)) for each in known},
            shifts=tuple(
                ClockShift(stream=each.index, packet=packet, seconds=round(self._sections[at].offset, 6))
                for each in known
                for packet, at in each.sections
            ),
        )

    def _packet(
        self, stream: _Stream, number: int, decoded: float, shown: float, duration: float, *, in_order: bool
    ) -> None:
        """Add a packet, decoded and shown at these times; without `in_order`, it proves no jump."""
        known = stream.sections and not in_order
        at = stream.sections[-1][1] if known else self._section_of(stream, decoded, shown)
        if not stream.sections or stream.sections[-1][1] != at:
            stream.sections.append((number, at))
        section, newest = self._sections[at], self._sections[-1]
        section.low, section.high = min(section.low, shown), max(section.high, shown + duration)
        section.last = max(section.last, decoded)
        if newest is not section:
            began = newest.old.setdefault(stream.index, decoded)
            newest.private = newest.private or decoded - began > _OVERLAP
            newest.reached = max(newest.reached, decoded)
        stream.expected = decoded + duration
        stream.numbers.append(number)
        stream.times.append(shown)
        stream.ends.append(shown + duration)

    def _section_of(self, stream: _Stream, decoded: float, shown: float) -> int:
        """The number of the section in which a packet lies; a new one where the clock has jumped."""
        now, step = (stream.sections[-1][1] if stream.sections else -1), decoded - stream.expected
        if now >= 0:
            if -BACK <= step <= LEAP or (step > 0 and not self._leaps):
                return now
            self._uneven = True
            if step > 0 and abs(decoded - self._sections[now].last) <= LEAP:
                return now  # the other streams went on meanwhile: material of this one is missing
        for later in range(len(self._sections) - 1, now, -1):
            if abs(decoded - self._sections[later].last) <= LEAP:
                return later
        self._sections.append(_Section(low=shown, high=shown, last=decoded, before=now, step=step))
        return len(self._sections) - 1

    def _place_sections(self) -> None:
        """Put each section behind those before it; the first stays where it is.

        Where one stream jumped while the others went on, it alone goes on as if it had not. Gaps and slips are left as
        they are.
        """
        end = 0.0
        for section in self._sections:
            if section.private and section.before >= 0:
                undone = 0.0 if section.is_gap or section.is_slip else section.step
                section.offset = self._sections[section.before].offset - undone
            elif section is not self._sections[0]:
                section.offset = end - section.low
            end = max(end, section.high + section.offset)

    def _offsets(self, stream: _Stream) -> NDArray[np.float64]:
        """The seconds that are added to each packet's time, of shape (packets with a time,)."""
        import numpy as np  # only here, so that the start of a child is cheap

        firsts, sections = zip(*stream.sections, strict=True)
        offsets = np.array([self._sections[at].offset for at in sections])
        found: NDArray[np.float64] = offsets[np.searchsorted(firsts, np.asarray(stream.numbers), side="right") - 1]
        return found


def _unlabelled(ticks: int, seconds: float) -> tuple[int, float]:
    """The stream that a duration in the listing belongs to, and the duration itself in seconds."""
    label = (ticks + _LABEL // 2) // _LABEL
    if label < 1:
        return -1, 0.0
    return label - 1, (ticks - label * _LABEL) * (seconds / ticks)


def _summary(stream: _Stream, offsets: NDArray[np.float64] | float) -> StreamTimes:
    import numpy as np

    times = np.sort(np.asarray(stream.times) + offsets)
    return StreamTimes(
        packets=stream.packets,
        end=round(float((np.asarray(stream.ends) + offsets).max()), 6),
        longest=round(float(np.diff(times).max(initial=0.0)), 6),
    )
