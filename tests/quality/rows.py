"""The results: rows of a table and of build/quality.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One number of a section. A row with an empty `target` only explains others: its `met` is None."""

    section: str
    name: str
    value: float
    target: str = ""
    met: bool | None = None


def at_most(section: str, name: str, value: float, limit: float) -> Row:
    """A row that is met by values up to `limit`."""
    return Row(section=section, name=name, value=round(value, 4), target=f"at most {limit:g}", met=value <= limit)


def at_least(section: str, name: str, value: float, limit: float) -> Row:
    """A row that is met by values from `limit` on."""
    return Row(section=section, name=name, value=round(value, 4), target=f"at least {limit:g}", met=value >= limit)


def info(section: str, name: str, value: float) -> Row:
    """A row without a target."""
    return Row(section=section, name=name, value=round(value, 4))


def table(rows: Sequence[Row]) -> str:
    """The rows under each other, each with its target and *met* or MISSED."""
    wide = max((len(row.name) for row in rows), default=0)
    lines, section = [], ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", section, "-" * (wide + 40)]
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        lines.append(f"{row.name:{wide}}  {row.value:10.3f}  {row.target:>18}  {verdict}".rstrip())
    return "\n".join(lines)


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as a JSON list of `{section, name, value, target, met}`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
