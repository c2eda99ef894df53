"""Briefs as texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.pipeline.errors import BadBrief, NoSuchFile, NotAFile
from jobs.pipeline.protocols import Document
from jobs.pipeline.text.briefing import MAX_TERMS, as_lines, as_text, parse, read_file

WHOLE = Document(
    topic="How geese: migrate",
    register="a narrator, friendly",
    names=(("Ada Lovelace", "ایدا لاولیس"),),
    terms=(("flyway", "مسیر پرواز"), ("GPS", "GPS"), ("a: b", "پ = ت")),
    edited=True,
)
TEXT = """\
topic: How geese: migrate
register: a narrator, friendly

names:
Ada Lovelace = ایدا لاولیس

terms:
flyway = مسیر پرواز
GPS =
a: b = پ = ت
"""


def test_a_brief_as_text_and_back() -> None:
    assert as_text(WHOLE) == TEXT
    assert parse(TEXT, "x") == WHOLE
    assert parse(as_text(Document()), "x") == Document(edited=True)
    assert as_lines(WHOLE.terms[:2]) == "flyway = مسیر پرواز\nGPS ="


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffTopic:  geese\r\n\r\n# a comment\r\nTERMS:\r\n  flyway=مسیر پرواز\r\n",
        "موضوع: geese\nواژه‌ها:\nflyway = مسیر پرواز\n",
        "terms:\nflyway = مسیر\nflyway = مسیر پرواز\ntopic: geese",
    ],
)
def test_ways_of_writing_it(text: str) -> None:
    assert parse(text, "x") == Document(topic="geese", terms=(("flyway", "مسیر پرواز"),), edited=True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("flyway = مسیر", 1),
        ("topic: x\nnames:\nAda", 3),
        ("names:\n= x", 2),
        (f"topic: {'x' * 1001}", 1),
        (f"names:\n{'x' * 201} = y", 2),
        ("terms:\n" + "".join(f"w{number} = x\n" for number in range(MAX_TERMS + 1)), MAX_TERMS + 2),
        ("other: x", 1),
    ],
)
def test_a_line_that_is_no_brief_is_named(text: str, line: int) -> None:
    with pytest.raises(BadBrief) as raised:
        parse(text, "mine")
    assert raised.value.params == {"line": line, "name": "mine"}


def test_files(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes("topic: غازها و مهاجرت آنها از شمال\nnames:\nAda = ادا".encode("cp1256"))
    assert read_file(tmp_path / "good").topic == "غازها و مهاجرت آنها از شمال"
    (tmp_path / "bad").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(BadBrief):
        read_file(tmp_path / "bad")
    with pytest.raises(NoSuchFile):
        read_file(tmp_path / "none")
    with pytest.raises(NotAFile):
        read_file(tmp_path)


def test_names_that_look_like_headings_stay_names() -> None:
    document = Document(names=(("topic: one", "x"), ("#tag", "y"), ("a=b", "z")), edited=True)
    assert parse(as_text(document), "x") == document


def test_a_remark_behind_a_pair_is_not_kept() -> None:
    assert parse("terms:\nbank = کرانه # of a river", "x").terms == (("bank", "کرانه"),)
