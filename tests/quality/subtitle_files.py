"""Subtitle files of many kinds, each with its right cues: those that were handed, and variants of their kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tests.pipeline.test_brought_formats import FIELD, RIGHT

Cues = tuple[tuple[float, float, str], ...]

TALK: Cues = ((1.0, 3.0, "Hello there."), (3.5, 6.0, "How are you today?"), (7.0, 9.25, "Fine, thanks."))
PERSIAN: Cues = ((1.0, 3.0, "سلام، حال شما چطور است؟"), (3.5, 6.0, "خوبم، می‌روم خانه."), (7.0, 9.25, "خدا نگهدار!"))


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file and the cues that are right. `named`: lines of those that cannot be read, which have to be named."""

    name: str
    content: bytes
    cues: Cues
    named: tuple[int, ...] = ()


def files() -> list[File]:
    """All files."""
    return [*_handed(), *_srt(), *_careless_srt(), *_damaged_srt(), *_encodings(), *_vtt(), *_ass(), *_others()]


# Texts of formats


def srt(cues: Cues, time: str = "{h:02}:{m:02}:{s:02},{ms:03}", arrow: str = " --> ", counters: bool = True) -> str:
    """An SRT file with its times written in another way."""
    blocks = []
    for number, (start, end, text) in enumerate(cues, start=1):
        counter = f"{number}\n" if counters else ""
        blocks.append(f"{counter}{_clock(start, time)}{arrow}{_clock(end, time)}\n{text}\n")
    return "\n".join(blocks)


