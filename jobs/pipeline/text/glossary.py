"""Glossaries as people write them: lines “term = translation”, and tables (CSV) as spreadsheets write them.

An empty translation means that the term is not to be translated; then the term is its own translation. Of a repeated
term the last translation is used.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.pipeline.errors import BadGlossary, BadGlossaryRow, GlossaryTooLong, NoSuchFile, NotAFile, UnreadableGlossary
from jobs.pipeline.text.encoding import decode
from jobs.pipeline.text.terms import Pair

MAX_BYTES = 1 << 20
"""The largest file in bytes; MAX_TERMS of usual length are a tenth of it."""
MAX_TERMS = 2_000
MAX_LETTERS = 200
"""Characters of a term, of its translation and of its note, each."""

_NOTE = " # "
"""Separates a note from the translation in a line."""

_LINE = re.compile(
    r"""(?P<term>"(?:[^"]|"")+"\s*|[^=]+)=(?P<translation>\s*"(?:[^"]|"")*"|.*?)(?:(?:^|(?<=\s)|(?<=[="]))\#(?:\s(?P<note>.*))?)?""",
    re.VERBOSE,
)
"""“term = translation # note”."""

_SEPARATORS = ("\t", ";", ",")
_COLUMNS = {
    "term": ("term", "source", "word", "original", "اصطلاح", "واژه", "عبارت"),
    "translation": ("translation", "target", "ترجمه", "برابر", "معادل"),
    "note": ("note", "notes", "comment", "description", "یادداشت", "توضیح"),
}
"""Headings of the columns of a table; without them the order is this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A term with its translation, and a note on where to use it."""

    term: str
    translation: str
    note: str = ""


Entries = tuple[Entry, ...]


def read_file(path: Path) -> Entries:
    """Read a glossary from a file. Raises NoSuchFile, NotAFile, and what `read` raises."""
    try:
        with path.open("rb") as file:
            return read(file.read(MAX_BYTES + 1), path.name)
    except FileNotFoundError:
        raise NoSuchFile(path=str(path)) from None
    except OSError as error:
        raise NotAFile(path=str(path), detail=error.strerror or "") from None


def read(data: bytes, name: str) -> Entries:
    """Read a glossary from the bytes of a file: a table if its name ends with .csv or .tsv, or if no line has an equals
    sign. Raises UnreadableGlossary, GlossaryTooLong, BadGlossary, BadGlossaryRow.
    """
    if len(data) > MAX_BYTES:
        raise GlossaryTooLong(name=name, limit=MAX_TERMS)
    text = decode(data) if data else ""
    if text is None or "\0" in text:
        raise UnreadableGlossary(name=name)
    rows = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    is_table = name.lower().endswith((".csv", ".tsv")) or not any("=" in row for row in rows)
    if is_table and any(separator in row for row in rows for separator in _SEPARATORS):
        return from_table(text, name)
    return from_lines(text.splitlines(), name)


def from_lines(lines: Iterable[str], name: str) -> Entries:
    """Parse lines “term = translation”, with “ # note” behind or not; blank lines and those that begin with # are
    skipped. Raises BadGlossary with the number of the line in the file `name`, GlossaryTooLong.
    """
    found: dict[str, Entry] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = parse_line(line.removeprefix("\ufeff"))
        if parts is None:
            raise BadGlossary(line=number, name=name)
        found[parts[0]] = _entry(*parts, number, name)
    return _bounded(found, name)


def from_table(text: str, name: str) -> Entries:
    """Parse a table with the columns term, translation and note, separated by commas, semicolons or tabs, with headings
    or without. Raises BadGlossaryRow with the number of the row in the file `name`, GlossaryTooLong.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    text = text.removeprefix("\ufeff")
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=;"):  # as Excel writes it
        separator, text = first.strip()[-1], rest
    else:
        separator = _separator(text)
    order = tuple(_COLUMNS)
    found: dict[str, Entry] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), start=1):
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        if not found and (headed := _headings(cells)):
            order = headed
            continue
        named = dict(zip(order, cells, strict=False))
        term = named.get("term", "")
        if not term:
            raise BadGlossaryRow(line=number, name=name)
        found[term] = _entry(term, named.get("translation", ""), named.get("note", ""), number, name)
    return _bounded(found, name)


def as_lines(entries: Sequence[Entry]) -> str:
    """The glossary as lines that `from_lines` reads."""
    return "".join(f"{as_line(entry.term, entry.translation, entry.note)}\n" for entry in entries)


def parse_line(line: str) -> tuple[str, str, str] | None:
    """The term, the translation and the note of a line “term = translation # note”; None if it is no such line.

    A term or a translation that holds one of these signs stands in quotation marks, doubled inside.
    """
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    term, translation = (_unquoted(found[part]) for part in ("term", "translation"))
    return (term, translation, (found["note"] or "").strip()) if term else None


def as_line(term: str, translation: str, note: str = "") -> str:
    """The line that `parse_line` reads; a term that is its own translation has none."""
    said = _written(term, quote=term[0] in '#"' or "=" in term)
    given = "" if translation == term else translation
    given = _written(given, quote=given[:1] == '"' or _NOTE in f" {given} ")
    return f"{said} = {given}".rstrip() + (f"{_NOTE}{note}" if note else "")


def _written(text: str, *, quote: bool) -> str:
    return '"' + text.replace('"', '""') + '"' if quote else text


def _unquoted(text: str) -> str:
    shown = text.strip()
    if len(shown) > 1 and shown[0] == shown[-1] == '"':
        return " ".join(shown[1:-1].replace('""', '"').split())
    return shown


def as_table(entries: Sequence[Entry]) -> bytes:
    """The glossary as a table that `from_table` and spreadsheets read: UTF-8 with a byte order mark, commas, CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for entry in entries:
        writer.writerow((entry.term, "" if entry.translation == entry.term else entry.translation, entry.note))
    return out.getvalue().encode("utf-8-sig")


def pairs(entries: Sequence[Entry]) -> tuple[Pair, ...]:
    """The terms with their translations."""
    return tuple((entry.term, entry.translation) for entry in entries)


def notes(entries: Sequence[Entry]) -> tuple[Pair, ...]:
    """The terms that have a note, with it."""
    return tuple((entry.term, entry.note) for entry in entries if entry.note)


def merged(*glossaries: Sequence[Entry]) -> Entries:
    """The entries of all glossaries; of a term in several the last one."""
    return tuple({entry.term: entry for entries in glossaries for entry in entries}.values())


def _entry(term: str, translation: str, note: str, number: int, name: str) -> Entry:
    if max(len(term), len(translation), len(note)) > MAX_LETTERS:
        raise BadGlossaryRow(line=number, name=name)
    return Entry(term=term, translation=translation or term, note=note)


def _bounded(found: dict[str, Entry], name: str) -> Entries:
    if len(found) > MAX_TERMS:
        raise GlossaryTooLong(name=name, limit=MAX_TERMS)
    return tuple(found.values())


def _headings(cells: Sequence[str]) -> tuple[str, ...]:
    """The columns that a row of headings names; empty for any other row."""
    known = {heading: column for column, headings in _COLUMNS.items() for heading in headings}
    named = tuple(known.get(cell.casefold(), f"unknown {place}") for place, cell in enumerate(cells))
    if "term" not in named or ("translation" not in named and len(cells) > 1):
        return ()
    return named if "note" in named else (*named, "note")


def _separator(text: str) -> str:
    """The separator of a table: the one by which most rows have two or more cells, outside quotation marks."""
    counts = {
        one: sum(len(row) > 1 for row in csv.reader(io.StringIO(text, newline=""), delimiter=one))
        for one in _SEPARATORS
    }
    return max(_SEPARATORS, key=lambda one: (counts[one], -_SEPARATORS.index(one)))
