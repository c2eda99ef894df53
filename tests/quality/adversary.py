"""A model that misbehaves in 30 ways, and a good one, over pairs of sentences whose translations are known.

A way is a function that changes the answers of a question in place of a good model. Those that move texts keep all ids,
as a schema forces a model to do.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jobs.engines.llm.model import Answer
from jobs.engines.llm.prompt import BEGINS, Question
from jobs.pipeline.protocols import Usage


@dataclass(frozen=True, slots=True)
class Said:
    """A text under an id, and the line that the model takes for its source."""

    text: str
    source: str = ""


Saying = list[Said]
Way = Callable[[Saying, random.Random], Saying]


# Texts in other places, with all ids there


def merged_last_twice(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], _joined(said[at : at + 2]), *said[at + 2 :], said[-1]]


def merged_last_empty(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], _joined(said[at : at + 2]), *said[at + 2 :], Said("", said[-1].source)]


def merged_last_missing(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], _joined(said[at : at + 2]), *said[at + 2 :]]


def merged_last_invented(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], _joined(said[at : at + 2]), *said[at + 2 :], _part(chance.choice(said), 0)]


def merged_and_split(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    shorter = [*said[:at], _joined(said[at : at + 2]), *said[at + 2 :]]
    place = chance.randrange(min(at + 1, len(shorter) - 1), len(shorter))
    return [*shorter[:place], _part(shorter[place], 0), _part(shorter[place], 1), *shorter[place + 1 :]]


def split_last_lost(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], _part(said[at], 0), _part(said[at], 1), *said[at + 1 : -1]]


def split_and_merged(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    longer = [*said[:at], _part(said[at], 0), _part(said[at], 1), *said[at + 1 :]]
    place = chance.randrange(at + 2, len(longer) - 1) if at + 2 < len(longer) - 1 else at
    return [*longer[:place], _joined(longer[place : place + 2]), *longer[place + 2 :]]


def left_out_last_twice(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], *said[at + 1 :], said[-1]]


def left_out_last_a_dot(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], *said[at + 1 :], Said(".", said[-1].source)]


def added(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], _part(chance.choice(said), 0), *said[at:-1]]


def doubled(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[: at + 1], said[at], *said[at + 1 : -1]]


def neighbours_swapped(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    return [*said[:at], said[at + 1], said[at], *said[at + 2 :]]


def halves_swapped(said: Saying, chance: random.Random) -> Saying:
    middle = len(said) // 2
    return [*said[middle:], *said[:middle]]


def one_up(said: Saying, chance: random.Random) -> Saying:
    return [*said[1:], said[0]]


def one_down(said: Saying, chance: random.Random) -> Saying:
    return [said[-1], *said[:-1]]


def two_up(said: Saying, chance: random.Random) -> Saying:
    return [*said[2:], *said[:2]]


def drifting(said: Saying, chance: random.Random) -> Saying:
    """From the middle on one place off, from three quarters on two."""
    middle, later = len(said) // 2, len(said) * 3 // 4
    moved = [*said[:middle], *said[middle + 1 : later], *said[later + 1 :]]
    return [*moved, *[said[-1]] * (len(said) - len(moved))]


def four_mixed_up(said: Saying, chance: random.Random) -> Saying:
    at = _early(said, chance)
    four = said[at : at + 4]
    turned = [*four[1:], four[0]]
    return [*said[:at], *turned, *said[at + 4 :]]


def backwards(said: Saying, chance: random.Random) -> Saying:
    return list(reversed(said))


# Texts that are no translations


def echoed(said: Saying, chance: random.Random) -> Saying:
    return [replace(one, text=one.source) for one in said]


def partly_echoed(said: Saying, chance: random.Random) -> Saying:
    return [replace(one, text=one.source) if chance.random() < 0.3 else one for one in said]


def refused(said: Saying, chance: random.Random) -> Saying:
    text = chance.choice(
        ["I'm sorry, I can't help with that.", "متأسفم، متنی برای ترجمه نمی‌بینم.", "Lo siento, no puedo traducir esto."]
    )
    return [replace(one, text=text) for one in said]


def with_remarks(said: Saying, chance: random.Random) -> Saying:
    remark = chance.choice(["(no translation)", "[untranslatable]", "(بدون ترجمه)", "[sin traducción]"])
    return [replace(one, text=remark) if chance.random() < 0.3 else one for one in said]


def in_another_script(said: Saying, chance: random.Random) -> Saying:
    return [replace(one, text="Это неправильная строка.") if chance.random() < 0.4 else one for one in said]


def with_foreign_letters(said: Saying, chance: random.Random) -> Saying:
    return [replace(one, text=f"{one.text[:4]}这个{one.text[4:]}") if chance.random() < 0.4 else one for one in said]


def numbered(said: Saying, chance: random.Random) -> Saying:
    return [replace(one, text=f"{at}. {one.text}") for at, one in enumerate(said, start=1)]


def emptied(said: Saying, chance: random.Random) -> Saying:
    return [replace(one, text="") if chance.random() < 0.3 else one for one in said]


MOVING: tuple[Way, ...] = (
    *(merged_last_twice, merged_last_empty, merged_last_missing, merged_last_invented, merged_and_split),
    *(split_last_lost, split_and_merged, left_out_last_twice, left_out_last_a_dot, added, doubled),
    *(neighbours_swapped, halves_swapped, one_up, one_down, two_up, drifting, four_mixed_up, backwards),
)
UNTRANSLATED: tuple[Way, ...] = (
    *(echoed, partly_echoed, refused, with_remarks, in_another_script, with_foreign_letters, numbered, emptied),
)


# Shapes of an answer


def _plain(texts: Mapping[str, str], chance: random.Random) -> str:
    return json.dumps(texts, ensure_ascii=False)


def a_list_after_thoughts(texts: Mapping[str, str], chance: random.Random) -> str:
    draft = json.dumps(dict.fromkeys(texts, "…"), ensure_ascii=False)
    entries = [{"id": int(key), "translation": text} for key, text in texts.items() if not key.endswith(BEGINS)]
    return f"<think>First a draft: {draft}</think>\n```json\n{json.dumps(entries, ensure_ascii=False)}\n```\nDone."


def cut_off(texts: Mapping[str, str], chance: random.Random) -> str:
    whole = json.dumps(texts, ensure_ascii=False)
    return whole[: chance.randrange(len(whole) // 3, len(whole))]


def small_talk(texts: Mapping[str, str], chance: random.Random) -> str:
    return "Sure! Could you send me the subtitles, please?"


SHAPES = (a_list_after_thoughts, cut_off, small_talk)

WAYS = len(MOVING) + len(UNTRANSLATED) + len(SHAPES)
"""Ways in which the model misbehaves; those of one run are one of them, or all mixed."""


class Adversary:
    """A model (see translator.LanguageModel) that answers questions of several lines wrongly with a probability.

    `truth` maps sources to translations. `ways` are indices below WAYS, of which one is chosen for each wrong answer;
    none: a good model. `echoes`: it gives the beginnings of the lines when a question wants them, as it sees the lines,
    so that a moved text brings the beginning of its own line along.
    """

    label = "The adversary"

    def __init__(
        self, truth: Mapping[str, str], seed: int, *, ways: Sequence[int], probability: float, echoes: bool
    ) -> None:
        self._truth, self._chance = truth, random.Random(seed)
        self._ways, self._probability, self._echoes = ways, probability, echoes
        self.questions = self.wrong = self.characters = 0
        self.asked = Counter[str]()

    def ask(self, question: Question) -> Answer:
        """Answer a question."""
        self.questions += 1
        asked = json.loads(question.prompt)
        lines: dict[str, str] = asked["translate"]
        self.asked.update(lines.values())
        said = [Said(self._truth[text], text) for text in lines.values()]
        shape: Callable[[Any, random.Random], str] = _plain
        if len(lines) > 1 and self._ways and self._chance.random() < self._probability:
            self.wrong += 1
            way = self._chance.choice(self._ways)
            if way < len(MOVING) + len(UNTRANSLATED):
                said = (MOVING + UNTRANSLATED)[way](said, self._chance)[: len(lines)]
            else:
                shape = SHAPES[way - len(MOVING) - len(UNTRANSLATED)]
        keys = list(lines)[: len(said)]
        text = shape(self._texts(question, keys, said), self._chance)
        self.characters += len(text)
        return Answer(text=text, usage=Usage(input_tokens=10, output_tokens=len(text) // 4))

    def _texts(self, question: Question, keys: Sequence[str], said: Saying) -> dict[str, Any]:
        """The values of an answer, with beginnings if the question wants them and this model gives them."""
        wanted = self._echoes and any(name.endswith(BEGINS) for name in question.ids)
        texts = dict[str, Any]()
        for key, one in zip(keys, said, strict=True):
            if wanted:
                texts[key + BEGINS] = " ".join(one.source.split()[:3])
            texts[key] = one.text
        return texts


def _early(said: Saying, chance: random.Random) -> int:
    """A place that leaves at least one line after it."""
    return chance.randrange(max(1, len(said) - 1))


def _joined(said: Sequence[Said]) -> Said:
    return Said(" ".join(one.text for one in said), said[0].source)


def _part(one: Said, which: int) -> Said:
    """The first or the second half of a text; a single word is itself and three dots."""
    words = one.text.split()
    middle = max(1, len(words) // 2)
    sources = one.source.split()
    half = max(1, len(sources) // 2)
    parts = (words[:middle], sources[:half]), (words[middle:], sources[half:])
    text, source = parts[which]
    return Said(" ".join(text) or "…", " ".join(source))
