"""Answers of models in every shape that holds the translations; drafts are never read."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from jobs.engines.llm import shapes
from jobs.engines.llm.shapes import Unreadable, texts_of

TEXTS = {1: "سلام کرد و رفت.", 2: "بعد او در را بست.", 3: "هیچ‌کس دلیلش را نمی‌دانست.", 4: "دیروقت بود."}
GOOD = json.dumps(TEXTS, ensure_ascii=False)
DRAFT = '{"1": "او گفت سلام و ترک کرد.", "2": "سپس", "3": "?", "4": "دیر"}'
SOURCES = ["He said hello and left.", "Then she closed the door.", "Nobody knew the reason.", "It was late."]


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


ITEMS = list(TEXTS.items())

SHAPES = {
    "as asked": GOOD,
    "fenced": f"```json\n{GOOD}\n```",
    "with notes": f"Sure! {GOOD}\nNote: line {{3}} is free.",
    "said twice": f"{GOOD}\n\n{GOOD}",
    "after a draft": f"First: {DRAFT}\nBetter: {GOOD}",
    "list of objects": dump([{"id": number, "text": text} for number, text in ITEMS]),
    "list of objects with other names": dump([{"line": str(number), "translation": text} for number, text in ITEMS]),
    "list with the original": dump(
        [{"id": number, "text": SOURCES[number - 1], "translated": text} for number, text in ITEMS]
    ),
    "list of single pairs": dump([{str(number): text} for number, text in ITEMS]),
    "nested": dump({"translations": TEXTS}),
    "nested twice": dump({"result": {"lines": TEXTS}}),
    "nested list": dump({"status": "ok", "translations": [{"id": number, "text": text} for number, text in ITEMS]}),
    "nested in a string": dump({"result": GOOD}),
    "objects as values": dump(
        {number: {"original": SOURCES[number - 1], "translation": text} for number, text in ITEMS}
    ),
    "lists as values": dump({number: [SOURCES[number - 1], text] for number, text in ITEMS}),
    "the question's frame": dump(
        {"translate": TEXTS, "limits": dict.fromkeys(TEXTS, 40), "context": {"9": ["a", "b"]}, "topic": "a door"}
    ),
    "a frame and the translations": dump({"translate": dict(enumerate(SOURCES, start=1)), "translations": TEXTS}),
    "keys with words": dump({f"line_{number:02}": text for number, text in ITEMS}),
    "keys with a sign": dump({f"#{number}": text for number, text in ITEMS}),
    "bare keys": "{" + ", ".join(f'{number}: "{text}"' for number, text in ITEMS) + "}",
    "single quotes": "{" + ", ".join(f"'{number}': '{text}'" for number, text in ITEMS) + "}",
    "quotation marks without escapes": GOOD.replace("هیچ‌کس", "هیچ‌کس"),
    "numbered lines": "\n".join(f"{number}: {text}" for number, text in ITEMS),
    "numbered list": "Here it is:\n" + "\n".join(f'{number}. "{text}"' for number, text in ITEMS),
    "JSON in a string": dump(GOOD),
    "list of strings": dump(list(TEXTS.values())),
    "think": f"<think>{DRAFT}</think>{GOOD}",
    "thinking": f"<thinking>{DRAFT}</thinking>\n{GOOD}",
    "thought without its beginning": f"{DRAFT} I am not sure.</thought>{GOOD}",
    "thought without its end": f"<think>Maybe {DRAFT}? No.\n{GOOD}",
    "harmony": f"<|channel|>analysis<|message|>Draft: {DRAFT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{GOOD}",
    "harmony without marks": f"analysisWe need an object. Draft: {DRAFT} Better.assistantfinal{GOOD}",
    "a trailing comma": GOOD[:-1] + ",}",
    "comments": GOOD.replace("{", "{ // the lines\n", 1),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_read(name: str) -> None:
    assert texts_of(SHAPES[name], list(TEXTS)) == TEXTS


def test_quotation_marks_without_escapes() -> None:
    assert texts_of('{"1": "او گفت "سلام" و رفت.", "2": "بعد"}', [1, 2]) == {1: 'او گفت "سلام" و رفت.', 2: "بعد"}


@pytest.mark.parametrize("values", [list(TEXTS.values())[:3], [*TEXTS.values(), "و یکی دیگر"]])
def test_a_list_of_another_length_is_not_read(values: list[str]) -> None:
    with pytest.raises(Unreadable):
        texts_of(dump(values), list(TEXTS))


def test_numbered_lines_that_were_not_asked_for_are_not_read() -> None:
    with pytest.raises(Unreadable):
        texts_of("1: one\n2: two\n", list(TEXTS))


def test_an_answer_that_is_cut_off_after_a_draft_keeps_its_own_lines() -> None:
    assert texts_of(f"{DRAFT} Better: {GOOD[: len(GOOD) // 2]}", list(TEXTS)) == {1: TEXTS[1], 2: TEXTS[2]}


@pytest.mark.parametrize(
    "answer",
    [
        '{"a":' * 20_000,
        "[" * 50_000,
        "{" * 50_000,
        '{"1": "' + "\\" * 50_000,
        "{'1': '" + "a, " * 30_000,
        '["a",' * 10_000,
    ],
)
def test_answers_made_to_be_slow_are_not(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON is looked for at a few hundred places only: each may cost a parse of the whole rest."""
    attempts = 0

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[object, int]:
            nonlocal attempts
            attempts += 1
            return super().raw_decode(s, idx)

    monkeypatch.setattr(shapes, "_DECODER", Counting(object_pairs_hook=shapes.Pairs, strict=False))
    with suppress(Unreadable):
        texts_of(answer, [1, 2])
    assert attempts <= 1000
