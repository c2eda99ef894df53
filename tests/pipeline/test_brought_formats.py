"""Subtitle files as people bring them: each line with times is a cue or is named, and what only looks odd is kept."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.pipeline.errors import PipelineError, TooManySubtitles, UnreadableSubtitles
from jobs.pipeline.subtitles import reader
from jobs.pipeline.subtitles.formats.event import ProblemKind
from jobs.pipeline.subtitles.reader import Reading, parse_subtitles
from tests.examples import few

FIELD = Path(__file__).parents[1] / "data" / "subtitles" / "field"

Found = list[tuple[float, float, str]]


def read(content: str | bytes, name: str = "given") -> Reading:
    return parse_subtitles(content if isinstance(content, bytes) else content.encode(), name)


def cues(content: str | bytes) -> Found:
    return [(cue.start, cue.end, cue.source) for cue in read(content).cues]


def texts(content: str | bytes) -> list[str]:
    return [text for _, _, text in cues(content)]


def problems(content: str | bytes) -> list[tuple[int, str]]:
    return [(problem.line, problem.kind) for problem in read(content).problems]


def srt(*blocks: str) -> str:
    return "\n\n".join(blocks) + "\n"


# Files of the field, with the right values

RIGHT: dict[str, Found] = {
    "rolling.vtt": [
        (0.16, 2.439, "hello and welcome to the garden"),
        (2.439, 4.759, "today we look at bees"),
        (4.759, 7.51, "and how they dance"),
    ],
    "no-milliseconds.srt": [(1, 3, "I also enjoy the fruits."), (3, 6, "We are truly blessed.")],
    "no-hours.srt": [
        (1, 3.5, "First of all."),
        (4, 6.25, "And then the rest."),
        (3723, 3725, "A late one, with its hour."),
    ],
    "numbers-as-text.srt": [(1, 3, "The year was\n1984"), (4, 6, "3\n2\n1"), (7, 8, "2001"), (9, 10, "He bets\n500")],
    "negative-times.srt": [(0, 1.5, "Begins before the film"), (4, 6, "In the film")],
    "entities.srt": [(1, 3, "Tom & Jerry's café"), (4, 6, 'سلام! "دنیا"'), (7, 9, "if x < 3 && y > 4")],
    "angle-brackets.srt": [
        (1, 3, "<sighs> I am tired."),
        (4, 6, "if a < b and c > d then stop"),
        (7, 9, "(Hana) <seventy years ago>"),
        (10, 12, "Real italics and colour"),
    ],
    "one-bad-byte.srt": [
        (1, 3, "سلام، حال شما چطور است؟"),
        (4, 6, "این کتاب را دیروز خریدم."),
        (7, 9, "caf\ufffd نزدیک خانهٔ ماست."),
        (10, 12, "خداحافظ دوستان عزیز"),
    ],
    "rlm-as-half-space.srt": [
        (1, 3.5, "می\u200cشود این کتاب\u200cها را بخوانم؟"),
        (4, 6.5, "نمی\u200cدانم خانه\u200cای بزرگ\u200cتر هست"),
        (7, 9.5, "نمی\u200cخواهم، رفته\u200cام"),
    ],
    "short-format-line.ass": [(1, 3, "Hello, my friend, how are you?"), (4, 6, "Fine, thanks.")],
    "karaoke.ass": [(1, 5.2, "kazeni nore hana ga saku"), (6, 8.5, "Now the story begins.")],
    "drawings.srt": [(1, 3, "THE OLD HARBOUR"), (7, 9, "After the shape comes a word")],
}


@pytest.mark.parametrize("name", RIGHT)
def test_files_of_the_field(name: str) -> None:
    assert cues((FIELD / name).read_bytes()) == RIGHT[name]


def test_what_ends_before_the_video_begins_is_named() -> None:
    assert problems((FIELD / "negative-times.srt").read_bytes()) == [(2, ProblemKind.BEFORE_START)]


# Lines with times


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("00:00:01,000 --> 00:00:03,000", (1, 3)),
        ("0:0:1,0 --> 0:0:3,5", (1, 3.5)),
        ("00:01 --> 00:03", (1, 3)),
        ("1:02:03.5-->1:02:05.25", (3723.5, 3725.25)),
        ("00:00:01.000  -->  00:00:03.000 align:start position:0%", (1, 3)),
        ("00:00:01,000 --> 00:00:03,000 X1:100 X2:200 Y1:10 Y2:20", (1, 3)),
        ("00:00:01:500 --> 00:00:03:250", (1.5, 3.25)),
        ("00:00:01:12 --> 00:00:03:00", (1.48, 3)),
        ("00:00:01,000 -> 00:00:03,000", (1, 3)),
        ("00:00:01,000 --&gt; 00:00:03,000", (1, 3)),
        ("00: 00: 01,000 - -> 00: 00: 03,000", (1, 3)),
        ("00:00:01，000 －－＞ 00：00：03，000", (1, 3)),
        ("۰۰:۰۰:۰۱٬۰۰۰ --> ۰۰:۰۰:۰۳٬۰۰۰", (1, 3)),
        ("٠٠:٠٠:٠١,٠٠٠ ← ٠٠:٠٠:٠٣,٠٠٠".replace("←", "→"), (1, 3)),
        ("\u200f00:00:01,000 --> 00:00:03,000", (1, 3)),
        ("00:00:01,000 —> 00:00:03,000", (1, 3)),
        ("7 00:00:01,000 --> 00:00:03,000", (1, 3)),
        ("00:00:01.123456 --> 00:00:03.654321", (1.123, 3.654)),
        ("00:00:75,000 --> 00:01:20,000", (75, 80)),
        ("00:00:01, --> 00:00:03,", (1, 3)),
        ("[00:01.000 --> 00:03.500]", (1, 3.5)),
        ("[00:00:01.000 --> 00:00:03.500]  ", (1, 3.5)),
        ("00:00:-01,-500 --> 00:00:03,000", (0, 3)),
        ("00:00:00,-500 --> 00:00:03,000", (0, 3)),
    ],
)
def test_times_are_read_however_they_are_written(line: str, times: tuple[float, float]) -> None:
    assert cues(srt(f"1\n{line}\nfirst", "2\n09:00:04,000 --> 09:00:05,000\nsecond")) == [
        (*times, "first"),
        (32404, 32405, "second"),
    ]


def test_times_in_brackets_before_the_text() -> None:
    """As recognisers print them, with hours only where there are any."""
    content = "[00:00.000 --> 00:03.500]  First of all.\n[01:02:03.000 --> 01:02:05.000]  [applause] Late.\n"
    assert cues(content) == [(0, 3.5, "First of all."), (3723, 3725, "[applause] Late.")]


@pytest.mark.parametrize(
    "content",
    [
        "{1}{1}25\n{-50}{38}x\n{-60}{-20}gone\n{100}{150}y\n",
        "[-20][15]x\n[-30][-10]gone\n[40][60]y\n",
        "-0:00:02.000,0:00:01.500\nx\n\n-0:00:03.000,-0:00:01.000\ngone\n\n0:00:04.000,0:00:06.000\ny\n",
        "[-00:03.00]gone\n[-00:02.00]x\n[00:01.50]\n[00:04.00]y\n[00:06.00]\n",
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="-00:00:02.000" end="00:00:01.500">x</p>'
        '<p begin="-2s" end="-1s">gone</p><p begin="4s" end="6s">y</p></body></tt>',
        json.dumps(
            [
                {"start": "-00:00:02.000", "end": "00:00:01.500", "text": "x"},
                {"start": -3, "end": -1, "text": "gone"},
                {"start": 4, "end": 6, "text": "y"},
            ]
        ),
    ],
    ids=["microdvd", "mpl2", "sbv", "lrc", "ttml", "json"],
)
def test_times_before_zero_in_other_formats(content: str) -> None:
    """A cue that begins before the video begins with it; one that ends before it is left out, and named."""
    found = read(content)
    assert [cue.source for cue in found.cues] == ["x", "y"]
    assert found.cues[0].start == 0
    assert found.cues[0].end == pytest.approx(1.5, abs=0.05)
    assert [problem.kind for problem in found.problems] == [ProblemKind.BEFORE_START]


@pytest.mark.parametrize(
    "line",
    ["00:00:01,000 / 00:00:02,000\nHello", "00:00:01:00 , 00:00:03:00 , Hello", "1:00:00:01,0 --> 00:00:02,0\nHello"],
)
def test_a_pair_of_times_that_is_not_understood_is_no_text(line: str) -> None:
    with pytest.raises(UnreadableSubtitles):
        read(f"1\n{line}\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{1}{1}25\n{25}{50}shown\nlost\n{75}{100}shown\n", 3),
        ("{1}{1}25\n{25}{50}shown\n{60{75}lost\n{75}{100}shown\n", 3),
        ("[10][20]shown\n[30] [40]lost\n[50][60]shown\n", 2),
        ("00:00:01:shown\nlost\n00:00:03:shown\n", 2),
        ("[ti:Song]\n[00:01.00]shown\nlost\n[00:03.00]shown\n", 3),
    ],
)
def test_lines_without_times_in_formats_of_lines_are_named(content: str, line: int) -> None:
    assert texts(content) == ["shown", "shown"]
    assert problems(content) == [(line, ProblemKind.NO_TIMES)]


def test_text_behind_the_times_is_text() -> None:
    assert texts("00:00:01,000 --> 00:00:02,000 Hello there\nand more\n") == ["Hello there\nand more"]


def test_an_arrow_in_a_line_of_text_is_text() -> None:
    assert texts(
        srt("1\n00:00:01,000 --> 00:00:02,000\nA --> B\nhome -> away", "2\n00:00:03,000 --> 00:00:04,000\nx")
    ) == [
        "A --> B\nhome -> away",
        "x",
    ]


GOOD = ("1\n00:00:01,000 --> 00:00:02,000\none", "3\n00:00:05,000 --> 00:00:06,000\nthree")


@pytest.mark.parametrize(
    ("block", "found", "problem"),
    [
        ("2\n00:00:03,000 --> \ntwo", (3, 4, "two"), ProblemKind.END_ESTIMATED),
        ("2\n00:00:03,000 -->\ntwo", (3, 4, "two"), ProblemKind.END_ESTIMATED),
        ("2\n00:00:03,000 --> xx:xx\ntwo", (3, 4, "two"), ProblemKind.END_ESTIMATED),
        ("2\n00:00:03,000 --> 00:00:03,000\ntwo", (3, 4, "two"), ProblemKind.END_ESTIMATED),
        ("2\n00:00:03,000 --> 00:00:02,000\ntwo", (3, 4, "two"), ProblemKind.END_ESTIMATED),
        ("2\n--> 00:00:04,000\ntwo", (3, 4, "two"), ProblemKind.START_ESTIMATED),
        ("2\n00:00:03,000 --> \n00:00:04,500\ntwo", (3, 4.5, "two"), None),
        ("2\n--> \ntwo", None, ProblemKind.NO_TIMES),
        ("2\nO0:OO:O3 --> O0:OO:O4\ntwo", None, ProblemKind.NO_TIMES),
        ("2\ntwo", None, ProblemKind.NO_TIMES),
        ("2\n\ntwo\nand a half", None, ProblemKind.NO_TIMES),
        ("2\n00:00:03,000 --> 00:00:04,000\n", None, ProblemKind.NO_TEXT),
        ("2\n00:00:03,000 --> 00:00:04,000\n" + "long " * 600, (3, 4, None), ProblemKind.TEXT_CUT),
    ],
)
def test_a_damaged_cue_is_mended_or_named_and_its_neighbours_stay(
    block: str, found: tuple[float, float, str | None] | None, problem: str | None
) -> None:
    reading = read(srt(GOOD[0], block, GOOD[1]))
    others = [(cue.start, cue.end, cue.source) for cue in reading.cues if cue.source in {"one", "three"}]
    own = [(cue.start, cue.end, cue.source) for cue in reading.cues if cue.source not in {"one", "three"}]

    assert others == [(1, 2, "one"), (5, 6, "three")]
    assert [one.kind for one in reading.problems] == ([problem] if problem else [])
    assert all(5 <= one.line <= 8 for one in reading.problems)
    assert [(start, end) for start, end, _ in own] == ([] if found is None else [found[:2]])
    assert found is None or found[2] is None or own[0][2] == found[2]


# Counters, blank lines


@pytest.mark.parametrize(
    ("content", "right"),
    [
        pytest.param(
            srt("1\n00:00:01,000 --> 00:00:02,000\n1984", "2\n00:00:03,000 --> 00:00:04,000\n2\n1"),
            ["1984", "2\n1"],
            id="numbers as text",
        ),
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n",
            ["one", "two"],
            id="no blank lines",
        ),
        pytest.param(
            "00:00:01,000 --> 00:00:02,000\none\n00:00:03,000 --> 00:00:04,000\ntwo\n",
            ["one", "two"],
            id="no blank lines and no counters",
        ),
        pytest.param(
            srt("1\n00:00:01,000 --> 00:00:02,000\nabove\n\n\nbelow", "2\n00:00:03,000 --> 00:00:04,000\ntwo"),
            ["above\nbelow", "two"],
            id="blank lines inside",
        ),
        pytest.param(
            srt("1\n00:00:01,000 --> 00:00:02,000\none\n \nmore", "2\n00:00:03,000 --> 00:00:04,000\ntwo"),
            ["one\nmore", "two"],
            id="a line with a space",
        ),
        pytest.param(
            "1\n\n00:00:01,000 --> 00:00:02,000\n\none\n\nand\n\n2\n\n00:00:03,000 --> 00:00:04,000\n\ntwo\n",
            ["one\nand", "two"],
            id="doubled line ends",
        ),
        pytest.param(
            srt(
                "7\n00:00:01,000 --> 00:00:02,000\none",
                "7\n00:00:03,000 --> 00:00:04,000\ntwo",
                "9\n00:00:05,000 --> 00:00:06,000\nthree",
            ),
            ["one", "two", "three"],
            id="counters out of order",
        ),
        pytest.param(
            srt(
                "#1\n00:00:01,000 --> 00:00:02,000\none",
                "2.\n00:00:03,000 --> 00:00:04,000\ntwo",
                "۳\n00:00:05,000 --> 00:00:06,000\nthree",
            ),
            ["one", "two", "three"],
            id="counters with signs and of other scripts",
        ),
        pytest.param(
            srt("1\n00:00:01,000 --> 00:00:02,000\none", "2\n00:00:03,000 --> 00:00:04,000\ntwo", "3"),
            ["one", "two"],
            id="cut after a counter",
        ),
        pytest.param(
            "1\n00:00:01,000 --> 00:00:02,000\nThe year was\n1984\n5\n00:00:03,000 --> 00:00:04,000\nHe bets\n500\n"
            "9\n00:00:05,000 --> 00:00:06,000\nthree\n",
            ["The year was\n1984", "He bets\n500", "three"],
            id="no blank lines and counters that leave some out",
        ),
        pytest.param(
            "".join(f"{at % 4 + 1}\n00:00:0{at},000 --> 00:00:0{at},900\n{2000 + at}\n" for at in range(8)),
            [str(2000 + at) for at in range(8)],
            id="two files joined, no blank lines",
        ),
        pytest.param(
            srt(
                "1\n00:00:01,000 --> 00:00:02,000\none",
                "2\ufffd\n00:00:03,000 --> 00:00:04,000\ntwo",
                "3\n00:00:05,000 --> 00:00:06,000\nthree",
            ),
            ["one", "two", "three"],
            id="a wrong byte in a counter",
        ),
    ],
)
def test_counters_and_blank_lines(content: str, right: list[str]) -> None:
    assert texts(content) == right
    assert problems(content) == []


# WebVTT


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("intro\n00:01.000 --> 00:02.000\n<v Hana>Hello</v> <c.yellow.bg_blue>there</c>", ["Hello there"]),
        ("00:01.000 --> 00:02.000\n<ruby>漢字<rt>かんじ</rt></ruby>です", ["漢字(かんじ)です"]),
        ("NOTE\n00:01.000 --> 00:02.000\nnot said\n\n00:03.000 --> 00:04.000\nsaid", ["said"]),
        ("STYLE\n::cue { color: red }\n\nREGION\nid:x\n\n00:01.000 --> 00:02.000 region:x\nsaid", ["said"]),
        ("00:01.000 --> 00:02.000\n1 &lt; 2 &amp;&amp; <i>so</i>", ["1 < 2 && so"]),
        ("00:01.000 --> 00:02.000\none<00:01.500><c> two</c>", ["one two"]),
    ],
)
def test_webvtt(body: str, right: list[str]) -> None:
    assert texts(f"WEBVTT - a title\nKind: captions\n\n{body}\n") == right


def test_a_webvtt_header_in_small_letters() -> None:
    assert texts("webvtt\n\n00:01.000 --> 00:02.000\n<v Hana>said</v>\n\nNOTE x\n") == ["said"]


def test_a_webvtt_header_without_a_blank_line() -> None:
    assert texts("WEBVTT\n00:01.000 --> 00:02.000\nsaid\n") == ["said"]


def test_broken_times_below_a_webvtt_header_are_named() -> None:
    content = "WEBVTT\nOO:01.000 --> OO:02.000\nlost\n\n00:03.000 --> 00:04.000\nsaid\n"
    assert texts(content) == ["said"]
    assert problems(content) == [(2, ProblemKind.NO_TIMES)]


def test_joined_segments_of_hls() -> None:
    """The second says that its clock begins ten seconds later; what both have comes once."""
    first = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\none\n"
    second = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1800000\n\n00:01.000 --> 00:02.000\ntwo\n"
    again = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1800000\n\n00:01.000 --> 00:02.000\ntwo\n"

    assert cues(first + second + again) == [(1, 2, "one"), (11, 12, "two")]


def test_captions_that_grow_word_by_word() -> None:
    content = srt(
        "1\n00:00:01,000 --> 00:00:01,500\nHELLO",
        "2\n00:00:01,500 --> 00:00:02,000\nHELLO AND",
        "3\n00:00:02,000 --> 00:00:02,500\nHELLO AND WELCOME",
        "4\n00:00:02,500 --> 00:00:03,000\nHELLO AND WELCOME\nTODAY",
        "5\n00:00:03,000 --> 00:00:04,000\nTODAY WE DANCE",
    )
    assert cues(content) == [(1, 2.5, "HELLO AND WELCOME"), (2.5, 4, "TODAY WE DANCE")]


def test_captions_that_grow_in_a_script_without_spaces() -> None:
    shown = ["你好", "你好世界", "你好世界\n今天", "今天天气"]
    blocks = [f"{at}\n00:00:0{at},000 --> 00:00:0{at + 1},000\n{text}" for at, text in enumerate(shown, start=1)]
    assert cues(srt(*blocks)) == [(1, 3, "你好世界"), (3, 5, "今天天气")]


def test_a_rolled_line_that_is_still_there_after_a_pause_comes_once() -> None:
    shown = [(1, 2, "one"), (2, 3, "one\ntwo"), (3, 4, "two\nthree"), (6, 7, "three\nfour"), (9, 10, "four")]
    blocks = [f"{at}\n00:00:0{at},000 --> 00:00:{end:02},000\n{text}" for at, end, text in shown]
    assert cues(srt(*blocks)) == [(1, 2, "one"), (2, 3, "two"), (3, 4, "three"), (6, 7, "four"), (9, 10, "four")]


def test_rolling_captions_that_were_converted_to_ass() -> None:
    shown = ["one", "one", "one\\Ntwo", "two", "two\\Nthree", "three"]
    lines = [f"Dialogue: 0,0:00:0{at}.00,0:00:0{at + 1}.00,A,,0,0,0,,{text}" for at, text in enumerate(shown)]
    assert cues(ass(*lines)) == [(0, 2, "one"), (2, 4, "two"), (4, 6, "three")]


def test_a_few_lines_that_are_said_again_do_not_roll() -> None:
    blocks = [f"{at}\n00:{at:02}:00,000 --> 00:{at:02}:02,000\nline {at}" for at in range(1, 20)]
    shown = ["Go!", "Go!\nNow!", "Now!\nRun!"]
    blocks += [f"{at}\n00:50:0{at},000 --> 00:50:0{at + 1},000\n{text}" for at, text in enumerate(shown)]
    assert texts(srt(*blocks))[-3:] == shown


def test_a_word_that_is_said_again_and_again_is_kept() -> None:
    blocks = [f"{at}\n00:00:0{at},000 --> 00:00:0{at + 1},000\nNo." for at in range(1, 6)]
    assert texts(srt(*blocks)) == ["No."] * 5


def test_a_line_whose_words_are_marked_one_by_one_comes_once() -> None:
    shown = ["<u>one</u> two three", "one <u>two</u> three", "one two <u>three</u>"]
    blocks = [f"{at}\n00:00:0{at},000 --> 00:00:0{at + 1},000\n{text}" for at, text in enumerate(shown, start=1)]
    assert cues(srt(*blocks)) == [(1, 4, "one two three")]


def test_a_song_that_repeats_its_lines_is_kept() -> None:
    content = srt(
        "1\n00:00:01,000 --> 00:00:02,000\nRow, row",
        "2\n00:00:02,000 --> 00:00:03,000\nRow, row",
        "3\n00:00:03,000 --> 00:00:04,000\nyour boat",
        "4\n00:00:04,000 --> 00:00:05,000\ngently",
        "5\n00:00:05,000 --> 00:00:06,000\ndown the stream",
    )
    assert len(cues(content)) == 5


# Text


@pytest.mark.parametrize(
    ("raw", "right"),
    [
        ("{laughs} Yes {sic}", "{laughs} Yes {sic}"),
        ("{\\an8\\i1}Yes{\\i0}", "Yes"),
        ("{y:i}Yes", "Yes"),
        ("a {\\p1}m 0 0 l 1 1{\\p0}b", "a b"),
        ("m 12 5 minutes", "m 12 5 minutes"),
        ("{\\p1}m 0 0 l 1 1{\\p}Word", "Word"),
        ("AT&T &copy; 2001 &notit; &unknown;", "AT&T © 2001 ¬it; &unknown;"),
        ("&lt;i&gt;", "<i>"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("< i >soft< / i >", "soft"),
        ("<b>bold</B> <FONT COLOR=red>red</FONT> <u>x</u>", "bold red x"),
        ("x <b and c> d", "x <b and c> d"),
        ("<3 you", "<3 you"),
        ('<a href="http://x.example/?a=1">a link</a> <a b>', "a link <a b>"),
        ("<-- look", "<-- look"),
        ("\u200eleft\u200f \ufeffand\u2060", "left and"),
        ("e\u0301", "\u00e9"),
        ("می\u00ac\u200fشود", "می\u200cشود"),
        ("می\u2060شود می\ufeffشود می\x1fشود می\x9dشود", "می\u200cشود می\u200cشود می\u200cشود می\u200cشود"),
        ("۵\u00ac۶", "۵\u00ac۶"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("nul\x00l", "null"),
    ],
)
def test_only_markup_goes(raw: str, right: str) -> None:
    assert texts(f"1\n00:00:01,000 --> 00:00:02,000\n{raw}\n") == [right]


# ASS


def ass(*lines: str, columns: str = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text") -> str:
    return "\n".join(["[Script Info]", "", "[Events]", f"Format: {columns}", *lines, ""])


def test_text_that_is_not_the_last_column() -> None:
    content = ass("Dialogue: 0:00:01.00,0:00:02.00,Hello, you,Default", columns="Start, End, Text, Style")
    assert texts(content) == ["Hello, you"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Dialogue : 0,0:00:03.00,0:00:04.00,A,,0,0,0,,two", ["one", "two"]),
        ("and what was broken off", ["one"]),
        ("Dialog: 0,0:00:03.00,0:00:04.00,A,,0,0,0,,two", ["one"]),
        ("Comment: 0,0:00:03.00,0:00:04.00,A,,0,0,0,,two", ["one"]),
        ("; a remark", ["one"]),
    ],
)
def test_lines_of_no_known_kind_are_named(line: str, found: list[str]) -> None:
    content = ass("Dialogue: 0,0:00:01.00,0:00:02.00,A,,0,0,0,,one", line)
    assert texts(content) == found
    known = len(found) > 1 or line.startswith(("Comment", ";"))
    assert problems(content) == ([] if known else [(6, ProblemKind.NO_TIMES)])


def test_broken_lines_without_titles_of_sections_are_named() -> None:
    content = "Format: Layer, Start, End, Text\nDialogue: 0,0:00:03.00,0:00:04.00,one\n0:00:05.00,0:00:06.00,two\n"
    assert problems(content) == [(3, ProblemKind.NO_TIMES)]


def test_dialogue_without_titles_of_sections_is_ass() -> None:
    assert texts("Format: Layer, Start, End, Text\nDialogue: 0,0:00:03.00,0:00:04.00,Fine, thanks.\n") == [
        "Fine, thanks."
    ]


def test_a_title_of_ass_in_the_text_is_text() -> None:
    assert texts(srt("1\n00:00:01,000 --> 00:00:02,000\n[Events]", GOOD[1])) == ["[Events]", "three"]


def test_braces_that_are_text_in_ass() -> None:
    """libass shows them so, and our own files have them."""
    assert texts(ass("Dialogue: 0,0:00:01.00,0:00:02.00,A,,0,0,0,,{\\i1}\\{laughs\\} Yes{\\i0}")) == ["{laughs} Yes"]


def test_a_drawing_with_numbers_of_any_form_is_no_text() -> None:
    assert texts(srt("1\n00:00:01,000 --> 00:00:02,000\nm 1e-05 5 l 3. -.5 10 10", GOOD[1])) == ["three"]


def test_a_sign_that_moves_frame_by_frame_is_one_cue() -> None:
    frames = [
        f"Dialogue: 0,0:00:0{at // 25}.{at % 25 * 4:02},0:00:0{(at + 1) // 25}.{(at + 1) % 25 * 4:02},Sign,,0,0,0,,"
        f"{{\\pos({at},0)}}HARBOUR STREET"
        for at in range(100)
    ]
    assert cues(ass(*frames)) == [(0, 4, "HARBOUR STREET")]


def test_lines_that_players_do_not_show_are_named() -> None:
    content = ass(
        "Dialogue: 0,0:00:03.00,0:00:02.00,A,,0,0,0,,backwards",
        "Dialogue: 0,0:00:03.00,0:00:04.00,A,,0,0,0,,shown",
        "Dialogue: nonsense",
    )
    assert texts(content) == ["shown"]
    assert problems(content) == [(5, ProblemKind.NO_TIMES), (7, ProblemKind.NO_TIMES)]


def test_a_song_coloured_by_the_syllable_is_a_line() -> None:
    assert texts(ass("Dialogue: 0,0:00:01.00,0:00:05.00,OP,,0,0,0,,{\\k40}ka{\\k40}ze {\\kf20}no")) == ["kaze no"]


def sung(syllables: list[str], start: float, *, step: float = 0.4, y: int = 60) -> list[str]:
    """Lines of ASS in which each syllable comes to its place, is sung and goes, one after the other."""
    lines = []
    for at, syllable in enumerate(syllables):
        first, x = start + step * at, 200 + 60 * at
        parts = [
            (start - 0.5, first, f"\\move({x - 20},{y - 9},{x},{y})"),
            (first, first + step, f"\\pos({x},{y})"),
            (first + step, start + step * len(syllables) + 0.5, f"\\move({x},{y},{x + 30},{y})"),
        ]
        lines += [
            f"Dialogue: 0,0:00:{begin:05.2f},0:00:{end:05.2f},OP,,0,0,0,fx,{{{tag}}}{syllable}"
            for begin, end, tag in parts
        ]
    return lines


def test_syllables_that_come_and_go_are_lines_of_a_song() -> None:
    """Each syllable once; a line begins where they go on at the left. A short line of a song is one cue, too."""
    song = (
        sung(["ka", "ze", "ni ", "no", "re "], 1) + sung(["yu", "me ", "wo ", "mi", "ta"], 3.6) + sung(["a", "i"], 6.4)
    )
    assert cues(ass(*song)) == [(0.5, 3.5, "kazeni nore"), (3.1, 6.1, "yume wo mita"), (5.9, 7.7, "ai")]


def test_slow_syllables_are_a_line_of_a_song() -> None:
    assert texts(ass(*sung(["ka", "ze", "ni ", "no", "re "], 1, step=1.5))) == ["kazeni nore"]


def test_short_words_in_a_row_are_no_song() -> None:
    lines = [f"Dialogue: 0,0:00:0{at}.00,0:00:0{at}.90,Default,,0,0,0,,No." for at in range(1, 6)]
    assert texts(ass(*lines)) == ["No."] * 5


# Other formats


@pytest.mark.parametrize(
    ("content", "right"),
    [
        pytest.param(
            '<?xml version="1.0" encoding="UTF-16"?>\n<tt xmlns="http://www.w3.org/ns/ttml"><body><div begin="1s">'
            '<p begin="00:00:01.000" end="00:00:02.500">Hello<br/><span>  you </span></p>'
            '<p begin="3s" dur="1s">bye</p></div></body></tt>',
            [(2, 3.5, "Hello\nyou"), (4, 5, "bye")],
            id="ttml",
        ),
        pytest.param(
            '<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" '
            'ttp:frameRate="25" ttp:tickRate="10000000"><tt:body><tt:div>'
            '<tt:p begin="00:00:01:05" end="00:00:02:00">one</tt:p><tt:p begin="30000000t" end="40000000t">two</tt:p>'
            '<tt:p begin="50f" end="75f">three</tt:p></tt:div></tt:body></tt:tt>',
            [(1.2, 2, "one"), (2, 3, "three"), (3, 4, "two")],
            id="ttml frames and ticks",
        ),
        pytest.param(
            "<SAMI><BODY><SYNC Start=1000><P Class=KRCC>하나<br>둘<SYNC Start=2500><P Class=KRCC>&nbsp;"
            "<SYNC Start=3000><P Class=KRCC>셋<P Class=ENCC>three</BODY></SAMI>",
            [(1, 2.5, "하나\n둘"), (3, 10, "셋")],
            id="sami",
        ),
        pytest.param(
            "{1}{1}25\n{25}{50}Hello|{y:i}you\n{75}{}bye\n", [(1, 2, "Hello\nyou"), (3, 10, "bye")], id="microdvd"
        ),
        pytest.param("[10][25]Hello|/you\n[30][40]bye\n", [(1, 2.5, "Hello\nyou"), (3, 4, "bye")], id="mpl2"),
        pytest.param(
            "0:00:01.000,0:00:02.500\nHello[br]you\n\n0:00:03.000,0:00:04.000\nbye\n",
            [(1, 2.5, "Hello\nyou"), (3, 4, "bye")],
            id="sbv",
        ),
        pytest.param(
            "[ar:Somebody]\n[00:01.00]<00:01.00>Row <00:01.50>row\n[00:03.50]\n[00:04.00][00:08.00]again\n",
            [(1, 3.5, "Row row"), (4, 8, "again"), (8, 15, "again")],
            id="lrc",
        ),
        pytest.param("00:00:01:Hello|you\n00:00:03:bye\n", [(1, 3, "Hello\nyou"), (3, 10, "bye")], id="tmplayer"),
        pytest.param(
            json.dumps(
                {"segments": [{"start": 1.0, "end": 2.5, "text": " Hello"}, {"start": 3, "end": 4, "text": "bye"}]}
            ),
            [(1, 2.5, "Hello"), (3, 4, "bye")],
            id="whisper",
        ),
        pytest.param(
            json.dumps({"transcription": [{"offsets": {"from": 1000, "to": 2500}, "text": " Hello"}]}),
            [(1, 2.5, "Hello")],
            id="whisper.cpp",
        ),
        pytest.param(
            json.dumps({"text": "x", "chunks": [{"timestamp": [1.0, 2.5], "text": " Hello"}]}),
            [(1, 2.5, "Hello")],
            id="transformers",
        ),
        pytest.param(
            json.dumps(
                {"events": [{"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "Hel"}, {"utf8": "lo"}]}]}
            ),
            [(1, 2.5, "Hello")],
            id="json3",
        ),
    ],
)
def test_other_formats(content: str, right: Found) -> None:
    assert cues(content) == right


def test_broken_times_of_sbv() -> None:
    content = "above\n0:00:01,0:00:02\none\n\n0:00:03.000,\ntwo\n\n0:00:05.000,0:00:06.000\nthree\n"
    assert cues(content) == [(1, 2, "one"), (3, 4, "two"), (5, 6, "three")]
    assert problems(content) == [(1, ProblemKind.NO_TIMES), (5, ProblemKind.END_ESTIMATED)]


def test_signs_of_html_in_ttml() -> None:
    content = (
        '<tt xmlns="http://www.w3.org/ns/ttml"><body>'
        '<p begin="1s" end="2s">Tom & Jerry&rsquo;s<br>caf&eacute; AT&T; &amp; 1 &lt; 2 &#169;</p></body></tt>'
    )
    assert texts(content) == ["Tom & Jerry’s\ncafé AT&T; & 1 < 2 ©"]


def test_events_of_json3_that_only_roll_are_no_problem() -> None:
    roll = {"tStartMs": 1000, "dDurationMs": 5000}
    said = [{**roll, "segs": [{"utf8": "one"}]}, {**roll, "aAppend": 1, "segs": [{"utf8": "\n"}]}]
    content = json.dumps({"events": [roll, *said]})
    assert cues(content) == [(1, 6, "one")]
    assert problems(content) == []


@pytest.mark.parametrize(
    "content",
    [
        '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="1s" end="2s">cut',
        '<!DOCTYPE tt [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tt><body><p begin="1s" end="2s">&b;</p></body></tt>',
        '{"segments": [',
        "[" * 100_000,
        '{"a": 1}',
    ],
)
def test_what_is_broken_as_a_whole_is_refused(content: str) -> None:
    with pytest.raises(UnreadableSubtitles):
        read(content)


# Encodings and old habits


def test_what_is_said_three_times_stays() -> None:
    """Contiguous cues with one text, as of a person who says it again and again, are no captions that roll."""
    blocks = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n + 1},000\nNo!\n\n" for n in (1, 2, 3, 4))
    assert [cue.source for cue in read(blocks).cues] == ["No!"] * 4


def test_captions_of_one_line_that_flash_up_again_are_shown_once() -> None:
    texts = ("We walked home.", "It was late.", "Nobody spoke.")
    blocks = "WEBVTT\n\n"
    for n, text in enumerate(texts):
        blocks += f"00:00:0{2 * n}.000 --> 00:00:0{2 * n + 1}.990\n{text}\n\n"
        blocks += f"00:00:0{2 * n + 1}.990 --> 00:00:0{2 * n + 2}.000\n{text}\n\n"
    assert [(cue.start, cue.end, cue.source) for cue in read(blocks).cues] == [
        (2.0 * n, 2.0 * n + 2, text) for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("cp1252", "utf-8"), ("cp1256", "utf-8"), ("cp1252", "cp1256"), ("latin-1", "utf-8")],
)
@pytest.mark.parametrize("text", ["سلام، حال شما چطور است؟", "این کتاب را دیروز خریدم و خواندم."])
def test_letters_in_a_wrong_encoding_are_repaired_and_told(wrong: str, right: str, text: str) -> None:
    if right == "cp1256":
        text = text.replace("ی", "ي").replace("ک", "ك")
    damaged = "".join(
        byte.to_bytes().decode(wrong) if _knows(wrong, byte) else chr(byte) for byte in text.encode(right)
    )
    reading = read(f"1\n00:00:01,000 --> 00:00:02,000\n{damaged}\n")

    assert [cue.source for cue in reading.cues] == [text]
    assert reading.was_misread


def _knows(encoding: str, byte: int) -> bool:
    try:
        byte.to_bytes().decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        "سلام، حال شما چطور است؟",
        "Où est l'été ? Là-bas, à côté.",
        "Größe, Straße, Übung",
        "Привет, как дела?",
        "日本語の字幕",
        "Ø and Ù",
        "ÀÉÎÕÜ ÇA VA",
    ],
)
def test_sound_letters_stay(text: str) -> None:
    reading = read(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n")

    assert [cue.source for cue in reading.cues] == [text]
    assert not reading.was_misread


def test_punctuation_before_the_lines_is_moved_and_told() -> None:
    reading = read(
        srt("1\n00:00:01,000 --> 00:00:02,000\n.سلام دوست من\n؟حالت خوب است", "2\n00:00:03,000 --> 00:00:04,000\n!بیا")
    )

    assert [cue.source for cue in reading.cues] == ["سلام دوست من.\nحالت خوب است؟", "بیا!"]
    assert reading.was_reversed


def test_dots_that_mean_something_stay() -> None:
    text = srt(
        "1\n00:00:01,000 --> 00:00:02,000\n...و رفت.",
        "2\n00:00:03,000 --> 00:00:04,000\nسلام.",
        "3\n00:00:05,000 --> 00:00:06,000\nخوبی؟",
    )
    reading = read(text)

    assert reading.cues[0].source == "...و رفت."
    assert not reading.was_reversed


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ("1\n00:00:01,000 --> 00:00:02,000\nسلام دوست من\n".encode()[:-2], "سلام دوست م\ufffd"),
        ("1\n00:00:01,000 --> 00:00:02,000\nسلام دوست من\n".encode("utf-16")[:-1], "سلام دوست من"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nhe\0llo there\n" + b"x" * 200, "hello there\n" + "x" * 200),
    ],
)
def test_text_that_was_cut_or_has_a_zero(content: bytes, right: str) -> None:
    assert texts(content) == [right]


def test_lines_that_go_on_after_dots_stay() -> None:
    blocks = [
        f"{at}\n00:00:0{at},000 --> 00:00:0{at},900\n{dots}و رفت" for at, dots in enumerate(("...", "…", "..."), 1)
    ]
    assert not read(srt(*blocks)).was_reversed


# Limits


NINES = "9" * 400


@pytest.mark.parametrize(
    "content",
    [
        f"{{1}}{{1}}25\n{{1}}{{{NINES}}}never\n{{25}}{{50}}shown",
        f"[1][{NINES}]never\n[10][20]shown",
        f"<SAMI><SYNC Start=1000><P>shown<SYNC Start=2000><P>&nbsp;<SYNC Start={NINES}><P>never",
        "99999999:00:00,000 --> 99999999:00:01,000\nnever\n\n00:00:01,000 --> 00:00:02,000\nshown",
        json.dumps(
            {"segments": [{"start": "1e300", "end": "1e301", "text": "never"}, {"start": 1, "end": 2, "text": "shown"}]}
        ),
    ],
)
def test_times_that_no_video_has_are_named(content: str) -> None:
    reading = read(content)
    assert [cue.source for cue in reading.cues] == ["shown"]
    assert [problem.kind for problem in reading.problems] == [ProblemKind.NO_TIMES]


@pytest.mark.parametrize(
    "content",
    [
        "{1}{1}00\n{25}{50}shown",
        '<tt frameRate="0"><body><p begin="1s" end="2s">shown</p></body></tt>',
        f'<tt><body><p begin="{NINES}s" end="{NINES}s">never</p></body></tt>',
        f"[offset:{NINES}]\n[00:01.00]shown",
        f"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:{NINES}\n\n00:01.000 --> 00:02.000\nshown",
    ],
)
def test_rates_and_clocks_of_zero_or_without_measure_break_nothing(content: str) -> None:
    with suppress(PipelineError):
        assert [cue.source for cue in read(content).cues] == ["shown"]


def test_a_file_of_too_many_subtitles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_CUES", 3)
    blocks = [f"{at}\n00:00:0{at},000 --> 00:00:0{at},500\nline {at}" for at in range(1, 5)]

    assert len(texts(srt(*blocks[:3]))) == 3
    with pytest.raises(TooManySubtitles, match="3"):
        read(srt(*blocks))


# Any damage

DAMAGE = st.sampled_from(
    [
        lambda block: block.replace("-->", "->"),
        lambda block: block.replace("-->", "--"),
        lambda block: block.replace(",", "."),
        lambda block: block.split("\n", 1)[1],
        lambda block: block.replace("00:", "", 1),
        lambda block: block.replace(":", "", 1),
        lambda block: block.replace(" --> ", "\n"),
        lambda block: "\n".join(block.split("\n")[2:]),
        lambda block: "\n".join(block.split("\n")[:2]),
        lambda block: block.replace("0", "O"),
        lambda block: block.replace("\n", "\n\n"),
        lambda block: block + "\n\n\n",
        lambda block: "garbage\n" + block,
        lambda block: block.replace("-->", "-->" * 20),
        lambda block: "",
    ]
)


@few(150)
@given(
    damage=st.lists(st.one_of(st.none(), DAMAGE), min_size=2, max_size=12).filter(
        lambda all_: all_.count(None) > len(all_) / 2
    )
)
def test_any_damage_leaves_the_other_cues_as_they_are(damage: list[object]) -> None:
    """Each undamaged cue is there with its times and its text, at most with the text of damaged ones behind it that
    lost its times; each damaged one is a cue, or is named, or its text stands behind another.
    """
    blocks, right = list[str](), list[tuple[float, float, str]]()
    for number, change in enumerate(damage, start=1):
        block = f"{number}\n00:00:{2 * number:02},000 --> 00:00:{2 * number + 1:02},000\ntext of {number}"
        blocks.append(change(block) if callable(change) else block)
        if change is None:
            right.append((2 * number, 2 * number + 1, f"text of {number}"))
    reading = read(srt(*blocks))
    found = [(cue.start, cue.end, cue.source) for cue in reading.cues]

    for start, end, text in right:
        assert any((start, end) == one[:2] and one[2].split("\n")[0] == text for one in found), (text, found)


@pytest.mark.parametrize(
    ("content", "assumed", "first"),
    [
        ("{0}{0}25\n{25}{50}Hello\n", False, 1.0),
        ("{1}{1}120\n{120}{240}Hello\n", False, 1.0),
        ("{1}{1}23,976\n{25}{50}Hello\n", False, 1.043),
        ("{25}{50}Hello\n{75}{100}bye\n", True, 1.043),
        ("{25}{50}42\n{75}{100}The answer.\n", True, 1.043),
    ],
)
def test_frames_of_a_second(content: str, assumed: bool, first: float) -> None:
    """A number that is said later than at the very start is a subtitle."""
    reading = parse_subtitles(content.encode(), "s.sub")
    assert (ProblemKind.RATE_ASSUMED in {problem.kind for problem in reading.problems}) is assumed
    assert reading.cues[0].start == pytest.approx(first, abs=0.001)


LONG = "word " * 3000


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f"1\n00:00:01,000 --> 00:00:02,000\n{LONG}\n\n2\n00:00:03,000 --> 00:00:04,000\nshown\n", 2),
        (f"1\n00:00:01,000 --> 00:00:02,000\n{'<b></b>' * 900}lost\n\n2\n00:00:03,000 --> 00:00:04,000\nshown\n", 2),
        (f"WEBVTT\n\n00:01.000 --> 00:02.000\nstart\n{'<i></i>' * 900}lost\n\n00:03.000 --> 00:04.000\nshown\n", 3),
        (
            "[Events]\nFormat: Start, End, Text\n"
            f"Dialogue: 0:00:01.00,0:00:02.00,start {{\\pos(1,1)}}{'{}' * 3000}lost\n"
            "Dialogue: 0:00:03.00,0:00:04.00,shown\n",
            3,
        ),
        (f"{{1}}{{1}}25\n{{25}}{{50}}{LONG}\n{{75}}{{100}}shown\n", 2),
    ],
)
def test_a_text_that_is_cut_is_named(content: str, line: int) -> None:
    """However long its markup: what stands behind it is not lost without a word."""
    reading = read(content)
    assert reading.cues[-1].source == "shown"
    assert all(len(cue.source) <= 2000 for cue in reading.cues)
    cut = [problem.line for problem in reading.problems if problem.kind in {ProblemKind.TEXT_CUT, ProblemKind.NO_TEXT}]
    whole = any("lost" in cue.source for cue in reading.cues)
    assert whole or line in cut
