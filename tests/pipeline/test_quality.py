"""The quality report: a finding for each limit, and none for good cues."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.pipeline.subtitles.cue import Cue
from jobs.pipeline.subtitles.quality import KINDS, Finding, check
from jobs.pipeline.subtitles.reader import read_subtitles
from jobs.pipeline.subtitles.segmentation import segment
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.terms import Violation
from tests.pipeline.spoken import spoken

EN, FA, ES, JA = (language(code) for code in ("en", "fa", "es", "ja"))


def cue(
    source: str = "Good morning.",
    target: str = "",
    *,
    number: int = 1,
    start: float = 1.0,
    end: float = 3.0,
    flags: tuple[str, ...] = (),
) -> Cue:
    return Cue(id=number, start=start, end=end, source=source, target=target, flags=flags)


def captions(*cues: Cue, code: str = "en") -> tuple[Finding, ...]:
    """The findings in captions: cues shown in their own language."""
    return check(cues, language(code), language(code)).findings


def kinds(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.side, finding.kind) for finding in findings]


def test_good_cues_have_no_findings() -> None:
    report = check([cue("Good morning.", "صبح به‌خیر.")], EN, FA)
    assert report.findings == ()
    assert (report.cues, report.good, report.totals) == (1, 1, {})


def test_no_cues() -> None:
    assert check([], EN, FA).as_dict()["cues"] == 0


def test_the_bundled_subtitles_keep_every_rule(data: Path) -> None:
    assert check(read_subtitles(data / "sample" / "sample.fa.srt").cues, FA, FA).findings == ()
    assert check(read_subtitles(data / "sample" / "sample.en.srt").cues, EN, EN).findings == ()


def test_what_is_segmented_at_a_calm_pace_keeps_every_rule() -> None:
    text = "The people of the world speak many languages, and everybody wants to understand. " * 20
    assert captions(*segment(spoken(text, rate=12), EN)) == ()


@pytest.mark.parametrize(("end", "kind"), [(1.5, "short"), (9.0, "long")])
def test_durations(end: float, kind: str) -> None:
    assert kinds(captions(cue("Hi.", end=end))) == [("times", kind)]


def test_times_rounded_to_milliseconds_are_no_finding() -> None:
    assert captions(cue("Hi.", start=1.0, end=1.833), cue("Ho.", start=1.916, end=8.917)) == ()


def test_gap_and_overlap() -> None:
    first, close, over = cue(end=3.0), cue(start=3.05, end=5.0), cue(start=4.5, end=6.0)
    found = captions(first, close, over)
    assert kinds(found) == [("times", "gap"), ("times", "overlap")]
    assert (found[0].value, found[1].value) == (0.05, 0.5)


def test_a_line_that_is_too_long() -> None:
    (found,) = captions(cue(f"Unbreakable {'x' * 50}", end=7.0))
    assert (found.kind, found.value, found.limit) == ("line_length", 50, 42)


def test_text_for_more_than_two_lines() -> None:
    found = captions(cue("word " * 25, end=8.0))
    assert kinds(found) == [("source", "lines"), ("source", "line_length")]
    assert found[0].why == "needs 4 lines, at most 2"


def test_reading_speed_counts_what_is_seen() -> None:
    (found,) = captions(cue("x" * 30 + " abcdefghijk", end=3.0))
    assert (found.kind, found.value, found.limit) == ("reading_speed", 21.0, 20.0)
    assert captions(cue("می\u200cروم " * 5 + "\u200f", end=2.77), code="fa") == ()


def test_japanese_is_counted_in_full_width_characters() -> None:
    assert captions(cue("今日は天気。", end=2.5), code="ja") == ()
    assert kinds(captions(cue("今日は天気。", end=2.0), code="ja")) == [("source", "reading_speed")]


def test_both_sides_are_judged() -> None:
    found = check([cue("x" * 60, "y" * 80, end=7.0)], EN, ES).findings
    assert kinds(found) == [("source", "line_length"), ("target", "line_length")]


def test_a_missing_translation() -> None:
    assert kinds(check([cue(target=" ")], EN, FA).findings) == [("target", "empty")]


def test_captions_need_no_translation_but_a_text() -> None:
    assert captions(cue()) == ()
    assert kinds(captions(cue(" "))) == [("source", "empty")]
    assert check([cue()], language("pt"), language("pt-BR")).findings == ()


def test_flags_are_told_in_words() -> None:
    found = check([cue(target="Hola.", flags=("unsure", "too_long"))], EN, ES).findings
    assert [(finding.side, finding.kind, finding.why) for finding in found] == [
        ("source", "flag", "the speech was hard to understand here"),
        ("target", "flag", "the translation is too long to be read while it is shown"),
    ]


# Persian


@pytest.mark.parametrize(
    ("text", "kind", "count"),
    [
        ("اين كتاب من است.", "arabic_letters", 2),
        ("خوبی? آری, خوبم;", "latin_punctuation", 3),
        ("خوبی ؟", None, 0),
        ("عدد 3,000 و Tom, Jerry را دید؛ نه؟", None, 0),
    ],
)
def test_persian_conventions(text: str, kind: str | None, count: int) -> None:
    found = captions(cue(text, end=4.0), code="fa")
    assert [(finding.kind, finding.value) for finding in found] == ([(kind, count)] if kind else [])


def test_arabic_is_not_held_to_persian_letters() -> None:
    assert captions(cue("في كل يوم"), code="ar") == ()


# The report


def test_the_report_as_data_and_as_text() -> None:
    good, bad = cue("Hi.", "Hola.", number=1), cue(start=3661.5, end=3661.9, number=2)
    report = check([good, bad], EN, ES)
    plain = report.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["totals"] == {"short": 1, "empty": 1, "reading_speed": 1}
    assert (plain["cues"], plain["good"]) == (2, 1)
    assert plain["findings"][0]["kind"] == "short"
    text = report.as_text()
    assert text.startswith("1 of 2 cues have no quality issues (en to es).")
    assert "#2 at 1:01:01.500, times: shown for 0.4 s, at least 0.83 s" in text


def test_every_kind_that_can_be_found_is_named() -> None:
    cues = [cue("", "اين, " * 40, start=0.0, end=0.1), cue("", start=0.05, end=9.0, flags=("blocked",))]
    misused = {1: [Violation(place=0, term="whale", translation="نهنگ")]}
    found = check([*cues, cue(start=9.01, end=11)], EN, FA, misused=misused).findings
    assert {finding.kind for finding in found} == set(KINDS)


def test_a_term_that_is_not_as_the_glossary_says_is_one_finding() -> None:
    wrong = [Violation(place=0, term="{whale}", translation="نهنگ"), Violation(place=0, term="GPU", translation="GPU")]
    found = check([cue("A whale.", "یک وال.", flags=("glossary",))], EN, FA, misused={1: wrong}).findings
    assert [(finding.kind, finding.side, finding.why) for finding in found] == [
        ("glossary", "target", "“{whale}” is not translated as “نهنگ”"),
        ("glossary", "target", "“GPU” should stay as it is"),
    ]
