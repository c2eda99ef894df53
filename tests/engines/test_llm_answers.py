"""Validation of a model's answers."""

from __future__ import annotations

import time

import pytest
from babel import Locale
from babel.localedata import locale_identifiers

from jobs.engines.llm.answers import (
    _share,
    clean,
    filled_up,
    fitting,
    may_stay_untranslated,
    rejection_reason,
    repeated_neighbours,
    said_of_all,
    within_neighbours,
    without_numbers,
)
from jobs.engines.llm.shapes import Unreadable
from jobs.engines.llm.shapes import texts_of as read
from jobs.pipeline.text.languages import Language, language
from tests.engines.llm_doubles import line, some_lines

FA, ES, JA = language("fa"), language("es"), language("ja")


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ('{"1": "a", "2": "b"}', {1: "a", 2: "b"}),
        ('{"001": "a"}', {1: "a"}),
        ('```json\n{"1": "a"}\n```', {1: "a"}),
        ('Sure! {"1": "a"} Done.', {1: "a"}),
        ('<think>{"1": "x"}</think>{"1": "a"}', {1: "a"}),
        ('{"translations": {"1": "a"}}', {1: "a"}),
        ('{"1": "a", "2": "b", "3": "half of', {1: "a", 2: "b"}),
        ('{"1": "a", "1": "b", "2": "c"}', {2: "c"}),
        ('{"1": "a", "note": "b", "2": 5, "3": null}', {1: "a"}),
        (r'{"1": "می\u200cشود \"x\""}', {1: 'می‌شود "x"'}),
        ("{}", {}),
    ],
)
def test_reading(answer: str, texts: dict[int, str]) -> None:
    assert read(answer) == texts


@pytest.mark.parametrize(
    "answer", ["", "I cannot.", "[1, 2]", "{not json}", '{"lines": ["a"]}', "<style>a{b:c}</style>", "{" * 5000]
)
def test_unreadable(answer: str) -> None:
    with pytest.raises(Unreadable):
        read(answer)


def test_a_missing_line_leaves_the_others() -> None:
    assert fitting({1: "a", 3: "c"}, some_lines(3), ()) == {1: "a", 3: "c"}


def test_an_unknown_id_spoils_the_answer() -> None:
    assert fitting({1: "a", 2: "b", 3: "c"}, some_lines(2), ()) == {}


def test_texts_moved_on_to_the_context_spoil_the_answer() -> None:
    assert fitting({2: "a", 3: "b"}, some_lines(2), {3}) == {}


def test_context_translated_in_its_own_place_does_no_harm() -> None:
    assert fitting({1: "a", 2: "b", 3: "c"}, some_lines(2), {3}) == {1: "a", 2: "b"}


def test_a_single_line_is_taken_whatever_else_is_said() -> None:
    assert fitting({1: "a", 99: "b"}, some_lines(1), ()) == {1: "a"}


@pytest.mark.parametrize(
    ("source", "text", "why"),
    [
        ("How are you?", "حالت چطوره؟", ""),
        ("How are you?", "", "empty"),
        ("How are you?", "…", "empty"),
        ("How are you?", "how are you", "echo"),
        ("How are you?", "¿Cómo estás?", "script"),
        ("I teach TESOL.", "من معلم TESOL هستم.", ""),
        ("Yes.", "بله" * 40, "long"),
        ("Nineteen eighty-four", "۱۹۸۴", ""),
        ("♪", "♪", ""),
        ("1984", "۱۹۸۴", ""),
        ("OK", "OK", "echo"),
        ("iPhone 15 Pro", "iPhone 15 Pro Max", "script"),
    ],
)
def test_faults_at_first(source: str, text: str, why: str) -> None:
    assert rejection_reason(line(1, source, budget=20), text, FA, again=False) == why


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("OK", True),
        ("iPhone 15 Pro", True),
        ("Sarah!", True),
        ("me@example.org", True),
        ("www.example.org/a", True),
        ("B2B", True),
        ("hello", False),
        ("How are you?", False),
        ("One Two Three Four Five", False),
    ],
)
def test_what_may_stay_in_latin(text: str, stays: bool) -> None:
    assert may_stay_untranslated(text, FA) is stays


def test_a_term_of_the_glossary_may_stay() -> None:
    assert may_stay_untranslated("kubectl apply", FA, known=("kubectl", "apply"))


def test_one_word_may_be_the_same_in_both_languages() -> None:
    assert rejection_reason(line(1, "hotel"), "hotel", ES, again=False) == "echo"
    assert rejection_reason(line(1, "hotel"), "hotel", ES, again=True) == ""
    assert rejection_reason(line(1, "good morning to you"), "good morning to you", ES, again=True) == "echo"


