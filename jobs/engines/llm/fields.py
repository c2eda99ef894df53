"""Texts with their ids in parsed JSON: objects of texts under ids, lists of objects, of rows or of strings, in a frame.

Fields are recognised by their names. A field of the target language (“fa”, “persian”) is likelier to hold the
translation than one with a general name; one that names the source or a draft is never taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

KEY = re.compile(r"^\D{0,20}?(\d{1,9})(?:[ _-]?(?:translation|translated|target|text))?\D{0,3}$")
"""An id, also with words around it: Python refuses to parse numbers of thousands of digits."""

_FRAMES = (
    *("final", "finaltranslations", "revised", "translations", "translation", "translated", "target", "translate"),
    *("lines", "result", "results", "output", "answer", "response", "data", "subtitles", "items", "texts"),
)
"""Keys of an object around the answer, the likelier first."""
_NOT_TAKEN = (
    *("source", "sources", "src", "original", "originals", "input", "draft", "drafts", "firstpass", "firstdraft"),
    *("literal", "analysis", "question", "context", "limits", "glossary", "ids", "keys", "begins", "beginning", "type"),
    *("note", "notes", "comment", "comments", "explanation", "confidence", "speaker", "start", "end", "time"),
)
"""Keys of what is no translation: the source, drafts, and remarks."""
_IDS = (
    *("id", "line", "number", "index", "key", "n", "no", "lineid", "num", "seq", "i", "idx", "nr", "sequence"),
    *("linenumber", "subtitlenumber", "subtitleid", "lineno", "cue", "cueid", "position"),
)
_TEXTS = (
    *("final", "finaltranslation", "revised", "translation", "translated", "target", "translatedtext", "tgt"),
    *("translatedline", "translatedsubtitle", "targettext", "output", "text", "value", "content", "line", "result"),
    *("linetext", "subtitle", "t"),
)

_DEEPEST = 6  # levels of nesting that are looked into


class Pairs(list[tuple[str, Any]]):
    """A JSON object as a list of pairs, which keeps repeated keys."""


DECODER = json.JSONDecoder(object_pairs_hook=Pairs, strict=False)


def pairs(value: Any, ids: Sequence[int], names: Collection[str], depth: int = 0) -> list[tuple[int, str]]:
    """The texts with their ids in a value of JSON. `ids` are those that were asked for: as many texts without ids are
    theirs. `names` are those of the target language, in small letters.
    """
    if depth > _DEEPEST:
        return []
    if isinstance(value, Pairs):
        return _keyed(value, names) or list(_entry(value, names)) or _framed(value, ids, names, depth)
    if isinstance(value, list):
        entries = [pair for one in value if isinstance(one, Pairs) for pair in _entry(one, names, alone=False)]
        if entries := entries or _rows(value):
            return entries
        texts = [shown for one in value if (shown := _text(one, names)) is not None]
        if len(value) == len(texts) == len(ids) and not all(one.strip().isdecimal() for one in texts):
            return list(zip(ids, texts, strict=True))
        for one in reversed(value):
            if found := pairs(one, ids, names, depth + 1):
                return found
    return []


def _keyed(value: Pairs, names: Collection[str]) -> list[tuple[int, str]]:
    """The texts under keys that are ids."""
    return [
        (int(key[1]), shown)
        for name, one in value
        if not name.endswith("_begins") and (key := KEY.match(name)) and (shown := _text(one, names))
    ]


def _framed(value: Pairs, ids: Sequence[int], names: Collection[str], depth: int) -> list[tuple[int, str]]:
    """The texts in the values of an object that has no ids as keys."""
    order = {name: place for place, name in enumerate((*names, *_FRAMES))}
    known = [(order.get(_bare(name), len(order)), one) for name, one in value if _bare(name) not in _NOT_TAKEN]
    for _, one in sorted(known, key=lambda pair: pair[0]):
        inner = one
        if isinstance(one, str) and one.lstrip()[:1] in {"{", "["}:
            with suppress(ValueError, RecursionError):
                inner = DECODER.decode(one.strip())
        if isinstance(inner, list) and (found := pairs(inner, ids, names, depth + 1)):
            return found
    return []


def _entry(entry: Pairs, names: Collection[str], *, alone: bool = True) -> Iterator[tuple[int, str]]:
    """The id and the text of an object with fields for both. One in a list may also be `{"1": "text"}`; one that stands
    `alone` must have strings or numbers only.
    """
    fields = {_bare(name): one for name, one in entry}
    under = next((name for name in _IDS if name in fields and _id(fields[name]) is not None), None)
    number = _id(fields.pop(under)) if under else None
    shown = _named(fields, names) if number is not None else None
    if number is not None and shown is not None:
        if not alone or not (shown.lstrip()[:1] in {"{", "["} or any(isinstance(one, list) for one in fields.values())):
            yield number, shown
    elif not alone:
        yield from _keyed(entry, names)


def _rows(value: Sequence[Any]) -> list[tuple[int, str]]:
    """The ids and texts of rows such as `[7, "text"]` or `[7, "original", "text"]`."""
    rows = [
        (int(one[0]), one[-1])
        for one in value
        if isinstance(one, list)
        and len(one) in {2, 3}
        and (_is_whole(one[0]) or (isinstance(one[0], str) and re.fullmatch(r"\d{1,9}", one[0])))
        and isinstance(one[-1], str)
    ]
    return rows if len(rows) == len(value) else []


def _is_whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _id(value: Any) -> int | None:
    if _is_whole(value):
        return int(value)
    found = KEY.match(value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def _text(value: Any, names: Collection[str], depth: int = 0) -> str | None:
    """The text of a value: itself, the translation in an object, or the last text of a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, Pairs) and depth < _DEEPEST:
        return _named({_bare(name): one for name, one in value}, names, depth)
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return str(value[-1])
    return None


def _named(fields: Mapping[str, Any], names: Collection[str], depth: int = 0) -> str | None:
    """The translation among the fields of an object; of fields with other names the only one."""
    for name in (*names, *_TEXTS):
        if name in fields and (shown := _text(fields[name], names, depth + 1)) is not None:
            return shown
    only = [one for name, one in fields.items() if isinstance(one, str) and name not in (*_NOT_TAKEN, *_IDS)]
    return only[0] if len(only) == 1 else None


def _bare(name: str) -> str:
    """A name in small letters, without signs between its words."""
    return re.sub(r"[\W_]", "", name).lower()
