"""The contract of translators, tested on all registered engines (remote ones on a local server) and on the double."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.engines.registry import TRANSLATORS
from jobs.engines.spec import TranslatorSpec
from jobs.pipeline.protocols import FLAGS, Brief, Line, Translation, Translator
from tests.engines.echo_translator import EchoTranslator
from tests.engines.fake_llm_server import KEY, FakeServer
from tests.engines.llm_doubles import line, some_lines
from tests.waiting import until

LANGUAGES = {"apertium": ("en", "es")}
"""Pairs that an engine can do where this is not English to Persian."""

REMOTE: dict[str, Callable[[str], dict[str, Any]]] = {
    "gemini": lambda url: {"api_key": KEY, "endpoint": url},
    "openai_compatible": lambda url: {"base_url": f"{url}/v1", "model": "small"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture(params=[*TRANSLATORS, None], ids=lambda spec: spec.name if spec else "double")
def engine(request: pytest.FixtureRequest, server: FakeServer) -> tuple[Translator, Brief]:
    spec: TranslatorSpec | None = request.param
    source, target = LANGUAGES.get(spec.name if spec else "double", ("en", "fa"))
    brief = Brief(source=source, target=target, glossary=(("line", "خط"),), topic="counting")
    if spec is None:
        return EchoTranslator(), brief
    options = spec.options(**REMOTE[spec.name](server.url)) if spec.name in REMOTE else spec.options()
    state = spec.readiness(options)
    if not state.ready:
        pytest.skip(f"{spec.label}: {state.reason} {state.remedy}")
    assert spec.can(options, source, target)
    return spec.create(options), brief


def answers(
    engine: tuple[Translator, Brief], lines: list[Line], done: dict[int, str] | None = None
) -> list[Translation]:
    translator, brief = engine
    return [answer for batch in translator.translate(lines, brief, done or {}) for answer in batch.translations]


def test_it_has_a_name(engine: tuple[Translator, Brief]) -> None:
    assert engine[0].name


@pytest.mark.parametrize("count", [1, 2, 61])
def test_each_line_is_answered_exactly_once(engine: tuple[Translator, Brief], count: int) -> None:
    given = answers(engine, some_lines(count))
    assert sorted(answer.id for answer in given) == list(range(1, count + 1))


def test_an_answer_has_a_text_or_a_flag_that_is_known(engine: tuple[Translator, Brief]) -> None:
    lines = [*some_lines(3), line(4, "♪"), line(5, "OK"), line(6, "1984"), line(7, "grumpf blarg zwoosh")]
    for answer in answers(engine, lines):
        assert answer.text.strip() or answer.flags
        assert set(answer.flags) <= set(FLAGS)
        assert "\n" not in answer.text


def test_what_is_done_is_not_answered_again(engine: tuple[Translator, Brief]) -> None:
    given = answers(engine, some_lines(6), {1: "یک", 2: "دو", 5: "پنج"})
    assert sorted(answer.id for answer in given) == [3, 4, 6]


def test_all_done_is_nothing_to_do(engine: tuple[Translator, Brief]) -> None:
    assert answers(engine, some_lines(2), {1: "یک", 2: "دو"}) == []


def test_no_lines_are_no_answers(engine: tuple[Translator, Brief]) -> None:
    assert answers(engine, []) == []


def test_ids_need_not_begin_at_one_nor_be_neighbours(engine: tuple[Translator, Brief]) -> None:
    given = answers(engine, [line(7), line(1000), line(31415)])
    assert sorted(answer.id for answer in given) == [7, 1000, 31415]


def test_signs_beyond_letters_survive(engine: tuple[Translator, Brief]) -> None:
    given = answers(engine, [line(1, "The cat drinks milk 😀 … ♪"), line(2, "“Yes,” she said.")])
    text = next(answer.text for answer in given if answer.id == 1)
    assert "😀" in text
    assert "♪" in text
    assert "\ufffd" not in text


def test_sentences_over_several_lines(engine: tuple[Translator, Brief]) -> None:
    lines = [line(number, "The old man opened the door", ends=number % 3 == 0) for number in range(1, 8)]
    given = answers(engine, lines)
    assert sorted(answer.id for answer in given) == list(range(1, 8))
    assert all(answer.text for answer in given)


def test_lines_of_several_batches_have_texts(engine: tuple[Translator, Brief]) -> None:
    given = answers(engine, some_lines(200))
    assert sorted(answer.id for answer in given) == list(range(1, 201))
    assert sum(not answer.text for answer in given) == 0


def test_an_abandoned_run_leaves_no_process(engine: tuple[Translator, Brief]) -> None:
    translator, brief = engine
    before = _children()  # those of fixtures: a browser, a server
    running = translator.translate(some_lines(300), brief, {})
    next(running)
    running.close()  # type: ignore[attr-defined]  # every translator is a generator
    until(lambda: _children() <= before)


def _children() -> set[str]:
    """The processes whose parent is this one."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {child for task in tasks for child in task.read_text().split()}
