"""Glossary files."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.pipeline.errors import BadGlossary, NoSuchFile, NotAFile
from jobs.pipeline.stages.translate import glossary


def written(path: Path, content: str | bytes) -> Path:
    file = path / "terms.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_terms_comments_and_blank_lines(tmp_path: Path) -> None:
    text = "# names\n\nneural network = شبکهٔ عصبی\n  GPU=پردازندهٔ گرافیکی \n"
    assert glossary(written(tmp_path, text)) == (("neural network", "شبکهٔ عصبی"), ("GPU", "پردازندهٔ گرافیکی"))


def test_the_first_equals_sign_parts(tmp_path: Path) -> None:
    assert glossary(written(tmp_path, "E = m = c")) == (("E", "m = c"),)


def test_the_last_translation_of_a_term_holds(tmp_path: Path) -> None:
    assert glossary(written(tmp_path, "a = 1\na = 2")) == (("a", "2"),)


def test_files_from_windows(tmp_path: Path) -> None:
    assert glossary(written(tmp_path, b"\xef\xbb\xbfa = b\r\n")) == (("a", "b"),)


def test_an_empty_file_has_no_terms(tmp_path: Path) -> None:
    assert glossary(written(tmp_path, "")) == ()


@pytest.mark.parametrize("line", ["no sign", "= only a translation", "only a term =", "="])
def test_a_line_that_is_no_term_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadGlossary, match="Line 3") as raised:
        glossary(written(tmp_path, f"# one\na = b\n{line}\n"))
    assert raised.value.params == {"line": 3, "name": "terms.txt"}


def test_another_encoding_is_no_glossary(tmp_path: Path) -> None:
    with pytest.raises(BadGlossary, match="Line 2"):
        glossary(written(tmp_path, b"a = b\nc = \xd3\xe1\n"))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile):
        glossary(tmp_path / "none.txt")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotAFile):
        glossary(tmp_path)
