"""The judge of line breaks and the measure of limits, on texts whose answers are known."""

from __future__ import annotations

import importlib.util
from itertools import pairwise

import pytest

from tests.quality import breaks, taggers
from tests.quality.layouts import PEERS, Shown, ours, sentences, spoken
from tests.quality.sections.layout import is_over_limits, is_top_heavy, lone_words

needs_models = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("denckring_en_pos", "gruut_lang_fa")),
    reason="the models of requirements/quality.txt are not installed",
)


def cue(*lines: str, start: float = 1.0, end: float = 4.0) -> Shown:
    return Shown(start=start, end=end, lines=lines)


@needs_models
@pytest.mark.parametrize(
    ("text", "code", "kind"),
    [
        ("They saw the | house.", "en", "article"),
        ("They walked under | a tree.", "en", "preposition"),
        ("She came because | he had left.", "en", "conjunction"),
        ("Then we met Peter | Smith there.", "en", "name"),
        ("Then we met Dr. | Smith there.", "en", "name"),
        ("The letter was | opened there.", "en", "auxiliary"),
        ("She told him | everything.", "en", "pronoun"),
        ("They saw the house | near the river.", "en", ""),
        ("When it rained, | they slept.", "en", ""),
        ("THE NEW | YORK POLICE CAME.", "en", ""),
        ("خانهٔ | ما بزرگ است.", "fa", "ezafe"),
        ("او کتاب | را خواند.", "fa", "word that follows its own"),
        ("ما از | خانه آمدیم.", "fa", "preposition"),
        ("گفت که | فردا می‌آید.", "fa", "conjunction"),
        ("نامه نوشته | شد.", "fa", "auxiliary"),
        ("رئیس | دانشگاه تهران آمد.", "fa", breaks.EZAFE_UNWRITTEN),
        ("دیروز باران آمد | و هوا خنک شد.", "fa", ""),
    ],
)
def test_the_judge_knows_bad_breaks(text: str, code: str, kind: str) -> None:
    border = len(text.split("|")[0].split()) - 1
    assert breaks.reasons(text.replace("| ", ""), code)[border] == kind


@needs_models
def test_words_have_the_parts_of_speech_of_their_sentence() -> None:
    assert taggers.english(["she", "walks", "home"])[1] == "VERB"
    assert taggers.english(["her", "evening", "walks", "were", "long"])[2] == "NOUN"
    assert taggers.persian(["رئیس", "انجمن", "ایران", "از", "تهران", "آمد", "."]) == [
        "Ne",
        "Ne",
        "N",
        "P",
        "N",
        "V",
        "PUNC",
    ]


def test_a_missing_package_is_named() -> None:
    with pytest.raises(taggers.NoPackage, match="no_such_package is missing"):
        taggers.folder("no_such_package")


def test_lines_end_at_borders_between_words() -> None:
    assert breaks.broken([cue("one two", "three"), cue("four five six")]) == [1, 2]


def test_speech_has_its_words_and_pauses() -> None:
    words = spoken("One two, three. Four.")
    assert [word.text for word in words] == ["One", "two,", "three.", "Four."]
    pauses = [after.start - before.end for before, after in pairwise(words)]
    assert pauses[0] == pytest.approx(0, abs=0.002)
    assert 0.15 <= pauses[1] <= 0.35
    assert 0.4 <= pauses[2] <= 0.9
    assert words == spoken("One two, three. Four.")
    assert [[word.text for word in run] for run in sentences(words)] == [["One", "two,", "three."], ["Four."]]


@pytest.mark.parametrize(
    ("cues", "over"),
    [
        ([cue("A good line,", "and another one.")], [False]),
        ([cue("a", "b", "c")], [True]),
        ([cue("x " * 22)], [True]),
        ([cue("x" * 50)], [False]),
        ([cue("too long", end=8.2)], [True]),
        ([cue("too short", end=1.5)], [True]),
        ([cue("much too fast to be read", end=2.0)], [True]),
        ([cue("one cue"), cue("touches another", start=4.01, end=6.0)], [False, True]),
    ],
)
def test_limits(cues: list[Shown], over: list[bool]) -> None:
    assert is_over_limits(cues, "en") == over


def test_a_word_alone_is_counted_unless_it_is_a_sentence() -> None:
    assert lone_words([cue("Yes."), cue("Well,"), cue("we went"), cue("home.")]) == 2


def test_a_cue_is_top_heavy_when_its_upper_line_is_half_as_long_again() -> None:
    assert is_top_heavy([cue("four four", "four f"), cue("four four f", "four f"), cue("one line")]) == [
        *(False, True, False)
    ]


def test_all_layouts_keep_every_word() -> None:
    text = "We gave it back to them, because both of the men which had been there before us should have asked. Yes."
    layouts = {"ours": ours, "whisperx 42x2": PEERS["whisperx 42x2"]}
    if importlib.util.find_spec("stable_whisper") and importlib.util.find_spec("whisper"):
        layouts |= PEERS
    for name, layout in layouts.items():
        assert " ".join(line for one in layout(spoken(text), "en") for line in one.lines) == text, name
