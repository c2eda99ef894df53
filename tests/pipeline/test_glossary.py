"""Glossaries as lines and as tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from jobs.pipeline.errors import (
    BadGlossary,
    BadGlossaryRow,
    GlossaryTooLong,
    NoSuchFile,
    NotAFile,
    PipelineError,
    UnreadableGlossary,
)
from jobs.pipeline.text.glossary import (
    MAX_BYTES,
    MAX_TERMS,
    Entry,
    as_lines,
    as_table,
    from_lines,
    merged,
    notes,
    pairs,
    read,
    read_file,
)

CAT = Entry(term="cat", translation="گربه")


def written(path: Path, content: str | bytes) -> Path:
    file = path / "terms.txt"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def table(text: str, name: str = "terms.csv") -> tuple[tuple[str, str, str], ...]:
    return tuple((entry.term, entry.translation, entry.note) for entry in read(text.encode(), name))


def test_terms_comments_and_blank_lines(tmp_path: Path) -> None:
    text = "# names\n\nneural network = شبکهٔ عصبی\n  GPU=پردازندهٔ گرافیکی \n"
    found = read_file(written(tmp_path, text))
    assert pairs(found) == (("neural network", "شبکهٔ عصبی"), ("GPU", "پردازندهٔ گرافیکی"))


def test_the_first_equals_sign_parts(tmp_path: Path) -> None:
    assert pairs(read_file(written(tmp_path, "E = m = c"))) == (("E", "m = c"),)


def test_the_last_translation_of_a_term_holds(tmp_path: Path) -> None:
    assert pairs(read_file(written(tmp_path, "a = 1\na = 2"))) == (("a", "2"),)


def test_files_from_windows(tmp_path: Path) -> None:
    assert pairs(read_file(written(tmp_path, b"\xef\xbb\xbfa = b\r\n"))) == (("a", "b"),)


def test_an_empty_file_has_no_terms(tmp_path: Path) -> None:
    assert read_file(written(tmp_path, "")) == ()


def test_a_term_without_a_translation_stays_as_it_is(tmp_path: Path) -> None:
    assert pairs(read_file(written(tmp_path, "Zirnevis =\nC# = # the language"))) == (
        ("Zirnevis", "Zirnevis"),
        ("C#", "C#"),
    )


def test_a_note_stands_behind_the_translation(tmp_path: Path) -> None:
    found = read_file(written(tmp_path, "bank = کرانه # of a river\nF# = F#"))
    assert (pairs(found), notes(found)) == ((("bank", "کرانه"), ("F#", "F#")), (("bank", "of a river"),))


@pytest.mark.parametrize("line", ["no sign", "= only a translation", "="])
def test_a_line_that_is_no_term_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadGlossary, match="Line 3") as raised:
        read_file(written(tmp_path, f"# one\na = b\n{line}\n"))
    assert raised.value.params == {"line": 3, "name": "terms.txt"}


def test_persian_of_older_windows_is_read(tmp_path: Path) -> None:
    text = "open source = متن باز\nlanguage model = مدل زباني\nsubtitle = زيرنويس فارسي\n"
    assert pairs(read_file(written(tmp_path, text.encode("cp1256")))) == (
        ("open source", "متن باز"),
        ("language model", "مدل زباني"),
        ("subtitle", "زيرنويس فارسي"),
    )


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableGlossary):
        read_file(written(tmp_path, bytes(range(256)) * 40))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFile):
        read_file(tmp_path / "none.txt")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotAFile):
        read_file(tmp_path)


# Tables


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "start", ["", "\ufeff", "term{}translation{}note\n", "\ufeffSource{}Target\r\n", "اصطلاح{}ترجمه\n"]
)
def test_tables_of_all_programs(separator: str, end: str, start: str) -> None:
    rows = end.join([f"cat{separator}گربه", f"dog{separator}سگ{separator}the animal", ""])
    assert table(start.replace("{}", separator) + rows) == (("cat", "گربه", ""), ("dog", "سگ", "the animal"))


def test_the_columns_are_where_the_headings_say() -> None:
    text = "Comment;Translation;ignored;Term\nthe animal;گربه;x;cat\n"
    assert table(text) == (("cat", "گربه", "the animal"),)


def test_cells_with_commas_quotation_marks_and_line_ends() -> None:
    text = 'term,translation\n"red, white ""and"" blue","سرخ، سفید\r\nو آبی"\n'
    assert table(text) == (('red, white "and" blue', "سرخ، سفید و آبی", ""),)


def test_the_separator_that_excel_names() -> None:
    assert table("sep=;\r\na;b, c\r\n") == (("a", "b, c", ""),)


def test_an_empty_translation_in_a_table() -> None:
    assert table("term,translation,note\nGPU,,\nAda,,a name\n") == (("GPU", "GPU", ""), ("Ada", "Ada", "a name"))


def test_a_table_by_another_name() -> None:
    assert table("cat\tگربه\ndog\tسگ\n", "words.txt") == (("cat", "گربه", ""), ("dog", "سگ", ""))


def test_utf16_as_excel_writes_it() -> None:
    found = read("cat\tگربه\r\n".encode("utf-16"), "words.csv")
    assert found == (CAT,)


def test_lines_in_a_file_called_table() -> None:
    assert table("cat = گربه\n") == (("cat", "گربه", ""),)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("cat,گربه\n,سگ\n", BadGlossaryRow),
        (f"cat,گربه\n{'x' * 201},سگ\n", BadGlossaryRow),
        ("".join(f"w{number},x\n" for number in range(MAX_TERMS + 1)), GlossaryTooLong),
        ("x" * (MAX_BYTES + 1), GlossaryTooLong),
    ],
)
def test_bad_tables_are_refused_with_a_sentence(text: str, kind: type[PipelineError]) -> None:
    with pytest.raises(kind):
        table(text)


def test_what_is_written_is_read_again() -> None:
    entries = (
        Entry(term='a "b", c; d', translation="ب، پ", note="x, y"),
        Entry(term="GPU", translation="GPU"),
        Entry(term="=1+1", translation="دو"),
    )
    assert read(as_table(entries), "x.csv") == entries
    assert as_table(entries).startswith(b"\xef\xbb\xbfterm,translation,note\r\n")
    assert read(as_lines(entries[:2]).encode(), "x") == entries[:2]


def test_the_glossary_of_the_job_stands_above_the_saved_one() -> None:
    saved = (CAT, Entry(term="dog", translation="سگ"))
    assert pairs(merged(saved, (Entry(term="cat", translation="پیشی"),))) == (("cat", "پیشی"), ("dog", "سگ"))


def test_what_is_read_is_written_and_read_again() -> None:
    entries = (
        Entry(term="E=mc2", translation="x"),
        Entry(term="#tag", translation="y", note="a note"),
        Entry(term='say "no"', translation="نه"),
        Entry(term='"quoted"', translation='"نقل"'),
        Entry(term="topic: one", translation="یک"),
        Entry(term="bank", translation="کرانه # رود"),
        Entry(term="GitHub", translation="GitHub"),
    )
    assert from_lines(as_lines(entries).splitlines(), "x") == entries
    assert read(as_table(entries), "x.csv") == entries


def test_a_table_with_one_quotation_mark_is_no_failure() -> None:
    before = csv.field_size_limit(131_072)  # as it is in a new process
    try:
        with pytest.raises(PipelineError):
            read(b'term,translation\n"' + b"x" * 200_000, "x.csv")
    finally:
        csv.field_size_limit(before)
