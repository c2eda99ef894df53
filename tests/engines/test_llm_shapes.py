"""Answers of models in every shape that holds the translations; drafts are never read."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from jobs.engines.llm import shapes
from jobs.engines.llm.fields import Pairs
from jobs.engines.llm.shapes import Unreadable, texts_of
from jobs.pipeline.text.languages import language

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
    "an object a line": "\n".join(dump({"id": number, "text": text}) for number, text in ITEMS),
    "a pair a line": "\n".join(dump({number: text}) for number, text in ITEMS),
    "in two parts": dump(dict(ITEMS[:2])) + "\n" + dump(dict(ITEMS[2:])),
    "rows": dump([[number, text] for number, text in ITEMS]),
    "rows with the original": dump([[number, SOURCES[number - 1], text] for number, text in ITEMS]),
    "numbers with a point": dump([{"id": float(number), "text": text} for number, text in ITEMS]),
    "objects without ids": dump([{"text": text} for text in TEXTS.values()]),
    "lists of ids and of texts": dump({"ids": ["1", "2", "3", "4"], "texts": list(TEXTS.values())}),
    "fields of both languages": dump([{"id": number, "en": SOURCES[number - 1], "fa": text} for number, text in ITEMS]),
    "fields named by languages": dump(
        {number: {"English": SOURCES[number - 1], "Persian": text, "note": "literal"} for number, text in ITEMS}
    ),
    "objects of both languages": dump({"en": dict(enumerate(SOURCES, start=1)), "fa": TEXTS}),
    "source and target": dump({"source": dict(enumerate(SOURCES, start=1)), "target": TEXTS}),
    "a draft and a final object": dump({"draft": json.loads(DRAFT), "final": TEXTS}),
    "a first pass and a revised object": dump({"revised": TEXTS, "first_pass": json.loads(DRAFT)}),
    "drafts in the values": dump({number: {"draft": "سپس", "final": text} for number, text in ITEMS}),
    "deep values": dump({number: {"translation": {"text": text}} for number, text in ITEMS}),
    "names in camel case": dump([{"lineNumber": number, "translatedText": text} for number, text in ITEMS]),
    "names in snake case": dump(
        [{"subtitle_number": str(number), "target_text": text, "source_text": "x"} for number, text in ITEMS]
    ),
    "keys with a language": dump({f"{number}_fa": text for number, text in ITEMS}),
    "keys with many words": dump({f"translation_of_line_{number}": text for number, text in ITEMS}),
    "beginnings in a list": dump(
        [{"id": number, f"{number}_begins": SOURCES[number - 1][:9], number: text} for number, text in ITEMS]
    ),
    "the schema after it": GOOD + dump({"type": "object", "properties": {n: {"type": "string"} for n in TEXTS}}),
    "tags": "\n".join(f'<line id="{number}">{text}</line>' for number, text in ITEMS),
    "tags of numbers": "\n".join(f"<{number}>{text}</{number}>" for number, text in ITEMS),
    "a table": "| id | translation |\n|---|---|\n" + "\n".join(f"| {number} | {text} |" for number, text in ITEMS),
    "a table with the original": "\n".join(f"| {number} | {SOURCES[number - 1]} | {text} |" for number, text in ITEMS),
    "subtitles": "\n\n".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{text}" for n, text in ITEMS),
    "bold numbers": "\n".join(f"**{number}.** {text}" for number, text in ITEMS),
    "numbers in brackets": "\n".join(f"[{number}] {text}" for number, text in ITEMS),
    "arrows": "\n".join(f"{number} → {text}" for number, text in ITEMS),
    "headed": "\n\n".join(f"Line {number}:\n{text}" for number, text in ITEMS),
    "Persian numbers": "\n".join(f"خط {'۰۱۲۳۴'[number]}: {text}" for number, text in ITEMS),
    "three quotation marks": "{" + ", ".join(f'"{number}": """{text}"""' for number, text in ITEMS) + "}",
    "typographic quotation marks": "{" + ", ".join(f"“{number}”: “{text}”" for number, text in ITEMS) + "}",
    "a dictionary of Python": repr(TEXTS).replace("1:", "'1':"),
    "escaped as a whole": GOOD.replace('"', '\\"'),
    "entities": GOOD.replace('"', "&quot;"),
    "thoughts after it": f"{GOOD}\n<think>Or: {DRAFT}</think>",
    "thoughts only": f"<think>Draft: {DRAFT} Better: {GOOD}</think>",
    "Cohere": f"<|START_THINKING|>{DRAFT}<|END_THINKING|><|START_RESPONSE|>{GOOD}<|END_RESPONSE|>",
    "Seed": f"<seed:think>{DRAFT}</seed:think>{GOOD}",
    "a tool of harmony": f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant"
    f"<|channel|>commentary to=functions.x <|constrain|>json<|message|>{GOOD}<|call|>",
    "comments": GOOD.replace("{", "{ // the lines\n", 1),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_read(name: str) -> None:
    assert texts_of(SHAPES[name], list(TEXTS), language("fa")) == TEXTS


@pytest.mark.parametrize(
    "answer",
    [
        f"<|channel|>analysis<|message|>Draft: {DRAFT} Better make it",
        f"analysisWe need an object. Draft: {DRAFT} Better",
        f"<think>First {DRAFT} hmm, better",
        f"<think>A draft: {DRAFT}</think>",
        f"[THINK]A draft: {DRAFT}",
    ],
)
def test_a_draft_in_thoughts_without_an_answer_is_not_read(answer: str) -> None:
    with pytest.raises(Unreadable):
        texts_of(answer, list(TEXTS))


def test_thoughts_named_inside_of_a_text_are_none() -> None:
    texts = {1: "تگ <think> و <thought> را ببین.", 2: "بعد"}
    assert texts_of(dump(texts), [1, 2]) == texts


def test_an_answer_that_is_cut_off_gives_no_half_text() -> None:
    rows = "\n".join(f"{number}: {text}" for number, text in ITEMS)[:-6]
    with pytest.raises(Unreadable):
        texts_of(rows, list(TEXTS), whole=False)
    assert texts_of("{'1': 'سلام کرد.', '2': 'بعد', '", [1, 2, 3]) in ({}, {1: "سلام کرد."})
    with pytest.raises(Unreadable):
        texts_of('{"ids": ["1", "2", "3", "4"], "texts": ["سلام', list(TEXTS))


def test_a_note_after_the_answer_leaves_the_other_lines() -> None:
    note = 'Note: a literal version of line 1 is {"1": "او گفت سلام و ترک کرد."}'
    assert texts_of(f"{GOOD}\n{note}", list(TEXTS)) == {number: TEXTS[number] for number in (2, 3, 4)}


def test_the_name_of_the_id_may_be_the_code_of_a_language() -> None:
    items = [{"id": "1", "text": "Selamat pagi."}, {"id": "2", "text": "Sudah larut."}]
    assert texts_of(dump(items), [1, 2], language("id")) == {1: "Selamat pagi.", 2: "Sudah larut."}


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
        "\n" * 100_000,
        " 1" * 50_000,
        "“" * 50_000,
        ("<a " * 50_000) + "1",
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

    monkeypatch.setattr(shapes, "DECODER", Counting(object_pairs_hook=Pairs, strict=False))
    with suppress(Unreadable):
        texts_of(answer, [1, 2])
    assert attempts <= 1000
