"""Line breaking: preferred and forbidden places."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.pipeline.text import phrases
from jobs.pipeline.text.display_width import cell_width, pieces, width
from jobs.pipeline.text.languages import language
from jobs.pipeline.text.line_breaking import line_cells, lines_needed, unwrap, wrap

EN, FA, JA, ZH, KO, TH = (language(code) for code in ("en", "fa", "ja", "zh", "ko", "th"))


def lines(text: str, code: str = "en") -> list[str]:
    return wrap(text, language(code)).split("\n")


def test_what_fits_stays_one_line() -> None:
    assert wrap("Exactly forty-two characters fit one line.", EN) == "Exactly forty-two characters fit one line."


def test_white_space_is_made_single() -> None:
    assert wrap("  a \t b  ", EN) == "a b"


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_nothing_gives_nothing(text: str) -> None:
    assert wrap(text, EN) == ""


@pytest.mark.parametrize(
    ("code", "top", "bottom"),
    [
        ("en", "If you close this page too early,", "everything stops at once."),
        ("en", "The people of the world speak many", "and they all want to understand."),
        ("en", "She reads a new and rather heavy book", "in the garden of the house."),
        ("en", "Yesterday evening I met Peter Smith", "and his wife in the old garden."),
        ("en", "He wanted to see the great", "and very old cathedral of that town."),
        ("fa", "سپس جمله‌ها را به زبان شما ترجمه می‌کند", "و می‌توانید هر سطر را بخوانید."),
        ("es", "La gente del mundo habla muchas lenguas", "y todos quieren entenderse bien."),
        ("fr", "Les gens du monde parlent des langues", "mais ils veulent se comprendre."),
        ("de", "Die Kinder spielen heute lange im Park,", "während die Eltern sitzen und reden."),
        ("ar", "الناس في هذا العالم يتكلمون لغات كثيرة", "ولكن الجميع يريد أن يفهم الآخرين."),
        ("ja", "今日は天気がとても良いので、", "公園に行って散歩をしました。"),
        ("zh", "今天的天气非常好，", "所以我们决定去公园散步和野餐。"),
        ("ko", "오늘은 날씨가 정말 좋아서", "우리는 공원에 산책하러 갔습니다."),
        ("th", "วันนี้อากาศดีมากจริงๆ", "เราจึงตัดสินใจไปเดินเล่นที่สวนสาธารณะ"),
    ],
)
def test_the_best_break(code: str, top: str, bottom: str) -> None:
    text = f"{top}{'' if code in {'ja', 'zh'} else ' '}{bottom}"
    assert lines(text, code) == [top, bottom]


@pytest.mark.parametrize("pair", ["the house", "a garden", "Peter Smith", "Dr. Brown", "25 apples", "of gold"])
def test_words_that_belong_together_stay_together(pair: str) -> None:
    left, right = pair.split()
    for before in range(2, 8):
        text = f"{'walk ' * before}{pair}{' walk' * (10 - before)}"
        top, bottom = lines(text)
        assert not (top.endswith(left) and bottom.startswith(right)), text


@pytest.mark.parametrize(
    ("text", "ends"), [("at 5.", True), ("said no.", True), ("it was I.", True), ("in the U.S.", False), ("Dr.", False)]
)
def test_an_abbreviation_ends_no_sentence(text: str, ends: bool) -> None:
    assert phrases.ends_sentence(text.split()[-1]) is ends


def test_the_bottom_line_is_rather_the_longer_one() -> None:
    left, middle, right = "x" * 16, "y" * 8, "z" * 18
    assert lines(f"{left} {middle} {right}") == [left, f"{middle} {right}"]


def test_zwnj_and_no_break_spaces_hold() -> None:
    text = "می\u200cتوانید\u00a0هر " * 5 + "کتاب\u200cهای\u00a0خوب"
    assert all(not line.startswith(("\u200c", "\u00a0", "توانید", "هر", "های")) for line in lines(text, "fa"))


def test_what_counts_nothing_takes_no_room() -> None:
    assert width("می\u200cشود", FA) == 5
    assert width("\u200fمَدرِسه", FA) == 5
    assert width("ที่", TH) == 1


def test_full_width_characters_count_one_where_limits_are_theirs_and_two_elsewhere() -> None:
    assert (width("日本語", JA), width("AB", JA), width("日本語", EN)) == (3.0, 1.0, 6.0)


@pytest.mark.parametrize("text", ["あ" * 12 + "。" + "い" * 10, "「" + "あ" * 11 + "」「" + "い" * 9 + "」"])
def test_japanese_lines_begin_with_no_closing_mark_and_end_with_no_opening_one(text: str) -> None:
    top, bottom = lines(text, "ja")
    assert bottom[0] not in "。」"
    assert top[-1] != "「"


def test_latin_words_within_chinese_are_not_cut() -> None:
    assert any("Wikipedia" in line for line in lines("这个视频的字幕来自Wikipedia网站的一篇文章", "zh"))


def test_thai_is_not_cut_inside_a_syllable() -> None:
    text = "วันนี้อากาศดีมากเราจึงตัดสินใจไปเดินเล่นที่สวนสาธารณะกับครอบครัวของเรา"
    top, bottom = lines(text, "th")
    assert bottom[0] in "เแโใไ"
    assert top + bottom == text


# Lines that a person or a translator made


def test_a_good_break_made_by_hand_stays() -> None:
    assert wrap("Short one,\nbut broken by hand.", EN) == "Short one,\nbut broken by hand."


def test_a_break_that_parts_article_and_noun_is_mended() -> None:
    assert wrap("He went into the\nhouse.", EN) == "He went into the house."


def test_a_line_by_hand_that_is_too_long_is_broken_anew() -> None:
    text = "This line was made by hand, and it is much too long for a screen\nindeed."
    assert max(map(len, lines(text))) <= 42


def test_three_lines_become_two() -> None:
    assert len(lines("This is a first line\nand here the second\nand then a third line")) == 2


def test_speakers_keep_their_lines() -> None:
    assert wrap("- Yes?\n- No.", EN) == "- Yes?\n- No."
    assert wrap("- Are you there? - No, I am not.", EN) == "- Are you there?\n- No, I am not."
    assert wrap("\u200f– آنجایی؟ – نه.", FA) == "\u200f– آنجایی؟\n– نه."


def test_a_dash_or_a_minus_alone_is_no_dialogue() -> None:
    assert wrap("-5 degrees. - Cold!", EN) == "-5 degrees. - Cold!"
    assert wrap("Well - no. - Or so.", EN) == "Well - no. - Or so."


def test_unwrapped_text_is_one_line() -> None:
    assert unwrap("one\ntwo", EN) == "one two"
    assert unwrap("今日は\n公園に", JA) == "今日は公園に"
    assert unwrap("", EN) == ""


# Too long for two lines


def test_too_long_text_is_two_even_lines() -> None:
    text = "word " * 40
    top, bottom = lines(text)
    assert abs(len(top) - len(bottom)) <= 5
    assert lines_needed(text, EN) == 5


def test_a_single_long_word_is_not_cut() -> None:
    assert wrap("x" * 100, EN) == "x" * 100
    assert lines(f"{'x' * 60} and so on") == ["x" * 60, "and so on"]


# Whatever the text

WORDS = st.sampled_from(
    [
        "a",
        "the",
        "house",
        "and",
        "Peter",
        "walking,",
        "end.",
        "3",
        "می‌شود",
        "را",
        "و",
        "کتاب؟",
        "今日は、",
        "「公園」",
        "ไปเดิน",
        "-",
        "–",
        "!",
    ]
)
TEXTS = st.lists(WORDS, max_size=30).flatmap(
    lambda words: st.lists(st.sampled_from([" ", " ", " ", "\n"]), min_size=len(words), max_size=len(words)).map(
        lambda gaps: "".join(word + gap for word, gap in zip(words, gaps, strict=True))
    )
)
LANGUAGES = st.sampled_from([EN, FA, JA, ZH, KO, TH])


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(TEXTS, st.text(max_size=120)), chosen=LANGUAGES)
def test_no_character_is_lost_and_there_are_two_lines_at_most(text: str, chosen: object) -> None:
    wrapped = wrap(text, chosen)  # type: ignore[arg-type]
    assert wrapped.count("\n") <= 1
    assert re.sub(r"\s", "", wrapped) == re.sub(r"\s", "", text)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, code=st.sampled_from(["en", "fa", "ja", "zh", "ko", "th"]))
def test_lines_fit_whenever_two_lines_can_hold_the_text(text: str, code: str) -> None:
    chosen = language(code)
    flat = unwrap(text, chosen).lstrip("-–! ")
    room = line_cells(chosen)
    if lines_needed(flat, chosen) <= 2 and all(cell_width(piece.text) <= room for piece in pieces(flat, chosen)):
        assert all(cell_width(line) <= room for line in wrap(flat, chosen).split("\n"))


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, code=st.sampled_from(["en", "fa", "ko"]))
def test_wrapping_again_changes_nothing(text: str, code: str) -> None:
    once = wrap(unwrap(text, language(code)), language(code))
    assert wrap(once, language(code)) == once
