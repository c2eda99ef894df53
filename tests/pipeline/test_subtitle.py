"""The writer of subtitles: texts by form, direction marks, and escaping."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pysubs2
import pytest

from jobs.pipeline import errors
from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.reader import read_subtitles
from jobs.pipeline.subtitles.style import Form
from jobs.pipeline.subtitles.writer import write
from jobs.pipeline.text.languages import language

EN, FA = language("en"), language("fa")
KINDS = ["srt", "vtt", "ass"]

CUES = [
    Cue(id=1, start=1, end=2.5, source="Hello.", target="سلام."),
    Cue(id=2, start=3, end=4, source="Umm", target=""),
    Cue(id=3, start=5.0004, end=3725.6789, source="", target="خداحافظ."),
]


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def written(cues: list[Cue], kind: str, form: Form = "target", **options: Any) -> str:
        path = tmp_path / f"cues.{kind}"
        write(cues, path, form=form, **{"source": EN, "target": FA, **options})
        assert [found.name for found in tmp_path.iterdir()] == [path.name]
        return path.read_bytes().decode("utf-8")

    return written


def one(source: str = "", target: str = "") -> list[Cue]:
    return [Cue(id=1, start=1, end=2, source=source, target=target)]


def text_lines(content: str, kind: str) -> list[str]:
    """The lines of the first cue."""
    if kind == "ass":
        event = next(line for line in content.splitlines() if line.startswith("Dialogue:"))
        return re.sub(r"\{\\fn[^{}]*\}", "", event.split(",", 9)[9]).split("\\N")
    return content.split("-->", 1)[1].split("\n\n")[0].split("\n")[1:]


def test_srt(written: Any) -> None:
    assert written(CUES, "srt") == (
        "1\n00:00:01,000 --> 00:00:02,500\n\u200fسلام.\n\n2\n00:00:05,000 --> 01:02:05,679\n\u200fخداحافظ.\n\n"
    )


def test_web_vtt(written: Any) -> None:
    assert written(CUES, "vtt", "source") == (
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\nHello.\n\n2\n00:00:03.000 --> 00:00:04.000\nUmm\n\n"
    )


def test_ass(written: Any) -> None:
    content = written(CUES, "ass", size=(1920, 1080))
    assert "PlayResX: 1920\nPlayResY: 1080" in content
    assert "WrapStyle: 0" in content
    assert [line for line in content.splitlines() if line.startswith("Dialogue")] == [
        "Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,\u200fسلام.",
        "Dialogue: 0,0:00:05.00,1:02:05.68,Default,,0,0,0,,\u200fخداحافظ.",
    ]


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_bilingual_has_the_target_first_and_leaves_no_gap(written: Any, kind: str) -> None:
    found = pysubs2.SSAFile.from_string(written(CUES, kind, "bilingual"))
    assert [event.text for event in found] == ["\u200fسلام.\\NHello.", "Umm", "\u200fخداحافظ."]


def test_bilingual_ass_has_the_source_in_a_style_of_its_own(written: Any) -> None:
    found = pysubs2.SSAFile.from_string(written(CUES, "ass", "bilingual"))
    assert [event.text for event in found] == ["\u200fسلام.\\N{\\rSecond}Hello.", "{\\rSecond}Umm", "\u200fخداحافظ."]
    first, second = found.styles["Default"], found.styles["Second"]
    assert (first.fontname, second.fontname) == ("Vazirmatn", "Noto Sans")
    assert second.fontsize < first.fontsize
    assert first.encoding == second.encoding == -1


@pytest.mark.parametrize("kind", KINDS)
def test_each_line_of_a_pair_has_its_own_direction(written: Any, kind: str) -> None:
    content = written(one("سلام means hello.", "C++ خوب است"), kind, "bilingual")
    above, below = text_lines(content, kind)
    assert above == "\u200fC++\u200e خوب است"
    assert below.removeprefix("{\\rSecond}") == "\u200eسلام means hello."


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("fa", "دیروز با دوستم Sara به نمایشگاه کتاب رفتیم، ولی آنجا خیلی شلوغ بود."),
        ("ar", "ذهبنا أمس مع صديقتي Sara إلى معرض الكتاب، لكنه كان مزدحماً جداً."),
        ("he", "אתמול הלכנו עם החברה שלי Sara ליריד הספרים, אבל היה שם צפוף מאוד."),
    ],
)
def test_every_right_to_left_line_begins_with_the_mark(written: Any, kind: str, code: str, text: str) -> None:
    lines = text_lines(written(one(target=text), kind, target=language(code)), kind)
    assert len(lines) == 2
    assert all(line.startswith("\u200f") for line in lines)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "  \n ", "\u200f\u200e", "\x00\x1b", "\ufeff\u2060"])
def test_a_cue_without_anything_to_see_is_left_out(written: Any, kind: str, text: str) -> None:
    assert len(pysubs2.SSAFile.from_string(written([*one(target=text), CUES[2]], kind))) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_without_cues_there_is_an_empty_file(written: Any, kind: str) -> None:
    content = written([], kind)
    assert "-->" not in content
    assert "Dialogue" not in content


@pytest.mark.parametrize("kind", KINDS)
def test_half_spaces_stay(written: Any, kind: str) -> None:
    assert "می‌خواهم" in written(one(target="می‌خواهم"), kind)


# Subtitles are data


def test_braces_and_backslashes_are_no_tags_in_ass(written: Any) -> None:
    assert text_lines(written(one("{\\fs90}a\\Nb\\h{c"), "ass", "source"), "ass") == [
        "\\{\\\u2060fs90\\}a\\\u2060Nb\\\u2060h\\{c"
    ]


def test_tags_and_arrows_are_no_tags_and_arrows_in_srt(written: Any) -> None:
    content = written(one("<b>a</b> {\\an8}\n00:00:01,000 --> 00:00:02,000\nC:\\New"), "srt", "source")
    assert [event.text for event in pysubs2.SSAFile.from_string(content)] == [
        "<\u2060b>a<\u2060/b> {\u2060\\an8}\\N00:00:01\u2060,000 --\u2060> 00:00:02\u2060,000 C:\\\u2060New"
    ]
    assert content.count("-->") == 1


def test_web_vtt_is_escaped_as_its_standard_says(written: Any) -> None:
    content = written(one("a<b> & --> &lt; NOTE"), "vtt", "source")
    assert text_lines(content, "vtt") == ["a&lt;b&gt; &amp; --&gt; &amp;lt; NOTE"]
    assert html.unescape(content).endswith("a<b> & --> &lt; NOTE\n\n")


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_makes_a_cue_of_its_own(written: Any, kind: str) -> None:
    text = "a\n\n2\n00:00:08,000 --> 00:00:09,000\n\r\nDialogue: 0,0:00:01.00,0:00:05.00,Default,,0,0,0,,b"
    content = written(one(text), kind, "source")
    assert len(pysubs2.SSAFile.from_string(content)) == 1
    assert content.count("\nDialogue:") == (kind == "ass")


@pytest.mark.parametrize("kind", KINDS)
def test_half_characters_of_broken_json_do_no_harm(written: Any, kind: str) -> None:
    assert text_lines(written(one("a\ud83d b"), kind, "source"), kind) == ["a\ufffd b"]


@pytest.mark.parametrize("kind", KINDS)
def test_marks_that_somebody_brought_do_not_pile_up(written: Any, kind: str, tmp_path: Path) -> None:
    text = "زبان Python (Java) و ۱۰-۲۰ نفر و $99.99."
    written(one(target=text), kind)
    again = read_subtitles(tmp_path / f"cues.{kind}").cues[0].source
    assert written(one(target=again), kind) == written(one(target=text), kind)


# The file


def test_an_old_file_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "cues.srt"
    path.write_text("old")

    def cues() -> Any:
        yield CUES[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(cues(), path, form="target", source=EN, target=FA)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_is_not_there_is_unwritable(tmp_path: Path) -> None:
    with pytest.raises(errors.Unwritable):
        write(CUES, tmp_path / "nowhere" / "cues.srt", form="target", source=EN, target=FA)
