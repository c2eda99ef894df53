"""Texts under the ids of other lines are noticed: with pairs of sentences that people translated, not tuned on.

The pairs are those of Django's own catalogues, which are installed with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import django
import pytest

from jobs.engines.llm import answers
from jobs.engines.llm.alignment import doubtful
from jobs.engines.llm.translator import LlmTranslator
from jobs.pipeline.protocols import Brief, Line, Translation
from jobs.pipeline.text.languages import language
from tests.engines.llm_doubles import MemoryModel

LANGUAGES = ("fa", "es", "de", "ru")
_FEWEST_LETTERS = 4

Pair = tuple[str, str]


@cache
def pairs(code: str) -> list[Pair]:
    """English sentences and words of Django with their translations, without placeholders."""
    found: dict[str, str] = {}
    for path in sorted(Path(django.__file__).parent.rglob(f"locale/{code}/LC_MESSAGES/django.mo")):
        with path.open("rb") as file:
            catalogue = GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        found |= {key: text for key, text in catalogue.items() if isinstance(key, str) and isinstance(text, str)}
    target = language(code)
    return [
        (source, text)
        for source, text in sorted(found.items())
        if len(source) >= _FEWEST_LETTERS
        and not any(sign in source + text for sign in "%{}<>\n\x04")
        and source != text
        and not answers.rejection_reason(_line(1, source), answers.clean(text, target), target, again=False)
    ]


def _line(number: int, text: str) -> Line:
    return Line(id=number, text=text, budget=0, ends_sentence=True)


# Faults of an answer with all its ids: each gives the texts of `texts` in other places


def merged(texts: Sequence[str], at: int) -> list[str]:
    """Two lines under one id, the rest moved up, the last text twice."""
    return [*texts[:at], f"{texts[at]} {texts[at + 1]}", *texts[at + 2 :], texts[-1]]


def left_out(texts: Sequence[str], at: int) -> list[str]:
    return [*texts[:at], *texts[at + 1 :], "."]


def split(texts: Sequence[str], at: int) -> list[str]:
    words = texts[at].split()
    middle = max(1, len(words) // 2)
    return [*texts[:at], " ".join(words[:middle]), " ".join(words[middle:]) or "…", *texts[at + 1 : -1]]


def one_on(texts: Sequence[str], at: int) -> list[str]:
    return [*texts[1:], texts[0]]


def two_back(texts: Sequence[str], at: int) -> list[str]:
    return [*texts[-2:], *texts[:-2]]


def halves_swapped(texts: Sequence[str], at: int) -> list[str]:
    return [*texts[len(texts) // 2 :], *texts[: len(texts) // 2]]


FAULTS = [merged, left_out, split, one_on, two_back, halves_swapped]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("rounds", [4, pytest.param(15, marks=pytest.mark.soak)])
def test_moved_texts_are_noticed(code: str, fault: Callable[[Sequence[str], int], list[str]], rounds: int) -> None:
    """In batches of 40 lines, with the fault in the first three quarters."""
    chance, noticed = random.Random(7), 0
    for _ in range(rounds):
        sources, texts = zip(*chance.sample(pairs(code), 40), strict=True)
        noticed += bool(doubtful(sources, fault(texts, chance.randrange(30))))
    assert noticed >= rounds - 1


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("rounds", [10, pytest.param(40, marks=pytest.mark.soak)])
def test_good_answers_are_hardly_ever_doubted(code: str, rounds: int) -> None:
    chance, doubted = random.Random(11), 0
    for _ in range(rounds):
        sources, texts = zip(*chance.sample(pairs(code), 30), strict=True)
        doubted += len(doubtful(sources, texts))
    assert doubted <= 0.01 * rounds * 30


@pytest.mark.parametrize(
    ("sources", "texts", "places"),
    [
        pytest.param(
            ["It cost 40 dollars.", "Nobody came.", "Hana lives in 12 Park Street."],
            ["هیچ‌کس نیامد.", "هانا در خیابان پارک، شمارهٔ ۱۲ زندگی می‌کند.", "۴۰ دلار بود."],
            {0, 1, 2},
            id="numbers",
        ),
        pytest.param(
            ["Are you sure?", "Yes, I am sure."],
            ["بله، مطمئنم.", "مطمئنی؟"],
            {0, 1},
            id="question and answer swapped",
        ),
        pytest.param(["Hello.", "Bye."], ["سلام.", "خداحافظ."], set(), id="short lines"),
        pytest.param(["One"], ["چیز دیگر"], set(), id="a single line"),
        pytest.param(["Well, I think", "that he has left."], ["خب، به نظرم او", "رفته است."], set(), id="a sentence"),
        pytest.param(["Yes.", "No.", "Go!"], ["بله.", "", "برو!"], set(), id="a missing text"),
        pytest.param([], [], set(), id="nothing"),
    ],
)
def test_a_few_lines(sources: list[str], texts: list[str], places: set[int]) -> None:
    assert doubtful(sources, texts) == places


def test_terms_of_the_glossary_tell_where_a_text_belongs() -> None:
    sources = ["The whale sleeps here.", "The shark sleeps here.", "The heron sleeps here."]
    texts = ["کوسه اینجا می‌خوابد.", "حواصیل اینجا می‌خوابد.", "نهنگ اینجا می‌خوابد."]
    terms = [("whale", "نهنگ"), ("shark", "کوسه"), ("heron", "حواصیل")]
    assert doubtful(sources, texts) == set()
    assert doubtful(sources, texts, terms=terms) == {0, 1, 2}
    own = [texts[2], texts[0], texts[1]]
    assert doubtful(sources, own, terms=terms) == set()


# The whole translator against a model that misplaces texts at every third question


class Misplacing:
    """Translates by a dictionary; at about every third question of several lines it moves texts, with all ids there."""

    def __init__(self, texts: Mapping[str, str], seed: int) -> None:
        self._texts, self._chance = texts, random.Random(seed)
        self.misplaced = 0

    def __call__(self, asked: Mapping[str, Any]) -> dict[str, str]:
        lines: dict[str, str] = asked["translate"]
        texts = [self._texts[text] for text in lines.values()]
        if len(lines) > 4 and self._chance.random() < 0.3:
            texts = self._chance.choice(FAULTS)(texts, self._chance.randrange(len(texts) * 3 // 4))
            self.misplaced += 1
        return dict(zip(lines, texts, strict=True))


@pytest.mark.parametrize("code", ["fa", "es"])
@pytest.mark.parametrize("jobs", [4, pytest.param(12, marks=pytest.mark.soak)])
def test_a_model_that_misplaces_texts_costs_questions_not_lines(code: str, jobs: int) -> None:
    wrong = total = misplaced = 0
    target = language(code)
    for seed in range(jobs):
        chosen = random.Random(seed).sample(pairs(code), 120)
        truth = {number: answers.clean(text, target) for number, (_, text) in enumerate(chosen, start=1)}
        lines = [_line(number, source) for number, (source, _) in enumerate(chosen, start=1)]
        reply = Misplacing(dict(chosen), seed)
        found: dict[int, Translation] = {}
        translator = LlmTranslator(MemoryModel(reply), name="test")
        for batch in translator.translate(lines, Brief(source="en", target=code), {}):
            found |= {one.id: one for one in batch.translations}
        assert found.keys() == truth.keys()
        wrong += sum(bool(one.text) and not one.flags and one.text != truth[one.id] for one in found.values())
        misplaced += reply.misplaced
        total += len(lines)
    assert misplaced > jobs / 2
    assert wrong <= 0.005 * total, f"{wrong} of {total} lines have the text of another"


def test_an_answer_that_lacks_only_the_last_line_is_not_believed() -> None:
    """Two lines were merged, and the model counted on."""
    lines = [
        _line(number, text)
        for number, text in enumerate(
            ["He said hello and left.", "Then she closed the door.", "Nobody knew the reason.", "It was late."], start=1
        )
    ]
    good = {"1": "سلام کرد و رفت.", "2": "بعد او در را بست.", "3": "هیچ‌کس دلیلش را نمی‌دانست.", "4": "دیروقت بود."}
    bad = {"1": "سلام کرد و رفت و بعد او در را بست.", "2": "هیچ‌کس دلیلش را نمی‌دانست.", "3": "دیروقت بود."}
    model = MemoryModel(lambda asked: of_asked(bad if len(model.questions) == 1 else good, asked))
    (batch,) = LlmTranslator(model, name="test").translate(lines, Brief(source="en", target="fa"), {})

    assert {str(one.id): one.text for one in batch.translations} == good
    assert len(model.questions) == 2


def of_asked(texts: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, str]:
    return {number: texts[number] for number in asked["translate"] if number in texts}
