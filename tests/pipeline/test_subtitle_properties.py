"""Properties of the writer: any text, written and read again, is the same with the same times, in every format."""

from __future__ import annotations

import html
import re
import tempfile
from pathlib import Path

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language
from tests.examples import few

PIECES = [
    *("{\\b1}", "{", "}", "\\N", "\\n", "\\h", "\\", "<b>", "</i>", "< x >", "<", "&lt;", "&", "-->", "00:00:01,000"),
    *("\n", "\n\n", "\r\n", "\t", "\u2028", " ", "1", "۲", "WEBVTT", "NOTE", "- ", "[Events]", ";", ",", "(", ")"),
    *("سلام", "می‌شود", "؟", "،", "«", "»", "שלום", "(TESOL)", "Hello", "C++", "$99.99", "50%", "۱۰-۲۰", "😀", "👨‍👩‍👧"),
    *("\u200f", "\u200e", "\u202b", "\u2067", "\u2060", "\ufeff", "\x00", "\x1b", "\x85", "日本語", "é", "ขอบคุณ"),
]
TEXTS = st.one_of(st.text(max_size=120), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
TIMES = st.tuples(st.floats(0, 30_000), st.floats(0.04, 60))
CUES = st.lists(st.tuples(TEXTS, TEXTS, TIMES), max_size=4).map(
    lambda found: [
        Cue(id=number, start=start, end=start + length, source=source, target=target)
        for number, (source, target, (start, length)) in enumerate(found, start=1)
    ]
)

UNSEEN = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
STEP = {"srt": 1, "vtt": 1, "ass": 10}
"""Milliseconds: what a format can tell apart."""


def seen(text: str) -> str:
    """The visible text without white space, which line breaking changes."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]", "", UNSEEN.sub("", text))


def read(content: str, kind: str) -> list[tuple[int, int, str]]:
    # With a number at the end, pysubs2 does not take a last line of digits for the number of the next cue.
    subs = pysubs2.SSAFile.from_string(content if kind == "ass" else f"{content}0\n", format_=kind)
    return [(event.start, event.end, unescaped(event.text, kind)) for event in subs]


def unescaped(text: str, kind: str) -> str:
    text = re.sub(r"(?<!\\)\{\\(rSecond|fn[^{}]*)\}", "", text).replace("\\N", "\n")
    if kind == "ass":
        text = text.replace("\\{", "{").replace("\\}", "}")
    return html.unescape(text) if kind == "vtt" else text


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
@pytest.mark.parametrize("target", ["fa", "es"])
@few(30)
@given(cues=CUES)
def test_round_trip(kind: str, target: str, cues: list[Cue]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"cues.{kind}"
        write(cues, path, form="bilingual", source=language("he"), target=language(target), size=(360, 640))
        found = read(path.read_text("utf-8"), kind)
    wanted = [(cue.start, cue.end, seen(cue.target) + seen(cue.source)) for cue in cues]
    wanted = [cue for cue in wanted if cue[2]]
    if kind == "vtt":  # pysubs2 sorts it, as the standard wants
        wanted.sort(key=lambda cue: round(cue[0] * 1000))
    assert [seen(text) for _, _, text in found] == [text for _, _, text in wanted]
    for (start, end, _), (exact_start, exact_end, _) in zip(found, wanted, strict=True):
        assert abs(start - exact_start * 1000) <= STEP[kind] / 2 + 0.5
        assert abs(end - exact_end * 1000) <= STEP[kind] / 2 + 0.5


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass"])
@few(15)
@given(
    words=st.lists(st.sampled_from(["سلام", "می‌شود", "شلوغ", "TESOL", "و", "کتاب‌ها", "است."]), min_size=1, max_size=25)
)
def test_words_stay_parted(kind: str, words: list[str]) -> None:
    cue = Cue(id=1, start=0, end=5, source="", target=" ".join(words))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"cues.{kind}"
        write([cue], path, form="target", source=language("en"), target=language("fa"), size=(360, 640))
        [(_, _, text)] = read(path.read_text("utf-8"), kind)
    assert UNSEEN.sub("", text).split() == words
