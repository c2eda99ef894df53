"""The translator over the real apertium command."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.engines import apertium
from jobs.pipeline import errors
from jobs.pipeline.protocols import Brief, Line, Translation
from tests.engines.llm_doubles import line

needs_apertium = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="Apertium is not installed: apt install apertium apertium-eng-spa"
)
SPANISH = Brief(source="en", target="es")


def translated(lines: Sequence[Line], brief: Brief = SPANISH, done: dict[int, str] | None = None) -> list[Translation]:
    engine = apertium.Apertium(apertium.Options())
    return [answer for batch in engine.translate(lines, brief, done or {}) for answer in batch.translations]


@needs_apertium
def test_it_translates() -> None:
    assert translated([line(1, "The cat is big.")])[0].text == "El gato es grande."


@needs_apertium
def test_a_sentence_is_translated_whole_and_divided_again() -> None:
    lines = [line(1, "The old man opened the", ends=False), line(2, "small red door.")]
    answers = translated(lines)
    assert (
        " ".join(answer.text for answer in answers)
        == translated([line(1, "The old man opened the small red door.")])[0].text
    )
    assert all(answer.text for answer in answers)


@needs_apertium
def test_words_it_does_not_know_carry_no_mark() -> None:
    assert "*" not in translated([line(1, "The cat drinks Xyzzymilk.")])[0].text


@needs_apertium
def test_a_sentence_it_does_not_know_is_flagged() -> None:
    answer = translated([line(1, "grumpf blarg zwoosh")])[0]
    assert (answer.text, answer.flags) == ("", ("untranslated",))


@needs_apertium
def test_a_name_alone_stays() -> None:
    assert translated([line(1, "Xyzzy!")])[0].text == "Xyzzy!"


@needs_apertium
@pytest.mark.parametrize("text", ["{a} [b] ^c$ @d \\e /f <g>", "* * *", "50 % of $3 & more", "a\u200cb\u00a0c\u2028d"])
def test_signs_of_its_own_format_do_no_harm(text: str) -> None:
    answers = translated([line(1, text), line(2, "The cat is big.")])
    assert [answer.id for answer in answers] == [1, 2]
    assert answers[1].text == "El gato es grande."


@needs_apertium
def test_a_sentence_begun_before_is_read_whole_but_answered_once() -> None:
    lines = [line(1, "The old man opened the", ends=False), line(2, "small red door.")]
    assert [answer.id for answer in translated(lines, done={1: "El hombre viejo abrió"})] == [2]


@needs_apertium
@pytest.mark.parametrize(
    ("source", "target", "served"),
    [
        ("en", "es", True),
        ("en-US", "es", True),
        ("en", "es-MX", True),
        ("es", "en", True),
        ("en", "fa", False),
        ("ja", "es", False),
    ],
)
def test_pairs(source: str, target: str, served: bool) -> None:
    assert apertium.ENGINE.can(apertium.Options(), source, target) is served


@needs_apertium
def test_a_pair_that_is_missing_is_named() -> None:
    with pytest.raises(errors.CannotTranslate, match="English to Persian"):
        translated([line(1)], Brief(source="en", target="fa"))


def test_without_the_command_it_says_what_to_install() -> None:
    state = apertium.readiness(apertium.Options(command="no-such-apertium"))
    assert not state.ready
    assert state.remedy == "apt install apertium apertium-eng-spa"
    with pytest.raises(errors.NotReady):
        apertium.ENGINE.create(apertium.Options(command="no-such-apertium"))


def command(path: Path, script: str) -> apertium.Options:
    path.write_text(f'#!/bin/sh\nif [ "$1" = -l ]; then echo eng-spa; exit; fi\n{script}\n')
    path.chmod(0o755)
    return apertium.Options(command=str(path))


@pytest.mark.parametrize("script", ["echo broken >&2; exit 1", "echo one line too many; cat", "exec cat >/dev/null"])
def test_a_command_that_fails_is_an_error_of_the_engine(tmp_path: Path, script: str) -> None:
    engine = apertium.Apertium(command(tmp_path / "apertium", script))
    with pytest.raises(errors.EngineError):
        list(engine.translate([line(1), line(2)], SPANISH, {}))


def test_a_command_without_pairs_is_not_ready(tmp_path: Path) -> None:
    path = tmp_path / "apertium"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    assert "no languages" in apertium.readiness(apertium.Options(command=str(path))).reason


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_the_command_is_started_to_die_with_us(tmp_path: Path) -> None:
    """PR_SET_PDEATHSIG cannot be read from outside: the command asks for its own."""
    ask = "import ctypes; n = ctypes.c_int(); ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)"
    options = command(tmp_path / "apertium", f"exec {sys.executable} -c '{ask}'")
    engine = apertium.Apertium(options)
    (batch,) = engine.translate([line(1)], SPANISH, {})
    assert batch.translations[0].text.startswith("9")


JOINS = """
import sys
lines = sys.stdin.read().splitlines()
if "@" in "".join(lines) and len(lines) > 1:
    lines[:2] = [" ".join(lines[:2])]
