"""Translations that were paid for once, kept in a file, so that a second try of a job pays for nothing twice.

A text is found again only under the same model, prompt, languages, style, topic, glossary, neighbours and budget. It is
kept in the clear, whosever video it came from: hence only where a setting asks for it. The file may be deleted at any
time, and one that cannot be used is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from jobs.engines.llm.prompt import PROMPT_VERSION, occurring
from jobs.pipeline.protocols import Brief, Line

_TABLE = "CREATE TABLE IF NOT EXISTS translation (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID"


class Memory:
    """What `model` said. `path` is the file, made when first needed; without one nothing is remembered."""

    def __init__(self, path: str, model: str) -> None:
        self._path = path
        self._model = model

    def recall(self, lines: Sequence[Line], brief: Brief) -> dict[int, str]:
        """The texts known for `lines`, all lines of a job in order, under their ids."""
        if not self._path:
            return {}
        with suppress(sqlite3.Error, OSError), closing(self._open()) as file:
            rows = {
                number: file.execute("SELECT text FROM translation WHERE key = ?", (key,)).fetchone()
                for number, key in self._keys(lines, brief).items()
            }
            return {number: str(row[0]) for number, row in rows.items() if row}
        return {}

    def keep(self, texts: Mapping[int, str], lines: Sequence[Line], brief: Brief) -> None:
        """Remember `texts`, the translations of some of `lines`, given under their ids. Skips what is no valid text."""
        if not (self._path and texts):
            return
        keys = self._keys(lines, brief)
        with suppress(sqlite3.Error, OSError), closing(self._open()) as file, file:
            rows = [(keys[number], text) for number, text in texts.items() if _encodable(text)]
            file.executemany("INSERT OR REPLACE INTO translation VALUES (?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        file = sqlite3.connect(self._path)
        file.execute(_TABLE)
        return file

    def _keys(self, lines: Sequence[Line], brief: Brief) -> dict[int, str]:
        texts = ["", *(line.text for line in lines), ""]
        return {line.id: self._key(line, texts[at], texts[at + 2], brief) for at, line in enumerate(lines)}

    def _key(self, line: Line, before: str, after: str, brief: Brief) -> str:
        style = [brief.source, brief.target, brief.formality, brief.topic, occurring(brief.glossary, [line.text])]
        parts = [self._model, PROMPT_VERSION, *style, before, line.text, after, line.budget]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _encodable(text: str) -> bool:
    """Whether `text` is free of halves of surrogate pairs, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
