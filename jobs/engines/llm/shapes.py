"""Shapes in which models answer: every one that holds the translations under ids is read, never a draft.

Asked for is one JSON object of texts under ids. Small and local models also give lists of objects, objects as values,
an object around it, keys such as “line_01”, lines such as “7: text”, JSON in a string, thoughts before the answer, or
the answer several times. Of several answers the last one counts: drafts come first.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

_THOUGHTS = re.compile(
    r"</(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad)>"
    r"|<\|channel\|>\s*final\s*(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>|assistant\s*final(?=\s*[{\[])"
    r"|<channel\|>|\[/THINK\]|<\|end_of_thought\|>|<\|/think\|>|◁/think▷",
    re.IGNORECASE,
)
"""Ends of the thoughts that models write before their answer, as local servers pass them on."""

_KEY = re.compile(r"^\D{0,12}?(\d{1,9})\D{0,2}$")
"""An id, also with words around it: Python refuses to parse numbers of thousands of digits."""

_BEGINNING = re.compile(r'"\D{0,12}?(\d{1,9})_begins"\s*:\s*("(?:[^"\\]|\\.)*")')
"""The first words of a line, as `prompt.to_translate` wants them beside the texts."""

_PAIR = re.compile(r'"([^"\\\d]{0,12}\d{1,9})"\s*:\s*("(?:[^"\\]|\\.)*")(?=\s*[,}])')
_LOOSE_PAIR = re.compile(
    r"""(?:(?<=[{,\n])|^)\s*['"]?[A-Za-z_ #]{0,8}0*(\d{1,9})['"]?\s*:\s*  # an id, with or without quotation marks
        (['"])(.*?)\2                                                   # a text in quotation marks of one kind
        (?=\s*(?:,\s*['"]?[A-Za-z_ #]{0,8}\d|,?\s*[}\n]|,?\s*$))""",
    re.DOTALL | re.VERBOSE,
)
"""A pair with bare keys or single quotes, or with quotation marks inside its text that lack their escapes."""

_LINE = re.compile(
    r"""^\s*(?:[-*]\s*)?[\[(#"']?\s*(?:line\s*)?0*(\d{1,9})[\])"']?\s*[:.)=|-]\s*(\S.*?)\s*$""", re.IGNORECASE
)
"""A line such as “7: text”, “7. text” or “[7] - text”."""

_INNER = (
    *("translations", "translation", "translated", "translate", "lines", "result", "results", "output", "answer"),
    *("response", "data", "subtitles", "items", "texts"),
)
"""Keys of an object around the answer, the likelier first."""
_IDS = ("id", "line", "number", "index", "key", "n", "no", "line_id", "lineid")
_TEXTS = (
    *("translation", "translated", "target", "translated_text", "output", "text", "value", "content", "line", "result"),
)

_BROKEN = re.compile(r"\\u(?![0-9a-fA-F]{4})")
"""An escape that stands for no character."""

_START = re.compile(r"\{\s*[\"}]|\[\s*[\[{\"]")
"""A brace or bracket with which an answer can begin."""

_DEEPEST = 6  # levels of nesting that are looked into
_MOST = 300  # places of an answer at which a JSON value may begin


class Unreadable(ValueError):
    """Raised when an answer has no texts under ids."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object as a list of pairs, which keeps repeated keys."""


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, strict=False)


def texts_of(answer: str, ids: Sequence[int] = ()) -> dict[int, str]:
    """The texts of an answer by id, unchanged. Ids that occur twice with different texts are left out. Of an answer
    that was cut off the complete pairs are kept. `ids` are those that were asked for: as many texts without ids are
    theirs. Raises Unreadable.
    """
    text = answer[max((found.end() for found in _THOUGHTS.finditer(answer)), default=0) :]
    values, end = _values(text)
    if values and (rest := _found_by_pairs(text[end:])):  # the last answer is cut off; what stands before it are drafts
        return rest
    for value in reversed(values):
        if found := _unique(_pairs(value, ids)):
            return found
    if found := _found_by_pairs(text) or _unique(_numbered(text, ids)):
        return found
    if values and not any(values):
        return {}
    raise Unreadable("no pair of id and text")


def beginnings_of(answer: str) -> dict[int, str]:
    """The first words of lines that an answer gives beside its texts, by id; the last ones of a repeated id."""
    found = dict[int, str]()
    for pair in _BEGINNING.finditer(answer):
        with suppress(ValueError):
            found[int(pair[1])] = str(json.loads(pair[2], strict=False))
    return found


def _values(text: str) -> tuple[list[Any], int]:
    """The JSON objects and lists in a text, in order, without those inside others, and where the last one ends; also of
    a string that holds them.
    """
    values, at, end = list[Any](), 0, 0
    for _ in range(_MOST):
        start = _START.search(text, at)
        if start is None:
            break
        try:
            value, at = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            at = start.start() + 1
            continue
        values.append(value)
        end = at
    if not values and text.strip().startswith('"'):
        with suppress(ValueError, RecursionError):
            inner = json.loads(text.strip(), strict=False)
            if isinstance(inner, str) and inner != text:
                return _values(inner)[0], len(text)
    return values, end


def _pairs(value: Any, ids: Sequence[int], depth: int = 0) -> list[tuple[int, str]]:
    """The texts with their ids in a value of JSON."""
    if depth > _DEEPEST:
        return []
    if isinstance(value, Pairs):
        own = [(int(key[1]), shown) for name, one in value if (key := _KEY.match(name)) and (shown := _text(one))]
        return own or _inside(value, ids, depth)
    if isinstance(value, list):
        entries = [pair for one in value if isinstance(one, Pairs) for pair in _entry(one)]
        if entries:
            return entries
        if len(value) == len(ids) and all(isinstance(one, str) for one in value):
            return list(zip(ids, value, strict=True))
        for one in reversed(value):
            if found := _pairs(one, ids, depth + 1):
                return found
    return []


def _inside(value: Pairs, ids: Sequence[int], depth: int) -> list[tuple[int, str]]:
    """The texts in the values of an object that has no ids as keys."""
    order = {name: place for place, name in enumerate(_INNER)}
    for _, one in sorted(value, key=lambda pair: order.get(pair[0].lower(), len(order))):
        inner = one
        if isinstance(one, str) and one.lstrip()[:1] in {"{", "["}:
            with suppress(ValueError, RecursionError):
                inner = _DECODER.decode(one.strip())
        if isinstance(inner, list) and (found := _pairs(inner, ids, depth + 1)):
            return found
    return []


def _entry(entry: Pairs) -> Iterator[tuple[int, str]]:
    """The id and the text of an object in a list; also `{"1": "text"}`."""
    fields = {name.lower(): one for name, one in entry}
    number = next((_id(fields[name]) for name in _IDS if name in fields and _id(fields[name]) is not None), None)
    if number is None:
        yield from ((int(key[1]), shown) for name, one in entry if (key := _KEY.match(name)) and (shown := _text(one)))
        return
    shown = next((fields[name] for name in _TEXTS if isinstance(fields.get(name), str)), None)
    if shown is not None:
        yield number, shown


def _id(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _KEY.match(value) if isinstance(value, str) else None
    return int(found[1]) if found else None


def _text(value: Any) -> str | None:
    """The text of a value: itself, the translation in an object, or the last text of a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, Pairs):
        fields = {name.lower(): one for name, one in value}
        named = next((fields[name] for name in _TEXTS if isinstance(fields.get(name), str)), None)
        only = [one for one in fields.values() if isinstance(one, str)]
        return named if named is not None else only[0] if len(only) == 1 else None
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return str(value[-1])
    return None


def _found_by_pairs(text: str) -> dict[int, str]:
    """The texts of the pairs in what is no JSON as a whole."""
    return {**_unique(_loose(text)), **_unique(_complete(text))}


def _complete(text: str) -> list[tuple[int, str]]:
    """Each complete pair by itself: a bad escape, or the end of a text that was cut off, costs its own line only."""
    pairs = list[tuple[int, str]]()
    for found in _PAIR.finditer(text):
        with suppress(ValueError):
            key = _KEY.match(found[1])
            if key:
                pairs.append((int(key[1]), json.loads(found[2], strict=False)))
    return pairs


def _loose(text: str) -> list[tuple[int, str]]:
    """Pairs with bare keys, single quotes, or quotation marks without escapes in their texts."""
    if "{" not in text:
        return []
    pairs = ((int(found[1]), found[3]) for found in _LOOSE_PAIR.finditer(text))
    return [(number, re.sub(r"\\([\"'])", r"\1", shown)) for number, shown in pairs if not _BROKEN.search(shown)]


def _numbered(text: str, ids: Sequence[int]) -> list[tuple[int, str]]:
    """Lines such as “7: text”, if they are those that were asked for."""
    found = [(int(line[1]), line[2].strip("\"'“”")) for row in text.splitlines() if (line := _LINE.match(row[:2000]))]
    known = set(ids)
    return found if known and {number for number, _ in found} == known else []


def _unique(pairs: Sequence[tuple[int, str]]) -> dict[int, str]:
    """The texts by id, without ids that have several."""
    counts = Counter(number for number, _ in dict.fromkeys(pairs))
    return {number: text for number, text in pairs if counts[number] == 1}