def _clock(seconds: float, written: str) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return written.format(h=whole // 3600, m=whole // 60 % 60, s=whole % 60, ms=ms, cs=ms // 10)


def _file(name: str, text: str, cues: Cues = TALK, *named: int) -> File:
    return File(name=name, content=text.encode(), cues=cues, named=named)


# Files


def _handed() -> Iterator[File]:
    """The files of the test suite, with the cues that it demands."""
    for name, cues in RIGHT.items():
        yield File(name=name, content=(FIELD / name).read_bytes(), cues=tuple(cues))


def _srt() -> Iterator[File]:
    yield _file("plain.srt", srt(TALK))
    yield _file("windows-lines.srt", srt(TALK).replace("\n", "\r\n"))
    yield _file("old-mac-lines.srt", srt(TALK).replace("\n", "\r"))
    yield _file("dots.srt", srt(TALK, "{h:02}:{m:02}:{s:02}.{ms:03}"))
    yield _file("single-digits.srt", srt(TALK, "{h}:{m}:{s},{ms:03}"))
    yield _file("minutes-only.srt", srt(TALK, "{m:02}:{s:02},{ms:03}"))
    yield _file("colon-before-milliseconds.srt", srt(TALK, "{h:02}:{m:02}:{s:02}:{ms:03}"))
    yield _file("short-arrow.srt", srt(TALK, arrow=" -> "))
    yield _file("long-arrow.srt", srt(TALK, arrow=" ---> "))
    yield _file("dash-arrow.srt", srt(TALK, arrow=" —> "))
    yield _file("broken-arrow.srt", srt(TALK, arrow=" -- > "))
    yield _file("no-spaces.srt", srt(TALK, arrow="-->"))
    yield _file("translated-frame.srt", srt(TALK, "{h:02}: {m:02}: {s:02}, {ms:03}"))
    yield _file("persian-digits.srt", srt(TALK).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")))
    yield _file("places.srt", srt(TALK).replace(",000\n", ",000 X1:100 X2:600 Y1:400 Y2:480\n"))
    yield _file("no-counters.srt", srt(TALK, counters=False))
    yield _file("no-blank-lines.srt", srt(TALK).replace("\n\n", "\n"))
    yield _file("spaced.srt", srt(TALK).replace("\n", "\n\n"))
    yield _file("trailing-spaces.srt", srt(TALK).replace("\n", " \t\n"))
    yield _file("joined.srt", srt(TALK[:2]) + "\n" + srt(TALK[2:]))
    yield _file("tags.srt", srt(TALK).replace("Hello there.", "<font color='#fff'>{\\an8}<i>Hello there.</i></font>"))
    numbers = ((1.0, 2.0, "1999"), (3.0, 4.0, "7"), (5.0, 6.0, "2\n1"))
    yield _file("numbers.srt", srt(numbers, counters=False), numbers)
    yield _file("few-entities.srt", srt(((1, 2, "Tom &amp; Jerry&#39;s"),)), ((1, 2, "Tom & Jerry's"),))
    yield _file("comparison.srt", srt(((1, 2, "if a < b and c > d then"),)), ((1, 2, "if a < b and c > d then"),))


def _careless_srt() -> Iterator[File]:
    text = srt(TALK)
    yield _file("arabic-comma.srt", text.replace(",000", "،000").replace(",500", "،500").replace(",250", "،250"))
    tenths = (*TALK[:2], (7.0, 9.2, TALK[2][2]))
    yield _file("tenths.srt", text.replace(",000", ",0").replace(",500", ",5").replace(",250", ",2"), tenths)
    yield _file("real-arrow.srt", srt(TALK, arrow=" → "))
    yield _file("double-arrow.srt", srt(TALK, arrow=" ==> "))
    yield _file("escaped-arrow.srt", srt(TALK, arrow=" --&gt; "))
    yield _file("marks.srt", "".join(f"\u200f{line}\n" if line else "\n" for line in text.split("\n")))
    yield _file("embedded.srt", "".join(f"\u202b{line}\u202c\n" if line else "\n" for line in text.split("\n")))
    yield _file("one-line.srt", text.replace(",000\n", ",000 ").replace(",250\n", ",250 "))
    yield _file("counters-with-dots.srt", text.replace("1\n00", "1.\n00").replace("2\n00", "#2\n00"))
    yield _file("hundred-hours.srt", srt(((360_001.0, 360_003.0, "Late."),)), ((360_001.0, 360_003.0, "Late."),))
    whole = ((1.0, 3.0, "Hello there."), (4.0, 6.0, "How are you today?"))
    yield _file("minutes-and-seconds.srt", srt(whole, "{m:02}:{s:02}"), whole)
    yield _file("full-width.srt", text.replace(":", "：").replace(",0", "，0"))
    yield _file("no-break-spaces.srt", text.replace(" --> ", "\u00a0-->\u00a0"))
    yield _file(
        "blank-inside.srt", srt(((1.0, 3.0, "Hello\n\nthere."), *TALK[1:])), ((1.0, 3.0, "Hello\nthere."), *TALK[1:])
    )
    yield _file("equal-counters.srt", text.replace("2\n00", "1\n00").replace("3\n00", "1\n00"))
    yield _file(
        "overlapping.srt", srt(((1.0, 5.0, "One."), (2.0, 4.0, "Two."))), ((1.0, 5.0, "One."), (2.0, 4.0, "Two."))
    )
    yield _file("unordered.srt", srt(tuple(reversed(TALK))))
    yield _file("twice.srt", text + "\n" + text)
    yield _file("html.srt", "<html><body><pre>\n" + text + "</pre></body></html>\n")


def _damaged_srt() -> Iterator[File]:
    text = srt(TALK)
    yield _file("negative.srt", text.replace("00:00:01,000 -->", "-00:00:01,000 -->"), ((0, 3, TALK[0][2]), *TALK[1:]))
    yield _file("broken-time.srt", text.replace("00:00:03,500", "00:00:xx,500"), (TALK[0], *TALK[1:]), 6)
    yield _file("half-arrow.srt", text.replace("00:00:03,500 --> 00:00:06,000", "00:00:03,500 -->"), TALK, 6)
    yield _file("end-before-start.srt", text.replace("--> 00:00:06,000", "--> 00:00:02,000"), TALK, 6)
    yield _file("no-text.srt", text.replace("How are you today?\n", ""), (TALK[0], TALK[2]), 6)
    yield _file("cut-in-time.srt", text + "\n4\n00:00:10,0", TALK)
    yield _file("front-matter.srt", "Subtitles by somebody\n\n" + text)
    yield File(name="nul.srt", content=text.replace("\n\n", "\n\0\n").encode(), cues=TALK)
    yield File(
        name="bad-byte.srt",
        content=text.encode().replace(b"Fine", b"\xe9Fine"),
        cues=(*TALK[:2], (7, 9.25, "éFine, thanks.")),
    )
    yield File(
        name="cut-letter.srt", content=srt(PERSIAN).encode()[:-3], cues=(*PERSIAN[:2], (7, 9.25, "خدا نگهدا\ufffd"))
    )


def _encodings() -> Iterator[File]:
    text = srt(PERSIAN)
    for encoding in ("utf-8-sig", "utf-16", "utf-16-be"):
        yield File(name=f"{encoding}.srt", content=text.encode(encoding), cues=PERSIAN)
    arabic = _with(PERSIAN, "ی", "ي")  # the code page has no Persian letter for it
    yield File(name="cp1256.srt", content=srt(arabic).encode("cp1256"), cues=arabic)
    marks = text.replace("\u200c", "\u200f")
    yield File(name="half-spaces.srt", content=marks.encode(), cues=PERSIAN)
    misread = text.encode().decode("cp1252", "ignore")
    if misread.encode("cp1252") == text.encode():
        yield File(name="misread.srt", content=misread.encode(), cues=PERSIAN)


def _with(cues: Cues, old: str, new: str) -> Cues:
    return tuple((start, end, text.replace(old, new)) for start, end, text in cues)


def _vtt() -> Iterator[File]:
    body = srt(TALK, "{h:02}:{m:02}:{s:02}.{ms:03}")
    yield _file("plain.vtt", "WEBVTT\n\n" + body)
    yield _file("minutes.vtt", "WEBVTT\n\n" + srt(TALK, "{m:02}:{s:02}.{ms:03}", counters=False))
    yield _file("settings.vtt", "WEBVTT - a film\n\n" + body.replace("9.250\n", "9.250 align:start position:10%\n"))
    styled = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\nNOTE\nnot shown\n\n"
    yield _file("styled.vtt", styled + body)
    yield _file(
        "voices.vtt", "WEBVTT\n\n" + body.replace("Hello", "<v Ann><c.loud>Hello</c>").replace("there.", "there.</v>")
    )
    yield _file("word-times.vtt", "WEBVTT\n\n" + body.replace("Hello there.", "Hello<00:00:02.000><c> there.</c>"))
    yield _file("names.vtt", "WEBVTT\n\n" + body.replace("1\n00", "intro\n00", 1))
    yield _file("comma-times.vtt", "WEBVTT\n\n" + srt(TALK))
    first, second = srt(TALK[:2], "{m:02}:{s:02}.{ms:03}"), srt(TALK[2:], "{m:02}:{s:02}.{ms:03}")
    yield _file("joined.vtt", f"WEBVTT\n\n{first}\nWEBVTT\n\n{second}")
    yield _file("no-header.vtt", body)


def _ass() -> Iterator[File]:
    def event(start: float, end: float, text: str) -> str:
        time = "{h}:{m:02}:{s:02}.{cs:02}"
        return f"Dialogue: 0,{_clock(start, time)},{_clock(end, time)},Default,,0,0,0,,{text}\n"

    head = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    columns = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    lines = "".join(event(*cue) for cue in TALK)
    yield _file("plain.ass", head + columns + lines)
    yield _file("no-format-line.ass", head + lines)
    yield _file("comments.ass", head + columns + lines.replace("Dialogue", "Comment", 1) + event(*TALK[0]))
    yield _file("overrides.ass", head + columns + lines.replace("Hello", "{\\i1\\pos(10,20)}Hello{\\i0}"))
    yield _file("drawing.ass", head + columns + event(0.5, 0.9, "{\\p1}m 0 0 l 10 10{\\p0}") + lines)
    yield _file("ssa.ssa", head.replace("v4.00+", "v4.00") + columns.replace("Layer", "Marked") + lines)
    yield _file("unordered.ass", head + columns + "".join(event(*cue) for cue in reversed(TALK)))


def _others() -> Iterator[File]:
    paragraphs = "".join(f'<p begin="{start}s" end="{end}s">{text}</p>' for start, end, text in TALK)
    ttml = '<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml"><body><div>{}</div></body></tt>'
    yield _file("offsets.ttml", ttml.format(paragraphs))
    clocks = "".join(
        f'<p begin="{_clock(start, "{h:02}:{m:02}:{s:02}.{ms:03}")}" dur="{end - start}s"><span>{text}</span></p>'
        for start, end, text in TALK
    )
    yield _file("clocks.dfxp", ttml.format(clocks))
    syncs = "".join(
        f"<SYNC Start={round(start * 1000)}><P Class=EN>{text}<SYNC Start={round(end * 1000)}><P Class=EN>&nbsp;"
        for start, end, text in TALK
    )
    yield _file("plain.smi", f"<SAMI><BODY>{syncs}</BODY></SAMI>")
    frames = "".join(f"{{{round(start * 24)}}}{{{round(end * 24)}}}{text}\n" for start, end, text in TALK)
    yield _file("rate.sub", "{1}{1}24\n" + frames)
    yield _file(
        "tenths.mpl",
        "[10][30]Hello there.\n[35][60]How are you today?\n[70][92]Fine, thanks.\n",
        (*TALK[:2], (7, 9.2, "Fine, thanks.")),
    )
    time = "{h}:{m:02}:{s:02}.{ms:03}"
    hundredths = "{h:02}:{m:02}:{s:02}.{cs:02}"
    lines = "".join(f"{_clock(a, hundredths)},{_clock(b, hundredths)}\n{text}\n\n" for a, b, text in TALK)
    yield _file("subviewer.sub", "[INFORMATION]\n[TITLE]a film\n[END INFORMATION]\n[SUBTITLE]\n" + lines)
    parameters = '<tt xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="24" ttp:tickRate="1000" '
    counted = "".join(f'<p begin="{_frames(a)}" end="{_frames(b)}">{text}</p>' for a, b, text in TALK)
    yield _file("frames.ttml", ttml.format(counted).replace("<tt ", parameters))
    ticks = "".join(f'<p begin="{round(a * 1000)}t" end="{round(b * 1000)}t">{text}</p>' for a, b, text in TALK)
    yield _file("ticks.ttml", ttml.format(ticks).replace("<tt ", parameters))
    yield _file("plain.sbv", "".join(f"{_clock(a, time)},{_clock(b, time)}\n{text}\n\n" for a, b, text in TALK))
    lyrics = "".join(
        f"[{_clock(a, '{m:02}:{s:02}.{cs:02}')}]{text}\n[{_clock(b, '{m:02}:{s:02}.{cs:02}')}]\n" for a, b, text in TALK
    )
    yield _file("plain.lrc", lyrics)
    segments = [{"id": at, "start": a, "end": b, "text": f" {text}"} for at, (a, b, text) in enumerate(TALK)]
    yield _file("whisper.json", json.dumps({"text": "", "segments": segments, "language": "en"}))
    words = [{**one, "words": [{"word": "x", "start": one["start"], "end": one["end"]}]} for one in segments]
    yield _file("whisperx.json", json.dumps({"segments": words, "word_segments": []}))


def _frames(seconds: float) -> str:
    """A time of TTML with frames, of which a second has 24."""
    return f"00:00:{int(seconds):02}:{round(seconds % 1 * 24):02}"
