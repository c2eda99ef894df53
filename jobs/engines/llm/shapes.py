"""Shapes in which models answer: every one that holds the translations under ids is read, never a draft.

Asked for is one JSON object of texts under ids. Small and local models also give lists of objects, objects as values,
an object around it, keys such as “line_01”, an object a line, lines such as “7: text”, tables, JSON in a string,
thoughts before the answer, or the answer several times. Of several answers the last one counts: drafts come first.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from jobs.engines.llm.fields import DECODER, pairs
from jobs.engines.llm.rows import by_numbers, by_pairs, unique
from jobs.pipeline.text.languages import Language

_NAMES = r"think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
_THOUGHTS = re.compile(
    rf"</(?:\w+:)?(?:{_NAMES})\s*>"
    r"|<\|channel\|>\s*(?:final|commentary\s+to=\S+)\s*(?:<\|constrain\|>\s*\w+\s*)?<\|message\|>|assistant\s*final(?=\s*[{\[])"
    r"|<channel\|>|\[/THINK\]|<\|end_of_thought\|>|<\|/think(?:ing)?\|>|<\|END_THINKING\|>|<unused95>|◁/think▷",
    re.IGNORECASE,
)
"""Ends of the thoughts that models write before their answer, as local servers pass them on."""
_OPENED = re.compile(
    rf"<(?:\w+:)?(?:{_NAMES})(?:\s[^<>]*)?>"
    r"|<\|?channel\|?>\s*(?:analysis|thought)(?:<\|message\|>)?|\A\s*analysis(?=[A-Z\s])"
    r"|\[THINK\]|<\|begin_of_thought\|>|<\|think(?:ing)?\|>|<\|START_THINKING\|>|<unused94>(?:thought)?|◁think▷",
    re.IGNORECASE,
)
"""Their beginnings."""

_BEGINNING = re.compile(r'"\D{0,12}?(\d{1,9})_begins"\s*:\s*("(?:[^"\\]|\\.)*")')
"""The first words of a line, as `prompt.to_translate` wants them beside the texts."""

_START = re.compile(r"\{\s*[\"}]|\[\s*[\[{\"]|\[\s*(?=\d)")
"""A brace or bracket with which an answer can begin."""

_MOST = 300  # places of an answer at which a JSON value may begin


class Unreadable(ValueError):
    """Raised when an answer has no texts under ids."""


def texts_of(
    answer: str, ids: Sequence[int] = (), target: Language | None = None, *, whole: bool = True
) -> dict[int, str]:
    """The texts of an answer by id, unchanged. Ids that occur twice with different texts are left out. Of an answer
    that was cut off the complete pairs are kept. `ids` are those that were asked for: as many texts without ids are
    theirs. `target` tells which of several languages is wanted; an answer that is not `whole` may end inside of a text.
    Raises Unreadable.
    """
    text, is_thought = _without_thoughts(answer)
    for form in dict.fromkeys((text, text.replace('\\"', '"'), html.unescape(text))):
        values, end = _values(form)
        if is_thought and not _is_answer(form, values, end):
            break
        if found := _found(form, values, end, ids, _names(target), whole=whole):
            return found
        if values and not any(values):
            return {}
    raise Unreadable("no pair of id and text")


def _without_thoughts(answer: str) -> tuple[str, bool]:
    """An answer without the thoughts before or after it, and whether what is left stands in thoughts itself: they have
    no end, or nothing stands outside of them.
    """
    end = max((found.end() for found in _THOUGHTS.finditer(answer)), default=0)
    opened = _opened(answer, end)
    text = answer[end : opened.start() if opened else None]
    if text.strip():
        return text, False
    if opened:
        return answer[opened.end() :], True
    before = _opened(answer, 0)
    if before and answer[: before.start()].strip():
        return answer[: before.start()], False
    return _THOUGHTS.sub("", _OPENED.sub("", answer)), bool(end)


def _opened(answer: str, start: int) -> re.Match[str] | None:
    """The first beginning of thoughts from a place on that is not inside of a text of the answer."""
    for found in _OPENED.finditer(answer, start):
        before = answer[start : found.start()].rstrip(" ")
        if not before or before[-1] in "}]`>.:\n":
            return found
    return None


def _is_answer(text: str, values: Sequence[Any], end: int) -> bool:
    """Whether the last value in thoughts is the answer: it stands at their end, and is alone or comes after a draft."""
    alone = text.strip()[:1] in {"{", "["}
    after = re.sub(r"<\|\w+\|>", "", text[end:])
    return bool(values) and not after.strip(" \n`") and (len(values) > 1 or alone)


def _found(
    text: str, values: Sequence[Any], end: int, ids: Sequence[int], names: Collection[str], *, whole: bool
) -> dict[int, str]:
    """The texts by id in a text with so many `values` of JSON, of which the last one ends at `end`."""
    if values and (rest := by_pairs(text[end:])):  # the last answer is cut off; what stands before it are drafts
        return rest
    found: dict[int, str] = {}
    for value in reversed(values):
        one = unique(pairs(value, ids, names))
        if found and len(found) * 2 < len(one) and found.keys() <= one.keys():  # a note on some lines of the answer
            return {number: shown for number, shown in one.items() if found.get(number, shown) == shown}
        if not found.keys() & one.keys():  # an answer in several parts
            found = one | found
    return found or by_pairs(text) or by_numbers(text if whole else text.rpartition("\n")[0], ids)


def _names(target: Language | None) -> list[str]:
    """Names that fields with texts of the target language have."""
    if target is None:
        return []
    words = (target.code, target.code.partition("-")[0], target.name)
    bare = dict.fromkeys(re.sub(r"[\W_]", "", word).lower() for word in words)
    return [form for word in bare for form in (word, f"{word}text", f"{word}translation", f"text{word}")]


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
            value, at = DECODER.raw_decode(text, start.start())
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