def test_dense_scripts_may_grow_a_lot() -> None:
    assert rejection_reason(line(1, "我今天早上去市场买了面包", budget=30), "x" * 60, ES, again=False) == ""


@pytest.mark.parametrize(
    ("source", "text", "target", "why"),
    [
        ("He said hello and left.", "سلام کرد، اما显得有些 خسته و رفت.", FA, "script"),
        ("He said hello and left.", "سلام کرد и رفت.", FA, "script"),
        ("He said hello and left.", "Saludó и se fue.", ES, "script"),
        ("He said hello and left.", "Saludó y se سلام fue.", ES, "script"),
        ("The sign 北京 hung there.", "تابلوی 北京 آنجا بود.", FA, ""),
        ("The letter Ω stands for ohm.", "حرف Ω یعنی اهم.", FA, ""),
        ("The alpha particle is slow.", "ذرهٔ α کند است.", FA, ""),
        ("5 megaohms", "۵ مگااهم (MΩ)", FA, ""),
        ("Good day to you.", "روز καλή به خیر.", FA, "script"),
        ("Good day to you.", "روز \u07ca\u07ca به خیر.", FA, "script"),
        ("Good day to you.", "Buenos \u0b15\u0b25 días.", ES, "script"),
        ("It is hot in Tokyo.", "در Tokyo هوا گرم است.", FA, ""),
        ("He left.", "彼は去った。", JA, ""),
        ("Nobody knew the reason.", "[ترجمه‌ای ارائه نشد]", FA, "remark"),
        ("Nobody knew the reason.", "(no translation)", ES, "remark"),
        ("Nobody knew the reason.", "(Nota: falta contexto).", ES, "remark"),
        ("[DOOR SLAMS]", "[صدای در]", FA, ""),
        ("(laughs)", "(می‌خندد)", FA, ""),
        ("He left (again).", "او (باز) رفت.", FA, ""),
    ],
)
def test_letters_of_a_third_script_and_remarks(source: str, text: str, target: Language, why: str) -> None:
    for again in (False, True):
        assert rejection_reason(line(1, source), text, target, again=again) == why


@pytest.mark.parametrize(
    ("source", "text", "why"),
    [
        ("Then she closed the door.", "...", "empty"),
        ("Then she closed the door.", "؟؟؟", "empty"),
        ("Then she closed the door again.", "۱", "empty"),
        ("Hm, hm.", "…", ""),
        ("One hundred and twelve.", "۱۱۲", ""),
        ("It is 5 to 12 again now.", "۵:۱۲", ""),
    ],
)
def test_signs_are_no_translation_of_a_sentence(source: str, text: str, why: str) -> None:
    assert rejection_reason(line(1, source), text, FA, again=True) == why


def test_a_text_for_several_different_lines_is_no_translation() -> None:
    lines = [line(1, "He went to the market."), line(2, "She stayed at home."), line(3, "It was late in the evening.")]
    refusal = "متأسفم، متنی نمی‌بینم."
    assert said_of_all(lines, {1: refusal, 2: refusal, 3: refusal}) == {refusal}
    assert said_of_all(lines, {1: refusal, 2: refusal, 3: "دیر بود."}) == set()
    assert said_of_all([line(number, "Yes.") for number in range(5)], dict.fromkeys(range(5), "بله.")) == set()
    assert (
        said_of_all([line(number, "He went to the market.") for number in range(5)], dict.fromkeys(range(5), "رفت."))
        == set()
    )


def test_twins_are_suspect_unless_their_sources_are_alike() -> None:
    lines = [line(1, "He went to the market."), line(2, "She stayed at home."), line(3, "Yes."), line(4, "Yeah.")]
    assert repeated_neighbours(lines, {1: "متن", 2: "متن", 3: "بله", 4: "بله"}) == {1, 2}


def test_cleaning() -> None:
    assert clean("\u200fسلام,\n<i>خوبي</i>؟ \\N ", FA) == "سلام، خوبی؟"
    assert clean(" Hola,  ¿qué tal? ", ES) == "Hola, ¿qué tal?"
    assert clean("e\u0301", ES) == "é"
    assert clean("بعد او در را بست。", FA) == "بعد او در را بست."
    assert clean("¿Qué？", ES) == "¿Qué?"
    assert clean("سلام کرد、رفت۔", FA) == "سلام کرد، رفت."
    assert clean("۱２ نفر，رفتند！", FA) == "۱۲ نفر، رفتند!"
    assert clean("彼は去った。", JA) == "彼は去った。"


