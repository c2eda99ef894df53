"""Texts with their ids in answers that are no JSON: single pairs, numbered lines, tables, tags, subtitles."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from jobs.engines.llm.fields import KEY

_PAIR = re.compile(r'"([^"\\\d]{0,20}\d{1,9})"\s*:\s*("(?:[^"\\]|\\.)*")(?=\s*[,}])')
_LOOSE_PAIR = re.compile(
    r"""(?:(?<=[{,\n])|^)\s*['"]?[A-Za-z_ #]{0,8}0*(\d{1,9})['"]?\s*:\s*  # an id, with or without quotation marks
        (['"])(.*?)\2                                                   # a text in quotation marks of one kind
        (?=\s*(?:,\s*['"]?[A-Za-z_ #]{0,8}\d|,?\s*[}\n]|,?\s*$))""",
    re.DOTALL | re.VERBOSE,
)
"""A pair with bare keys or single quotes, or with quotation marks inside its text that lack their escapes."""
_OPENING = re.compile(r"(?<=[{,:\[\n])([ \t]*)[“«„]")
_CLOSING = re.compile(r"[”»“](?=\s*[:,}\]])")
"""Quotation marks of writing in the place of those of JSON."""

_ESCAPE = re.compile(r"""\\(u[0-9a-fA-F]{4}|["'])""")
_BROKEN = re.compile(r"""\\u(?![0-9a-fA-F]{4})|['"]\s*,\s*$""")
"""An escape that stands for no character, or the end of a text and the beginning of a key that was cut off."""

_LINE = re.compile(
    r"""^\s*(?:[-*|>]\s*)?(?:\*\*)?[\[(#"'«“]?\s*(?:[^\W\d_]{2,12}\s*)?0*(\d{1,9})[\])"'»”]?(?:\*\*)?
        \s*(?:[:.)=|-]>?|->|=>|→|\t|(?<=\])\s)\s*(?:\*\*)?\s*(\S.*)$""",
    re.VERBOSE,
)
"""A line such as “7: text”, “7. text”, “[7] text”, “**7.** text”, “7 → text”, or a row of a table."""
_HEADED = re.compile(
    r"^[^\w\n]*(?:[^\W\d_]{2,12} ?)?(\d{1,9})[^\w\n]*\n(?:[ \t]*[\d:.,]+\s*-->.*\n)?[ \t]*([^\W\d_\s].*|[^\w\s].*)$",
    re.MULTILINE,
)
"""A number alone in its line, and a text in the next: also of subtitles with their times."""
_TAG = re.compile(r"""<(?:\w{1,20}\s[^<>]{0,40}?=\s*["']?)?(\d{1,9})["']?[^<>]{0,80}>([^<>]*)</""")
"""A text in tags: `<line id="7">text</line>`, `<7>text</7>`."""


def by_pairs(text: str) -> dict[int, str]:
    """The texts of the pairs in what is no JSON as a whole."""
    text = _CLOSING.sub('"', _OPENING.sub(r'\1"', text.replace('"""', '"')))
    return {**unique(_loose(text)), **unique(_complete(text))}


def by_numbers(text: str, ids: Sequence[int]) -> dict[int, str]:
    """The texts of numbered lines, rows of a table, tags or subtitles, if they are those of `ids`."""
    rows = [row[:2000] for row in text.splitlines()]
    for found in (
        [(line[1], line[2]) for row in rows if (line := _LINE.match(row))],
        _TAG.findall(text),
        _HEADED.findall("\n".join(rows)),
    ):
        pairs = [(int(number), shown.rstrip("| \t").rpartition(" | ")[2].strip("\"'“” \t")) for number, shown in found]
        if ids and {number for number, shown in pairs if shown} == set(ids):
            return unique(pairs)
    return {}


def unique(pairs: Sequence[tuple[int, str]]) -> dict[int, str]:
    """The texts by id, without ids that have several."""
    counts = Counter(number for number, _ in dict.fromkeys(pairs))
    return {number: text for number, text in pairs if counts[number] == 1}


def _complete(text: str) -> list[tuple[int, str]]:
    """Each complete pair by itself: a bad escape, or the end of a text that was cut off, costs its own line only."""
    pairs = list[tuple[int, str]]()
    for found in _PAIR.finditer(text):
        with suppress(ValueError):
            key = KEY.match(found[1])
            if key:
                pairs.append((int(key[1]), json.loads(found[2], strict=False)))
    return pairs


def _loose(text: str) -> list[tuple[int, str]]:
    """Pairs with bare keys, single quotes, or quotation marks without escapes in their texts."""
    if "{" not in text:
        return []
    pairs = ((int(found[1]), found[3]) for found in _LOOSE_PAIR.finditer(text))
    return [(number, _ESCAPE.sub(_unescaped, shown)) for number, shown in pairs if not _BROKEN.search(shown)]


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1][1:], 16)) if len(escape[1]) > 1 else escape[1]
