"""TTML (also DFXP, as broadcasters and streaming services give it) and SAMI."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from jobs.pipeline.subtitles.formats.event import Event, Problem, ProblemKind
from jobs.pipeline.subtitles.formats.times import clock

_COUNT = re.compile(r"^(-?\d+(?:\.\d+)?)(h|ms|m|s|f|t)$")
_MILLISECONDS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}
_XML_START = re.compile(r"^\s*(?:<\?xml|<!--|<!DOCTYPE|<(?:\w+:)?tt[\s>])", re.IGNORECASE)
_TT = re.compile(r"<(?:\w+:)?tt[\s>]")
_PARAGRAPH = re.compile(r"<(?:\w+:)?p[\s/>]")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)(?:\w+;)?")
_LINE = "line"  # attribute of a paragraph: its line in the file
_LONGEST = 7000  # milliseconds of a subtitle whose end is not given


class BrokenXml(Exception):
    """The file is no well-formed XML."""


def is_ttml(text: str) -> bool:
    """Whether a text is TTML."""
    return bool(_XML_START.match(text) and _TT.search(text[:5000]))


def is_sami(text: str) -> bool:
    """Whether a text is SAMI."""
    return bool(re.search(r"<sync\s[^>]*start", text, re.IGNORECASE))


def ttml_events(text: str) -> Iterator[Event | Problem]:
    """The events of a TTML file: each paragraph, at the times of itself and of what it stands in. Raises BrokenXml."""
    if "<!ENTITY" in text:
        raise BrokenXml("The file defines entities of its own.")  # which could grow without limit, or read other files
    try:
        # The declaration may name another encoding than that in which the text was read.
        root = fromstring(_mended(re.sub(r"^\s*<\?xml[^>]*\?>", "", text)))  # noqa: S314 - without entities of its own
    except (ParseError, ValueError) as error:
        raise BrokenXml(str(error)) from error
    newlines = [found.start() for found in re.finditer("\n", text)]
    lines = [bisect(newlines, found.start()) + 1 for found in _PARAGRAPH.finditer(text)]
    for paragraph, line in zip((one for one in root.iter() if _local(one.tag) == "p"), lines, strict=False):
        paragraph.set(_LINE, str(line))
    yield from _ttml(root, _Rates(root), _Place(start=0, end=None))


def _mended(text: str) -> str:
    """The text with what XML does not allow and HTML does: an “&” by itself, other names of characters, `<br>`."""
    whole = _AMPERSAND.sub(lambda found: escape(unescape(found[0])), text)
    return re.sub(r"<br\s*>(?!\s*</br)", "<br/>", whole)


class _Rates:
    """The frames and ticks of a second."""

    def __init__(self, root: Element) -> None:
        told = _attributes(root)
        multiplier = [float(part) for part in re.findall(r"\d+", told.get("frameRateMultiplier", ""))]
        self.frames = float(told.get("frameRate", 30)) * (multiplier[0] / multiplier[1] if len(multiplier) == 2 else 1)
        self.ticks = float(told.get("tickRate", 0)) or self.frames

    def time(self, written: str) -> int | None:
        """Milliseconds of a time; None if it cannot be read."""
        written = written.strip()
        if count := _COUNT.match(written):
            units = {**_MILLISECONDS, "f": 1000 / self.frames, "t": 1000 / self.ticks}
            return round(float(count[1]) * units[count[2]])
        if frames := re.fullmatch(r"(\d+:\d+:\d+):(\d+)(?:\.\d+)?", written):
            return (clock(frames[1]) or 0) + round(int(frames[2]) * 1000 / self.frames)
        return clock(written) if re.fullmatch(r"-?\d+(:\d+){1,2}([.,]\d+)?", written) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """The times of an element in milliseconds; None where they cannot be read, or the end is not given."""

    start: int | None
    end: int | None


def _ttml(element: Element, rates: _Rates, around: _Place) -> Iterator[Event | Problem]:
    """The events in an element that stands in another one, which has the times `around`."""
    place = _place(element, rates, around)
    if _local(element.tag) != "p":
        for child in element:
            yield from _ttml(child, rates, place)
        return
    line = int(element.get(_LINE, 1))
    spans = [child for child in element.iter() if child is not element and "begin" in _attributes(child)]
    for part, own in [(span, _place(span, rates, place)) for span in spans] or [(element, place)]:
        if own.start is None or (own.end is None and "begin" not in _attributes(part)):
            yield Problem(kind=ProblemKind.NO_TIMES, line=line)
        else:
            yield Event(start=own.start, end=own.end, text=_text(part), line=line)


def _place(element: Element, rates: _Rates, around: _Place) -> _Place:
    """The times of an element: they count from those of what it stands in."""
    told = _attributes(element)
    begin, end, length = (rates.time(told[name]) if name in told else None for name in ("begin", "end", "dur"))
    if around.start is None or ("begin" in told and begin is None):
        return _Place(start=None, end=None)
    start = around.start + (begin or 0)
    if end is not None:
        return _Place(start=start, end=around.start + end)
    if length is not None:
        return _Place(start=start, end=start + length)
    return _Place(start=start, end=around.end)


def _attributes(element: Element) -> dict[str, str]:
    return {_local(name): value for name, value in element.attrib.items()}


def _text(element: Element) -> str:
    """The text of an element: white space is one space, as in XML, and `br` a line break."""

    def parts(one: Element) -> Iterator[str]:
        yield re.sub(r"\s+", " ", one.text or "")
        for child in one:
            if _local(child.tag) == "br":
                yield "\n"
            elif _local(child.tag) != "metadata":
                yield from parts(child)
            yield re.sub(r"\s+", " ", child.tail or "")

    return "".join(parts(element))


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def sami_events(text: str) -> Iterator[Event | Problem]:
    """The events of a SAMI file: each lasts until the next time. Of several languages the first is taken."""
    parser = _Sami()
    parser.feed(text)
    parser.close()
    classes = [name for name, _, _, _ in parser.found if name]
    wanted = classes[0] if classes else ""
    rows = [row for row in parser.found if not row[0] or row[0] == wanted]
    starts = sorted(start for _, start, _, _ in rows)
    for _, start, shown, line in rows:
        if shown.replace("\u00a0", " ").strip():
            following = bisect(starts, start)
            end = starts[following] if following < len(starts) else start + _LONGEST
            yield Event(start=start, end=end, text=shown, line=line)


class _Sami(HTMLParser):
    """Collects class, start in milliseconds, text and line of each paragraph."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, int, str, int]] = []
        self._start: int | None = None
        self._line, self._class = 1, ""
        self._parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "sync":
            self._finish()
            digits = re.search(r"-?\d+", told.get("start") or "")
            self._start, self._line, self._class = int(digits[0]) if digits else None, self.getpos()[0], ""
        elif tag == "p":
            self._finish()
            self._class = (told.get("class") or "").lower()
        elif tag == "br":
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        self._parts.append(re.sub(r"\s+", " ", data.replace("\u00a0", "\x01")).replace("\x01", "\u00a0"))

    def close(self) -> None:
        super().close()
        self._finish()

    def _finish(self) -> None:
        if self._start is not None and self._parts:
            self.found.append((self._class, self._start, "".join(self._parts), self._line))
        self._parts = []