def test_the_letters_of_every_language_are_those_of_its_script() -> None:
    known = [language(code) for code in locale_identifiers() if len(code) == 2]
    own_names = {one: Locale.parse(one.code).get_display_name() or one.code for one in known}
    named = [(one, own_name) for one, own_name in own_names.items() if own_name != one.code]
    assert len(named) > 100
    assert {one.code for one, own_name in named if _share(own_name, one.script) < 0.9} == set()


@pytest.mark.parametrize(("bad", "text"), [(r'"don\'t"', "don't"), (r'"C:\Users"', r"C:\Users")])
def test_a_bad_escape_costs_nothing(bad: str, text: str) -> None:
    assert read(f'{{"1": {bad}, "2": "b"}}') == {1: text, 2: "b"}


def test_an_escape_that_stands_for_nothing_costs_its_own_line_only() -> None:
    assert read(r'{"1": "\u12", "2": "b"}') == {2: "b"}
    with pytest.raises(Unreadable):
        read(r'{"1": "\u12"}')


@pytest.mark.parametrize("end", ["}", ""])
def test_a_number_of_5000_digits_is_no_id(end: str) -> None:
    assert read(f'{{"{"1" * 5000}": "a", "2": "b"{end or ", "}') == {2: "b"}


def test_half_a_surrogate_pair_is_no_text() -> None:
    clean("hola \ud83d amigos", ES).encode()
    assert clean(read(r'{"1": "hola \ud83d amigos"}')[1], ES) == "hola amigos"
    assert clean(read(r'{"1": "hola \ud83d\ude00"}')[1], ES) == "hola 😀"


def test_many_thoughts_take_no_time() -> None:
    begun = time.process_time()
    with pytest.raises(Unreadable):
        read("<think>" * 20_000)
    assert read("<think>" * 20_000 + '</think>{"1": "a"}') == {1: "a"}
    assert time.process_time() - begun < 10


def test_thoughts_end_where_the_last_of_them_ends() -> None:
    assert read('I think {"1": "x"} </think> or {"1": "y"} </think> {"1": "a"}') == {1: "a"}


# Numbers before the texts, and texts inside others


def test_numbers_before_most_texts_are_removed() -> None:
    lines = [line(7), line(8), line(9)]
    texts = {7: "1. یک خط", 8: "2) خط دیگر", 9: "خط آخر"}
    assert without_numbers(lines, texts) == {7: "یک خط", 8: "خط دیگر", 9: "خط آخر"}
    ids = {7: "۷ - یک خط", 8: "[8]: خط دیگر", 9: "9. خط آخر"}
    assert without_numbers(lines, ids) == {7: "یک خط", 8: "خط دیگر", 9: "خط آخر"}


@pytest.mark.parametrize(
    ("sources", "texts"),
    [
        pytest.param(
            ["1. Open it.", "2. Close it.", "Done."], ["1. بازش کن.", "2. ببندش.", "تمام."], id="a list that is said"
        ),
        pytest.param(["Two came.", "Nobody.", "Why?"], ["2 نفر آمدند.", "هیچ‌کس.", "چرا؟"], id="a number that is said"),
        pytest.param(["In 1990.", "It fell.", "Why?"], ["1990. آن سال.", "افتاد.", "چرا؟"], id="a year"),
    ],
)
def test_numbers_that_were_said_stay(sources: list[str], texts: list[str]) -> None:
    lines = [line(number, text) for number, text in enumerate(sources, start=1)]
    given = dict(enumerate(texts, start=1))
    assert without_numbers(lines, given) == given


def test_a_text_that_holds_its_neighbour_is_doubtful() -> None:
    lines = [line(1, "She went home."), line(2, "Nobody was there."), line(3, "She slept.")]
    assert within_neighbours(lines, {1: "به خانه رفت.", 2: "کسی آنجا نبود، خوابید.", 3: "خوابید."}) == set()  # short
    assert within_neighbours(lines, {1: "به خانه رفت و دید کسی آنجا نبود.", 2: "کسی آنجا نبود.", 3: "خوابید."}) == {
        1,
        2,
    }


def test_a_text_may_hold_its_neighbour_where_the_source_does() -> None:
    lines = [line(1, "I see."), line(2, "Yes, I see.")]
    assert within_neighbours(lines, {1: "متوجه هستم.", 2: "بله، متوجه هستم."}) == set()


def test_a_remark_in_the_place_of_the_last_line_shows_that_two_were_merged() -> None:
    lines = [line(1, "He said hello."), line(2, "She closed the door."), line(3, "It was late in the evening.")]
    assert filled_up(lines, {1: "سلام کرد و او در را بست.", 2: "دیروقت بود.", 3: "همان خط قبل"})
    assert not filled_up(lines, {1: "سلام کرد.", 2: "او در را بست.", 3: "دیروقت بود."})