print("\\n".join(line.upper() for line in lines))
"""
FAILS = """
import sys
text = sys.stdin.read()
if "@" in text: sys.exit(3)
print(text.upper(), end="")
"""


BLANK = """
import sys
print(sys.stdin.read().upper())
"""
GARBLED = """
import sys
sys.stdout.buffer.write(sys.stdin.buffer.read().upper().replace(b"@", bytes([255])))
"""


def python_command(path: Path, script: str) -> apertium.Options:
    path.with_suffix(".py").write_text(script)
    return command(path, f"exec {sys.executable} {path.with_suffix('.py')}")


def test_lines_that_the_command_joins_are_translated_one_by_one(tmp_path: Path) -> None:
    """Case 85: two lines come back as one when one of them has an @."""
    engine = apertium.Apertium(python_command(tmp_path / "apertium", JOINS))
    lines = [line(1, "words words@Words"), line(2, "Hau da."), line(3, "The end.")]
    found = [answer for batch in engine.translate(lines, SPANISH, {}) for answer in batch.translations]
    assert [(answer.id, answer.text) for answer in found] == [(1, "WORDS WORDS@WORDS"), (2, "HAU DA."), (3, "THE END.")]


def test_a_sentence_at_which_the_command_fails_costs_no_other(tmp_path: Path) -> None:
    engine = apertium.Apertium(python_command(tmp_path / "apertium", FAILS))
    lines = [line(1, "Good day."), line(2, "mail me@Home now"), line(3, "The end.")]
    found = [answer for batch in engine.translate(lines, SPANISH, {}) for answer in batch.translations]
    assert [(answer.text, answer.flags) for answer in found] == [
        ("GOOD DAY.", ()),
        ("", ("untranslated",)),
        ("THE END.", ()),
    ]


@pytest.mark.parametrize(("script", "text"), [(BLANK, "MAIL ME@HOME NOW"), (GARBLED, "MAIL ME\ufffdHOME NOW")])
def test_a_blank_line_too_many_and_bytes_that_are_no_text_cost_nothing(tmp_path: Path, script: str, text: str) -> None:
    engine = apertium.Apertium(python_command(tmp_path / "apertium", script))
    lines = [line(1, "mail me@Home now"), line(2, "The end.")]
    found = [answer for batch in engine.translate(lines, SPANISH, {}) for answer in batch.translations]
    assert [answer.id for answer in found] == [1, 2]
    assert found[0].text == text


def test_only_the_bunch_with_joined_lines_is_slower(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    counted = f"open({str(calls)!r}, 'a').write('.')\n" + JOINS
    engine = apertium.Apertium(python_command(tmp_path / "apertium", counted))
    lines = [line(number, f"Line {number} is here.") for number in range(1, 103)]
    lines[101] = line(102, "one@Two")
    found = [answer for batch in engine.translate(lines, SPANISH, {}) for answer in batch.translations]
    assert len(found) == 102
    assert all(answer.text for answer in found)
    assert len(calls.read_text()) == 1 + 1 + 2
